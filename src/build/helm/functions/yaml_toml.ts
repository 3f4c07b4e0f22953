/**
 * Helm's functions for YAML and TOML (pkg/engine/funcs.go of Helm 3.22 and 4.2.4): `toYaml` never fails but gives "", the
 * reading ones put the text of an error into the result.
 *
 * @module
 */
import type { JsonValue, MutableJson } from "../../../core/json.ts";
import { FormatError } from "../../../format/format_error.ts";
import { goYamlFault } from "../../../format/go_yaml_fault.ts";
import { readGoYaml } from "../../../format/go_yaml_value.ts";
import { setMember } from "../../../format/json_clone.ts";
import { printYaml } from "../../../format/yaml.ts";
import { readYaml as readYamlBytes, YamlConversionError } from "../chart/read_yaml.ts";
import { GoError } from "../template/go_error.ts";
import { hasRawBytes, toBytes, withoutRawBytes } from "../template/go_string.ts";
import { goTypes, sliceType } from "../template/go_type.ts";
import {
  fromJson,
  GoBytes,
  goDict,
  GoInt,
  goInt64,
  goList,
  GoMap,
  GoSlice,
  GoStruct,
  typeNameOf,
} from "../template/value.ts";
import type { Value } from "../template/value.ts";
import { GoTime, localZone } from "./dates.ts";
import { structMembers } from "./json_text.ts";
import { func } from "./registry.ts";
import type { CallContext, FunctionRecord, FunctionTable } from "./registry.ts";
import { TomlError, TomlTables } from "./toml_keys.ts";
import type { TomlValue } from "./toml_keys.ts";
import { readToml } from "./toml_read.ts";
import { tomlText } from "./toml_text.ts";
import { prettyYaml } from "./yaml_pretty.ts";

const { any, dict, list, string } = goTypes;

/** Nesting from which a value is held for one that contains itself. */
const maxDepth = 500;

/** JSON of a value as encoding/json sees it. @throws {GoError} for what JSON cannot say */
function jsonOf(context: CallContext, value: Value, depth = 0): MutableJson {
  context.spend(1);
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return withoutRawBytes(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) {
      throw new GoError(`json: unsupported value: ${Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"}`);
    }
    return value;
  }
  if (typeof value === "boolean") return value;
  if (depth > maxDepth) throw new GoError(`json: unsupported value: encountered a cycle via ${typeNameOf(value)}`);
  const { toJson } = value.type;
  if (toJson !== undefined) {
    return value instanceof GoStruct && value.fields === null ? null : toJson(value) as MutableJson;
  }
  if (value instanceof GoInt) return value.value;
  if (value instanceof GoSlice) {
    context.made(50 + 8 * (value.items?.length ?? 0));
    return value.items === null ? null : value.items.map((item) => jsonOf(context, item, depth + 1));
  }
  if (value instanceof GoBytes) return value.bytes === null ? null : value.bytes.toBase64();
  const members = value instanceof GoMap
    ? value.entries
    : value instanceof GoStruct && value.fields !== null
    ? structMembers(value)
    : undefined;
  if (members === undefined) throw new GoError(`json: unsupported type: ${typeNameOf(value)}`);
  if (members === null) return null;
  const made: { [key: string]: MutableJson } = {};
  context.made(100);
  for (const [key, item] of members) {
    context.made(50);
    setMember(made, withoutRawBytes(key), jsonOf(context, item, depth + 1));
  }
  return made;
}

/** Runs a printer; what fails in Go is an error here, or "" where `isStrict` is not set. */
function printing(isStrict: boolean, print: (context: CallContext, value: Value) => string): FunctionRecord {
  return func([any], string, (context, value) => {
    try {
      const text = print(context, value);
      context.reserve("toYaml", text.length);
      return text.endsWith("\n") ? text.slice(0, -1) : text;
    } catch (error) {
      if (!(error instanceof GoError || error instanceof FormatError)) throw error;
      // What go-yaml v3 has no word for makes it stop, not fail.
      if (!isStrict && !error.message.startsWith("cannot marshal type: ")) return "";
      throw error instanceof GoError ? error : printFault(error);
    }
  });
}

function yamlOf(context: CallContext, value: Value): string {
  let json: MutableJson;
  try {
    json = jsonOf(context, value);
  } catch (error) {
    throw error instanceof GoError ? new GoError(`error marshaling into JSON: ${error.message}`, error) : error;
  }
  try {
    return printYaml(json as JsonValue);
  } catch (error) {
    throw error instanceof FormatError ? printFault(error) : error;
  }
}

/** What `yaml.Marshal` says where its JSON is no YAML. */
function printFault(error: FormatError): GoError {
  const known = /yaml: .*$/s.exec(error.what)?.[0];
  return new GoError(known ?? "yaml: control characters are not allowed");
}

/** The value of a YAML text as `yaml.Unmarshal` of sigs.k8s.io/yaml gives it. @throws {GoError} with its text */
function readDocument(context: CallContext, text: string): JsonValue {
  context.made(16 * text.length);
  if (hasRawBytes(text)) return readRawBytes(text);
  try {
    return readGoYaml(text) ?? null;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.what.startsWith("yaml: ")) throw new GoError(`error converting YAML to JSON: ${error.what}`);
    const message = goYamlFault(text, error);
    // What go-yaml finds only while it decodes has no line.
    const shown = /cannot decode|unknown anchor|value contains itself/.test(message)
      ? message.replace(/^yaml: line \d+: /, "yaml: ")
      : message;
    throw new GoError(`error converting YAML to JSON: ${shown}`);
  }
}

/** A text with bytes that are no UTF-8: libyaml says which rule they break. */
function readRawBytes(text: string): JsonValue {
  try {
    return readYamlBytes(toBytes(text));
  } catch (error) {
    if (error instanceof YamlConversionError) throw new GoError(error.message);
    throw error;
  }
}

function kindOf(value: JsonValue): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "object" ? "object" : typeof value === "string" ? "string" : "number";
}

function mismatch(value: JsonValue, type: string): GoError {
  return new GoError(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${
      kindOf(value)
    } into Go value of type ${type}`,
  );
}

/** The encoder panics for nil instead of failing. */
function presentOrPanic(value: Value): Value {
  if (value === null || value === undefined) throw new GoError("reflect: call of reflect.Value.Type on zero Value");
  return value;
}

const tableList = sliceType(dict);

/** Template values of a TOML text: integers are int64, lists of tables have a type of their own. */
function fromToml(value: TomlValue): Value {
  if (typeof value === "bigint") return goInt64(value);
  if (typeof value !== "object") return value;
  if (value instanceof Map) return goDict([...value].map(([key, member]) => [key, fromToml(member)] as const));
  if (value instanceof TomlTables) return new GoSlice(value.tables.map(fromToml), tableList);
  return "ns" in value ? new GoTime(value) : goList(value.map(fromToml));
}

/** What the keys of a TOML text cost: one of many parts takes the square of their number, since each is a path of its own. */
function keySteps(text: string): number {
  let steps = 0;
  let parts = 0;
  let isKey = true;
  for (const sign of text) {
    if (sign === "\n") {
      isKey = true;
      parts = 0;
    } else if (sign === "=") isKey = false;
    else if (isKey && sign === ".") steps += ++parts >> 5;
  }
  return steps;
}

/** Functions by name. */
export const yamlTomlFunctions: FunctionTable = {
  fromToml: func([string], dict, (context, text) => {
    context.made(16 * text.length);
    context.spend(keySteps(text));
    try {
      return fromToml(readToml(text, localZone(context))) as GoMap;
    } catch (error) {
      if (error instanceof TomlError) return goDict([["Error", error.message]]);
      throw error;
    }
  }),
  fromYaml: func([string], dict, (context, text) => {
    try {
      const value = readDocument(context, text);
      if (value === null) return goDict();
      const made = fromJson(value);
      if (made instanceof GoMap) return made;
      throw mismatch(value, "map[string]interface {}");
    } catch (error) {
      if (error instanceof GoError) return goDict([["Error", error.message]]);
      throw error;
    }
  }),
  fromYamlArray: func([string], list, (context, text) => {
    try {
      const value = readDocument(context, text);
      if (value === null) return goList([]);
      const made = fromJson(value);
      if (made instanceof GoSlice) return made;
      throw mismatch(value, "[]interface {}");
    } catch (error) {
      if (error instanceof GoError) return goList([error.message]);
      throw error;
    }
  }),
  mustToToml: func([any], string, (context, value) => tomlText(context, presentOrPanic(value))),
  mustToYaml: printing(true, yamlOf),
  toToml: func([any], string, (context, value) => {
    const present = presentOrPanic(value);
    try {
      return tomlText(context, present);
    } catch (error) {
      if (error instanceof GoError) return error.message;
      throw error;
    }
  }),
  toYaml: printing(false, yamlOf),
  toYamlPretty: printing(false, prettyYaml),
};
