import {
  CelDuration,
  CelMap,
  CelTimestamp,
  CelType,
  CelUint,
  checkSize,
  fail,
  typeOf,
  utf8,
  weightOf,
} from "./cel_value.ts";
import type { CelValue } from "./cel_value.ts";
import { durationText, timestampText } from "./cel_time.ts";
import { shortestFloat } from "./go_float.ts";

/** `format` of cel-go's ext strings v0.26: `%s %d %f %e %b %x %X %o %%` with a precision for `f` and `e`. @throws {CelError} */
export function formatCel(template: string, values: readonly CelValue[]): string {
  let next = 0;
  let made = template.length;
  return template.replace(/%(?:(%)|(?:\.([0-9]+))?(.?))/gsu, (clause, percent, precision, verb) => {
    if (percent !== undefined) return "%";
    if (next >= values.length) return fail(`index ${next} out of range`);
    const value = values[next++] as CelValue;
    checkSize(made += weightOf(value, Infinity));
    const places = precision === undefined ? 6 : Number(precision);
    if (places > 100) return fail("precision is too large");
    switch (verb) {
      case "s":
        return textOf(value);
      case "d":
        return decimal(value);
      case "f":
        return float(value, (number) => number.toFixed(places));
      case "e":
        return float(value, (number) => number.toExponential(places).replace(/e([-+])(\d)$/, "e$10$2"));
      case "b":
        if (typeof value === "boolean") return value ? "1" : "0";
        return whole(value, "binary").toString(2);
      case "o":
        return whole(value, "octal").toString(8);
      case "x":
        return hex(value);
      case "X":
        return hex(value).toUpperCase();
      default:
        return fail(`unrecognized formatting clause ${JSON.stringify(clause)}`);
    }
  });
}

function textOf(value: CelValue): string {
  if (value === null) return "null";
  if (typeof value === "string") return value;
  if (typeof value === "number") return floatText(value);
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof CelTimestamp) return timestampText(value.ns);
  if (value instanceof CelDuration) return durationText(value.ns);
  if (value instanceof CelType) return value.name;
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (value instanceof CelMap) {
    const members = [...value.entries.values()].map(([key, member]) => [textOf(key), textOf(member)] as const);
    members.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
    return `{${members.map(([key, member]) => `${key}: ${member}`).join(", ")}}`;
  }
  return fail(`string clause cannot be used on ${typeOf(value).name}`);
}

/** All digits, never an exponent. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  const shortest = shortestFloat(value, 64, 21);
  if (!shortest.includes("e")) return shortest;
  return value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 });
}

function decimal(value: CelValue): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return floatText(value);
  return value instanceof CelUint ? value.value.toString() : fail("decimal clause can only be used on numbers");
}

function float(value: CelValue, print: (value: number) => string): string {
  const number = typeof value === "number"
    ? value
    : typeof value === "bigint"
    ? Number(value)
    : value instanceof CelUint
    ? Number(value.value)
    : fail("this clause can only be used on numbers");
  return Number.isFinite(number) ? print(number) : floatText(number);
}

function whole(value: CelValue, what: string): bigint {
  if (typeof value === "bigint") return value;
  return value instanceof CelUint ? value.value : fail(`${what} clause can only be used on integers`);
}

function hex(value: CelValue): string {
  if (typeof value === "string") return hexOf(utf8(value));
  return value instanceof Uint8Array ? hexOf(value) : whole(value, "hex").toString(16);
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
