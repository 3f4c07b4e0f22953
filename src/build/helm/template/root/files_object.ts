/**
 * `.Files` as Go types (helm `pkg/engine/files.go`, 3.22 and 4.2.4).
 *
 * @module
 */
import { FormatError } from "../../../../format/format_error.ts";
import { printYaml } from "../../../../format/yaml_print.ts";
import { method } from "../../functions/registry.ts";
import type { CallContext } from "../../functions/registry.ts";
import { templateModules } from "../../template_modules.ts";
import { GoError } from "../go_error.ts";
import { compareStrings, fromBytes, withoutRawBytes } from "../go_string.ts";
import { goTypes, mapType, namedType } from "../go_type.ts";
import type { GoType } from "../go_type.ts";
import { GoBytes, GoMap, goStrings } from "../value.ts";
import type { Value } from "../value.ts";

const { bytes, string, strings } = goTypes;

function linesOf(context: CallContext, files: GoMap, path: string): Value {
  const file = files.entries?.get(path);
  if (!(file instanceof GoBytes) || file.bytes === null) return goStrings([]);
  context.reserve("Files.Lines", file.bytes.length);
  const text = fromBytes(file.bytes);
  if (text === "") {
    if (context.dialect === "helm3") return goStrings([]);
    throw new GoError("runtime error: index out of range [-1]");
  }
  return goStrings((text.endsWith("\n") ? text.slice(0, -1) : text).split("\n"));
}

/** YAML map of the files by base name; "" when YAML cannot carry them. Of equal names the last in order of path counts. */
function asYaml(context: CallContext, files: GoMap, textOf: (bytes: Uint8Array) => string): string {
  let length = 0;
  for (const file of files.entries?.values() ?? []) length += file instanceof GoBytes ? file.bytes?.length ?? 0 : 0;
  context.reserve("Files.AsConfig", length);
  const entries: Record<string, string> = Object.create(null);
  for (const path of [...files.entries?.keys() ?? []].sort(compareStrings)) {
    const file = files.entries?.get(path) as GoBytes;
    entries[path.replace(/\/+$/, "").split("/").at(-1) as string] = textOf(file.bytes ?? new Uint8Array());
  }
  try {
    return printYaml(entries).replace(/\n$/, "");
  } catch (error) {
    if (error instanceof FormatError) return "";
    throw error;
  }
}

/** Signs of a glob that each character of a path may pass for one step. */
const signsPerStep = 8;

function globbed(files: GoMap, pattern: string): GoMap {
  let matches: (path: string) => boolean;
  try {
    matches = templateModules.glob().compileGlob(pattern);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    matches = () => true;
  }
  return new GoMap(new Map([...files.entries ?? []].filter(([path]) => matches(path))), files.type);
}

const noBytes = () => new GoBytes(new Uint8Array());

const filesType: GoType = namedType("engine.files", mapType(bytes), {
  methods: {
    AsConfig: method(
      [],
      string,
      (context, files: GoMap) => asYaml(context, files, (data) => withoutRawBytes(fromBytes(data))),
    ),
    AsSecrets: method([], string, (context, files: GoMap) => asYaml(context, files, (data) => data.toBase64())),
    Get: method([string], string, (context, files: GoMap, path) => {
      const file = files.entries?.get(path);
      if (!(file instanceof GoBytes) || file.bytes === null) return "";
      context.reserve("Files.Get", file.bytes.length);
      return fromBytes(file.bytes);
    }),
    GetBytes: method([string], bytes, (_, files: GoMap, path) => files.entries?.get(path) ?? noBytes()),
    // The result is another set of files; its type is this one, so only its kind is told here.
    Glob: method([string], mapType(bytes), (context, files: GoMap, pattern) => {
      let length = pattern.length;
      for (const path of files.entries?.keys() ?? []) length += path.length;
      context.spend(length * Math.ceil(pattern.length / signsPerStep));
      return globbed(files, pattern);
    }),
    Lines: method([string], strings, (context, files: GoMap, path) => linesOf(context, files, path)),
  },
});

/** `.Files` of files by path. */
export function filesObject(files: Iterable<readonly [string, Uint8Array]>): GoMap {
  const entries = new Map<string, Value>();
  for (const [path, data] of files) entries.set(path, new GoBytes(data));
  return new GoMap(entries, filesType);
}
