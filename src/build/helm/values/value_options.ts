import type { JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import { mergeMaps, readValues, YamlConversionError } from "../chart/read_yaml.ts";
import { UnmarshalError } from "../chart/go_struct.ts";
import { ChartError } from "../chart/metadata.ts";
import type { Dialect } from "../dialect.ts";
import { isHelm3 } from "../dialect.ts";
import { fromBytes } from "../template/go_string.ts";
import { fromJson } from "../template/value.ts";
import type { GoMap } from "../template/value.ts";
import { assign, SetSyntaxError } from "./set_syntax.ts";
import type { SetMode } from "./set_syntax.ts";
import { copyValue, newTable, tableOf } from "./tables.ts";
import type { Table } from "./tables.ts";

/** What `helm template` takes on the command line to make values, each in the order written. */
export interface ValueOptions {
  /** `-f`: name and content. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly json: readonly string[];
  readonly typed: readonly string[];
  readonly strings: readonly string[];
  /** `--set-file`; the paths' contents are read by `readFile`. */
  readonly fromFiles: readonly string[];
  readonly literals: readonly string[];
}

/** How values are read. */
export interface ValueOptionsContext {
  readonly dialect: Dialect;
  /** Content of a path that `--set-file` names. @throws {ChartError} with Helm's text when it cannot be read */
  readonly readFile: (path: string) => Uint8Array;
}

/**
 * Values of the options: files first, then `--set-json`, `--set`, `--set-string`, `--set-file`, `--set-literal`, each
 * over what was there (Helm 4.2.4, `pkg/cli/values`).
 *
 * @throws {ChartError} with Helm's text
 */
export function mergeValueOptions(options: ValueOptions, context: ValueOptionsContext): Table {
  let values = newTable();
  for (const file of options.files) {
    try {
      values = tableOf(mergeMaps(values, readValues(file.bytes, context.dialect)));
    } catch (error) {
      if (!(error instanceof YamlConversionError) && !(error instanceof UnmarshalError)) throw error;
      throw new ChartError(`failed to parse ${file.name}: ${error.message}`, { cause: error });
    }
  }
  values = copyValue(values);
  for (const text of options.json) values = withJson(text, values, context.dialect);
  for (const text of options.typed) assignOption("--set", text, values, { kind: "typed" });
  for (const text of options.strings) assignOption("--set-string", text, values, { kind: "string" });
  const read = (path: string) => fromBytes(context.readFile(path));
  for (const text of options.fromFiles) assignOption("--set-file", text, values, { kind: "file", read });
  for (const text of options.literals) assignOption("--set-literal", text, values, { kind: "literal" });
  return values;
}

function assignOption(flag: string, text: string, values: Table, mode: SetMode): void {
  try {
    assign(text, values, mode);
  } catch (error) {
    if (!(error instanceof SetSyntaxError) && !(error instanceof ChartError)) throw error;
    throw new ChartError(`failed parsing ${flag} data: ${error.message}`, { cause: error });
  }
}

/** `--set-json`: assignments, or since Helm 4 a whole object. */
function withJson(text: string, values: Table, dialect: Dialect): Table {
  const trimmed = text.trim();
  if (!isHelm3(dialect) && trimmed.startsWith("{")) {
    let json: JsonValue;
    try {
      json = JSON.parse(trimmed) as JsonValue;
    } catch (cause) {
      throw new ChartError(`failed parsing --set-json data JSON: ${text}`, { cause });
    }
    if (!isJsonObject(json)) throw new ChartError(`failed parsing --set-json data JSON: ${text}`);
    return tableOf(mergeMaps(values, fromJson(json) as GoMap));
  }
  try {
    assign(text, values, { kind: "json" });
  } catch (cause) {
    if (!(cause instanceof SetSyntaxError)) throw cause;
    throw new ChartError(`failed parsing --set-json data ${text}`, { cause });
  }
  return values;
}
