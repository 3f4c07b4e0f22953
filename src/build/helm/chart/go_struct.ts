import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import { floatText } from "../template/go_number.ts";
import { compareStrings } from "../template/go_string.ts";

/** A field's type as Go declares it. */
export type FieldType =
  | { readonly kind: "string" | "bool" | "time" | "any" }
  | { readonly kind: "list"; readonly item: FieldType }
  | { readonly kind: "map"; readonly item: FieldType }
  | { readonly kind: "struct"; readonly shape: StructShape };

/** A Go struct: the name that error texts show, and its fields by JSON name. */
export interface StructShape {
  /** `Metadata`: in "Go struct field Metadata.name". */
  readonly name: string;
  /** `v2.Metadata`: in "of type v2.Metadata". */
  readonly typeName: string;
  readonly fields: Readonly<Record<string, FieldType>>;
}

/** A value that does not fit its Go type; the message is the one of Go's `encoding/json`. */
export class UnmarshalError extends Error {
  override readonly name = "UnmarshalError";
}

/** What was read: fields by JSON name; absent and null ones are missing. */
export type StructValue = Readonly<Record<string, unknown>>;

/**
 * Reads a YAML value into a Go struct as sigs.k8s.io/yaml v1.6.0 and `encoding/json` do: names match without regard to
 * case, unknown ones are passed over, plain numbers and booleans become text where text is wanted.
 *
 * @throws {UnmarshalError} for the first misfit in order of keys
 */
export function readStruct(value: JsonValue, shape: StructShape, path: readonly string[] = []): StructValue {
  const reader: Reader = { fault: undefined };
  const read = value === null ? {} : structOf(value, shape, { path, owner: undefined }, reader) ?? {};
  if (reader.fault !== undefined) throw reader.fault;
  return read;
}

interface Reader {
  fault: UnmarshalError | undefined;
}

interface Position {
  readonly path: readonly string[];
  readonly owner: StructShape | undefined;
}

function structOf(
  value: JsonValue,
  shape: StructShape,
  position: Position,
  reader: Reader,
): StructValue | undefined {
  if (!isJsonObject(value)) return misfit(value, shape.typeName, position, reader);
  const made: Record<string, unknown> = {};
  const names = Object.keys(shape.fields);
  for (const key of Object.keys(value).sort(compareStrings)) {
    const name = Object.hasOwn(shape.fields, key)
      ? key
      : names.find((candidate) => candidate.toLowerCase() === key.toLowerCase());
    if (name === undefined) continue;
    const inner = { path: [...position.path, name], owner: shape };
    const read = fieldOf(value[key] as JsonValue, shape.fields[name] as FieldType, inner, reader);
    if (read !== undefined) made[name] = read;
  }
  return made;
}

function fieldOf(value: JsonValue, type: FieldType, position: Position, reader: Reader): unknown {
  if (value === null) return undefined;
  switch (type.kind) {
    case "any":
      return value;
    case "string":
      return typeof value === "string" ? value : scalarText(value) ?? misfit(value, "string", position, reader);
    case "time":
      return typeof value === "string" ? value : misfit(value, "time.Time", position, reader);
    case "bool":
      return typeof value === "boolean" ? value : misfit(value, "bool", position, reader);
    case "struct":
      return structOf(value, type.shape, position, reader);
    case "list":
      if (!Array.isArray(value)) return misfit(value, typeName(type), position, reader);
      return value.map((item: JsonValue) => fieldOf(item, type.item, position, reader) ?? null);
    case "map":
      return mapOf(value, type, position, reader);
  }
}

function mapOf(
  value: JsonValue,
  type: FieldType & { readonly kind: "map" },
  position: Position,
  reader: Reader,
): ReadonlyMap<string, unknown> | undefined {
  if (!isJsonObject(value)) return misfit(value, typeName(type), position, reader);
  const object: JsonObject = value;
  const made = new Map<string, unknown>();
  for (const key of Object.keys(object).sort(compareStrings)) {
    const item = fieldOf(object[key] as JsonValue, type.item, position, reader);
    made.set(key, item ?? (type.item.kind === "string" ? "" : null));
  }
  return made;
}

function typeName(type: FieldType): string {
  switch (type.kind) {
    case "list":
      return type.item.kind === "struct" ? `[]*${type.item.shape.typeName}` : `[]${typeName(type.item)}`;
    case "map":
      return `map[string]${typeName(type.item)}`;
    case "any":
      return "interface {}";
    case "struct":
      return type.shape.typeName;
    case "time":
      return "time.Time";
    default:
      return type.kind;
  }
}

/** Text of a plain scalar where Go wants a string. */
function scalarText(value: JsonValue): string | undefined {
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value !== "number") return undefined;
  return Number.isSafeInteger(value) ? String(value) : floatText(value);
}

function misfit(value: JsonValue, type: string, position: Position, reader: Reader): undefined {
  const what = jsonKind(value);
  const place = position.owner === undefined
    ? `Go value of type ${type}`
    : `Go struct field ${position.owner.name}.${position.path.join(".")} of type ${type}`;
  reader.fault ??= new UnmarshalError(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${what} into ${place}`,
  );
  return undefined;
}

/** What `encoding/json` calls a value. */
export function jsonKind(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "object" ? "object" : typeof value === "string" ? "string" : "number";
}
