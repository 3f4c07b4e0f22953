/**
 * Functions of CEL as Flux offers them (fluxcd/pkg/runtime/cel v0.110.3): the standard library, cel-go's ext strings, sets
 * and encoders, optionals. A name with a leading dot is a method. Regular expressions are Go's, in linear time.
 *
 * @module
 */
import { formatCel } from "./cel_format.ts";
import { durationText, parseTimestampNs, timestampField, timestampText } from "./cel_time.ts";
import { CelDuration, celEqual, CelMap, CelOptional, CelTimestamp, CelUint, fail, typeOf, utf8 } from "./cel_value.ts";
import type { CelType, CelValue } from "./cel_value.ts";
import { parseDurationNs } from "./duration.ts";
import { shortestFloat } from "./go_float.ts";
import { compileRegexp } from "./go_regexp.ts";

type CelFunction = (...args: CelValue[]) => CelValue;

/** Whether a function of that name is known. */
export function hasFunction(name: string): boolean {
  return Object.hasOwn(functions, name);
}

/** The result of a function. @throws {CelError} */
export function callFunction(name: string, args: readonly CelValue[]): CelValue {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  const counts = found === undefined ? undefined : arities[name] ?? [found.length];
  if (found === undefined || !counts?.includes(args.length)) {
    return fail(`no such overload: ${name.replace(/^\./, "")}`);
  }
  return found(...args);
}

function overload(): never {
  return fail("no such overload");
}

function text(value: CelValue | undefined): string {
  return typeof value === "string" ? value : overload();
}

function int(value: CelValue | undefined): number {
  return typeof value === "bigint" ? Number(value) : overload();
}

function list(value: CelValue | undefined): readonly CelValue[] {
  return Array.isArray(value) ? value : overload();
}

function checkedInt(value: bigint): bigint {
  return value < -(2n ** 63n) || value >= 2n ** 63n ? fail("integer overflow") : value;
}

function conversionFault(value: CelValue, to: string): never {
  return fail(`type conversion error from '${typeOf(value).name}' to '${to}'`);
}

function size(value: CelValue): bigint {
  if (typeof value === "string") return BigInt([...value].length);
  if (value instanceof Uint8Array || Array.isArray(value)) return BigInt(value.length);
  return value instanceof CelMap ? BigInt(value.entries.size) : fail("no such overload: size");
}

function matches(value: CelValue, pattern: CelValue): boolean {
  const [subject, source] = [text(value), text(pattern)];
  try {
    return compileRegexp(source).test(subject);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function toInt(value: CelValue): CelValue {
  if (typeof value === "bigint") return value;
  if (value instanceof CelUint) return checkedInt(value.value);
  if (typeof value === "number") {
    const whole = Math.trunc(value);
    return whole > -(2 ** 63) && whole < 2 ** 63 ? BigInt(whole) : fail("integer overflow");
  }
  if (typeof value === "string") {
    if (!/^[-+]?[0-9]+$/.test(value)) return conversionFault(value, "int");
    const exact = BigInt(value.replace(/^\+/, ""));
    return exact >= -(2n ** 63n) && exact < 2n ** 63n ? exact : conversionFault(value, "int");
  }
  if (value instanceof CelTimestamp) return value.ns / 1_000_000_000n;
  return value instanceof CelDuration ? value.ns : conversionFault(value, "int");
}

function toUint(value: CelValue): CelValue {
  if (value instanceof CelUint) return value;
  if (typeof value === "bigint") return new CelUint(value);
  if (typeof value === "number") {
    return value > -1 && value < 2 ** 64 ? new CelUint(BigInt(Math.trunc(value))) : fail("unsigned integer overflow");
  }
  if (typeof value === "string" && /^[0-9]+$/.test(value) && BigInt(value) < 2n ** 64n) {
    return new CelUint(BigInt(value));
  }
  return conversionFault(value, "uint");
}

function toDouble(value: CelValue): CelValue {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof CelUint) return Number(value.value);
  if (typeof value === "string") {
    const special = /^([-+]?)(?:inf|infinity)$/i.exec(value);
    if (special !== null) return special[1] === "-" ? -Infinity : Infinity;
    if (/^[-+]?nan$/i.test(value)) return NaN;
    if (/^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(value)) {
      const number = Number(value);
      if (Number.isFinite(number)) return number;
    }
  }
  return conversionFault(value, "double");
}

function toText(value: CelValue): CelValue {
  if (typeof value === "string") return value;
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof CelUint) return String(value.value);
  if (typeof value === "number") return shortestFloat(value, 64, 21).replace(/^\+?(Inf)$/, "+$1");
  if (value instanceof Uint8Array) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
    } catch {
      return fail("invalid UTF-8 in bytes, cannot convert to string");
    }
  }
  if (value instanceof CelTimestamp) return timestampText(value.ns);
  if (value instanceof CelDuration) return durationText(value.ns);
  return conversionFault(value, "string");
}

function toBool(value: CelValue): CelValue {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") {
    if (["1", "t", "T", "TRUE", "true", "True"].includes(value)) return true;
    if (["0", "f", "F", "FALSE", "false", "False"].includes(value)) return false;
  }
  return conversionFault(value, "bool");
}

function toTimestamp(value: CelValue): CelValue {
  if (value instanceof CelTimestamp) return value;
  if (typeof value === "bigint") return new CelTimestamp(value * 1_000_000_000n);
  return typeof value === "string"
    ? new CelTimestamp(parseTimestampNs(value))
    : conversionFault(value, "google.protobuf.Timestamp");
}

function toDuration(value: CelValue): CelValue {
  if (value instanceof CelDuration) return value;
  if (typeof value === "bigint") return new CelDuration(value);
  if (typeof value !== "string") return conversionFault(value, "google.protobuf.Duration");
  let ns: bigint;
  try {
    ns = parseDurationNs(value);
  } catch {
    return conversionFault(value, "google.protobuf.Duration");
  }
  return new CelDuration(ns);
}

/** Characters between two places; places count characters, not code units. */
function substring(value: CelValue, from: CelValue, to?: CelValue): string {
  const signs = [...text(value)];
  const start = int(from);
  const end = to === undefined ? signs.length : int(to);
  if (start < 0 || start > signs.length) return fail(`index out of range: ${start}`);
  if (end < 0 || end > signs.length) return fail(`index out of range: ${end}`);
  return end < start ? fail(`invalid substring range. start: ${start}, end: ${end}`) : signs.slice(start, end).join("");
}

function indexOf(value: CelValue, part: CelValue, from: CelValue = 0n): bigint {
  const signs = [...text(value)];
  const start = int(from);
  if (text(part) === "") return BigInt(start);
  if (start < 0) return fail(`index out of range: ${start}`);
  if (start >= signs.length) return -1n;
  const rest = signs.slice(start).join("");
  const found = rest.indexOf(text(part));
  return found < 0 ? -1n : BigInt(start + [...rest.slice(0, found)].length);
}

function lastIndexOf(value: CelValue, part: CelValue, from?: CelValue): bigint {
  const signs = [...text(value)];
  const start = from === undefined ? signs.length : int(from);
  if (text(part) === "") return BigInt(start);
  if (start < 0) return fail(`index out of range: ${start}`);
  if (from !== undefined && start >= signs.length) return -1n;
  const reach = signs.slice(0, start).join("").length;
  const found = text(value).lastIndexOf(text(part), reach);
  return found < 0 ? -1n : BigInt([...text(value).slice(0, found)].length);
}

function charAt(value: CelValue, place: CelValue): string {
  const signs = [...text(value)];
  const at = int(place);
  return at < 0 || at > signs.length ? fail(`index out of range: ${at}`) : signs[at] ?? "";
}

function replace(value: CelValue, from: CelValue, to: CelValue, times: CelValue = -1n): string {
  const [subject, old, fresh] = [text(value), text(from), text(to)];
  const limit = int(times);
  const pieces = old === "" ? ["", ...subject, ""] : subject.split(old);
  const count = limit < 0 ? pieces.length - 1 : Math.min(limit, pieces.length - 1);
  return pieces.slice(0, count).map((piece) => piece + fresh).join("") + pieces.slice(count).join(old);
}

function split(value: CelValue, separator: CelValue, limit: CelValue = -1n): readonly string[] {
  const pieces = text(separator) === "" ? [...text(value)] : text(value).split(text(separator));
  const most = int(limit);
  if (most === 0) return [];
  if (most < 0 || pieces.length <= most) return pieces;
  return [...pieces.slice(0, most - 1), pieces.slice(most - 1).join(text(separator))];
}

function join(value: CelValue, separator: CelValue = ""): string {
  const items = list(value);
  if (typeof separator !== "string" || items.some((item) => typeof item !== "string")) {
    return fail("no such overload: join");
  }
  return items.join(separator);
}

/** ASCII letters only. */
function ascii(value: CelValue, change: (letter: string) => string, letters: RegExp): string {
  return text(value).replace(letters, change);
}

const escapes: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function quote(value: CelValue): string {
  return `"${text(value).toWellFormed().replace(/[\u0007\b\f\n\r\t\v\\"]/g, (sign) => escapes[sign] ?? sign)}"`;
}

function subset(whole: CelValue, part: CelValue): boolean {
  const [all, some] = [setOf(whole), setOf(part)];
  return some.every((item) => all.some((other) => celEqual(item, other)));
}

function setOf(value: CelValue): readonly CelValue[] {
  return list(value);
}

function decodeBase64(value: CelValue): Uint8Array {
  const source = text(value);
  const body = source.replace(/[\r\n]/g, "").replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(body) || body.length % 4 === 1) return fail("illegal base64 data");
  return Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
}

function optional(value: CelValue): CelOptional {
  return value instanceof CelOptional ? value : overload();
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === 0 || value === 0n || value === "") return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelUint) return value.value === 0n;
  if (value instanceof CelMap) return value.entries.size === 0;
  if (value instanceof CelDuration) return value.ns === 0n;
  return value instanceof CelOptional ? value.value === undefined : false;
}

function unwrap(value: CelValue): readonly CelValue[] {
  return list(value).flatMap((item) => {
    const inner = optional(item).value;
    return inner === undefined ? [] : [inner];
  });
}

const timestampFields = [
  ...["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"],
  ...["getHours", "getMinutes", "getSeconds", "getMilliseconds"],
];
const durationUnits: Readonly<Record<string, bigint>> = {
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
  getMilliseconds: 1_000_000n,
};

function timeField(field: string): CelFunction {
  return (value, zone) => {
    if (value instanceof CelTimestamp) return timestampField(value.ns, field, zone === undefined ? "UTC" : text(zone));
    const unit = durationUnits[field];
    return value instanceof CelDuration && unit !== undefined && zone === undefined ? value.ns / unit : overload();
  };
}

/** Functions that take more than one number of arguments. */
const arities: Readonly<Record<string, readonly number[]>> = {
  ".indexOf": [2, 3],
  ".lastIndexOf": [2, 3],
  ".substring": [2, 3],
  ".replace": [3, 4],
  ".split": [2, 3],
  ".join": [1, 2],
  ...Object.fromEntries(timestampFields.map((field) => [`.${field}`, [1, 2]])),
};

const functions: Readonly<Record<string, CelFunction>> = {
  size: (value) => size(value as CelValue),
  ".size": (value) => size(value as CelValue),
  dyn: (value) => value as CelValue,
  type: (value): CelType => typeOf(value as CelValue),
  int: (value) => toInt(value as CelValue),
  uint: (value) => toUint(value as CelValue),
  double: (value) => toDouble(value as CelValue),
  string: (value) => toText(value as CelValue),
  bool: (value) => toBool(value as CelValue),
  bytes: (value) => value instanceof Uint8Array ? value : utf8(text(value)),
  timestamp: (value) => toTimestamp(value as CelValue),
  duration: (value) => toDuration(value as CelValue),
  matches: (value, pattern) => matches(value as CelValue, pattern as CelValue),
  ".matches": (value, pattern) => matches(value as CelValue, pattern as CelValue),
  ".contains": (value, part) => text(value).includes(text(part)),
  ".startsWith": (value, part) => text(value).startsWith(text(part)),
  ".endsWith": (value, part) => text(value).endsWith(text(part)),
  ...Object.fromEntries(timestampFields.map((field) => [`.${field}`, timeField(field)])),
  ".charAt": (value, place) => charAt(value as CelValue, place as CelValue),
  ".indexOf": indexOf,
  ".lastIndexOf": lastIndexOf,
  ".substring": substring,
  ".replace": replace,
  ".split": split,
  ".join": join,
  ".lowerAscii": (value) => ascii(value as CelValue, (letter) => letter.toLowerCase(), /[A-Z]+/g),
  ".upperAscii": (value) => ascii(value as CelValue, (letter) => letter.toUpperCase(), /[a-z]+/g),
  ".trim": (value) => text(value).replace(/^[\p{White_Space}]+|[\p{White_Space}]+$/gu, ""),
  ".reverse": (value) => [...text(value)].reverse().join(""),
  ".format": (template, values) => formatCel(text(template), list(values)),
  "strings.quote": (value) => quote(value as CelValue),
  "sets.contains": (whole, part) => subset(whole as CelValue, part as CelValue),
  "sets.equivalent": (a, b) => subset(a as CelValue, b as CelValue) && subset(b as CelValue, a as CelValue),
  "sets.intersects": (a, b) => list(a).some((item) => list(b).some((other) => celEqual(item, other))),
  "base64.encode": (value) =>
    value instanceof Uint8Array ? btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join("")) : overload(),
  "base64.decode": (value) => decodeBase64(value as CelValue),
  "optional.of": (value) => new CelOptional(value),
  "optional.none": () => new CelOptional(undefined),
  "optional.ofNonZeroValue": (value) => new CelOptional(isZero(value as CelValue) ? undefined : value),
  "optional.unwrap": (value) => unwrap(value as CelValue),
  ".unwrapOpt": (value) => unwrap(value as CelValue),
  ".hasValue": (value) => optional(value as CelValue).value !== undefined,
  ".value": (value) => optional(value as CelValue).value ?? emptyOptional(value as CelValue),
  ".first": (value) => new CelOptional(list(value)[0]),
  ".last": (value) => new CelOptional(list(value).at(-1)),
};

/** `null` is a value, too. */
function emptyOptional(value: CelValue): CelValue {
  return value instanceof CelOptional && value.value === null ? null : fail("optional.none() dereference");
}
