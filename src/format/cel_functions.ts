/**
 * Functions of CEL as Flux offers them (fluxcd/pkg/runtime/cel v0.110.3): the standard library, cel-go's ext strings, sets
 * and encoders, optionals. A name with a leading dot is a method. Regular expressions are Go's, in linear time.
 *
 * @module
 */
import { toBool, toDouble, toDuration, toInt, toText, toTimestamp, toUint } from "./cel_conversions.ts";
import { formatCel } from "./cel_format.ts";
import { ascii, charAt, indexOf, join, lastIndexOf, quote, replace, split, substring } from "./cel_texts.ts";
import { timestampField } from "./cel_time.ts";
import {
  CelDuration,
  celEqual,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelUint,
  fail,
  listOf,
  overload,
  textOf,
  typeOf,
  utf8,
} from "./cel_value.ts";
import type { CelType, CelValue } from "./cel_value.ts";
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

function size(value: CelValue): bigint {
  if (typeof value === "string") return BigInt([...value].length);
  if (value instanceof Uint8Array || Array.isArray(value)) return BigInt(value.length);
  return value instanceof CelMap ? BigInt(value.entries.size) : fail("no such overload: size");
}

function matches(value: CelValue, pattern: CelValue): boolean {
  const [subject, source] = [textOf(value), textOf(pattern)];
  try {
    return compileRegexp(source).test(subject);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function subset(whole: CelValue, part: CelValue): boolean {
  const [all, some] = [setOf(whole), setOf(part)];
  return some.every((item) => all.some((other) => celEqual(item, other)));
}

function setOf(value: CelValue): readonly CelValue[] {
  return listOf(value);
}

function decodeBase64(value: CelValue): Uint8Array {
  const source = textOf(value);
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
  return listOf(value).flatMap((item) => {
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
    if (value instanceof CelTimestamp) {
      return timestampField(value.ns, field, zone === undefined ? "UTC" : textOf(zone));
    }
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
  bytes: (value) => value instanceof Uint8Array ? value : utf8(textOf(value)),
  timestamp: (value) => toTimestamp(value as CelValue),
  duration: (value) => toDuration(value as CelValue),
  matches: (value, pattern) => matches(value as CelValue, pattern as CelValue),
  ".matches": (value, pattern) => matches(value as CelValue, pattern as CelValue),
  ".contains": (value, part) => textOf(value).includes(textOf(part)),
  ".startsWith": (value, part) => textOf(value).startsWith(textOf(part)),
  ".endsWith": (value, part) => textOf(value).endsWith(textOf(part)),
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
  ".trim": (value) => textOf(value).replace(/^[\p{White_Space}]+|[\p{White_Space}]+$/gu, ""),
  ".reverse": (value) => [...textOf(value)].reverse().join(""),
  ".format": (template, values) => formatCel(textOf(template), listOf(values)),
  "strings.quote": (value) => quote(value as CelValue),
  "sets.contains": (whole, part) => subset(whole as CelValue, part as CelValue),
  "sets.equivalent": (a, b) => subset(a as CelValue, b as CelValue) && subset(b as CelValue, a as CelValue),
  "sets.intersects": (a, b) => listOf(a).some((item) => listOf(b).some((other) => celEqual(item, other))),
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
  ".first": (value) => new CelOptional(listOf(value)[0]),
  ".last": (value) => new CelOptional(listOf(value).at(-1)),
};

/** `null` is a value, too. */
function emptyOptional(value: CelValue): CelValue {
  return value instanceof CelOptional && value.value === null ? null : fail("optional.none() dereference");
}
