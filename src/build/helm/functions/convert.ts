/**
 * Conversions to numbers as sprig makes them (spf13/cast 1.7: ToInt64, ToFloat64); what cannot be read is 0.
 *
 * @module
 */
import { parseFloat64, parseInt64 } from "../template/go_number.ts";
import { GoInt, goInt64 } from "../template/value.ts";
import type { Value } from "../template/value.ts";

/** An integer as an exact number: a JS number while safe, a bigint beyond. */
export function toInt64(value: Value): number | bigint {
  switch (typeof value) {
    case "number":
      return floatToInt(value);
    case "boolean":
      return value ? 1 : 0;
    case "string": {
      const parsed = parseInt64(value.replace(/\.0+$/, ""));
      return parsed.fault === undefined ? goInt64(parsed.value).value : 0;
    }
  }
  if (value instanceof GoInt && isPlain(value)) return goInt64(value.value).value;
  return 0;
}

/** Types of their own are not known to cast, except those that it lists. */
function isPlain(value: GoInt): boolean {
  return value.type.underlying === undefined || value.type.name === "time.Month" || value.type.name === "time.Weekday";
}

/** Go's conversion of a float: the fraction is cut; what does not fit becomes the smallest integer (amd64). */
function floatToInt(value: number): number | bigint {
  const whole = Math.trunc(value) + 0;
  if (Number.isSafeInteger(whole)) return whole;
  if (!(whole >= -(2 ** 63) && whole < 2 ** 63)) return -(2n ** 63n);
  return BigInt(whole);
}

/** A float64. */
export function toFloat64(value: Value): number {
  switch (typeof value) {
    case "number":
      return value;
    case "boolean":
      return value ? 1 : 0;
    case "string": {
      const parsed = parseFloat64(value);
      return parsed.fault === undefined ? parsed.value : 0;
    }
  }
  return value instanceof GoInt && isPlain(value) ? Number(value.value) : 0;
}
