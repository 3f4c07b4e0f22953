/**
 * Exact decimal numbers for `addf`, `mulf` and their kin (shopspring/decimal 1.4).
 *
 * @module
 */
import { GoError } from "../template/go_error.ts";
import { floatText } from "../template/go_number.ts";

/** `digits` × 10^`exponent`. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** The decimal with the fewest digits that reads back as the float. @throws {GoError} for infinities and NaN */
export function decimalOf(value: number): Decimal {
  if (!Number.isFinite(value)) throw new GoError(`Cannot create a Decimal from ${floatText(value)}`);
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  const [whole = "0", part = ""] = mantissa.split(".");
  return { digits: BigInt(whole + part), exponent: Number(exponent) - part.length };
}

/** The nearest float. */
export function floatOf({ digits, exponent }: Decimal): number {
  return Number(`${digits}e${exponent}`);
}

function align(a: Decimal, b: Decimal): readonly [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [a.digits * 10n ** BigInt(a.exponent - exponent), b.digits * 10n ** BigInt(b.exponent - exponent), exponent];
}

/** a + b */
export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const [x, y, exponent] = align(a, b);
  return { digits: x + y, exponent };
}

/** a − b */
export function subtractDecimals(a: Decimal, b: Decimal): Decimal {
  return addDecimals(a, { digits: -b.digits, exponent: b.exponent });
}

/** a × b */
export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  return { digits: a.digits * b.digits, exponent: a.exponent + b.exponent };
}

/** Digits after the point that a division keeps. */
const divisionPrecision = 16;

/** a ÷ b, rounded half away from zero to 16 digits after the point. @throws {GoError} when b is 0 */
export function divideDecimals(a: Decimal, b: Decimal): Decimal {
  if (b.digits === 0n) throw new GoError("decimal division by 0");
  const shift = a.exponent - b.exponent + divisionPrecision;
  const numerator = shift >= 0 ? a.digits * 10n ** BigInt(shift) : a.digits;
  const denominator = shift >= 0 ? b.digits : b.digits * 10n ** BigInt(-shift);
  const quotient = numerator / denominator;
  const rest = numerator - quotient * denominator;
  const size = (value: bigint) => value < 0n ? -value : value;
  const isUp = 2n * size(rest) >= size(denominator);
  const sign = (numerator < 0n) === (denominator < 0n) ? 1n : -1n;
  return { digits: isUp ? quotient + sign : quotient, exponent: -divisionPrecision };
}
