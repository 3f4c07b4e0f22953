/**
 * Values of CEL as cel-go v0.26 has them, and what holds between any two of them: equality across numeric types, order.
 *
 * | CEL | here |
 * |---|---|
 * | int, double, string, bool, null, bytes | bigint, number, string, boolean, null, `Uint8Array` |
 * | uint, timestamp, duration, type | {@linkcode CelUint}, {@linkcode CelTimestamp}, {@linkcode CelDuration}, {@linkcode CelType} |
 * | list, map, optional | array, {@linkcode CelMap}, {@linkcode CelOptional} |
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../core/json.ts";

/** Any value. */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | CelUint
  | CelTimestamp
  | CelDuration
  | CelType
  | CelMap
  | CelOptional
  | readonly CelValue[];

/** A fault of an evaluation. `&&`, `||` and quantifiers may swallow it; `isLimit` ones they may not. */
export class CelError extends Error {
  readonly isLimit: boolean;
  constructor(message: string, isLimit = false) {
    super(message);
    this.isLimit = isLimit;
  }
}

/** Most characters, bytes or members of one value. */
const sizeLimit = 1_000_000;

/** Refuses a value that is, or would become, too large. @throws {CelError} a limit */
export function checkSize(size: number): void {
  if (size > sizeLimit) throw new CelError(`a value of more than ${sizeLimit} characters, bytes or members`, true);
}

/** Characters, bytes or members of a value, not looking into members. */
export function sizeOf(value: CelValue | undefined): number {
  if (typeof value === "string" || value instanceof Uint8Array || Array.isArray(value)) return value.length;
  return value instanceof CelMap ? value.entries.size : 1;
}

/** Characters, bytes and members of a value and of all that is in it; no longer counted above `enough`. */
export function weightOf(value: CelValue | undefined, enough: number): number {
  if (value instanceof CelOptional) return 1 + weightOf(value.value, enough);
  const members = Array.isArray(value) ? value : value instanceof CelMap ? value.entries.values() : undefined;
  let weight = 1 + sizeOf(value);
  if (members === undefined) return weight;
  for (const member of members as Iterable<CelValue>) {
    if (weight > enough) break;
    weight += weightOf(member, enough - weight);
  }
  return weight;
}

/** An unsigned 64-bit integer. */
export class CelUint {
  readonly value: bigint;
  constructor(value: bigint) {
    if (value < 0n || value >= 2n ** 64n) throw new CelError("unsigned integer overflow");
    this.value = value;
  }
}

/** A moment in nanoseconds since 1970, from the year 1 to 9999. */
export class CelTimestamp {
  readonly ns: bigint;
  constructor(ns: bigint) {
    if (ns < -62135596800n * 1_000_000_000n || ns >= 253402300800n * 1_000_000_000n) {
      throw new CelError("range error: timestamp");
    }
    this.ns = ns;
  }
}

/** A span in nanoseconds. */
export class CelDuration {
  readonly ns: bigint;
  constructor(ns: bigint) {
    if (ns < -(2n ** 63n) || ns >= 2n ** 63n) throw new CelError("range error: duration");
    this.ns = ns;
  }
}

/** A type as a value. */
export class CelType {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value that may be absent. */
export class CelOptional {
  readonly value: CelValue | undefined;
  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

/** A map. Keys are texts, booleans and integers; equal integers of different types are the same key. */
export class CelMap {
  readonly entries: ReadonlyMap<string, readonly [CelValue, CelValue]>;
  constructor(pairs: Iterable<readonly [CelValue, CelValue]>) {
    const entries = new Map<string, readonly [CelValue, CelValue]>();
    for (const pair of pairs) {
      entries.set(mapKey(pair[0]) ?? fail(`unsupported key type: ${typeOf(pair[0]).name}`), pair);
    }
    this.entries = entries;
  }
  get(key: CelValue): CelValue | undefined {
    const text = mapKey(key);
    return text === undefined ? undefined : this.entries.get(text)?.[1];
  }
  keys(): CelValue[] {
    return [...this.entries.values()].map(([key]) => key);
  }
}

/** Throws a {@linkcode CelError}. */
export function fail(message: string): never {
  throw new CelError(message);
}

/** Refuses values that an operator or function does not take. */
export function overload(): never {
  return fail("no such overload");
}

/** A value that must be a text. @throws {CelError} */
export function textOf(value: CelValue | undefined): string {
  return typeof value === "string" ? value : overload();
}

/** A value that must be a list. @throws {CelError} */
export function listOf(value: CelValue | undefined): readonly CelValue[] {
  return Array.isArray(value) ? value : overload();
}

function mapKey(key: CelValue): string | undefined {
  if (typeof key === "string") return `s${key}`;
  if (typeof key === "bigint") return `n${key}`;
  if (key instanceof CelUint) return `n${key.value}`;
  if (typeof key === "number") return Number.isInteger(key) ? `n${BigInt(key)}` : `d${key}`;
  return typeof key === "boolean" ? `b${key}` : undefined;
}

/** CEL's view of JSON: whole numbers are int (uint beyond int64), others double. */
export function fromJson(value: JsonValue): CelValue {
  if (typeof value === "number") return Number.isInteger(value) ? ofInteger(BigInt(value)) : value;
  if (typeof value === "bigint") return ofInteger(value);
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value === "object" && value !== null) {
    return new CelMap(Object.entries(value as JsonObject).map(([key, member]) => [key, fromJson(member)] as const));
  }
  return value as CelValue;
}

function ofInteger(value: bigint): CelValue {
  if (value >= -(2n ** 63n) && value < 2n ** 63n) return value;
  return value > 0n && value < 2n ** 64n ? new CelUint(value) : Number(value);
}

/** The type of a value. */
export function typeOf(value: CelValue): CelType {
  return celTypes[typeName(value)] ?? new CelType("dyn");
}

function typeName(value: CelValue): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
  }
  if (value === null) return "null_type";
  if (Array.isArray(value)) return "list";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof CelUint) return "uint";
  if (value instanceof CelMap) return "map";
  if (value instanceof CelTimestamp) return "google.protobuf.Timestamp";
  if (value instanceof CelDuration) return "google.protobuf.Duration";
  return value instanceof CelOptional ? "optional_type" : "type";
}

/** Types that an expression can name. */
export const celTypes: Readonly<Record<string, CelType>> = Object.fromEntries(
  [
    ...["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type", "optional_type"],
    ...["google.protobuf.Timestamp", "google.protobuf.Duration"],
  ].map((name) => [name, new CelType(name)]),
);

function numeric(value: CelValue): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return value instanceof CelUint ? value.value : undefined;
}

/** Whether two values are equal; values of different types are not, but numbers count by their value. */
export function celEqual(a: CelValue, b: CelValue): boolean {
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined || y !== undefined) return x !== undefined && y !== undefined && numericOrder(x, y) === 0;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => celEqual(item, b[index] as CelValue));
  }
  if (a instanceof CelMap) {
    return b instanceof CelMap && a.entries.size === b.entries.size && [...a.entries.values()].every(([key, value]) => {
      const other = b.get(key);
      return other !== undefined && celEqual(value, other);
    });
  }
  if (a instanceof Uint8Array) return b instanceof Uint8Array && byteOrder(a, b) === 0;
  if (a instanceof CelTimestamp) return b instanceof CelTimestamp && a.ns === b.ns;
  if (a instanceof CelDuration) return b instanceof CelDuration && a.ns === b.ns;
  if (a instanceof CelType) return b instanceof CelType && a.name === b.name;
  if (a instanceof CelOptional) {
    if (!(b instanceof CelOptional)) return false;
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return celEqual(a.value, b.value);
  }
  return a === b;
}

/** -1, 0 or 1; `undefined` when there is no order (NaN). Numbers of different kinds are compared as doubles, as cel-go does. */
function numericOrder(a: bigint | number, b: bigint | number): number | undefined {
  const [x, y] = typeof a === typeof b ? [a, b] : [Number(a), Number(b)];
  return x < y ? -1 : x > y ? 1 : x === y ? 0 : undefined;
}

function byteOrder(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(a.length - b.length);
}

/** An int, which must fit 64 bits. @throws {CelError} */
export function checkedInt(value: bigint): bigint {
  return value < -(2n ** 63n) || value >= 2n ** 63n ? fail("integer overflow") : value;
}

/** The order of two values: -1, 0, 1; `undefined` for NaN. @throws {CelError} for types that have none between them */
export function celCompare(a: CelValue, b: CelValue): number | undefined {
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined && y !== undefined) return numericOrder(x, y);
  if (typeof a === "string" && typeof b === "string") return byteOrder(utf8(a), utf8(b));
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return byteOrder(a, b);
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0;
  if (a instanceof CelDuration && b instanceof CelDuration) return a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0;
  return fail("no such overload");
}

const encoder = new TextEncoder();

/** Bytes of a text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
