import { durationText, parseTimestampNs, timestampText } from "./cel_time.ts";
import type { CelValue } from "./cel_value.ts";
import { CelDuration, CelTimestamp, CelUint, checkedInt, fail, typeOf } from "./cel_value.ts";
import { parseDurationNs } from "./duration.ts";
import { shortestFloat } from "./go_float.ts";

function conversionFault(value: CelValue, to: string): never {
  return fail(`type conversion error from '${typeOf(value).name}' to '${to}'`);
}

/** `int(value)`. @throws {CelError} */
export function toInt(value: CelValue): CelValue {
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

/** `uint(value)`. @throws {CelError} */
export function toUint(value: CelValue): CelValue {
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

/** `double(value)`. @throws {CelError} */
export function toDouble(value: CelValue): CelValue {
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

/** `string(value)`. @throws {CelError} */
export function toText(value: CelValue): CelValue {
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

/** `bool(value)`. @throws {CelError} */
export function toBool(value: CelValue): CelValue {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") {
    if (["1", "t", "T", "TRUE", "true", "True"].includes(value)) return true;
    if (["0", "f", "F", "FALSE", "false", "False"].includes(value)) return false;
  }
  return conversionFault(value, "bool");
}

/** `timestamp(value)`. @throws {CelError} */
export function toTimestamp(value: CelValue): CelValue {
  if (value instanceof CelTimestamp) return value;
  if (typeof value === "bigint") return new CelTimestamp(value * 1_000_000_000n);
  return typeof value === "string"
    ? new CelTimestamp(parseTimestampNs(value))
    : conversionFault(value, "google.protobuf.Timestamp");
}

/** `duration(value)`. @throws {CelError} */
export function toDuration(value: CelValue): CelValue {
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
