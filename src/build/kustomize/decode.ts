import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { nearest } from "../../format/nearest.ts";
import { fault } from "./fault.ts";

/** How strict values are read. */
export interface DecodeOptions {
  /** What is read, for messages: a file or the name of a configuration. */
  readonly what: string;
  /** Numbers and booleans where text belongs become text, as sigs.k8s.io/yaml does when it knows the type. */
  readonly lenientTexts?: boolean;
  /** Fields that are not known are passed over. Default: refused with the nearest known name. */
  readonly unknownFields?: boolean;
}

/** Reads one value; `undefined` and null give the type's zero value, as Go's JSON decoder does. */
export type Decoder<Value> = (value: JsonValue | undefined, path: string, options: DecodeOptions) => Value;

/** Value of a decoder. */
export type Decoded<D> = D extends Decoder<infer Value> ? Value : never;

/** @throws {StageError} BuildFailed with the path of the field that is wrong */
export function decode<Value>(decoder: Decoder<Value>, value: JsonValue | undefined, options: DecodeOptions): Value {
  return decoder(value, "", options);
}

function wrong(path: string, wanted: string, value: JsonValue, options: DecodeOptions): never {
  const got = value === null
    ? "null"
    : Array.isArray(value)
    ? "a list"
    : typeof value === "object"
    ? "a mapping"
    : `the ${typeof value === "string" ? "text" : typeof value === "boolean" ? "boolean" : "number"} ${
      JSON.stringify(typeof value === "bigint" ? Number(value) : value)
    }`;
  throw fault(`Cannot read ${options.what}: ${path === "" ? "it" : `field "${path}"`} must be ${wanted}, not ${got}`);
}

/** A text; zero value `""`. */
export const text: Decoder<string> = (value, path, options) => {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (options.lenientTexts && typeof value !== "object") return String(value);
  return wrong(path, "a text", value, options);
};

/** A boolean; zero value `false`. */
export const bool: Decoder<boolean> = (value, path, options) => {
  if (value === undefined || value === null) return false;
  return typeof value === "boolean" ? value : wrong(path, "true or false", value, options);
};

/** A whole number; zero value 0. */
export const integer: Decoder<number | bigint> = (value, path, options) => {
  if (value === undefined || value === null) return 0;
  if (typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value))) return value;
  return wrong(path, "a whole number", value, options);
};

/** Any value, as it is. */
export const anything: Decoder<JsonValue | undefined> = (value) => value;

/** A list; zero value `[]`. */
export function list<Item>(item: Decoder<Item>): Decoder<Item[]> {
  return (value, path, options) => {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) return wrong(path, "a list", value, options);
    return value.map((entry, at) => item(entry, `${path}[${at}]`, options));
  };
}

/** A value that may be missing. */
export function optional<Value>(inner: Decoder<Value>): Decoder<Value | undefined> {
  return (value, path, options) => (value === undefined || value === null ? undefined : inner(value, path, options));
}

/** A mapping of any keys; zero value `{}`. */
export function dictionary<Value>(item: Decoder<Value>): Decoder<Map<string, Value>> {
  return (value, path, options) => {
    const out = new Map<string, Value>();
    if (value === undefined || value === null) return out;
    if (!isJsonObject(value)) return wrong(path, "a mapping", value, options);
    for (const [key, entry] of Object.entries(value)) out.set(key, item(entry, joinField(path, key), options));
    return out;
  };
}

/** A mapping of known fields. Names are matched without regard to case, as Go's JSON decoder does. */
export function object<Fields extends Readonly<Record<string, Decoder<unknown>>>>(
  fields: Fields,
): Decoder<{ [Key in keyof Fields]: Decoded<Fields[Key]> }> {
  const names = Object.keys(fields);
  const known = new Map(names.map((name) => [name.toLowerCase(), name]));
  return (value, path, options) => {
    if (value !== undefined && value !== null && !isJsonObject(value)) return wrong(path, "a mapping", value, options);
    const given = new Map<string, JsonValue>();
    // Of names that differ in case alone, the last in sorted order counts: that is how Go reads them out of JSON.
    for (const key of Object.keys(value ?? {}).sort()) {
      const name = Object.hasOwn(fields, key) ? key : known.get(key.toLowerCase());
      if (name !== undefined) given.set(name, (value as JsonObject)[key] as JsonValue);
      else if (!options.unknownFields) throw unknownField(joinField(path, key), nearest(key, names), options);
    }
    const out: Record<string, unknown> = {};
    for (const name of names) {
      out[name] = (fields[name] as Decoder<unknown>)(given.get(name), joinField(path, name), options);
    }
    return out as { [Key in keyof Fields]: Decoded<Fields[Key]> };
  };
}

function unknownField(field: string, near: string | undefined, { what }: DecodeOptions): Error {
  return fault(`Cannot read ${what}: unknown field "${field}"${near === undefined ? "" : `, did you mean "${near}"?`}`);
}

function joinField(path: string, field: string): string {
  return path === "" ? field : `${path}.${field}`;
}
