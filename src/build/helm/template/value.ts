/**
 * Go's view of a value, in JS. The model:
 *
 * | Go | here |
 * |---|---|
 * | nothing (`reflect` invalid: result of a pipeline or variable that is nil) | `undefined` |
 * | nil held in an `interface {}` (element of a map or list, result of a function) | `null` |
 * | bool, string, float64 | JS boolean, string, number |
 * | every integer kind, `time.Duration`, `time.Month` | {@linkcode GoInt} |
 * | slices of every type, nil or not | {@linkcode GoSlice}; `[]byte`: {@linkcode GoBytes} |
 * | maps with string keys of every type, nil or not | {@linkcode GoMap} |
 * | structs and pointers to them | {@linkcode GoStruct}, or a class of its own that extends {@linkcode GoObject} |
 *
 * Strings are byte strings in Go: a byte that is not part of valid UTF-8 is kept as the code unit U+DC80…U+DCFF (see
 * go_string.ts). Lists are never changed once made; maps are, and are shared, as in Go.
 *
 * @module
 */
import type { JsonValue } from "../../../core/json.ts";
import { goTypes } from "./go_type.ts";
import type { GoType } from "./go_type.ts";

/** A value of a template. */
export type Value = undefined | null | boolean | number | string | GoObject;

/** Every value that is not a JS primitive: it knows its Go type. */
export abstract class GoObject {
  abstract readonly type: GoType;
}

/** An integer of any Go kind. `value` is a number while it is safe (±2^53), a bigint beyond. Make it with {@linkcode goInt} and its kin. */
export class GoInt extends GoObject {
  readonly type: GoType;
  readonly value: number | bigint;

  constructor(type: GoType, value: number | bigint) {
    super();
    this.type = type;
    this.value = value;
  }
}

/** A complex number: exists so that literals such as `1i` print and compare as in Go. */
export class GoComplex extends GoObject {
  readonly type = goTypes.complex128;
  readonly re: number;
  readonly im: number;

  constructor(re: number, im: number) {
    super();
    this.re = re;
    this.im = im;
  }
}

/** A slice. `items` is `null` for a nil slice, which prints as an empty list and is `null` in JSON. */
export class GoSlice extends GoObject {
  readonly type: GoType;
  readonly items: readonly Value[] | null;
  readonly room: SliceRoom;

  constructor(items: readonly Value[] | null, type: GoType = goTypes.list, room?: SliceRoom) {
    super();
    this.items = items;
    this.type = type;
    this.room = room;
  }
}

/**
 * What stands behind the end of a slice, within its capacity: nothing (`undefined`), what one-by-one growth leaves
 * (`grown`), this many zero values, or what a longer slice has there.
 */
export type SliceRoom = undefined | "grown" | number | readonly Value[];

/** A `[]byte`. */
export class GoBytes extends GoObject {
  readonly type: GoType;
  readonly bytes: Uint8Array | null;

  constructor(bytes: Uint8Array | null, type: GoType = goTypes.bytes) {
    super();
    this.bytes = bytes;
    this.type = type;
  }
}

/**
 * A map with string keys. `entries` is `null` for a nil map. Two maps may share their entries under different types:
 * `.Values` (a `common.Values`) is the same map as the `map[string]interface {}` that `set` returns. Elements that are
 * nil are `null`, never `undefined`. Go has no order of keys: whoever shows them sorts ({@linkcode sortedKeys}).
 */
export class GoMap extends GoObject {
  readonly type: GoType;
  readonly entries: Map<string, Value> | null;

  constructor(entries: Map<string, Value> | null, type: GoType = goTypes.dict) {
    super();
    this.entries = entries;
    this.type = type;
  }
}

/** A struct or a pointer to one (by its type's kind). `fields` is `null` for a nil pointer. */
export class GoStruct extends GoObject {
  readonly type: GoType;
  readonly fields: Readonly<Record<string, Value>> | null;

  constructor(type: GoType, fields: Readonly<Record<string, Value>> | null) {
    super();
    this.type = type;
    this.fields = fields;
  }

  /** The same struct under another type: what a pointer points at. */
  as(type: GoType): GoStruct {
    return new GoStruct(type, this.fields);
  }
}

/** Small integers, each made with its first use. */
const smallInts: (GoInt | undefined)[] = [];

/** An `int`. Values outside 64 bits wrap, fractions are cut. */
export function goInt(value: number | bigint): GoInt {
  if (typeof value === "number" && value >= -128 && value < 1024 && Number.isInteger(value)) {
    // The sum makes a plain zero of a negative one.
    return smallInts[value + 128] ??= new GoInt(goTypes.int, value + 0);
  }
  return new GoInt(goTypes.int, wrapInteger(value, goTypes.int));
}

/** An `int64`. Values outside 64 bits wrap, fractions are cut. */
export function goInt64(value: number | bigint): GoInt {
  return new GoInt(goTypes.int64, wrapInteger(value, goTypes.int64));
}

/** An integer of any type of an integer kind, wrapped to its size. */
export function goInteger(type: GoType, value: number | bigint): GoInt {
  return new GoInt(type, wrapInteger(value, type));
}

function wrapInteger(value: number | bigint, type: GoType): number | bigint {
  const isUnsigned = type.kind.startsWith("uint");
  const bits = Number(/\d+$/.exec(type.kind)?.[0] ?? 64);
  if (typeof value === "number") {
    const whole = Math.trunc(value) + 0;
    if (Number.isSafeInteger(whole) && bits === 64 && (whole >= 0 || !isUnsigned)) return whole;
    if (!Number.isFinite(whole)) return bits === 64 && !isUnsigned ? -(2n ** 63n) : 0;
    return wrapInteger(BigInt(whole), type);
  }
  const wrapped = isUnsigned ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  return wrapped >= -9007199254740991n && wrapped <= 9007199254740991n ? Number(wrapped) : wrapped;
}

/** A `[]interface {}`. */
export function goList(items: readonly Value[]): GoSlice {
  return new GoSlice(items);
}

/** A `[]interface {}` whose items were appended one by one. */
export function goGrownList(items: readonly Value[]): GoSlice {
  return new GoSlice(items, goTypes.list, "grown");
}

/** A `[]string`. */
export function goStrings(items: readonly string[] | null): GoSlice {
  return new GoSlice(items, goTypes.strings);
}

/** A `map[string]interface {}` of entries. */
export function goDict(entries: Iterable<readonly [string, Value]> = []): GoMap {
  return new GoMap(new Map(entries));
}

/** A `map[string]string`. */
export function goStringMap(entries: Iterable<readonly [string, string]>): GoMap {
  return new GoMap(new Map<string, Value>(entries), goTypes.stringMap);
}

/** Items of a slice; none for a nil one. */
export function itemsOf(slice: GoSlice): readonly Value[] {
  return slice.items ?? [];
}

/** Type of a value; `undefined` for both nils. */
export function typeOf(value: Value): GoType | undefined {
  switch (typeof value) {
    case "string":
      return goTypes.string;
    case "number":
      return goTypes.float64;
    case "boolean":
      return goTypes.bool;
    case "object":
      return value === null ? undefined : value.type;
  }
  return undefined;
}

/** Kind of a value as `reflect.Kind` prints it; `invalid` for both nils. */
export function kindOf(value: Value): string {
  return typeOf(value)?.kind ?? "invalid";
}

/** Name of a value's type as `%T` prints it; `<nil>` for both nils. */
export function typeNameOf(value: Value): string {
  return typeOf(value)?.name ?? "<nil>";
}

/** Whether both nils, a nil slice, a nil map or a nil pointer. */
export function isNil(value: Value): boolean {
  if (value === undefined || value === null) return true;
  if (value instanceof GoMap) return value.entries === null;
  if (value instanceof GoSlice) return value.items === null;
  if (value instanceof GoBytes) return value.bytes === null;
  return value instanceof GoStruct && value.fields === null;
}

/** Truth of a value (text/template, "if"): false, 0, empty string, list or map and nil are false; structs are true. */
export function isTrue(value: Value): boolean {
  switch (typeof value) {
    case "string":
      return value !== "";
    case "boolean":
      return value;
    case "number":
      return value !== 0;
    case "undefined":
      return false;
  }
  if (value === null) return false;
  if (value instanceof GoMap) return value.entries !== null && value.entries.size > 0;
  if (value instanceof GoInt) return value.value !== 0;
  if (value instanceof GoSlice) return value.items !== null && value.items.length > 0;
  if (value instanceof GoBytes) return value.bytes !== null && value.bytes.length > 0;
  if (value instanceof GoComplex) return value.re !== 0 || value.im !== 0;
  return !isNil(value);
}

/** The value that a new variable of a type has. */
export function zeroOf(type: GoType): Value {
  switch (type.kind) {
    case "bool":
      return false;
    case "string":
      return "";
    case "float64":
      return 0;
    case "complex128":
      return new GoComplex(0, 0);
    case "slice":
      return type.elem?.kind === "uint8" ? new GoBytes(null, type) : new GoSlice(null, type);
    case "map":
      return new GoMap(null, type);
    case "interface":
    case "func":
      return null;
    case "ptr":
      return new GoStruct(type, null);
    case "struct":
      return type.name === "reflect.Value" ? undefined : new GoStruct(
        type,
        Object.fromEntries((type.fields ?? []).map((field) => [field.name, zeroOf(field.type)])),
      );
  }
  return new GoInt(type, 0);
}

/**
 * Template value of a JSON value, copied: objects become `map[string]interface {}`, every number a float64. Use it for
 * everything that comes from YAML or JSON.
 */
export function fromJson(json: JsonValue): Value {
  switch (typeof json) {
    case "bigint":
      return Number(json);
    case "object":
      break;
    default:
      return json;
  }
  if (json === null) return null;
  if (Array.isArray(json)) {
    const items = new Array<Value>(json.length);
    for (let index = 0; index < json.length; index++) items[index] = fromJson(json[index] as JsonValue);
    return new GoSlice(items, goTypes.list, "grown");
  }
  const entries = new Map<string, Value>();
  const object = json as { readonly [key: string]: JsonValue };
  for (const key of Object.keys(object)) entries.set(key, fromJson(object[key] as JsonValue));
  return new GoMap(entries);
}
