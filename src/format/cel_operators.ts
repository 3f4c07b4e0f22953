import type { CelValue } from "./cel_value.ts";
import {
  celCompare,
  CelDuration,
  celEqual,
  CelMap,
  CelTimestamp,
  CelUint,
  checkedInt,
  checkSize,
  fail,
} from "./cel_value.ts";

/** `-value`. @throws {CelError} */
export function negate(value: CelValue): CelValue {
  if (typeof value === "bigint") return checkedInt(-value);
  if (typeof value === "number") return -value;
  return value instanceof CelDuration ? new CelDuration(-value.ns) : fail("no such overload");
}

/** The result of an operator between two values. @throws {CelError} */
export function binary(operator: string, a: CelValue, b: CelValue): CelValue {
  switch (operator) {
    case "==":
      return celEqual(a, b);
    case "!=":
      return !celEqual(a, b);
    case "<":
      return (celCompare(a, b) ?? 1) < 0;
    case "<=":
      return (celCompare(a, b) ?? 1) <= 0;
    case ">":
      return (celCompare(a, b) ?? -1) > 0;
    case ">=":
      return (celCompare(a, b) ?? -1) >= 0;
    case "in":
      if (Array.isArray(b)) return b.some((item) => celEqual(item, a));
      return b instanceof CelMap ? b.get(a) !== undefined : fail("no such overload");
    default:
      return calculate(operator, a, b);
  }
}

function calculate(operator: string, a: CelValue, b: CelValue): CelValue {
  if (typeof a === "bigint" && typeof b === "bigint") return checkedInt(whole(operator, a, b));
  if (a instanceof CelUint && b instanceof CelUint) return new CelUint(whole(operator, a.value, b.value));
  if (typeof a === "number" && typeof b === "number") {
    if (operator === "+") return a + b;
    if (operator === "-") return a - b;
    if (operator === "*") return a * b;
    if (operator === "/") return a / b;
  } else if (operator === "+") return add(a, b);
  else if (operator === "-") {
    if (a instanceof CelTimestamp && b instanceof CelTimestamp) return new CelDuration(a.ns - b.ns);
    if (a instanceof CelTimestamp && b instanceof CelDuration) return new CelTimestamp(a.ns - b.ns);
    if (a instanceof CelDuration && b instanceof CelDuration) return new CelDuration(a.ns - b.ns);
  }
  return fail("no such overload");
}

function add(a: CelValue, b: CelValue): CelValue {
  if (typeof a === "string" && typeof b === "string") return a + b;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return joinedBytes(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return [...a, ...b];
  if (a instanceof CelDuration && b instanceof CelDuration) return new CelDuration(a.ns + b.ns);
  if (a instanceof CelTimestamp && b instanceof CelDuration) return new CelTimestamp(a.ns + b.ns);
  if (a instanceof CelDuration && b instanceof CelTimestamp) return new CelTimestamp(a.ns + b.ns);
  return fail("no such overload");
}

function joinedBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  checkSize(a.length + b.length);
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function whole(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return b === 0n ? fail("division by zero") : a / b;
    case "%":
      return b === 0n ? fail("modulus by zero") : a % b;
    default:
      return fail("no such overload");
  }
}
