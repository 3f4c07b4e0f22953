/**
 * Sprig's arithmetic (v3.3.0, numeric.go): integers wrap at 64 bits, floats are added and multiplied as decimals.
 *
 * @module
 */
import { GoError } from "../template/go_error.ts";
import { parseInt64 } from "../template/go_number.ts";
import { goTypes, sliceType } from "../template/go_type.ts";
import { sprint } from "../template/printf.ts";
import { goInt, goInt64, GoSlice } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import { toFloat64, toInt64 } from "./convert.ts";
import { addDecimals, decimalOf, divideDecimals, floatOf, multiplyDecimals, subtractDecimals } from "./decimal.ts";
import type { Decimal } from "./decimal.ts";
import { func, variadic } from "./registry.ts";
import type { CallContext, FunctionTable } from "./registry.ts";

const { any, float64, int, int64, string } = goTypes;
const ints = sliceType(int);

type Operation = (a: Decimal, b: Decimal) => Decimal;

function chain(first: Value, others: readonly Value[], operation: Operation): number {
  let result = decimalOf(toFloat64(first));
  for (const other of others) result = operation(result, decimalOf(toFloat64(other)));
  return floatOf(result);
}

const biggest = variadic(
  [any],
  any,
  int64,
  (_, first, ...others) => goInt64(others.map(toInt64).reduce((a, b) => b > a ? b : a, toInt64(first))),
);

/** A calculation with two integers: in JS numbers while they are safe, exactly and wrapped beyond. */
function calculate(
  a: number | bigint,
  b: number | bigint,
  fast: (a: number, b: number) => number,
  exact: (a: bigint, b: bigint) => bigint,
): number | bigint {
  if (typeof a === "number" && typeof b === "number") {
    const result = fast(a, b);
    if (Number.isSafeInteger(result)) return result + 0;
  }
  return goInt64(exact(BigInt(a), BigInt(b))).value;
}

const add = (a: number | bigint, b: number | bigint) => calculate(a, b, (x, y) => x + y, (x, y) => x + y);
const multiply = (a: number | bigint, b: number | bigint) => calculate(a, b, (x, y) => x * y, (x, y) => x * y);

function checkDivisor(value: number | bigint): void {
  if (value === 0) throw new GoError("runtime error: integer divide by zero");
}

/** Functions by name. */
export const numberFunctions: FunctionTable = {
  add: variadic([], any, int64, (_, ...values) => goInt64(values.map(toInt64).reduce(add, 0))),
  add1: func([any], int64, (_, value) => goInt64(add(toInt64(value), 1))),
  add1f: func([any], float64, (_, value) => chain(value, [1], addDecimals)),
  addf: variadic([], any, float64, (_, ...values) => chain(0, values, addDecimals)),
  atoi: func([string], int, (_, text) => goInt(atoi(text))),
  biggest,
  ceil: func([any], float64, (_, value) => Math.ceil(toFloat64(value))),
  div: func([any, any], int64, (_, a, b) => {
    const divisor = toInt64(b);
    checkDivisor(divisor);
    return goInt64(calculate(toInt64(a), divisor, (x, y) => Math.trunc(x / y), (x, y) => x / y));
  }),
  divf: variadic([any], any, float64, (_, first, ...others) => chain(first, others, divideDecimals)),
  float64: func([any], float64, (_, value) => toFloat64(value)),
  floor: func([any], float64, (_, value) => Math.floor(toFloat64(value))),
  int: func([any], int, (_, value) => goInt(toInt64(value))),
  int64: func([any], int64, (_, value) => goInt64(toInt64(value))),
  max: biggest,
  maxf: variadic([any], any, float64, (_, first, ...others) => Math.max(toFloat64(first), ...others.map(toFloat64))),
  min: variadic(
    [any],
    any,
    int64,
    (_, first, ...others) => goInt64(others.map(toInt64).reduce((a, b) => b < a ? b : a, toInt64(first))),
  ),
  minf: variadic([any], any, float64, (_, first, ...others) => Math.min(toFloat64(first), ...others.map(toFloat64))),
  mod: func([any, any], int64, (_, a, b) => {
    const divisor = toInt64(b);
    checkDivisor(divisor);
    return goInt64(calculate(toInt64(a), divisor, (x, y) => x % y, (x, y) => x % y));
  }),
  mul: variadic(
    [any],
    any,
    int64,
    (_, first, ...others) => goInt64(others.map(toInt64).reduce(multiply, toInt64(first))),
  ),
  mulf: variadic([any], any, float64, (_, first, ...others) => chain(first, others, multiplyDecimals)),
  round: variadic(
    [any, int],
    float64,
    float64,
    (_, value, places, ...on) => round(toFloat64(value), places, on[0] ?? 0.5),
  ),
  seq: variadic([], int, string, (context, ...bounds) => {
    const numbers = sequence(context, bounds);
    return numbers.join(" ");
  }),
  sub: func(
    [any, any],
    int64,
    (_, a, b) => goInt64(calculate(toInt64(a), toInt64(b), (x, y) => x - y, (x, y) => x - y)),
  ),
  subf: variadic([any], any, float64, (_, first, ...others) => chain(first, others, subtractDecimals)),
  toDecimal: func([any], int64, (context, value) => {
    const parsed = parseInt64(sprint(context, [value]), 8);
    return goInt64(parsed.fault === undefined ? parsed.value : 0);
  }),
  until: func([int], ints, (context, count) => {
    return intList(steps(context, "until", 0, count, count < 0 ? -1 : 1));
  }),
  untilStep: func([int, int, int], ints, (context, start, stop, step) => {
    return intList(steps(context, "untilStep", start, stop, step));
  }),
};

function intList(numbers: readonly number[]): GoSlice {
  return new GoSlice(numbers.map(goInt), ints, "grown");
}

/** `strconv.Atoi` without its error: what is no number is 0, what is too large the nearest. */
function atoi(text: string): number | bigint {
  const parsed = parseInt64(text, 10);
  return parsed.fault === undefined ? parsed.value : parsed.fault === "range" ? parsed.nearest : 0;
}

/** Numbers from `start` (included) to `stop` (not included). */
function steps(context: CallContext, name: string, start: number, stop: number, step: number): number[] {
  if (stop < start ? step >= 0 : step <= 0) return [];
  const count = Math.ceil((stop - start) / step);
  context.spend(Math.min(count, 2 ** 40));
  context.reserve(name, count);
  return Array.from({ length: count }, (_, index) => start + index * step);
}

/** `seq` like the shell command: last; first last; first step last. */
function sequence(context: CallContext, bounds: readonly number[]): number[] {
  const [a = 0, b = 0, c = 0] = bounds;
  const run = (start: number, end: number, step: number, onward: number) =>
    steps(context, "seq", start, end + onward, step);
  switch (bounds.length) {
    case 1: {
      const onward = a < 1 ? -1 : 1;
      return run(1, a, onward, onward);
    }
    case 2: {
      const onward = b < a ? -1 : 1;
      return run(a, b, onward, onward);
    }
    case 3:
      if (c < a && b > 0) return [];
      return run(a, c, b, c < a ? -1 : 1);
  }
  return [];
}

/** Rounds at `places` digits; a fraction of at least `on` goes up. Negative numbers go down, as in sprig. */
function round(value: number, places: number, on: number): number {
  const power = powerOfTen(places);
  const digit = power * value;
  const fraction = Number.isFinite(digit) ? digit - Math.trunc(digit) : NaN;
  return (fraction >= on ? Math.ceil(digit) : Math.floor(digit)) / power;
}

/** Go's `math.Pow(10, exponent)`, which multiplies squares and so may miss the nearest float by a bit. */
function powerOfTen(exponent: number): number {
  if (!Number.isFinite(exponent)) return exponent > 0 ? Infinity : 0;
  let fraction = 1;
  let binary = 0;
  // Ten as a fraction below one, and its power of two.
  let square = 0.625;
  let squareBinary = 4;
  for (let rest = Math.abs(exponent); rest !== 0; rest = Math.floor(rest / 2)) {
    if (squareBinary < -4096 || squareBinary > 4096) return exponent < 0 ? 0 : Infinity;
    if (rest % 2 === 1) {
      fraction *= square;
      binary += squareBinary;
    }
    square *= square;
    squareBinary *= 2;
    if (square < 0.5) {
      square += square;
      squareBinary--;
    }
  }
  if (exponent < 0) {
    fraction = 1 / fraction;
    binary = -binary;
  }
  // In two steps: the power of two alone may be out of range.
  const half = Math.trunc(binary / 2);
  return fraction * 2 ** half * 2 ** (binary - half);
}
