import type { JsonValue } from "../../../core/json.ts";
import type { MapNode, YamlNode } from "../../../format/yaml_node/node.ts";
import { copyNode, isEmptyNode, scalar } from "../../../format/yaml_node/node.ts";
import { nodeToJson } from "../../../format/yaml_node/node_json.ts";
import { readYaml } from "../../../format/yaml_node/reader.ts";
import { fault, textFault, wrapFault } from "../fault.ts";
import { type Growth, nodeSize, textSize } from "../growth.ts";
import type { ResourceId } from "../identity.ts";
import { effectiveNamespace, idText, selects } from "../identity.ts";
import { decode, list } from "../decode.ts";
import type { Replacement, Selector } from "../kustomization_file.ts";
import { replacement as replacementShape } from "../kustomization_file.ts";
import type { Loader } from "../load.ts";
import type { NamedResource } from "../named_resource.ts";
import type { ResourceSet } from "../resource_set.ts";
import type { Transform } from "./patches.ts";
import { lookUp, splitFieldPath } from "./replacement_path.ts";
import type { Slot } from "./replacement_slots.ts";
import { matchPath } from "./replacement_slots.ts";
import { setInsideText } from "./replacement_text.ts";
import { candidates, compileSelector } from "./select.ts";

const defaultPath = "metadata.name";
/** Most parts of a field path: what is made along it is walked by calls within calls. */
const maxParts = 1_000;

/**
 * Entries of `replacements`: inline, or files with one or a list of them.
 *
 * @throws {StageError} BuildFailed for files that cannot be read
 */
export function prepareReplacements(
  entries: readonly { readonly path: string; readonly value: JsonValue }[],
  loader: Loader,
): Transform {
  const all: Replacement[] = [];
  for (const entry of entries) {
    if (entry.path === "") {
      all.push(decode(replacementShape, entry.value, readOptions("replacement")));
      continue;
    }
    const content = readFileValue(entry.path, loader);
    const options = readOptions(entry.path);
    if (Array.isArray(content)) all.push(...decode(list(replacementShape), content, options));
    else if (typeof content === "object" && content !== null) all.push(decode(replacementShape, content, options));
    else throw fault(`Replacement file "${entry.path}" must hold a replacement or a list of them`);
  }
  return (set, { growth }) => {
    for (const replacement of all) replace(set, replacement, growth);
  };
}

function readOptions(what: string) {
  return { what, lenientTexts: true, unknownFields: true };
}

function readFileValue(path: string, loader: Loader): JsonValue {
  try {
    const node = readYaml(loader.readText(path), { dialect: "v2" });
    return node === undefined ? null : nodeToJson(node, { dialect: "v2", keys: "lenient" });
  } catch (error) {
    throw textFault(path, error);
  }
}

function replace(set: ResourceSet, replacement: Replacement, growth: Growth): void {
  const { source, sourceValue, targets } = replacement;
  if ((source === undefined && sourceValue === undefined) || targets === undefined) {
    throw fault("Replacements must specify a source and at least one target");
  }
  if (source !== undefined && sourceValue !== undefined) {
    throw fault("Value and resource selectors of a replacement are mutually exclusive");
  }
  const value = source === undefined ? scalar(sourceValue as string) : sourceNode(set, source);
  const filling = { value, size: nodeSize(value), growth };
  for (const target of targets) {
    const { select } = target;
    if (select === undefined) throw fault("Target must specify resources to select");
    const compiled = compileSelector(select);
    const rejects = target.reject.map((reject) => ({ reject, compiled: compileSelector(reject) }));
    const paths = (target.fieldPaths.length === 0 ? [defaultPath] : target.fieldPaths).map(readPath);
    for (const resource of [...candidates(set, select)]) {
      if (isEmptyNode(resource.node) || !compiled.marks(resource)) continue;
      const ids = idsOf(resource);
      const rejected = rejects.some(({ reject, compiled: test }) =>
        (hasMarks(reject) && test.marks(resource)) || (!hasNoIdentity(reject) && ids.some((id) => fits(test, id)))
      );
      if (rejected || !ids.some((id) => fits(compiled, id))) continue;
      for (const path of paths) {
        try {
          setAt(resource.node, filling, path, target.options);
        } catch (error) {
          throw wrapFault(`Cannot replace field "${path.text}" of ${idText(resource.id())}`, error);
        }
        if (path.mayRename) set.touch();
      }
    }
  }
}

interface FieldPath {
  readonly text: string;
  readonly parts: readonly string[];
  /** Whether it leads to what a resource is known by. */
  readonly mayRename: boolean;
}

function readPath(text: string): FieldPath {
  const parts = splitFieldPath(text);
  if (parts.length > maxParts) {
    throw fault(`Field path "${text.slice(0, 40)}…" has ${parts.length} parts, the limit is ${maxParts}`);
  }
  return { text, parts, mayRename: /^\/?(?:metadata|kind|apiVersion)\b/.test(text) };
}

/** The current identity with its namespace as written, then the former ones. */
function idsOf(resource: NamedResource): ResourceId[] {
  const id = resource.id();
  return [id, ...resource.former.map((former) => ({ ...id, ...former }))];
}

function fits(test: ReturnType<typeof compileSelector>, id: ResourceId): boolean {
  return test.group(id.group) && test.version(id.version) && test.kind(id.kind) && test.name(id.name) &&
    test.namespace(id.namespace);
}

function hasMarks(selector: Selector): boolean {
  return selector.labelSelector !== "" || selector.annotationSelector !== "";
}

function hasNoIdentity(selector: Selector): boolean {
  return selector.group === "" && selector.version === "" && selector.kind === "" && selector.name === "" &&
    selector.namespace === "";
}

type Source = NonNullable<Replacement["source"]>;

function sourceNode(set: ResourceSet, source: Source): YamlNode {
  const wanted = effectiveNamespace({ ...source, group: "", version: "", kind: "" });
  const pool = source.name !== "" ? set.withName(source.name) : source.kind !== "" ? set.ofKind(source.kind) : set.list;
  const matches = pool.filter((resource) =>
    idsOf(resource).some((id) =>
      (source.name === "" || source.name === id.name) &&
      (source.namespace === "" || wanted === (id.namespace === "" ? "default" : id.namespace)) &&
      selects(source, id)
    )
  );
  const name = idText(source);
  if (matches.length > 1) throw fault(`Multiple matches for selector ${name}`);
  const resource = matches[0];
  if (resource === undefined) throw fault(`Nothing selected by ${name}`);
  const path = source.fieldPath === "" ? defaultPath : source.fieldPath;
  let found: YamlNode | undefined;
  try {
    found = lookUp(resource.node, readPath(path).parts);
  } catch (error) {
    throw wrapFault("Error looking up replacement source", error);
  }
  if (found === undefined || isEmptyNode(found)) {
    throw fault(`FieldPath "${path}" is missing for replacement source ${name}`);
  }
  const { options } = source;
  if (options === undefined || options.delimiter === "") return found;
  if (found.kind !== "scalar") throw fault("Delimiter option can only be used with scalar nodes");
  const parts = found.text.split(options.delimiter);
  const index = Number(options.index);
  const part = index < 0 ? undefined : parts[index];
  if (part === undefined) throw fault(`Options.index ${index} is out of bounds for a value of ${parts.length} parts`);
  return { ...found, text: part };
}

type Options = Replacement["source"] extends infer S ? NonNullable<S> extends { options: infer O } ? O : never : never;

/** What a replacement puts somewhere. */
interface Filling {
  readonly value: YamlNode;
  readonly size: number;
  readonly growth: Growth;
}

function setAt(root: MapNode, filling: Filling, { text, parts }: FieldPath, options: Options): void {
  const { value, growth } = filling;
  const create = options?.create === true ? value.kind : undefined;
  const where = { path: parts, create, growth };
  if (setInsideText(root, value, where)) return;
  const slots = matchPath(root, where);
  if (slots.length === 0) {
    throw fault(`Unable to find ${create === undefined ? "" : "or create "}field "${text}" in replacement target`);
  }
  for (const slot of slots) fill(slot, filling, options);
}

function fill(slot: Slot, { value, size, growth }: Filling, options: Options): void {
  growth.spend(size);
  let filling = copyNode(value);
  if (options !== undefined && options.delimiter !== "") {
    if (slot.node.kind !== "scalar") throw fault("Delimiter option can only be used with scalar nodes");
    const parts = slot.node.text.split(options.delimiter);
    const text = value.kind === "scalar" ? value.text : "";
    const index = Number(options.index);
    if (index < 0) parts.unshift(text);
    else if (index >= parts.length) parts.push(text);
    else parts[index] = text;
    const joined = parts.join(options.delimiter);
    growth.spend(textSize(joined));
    filling = filling.kind === "scalar" ? { ...filling, text: joined } : scalar(joined);
  }
  if (slot.node.kind === "scalar") slot.node.text = filling.kind === "scalar" ? filling.text : "";
  else slot.put(filling);
}
