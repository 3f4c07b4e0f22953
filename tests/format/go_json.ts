import type { JsonValue } from "../../src/core/json.ts";

/** JSON text as Go's encoding/json prints it: sorted keys, `<`, `>`, `&` and line separators escaped, -0 kept. */
export function goJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : goNumber(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "object" && value !== null) {
    const object = value as { readonly [key: string]: JsonValue };
    const keys = Object.keys(object).sort(byBytes);
    return `{${keys.map((key) => `${goString(key)}:${goJson(object[key] ?? null)}`).join(",")}}`;
  }
  return typeof value === "string" ? goString(value) : JSON.stringify(value);
}

function byBytes(a: string, b: string): number {
  const x = [...a].map((character) => character.codePointAt(0) ?? 0);
  const y = [...b].map((character) => character.codePointAt(0) ?? 0);
  for (let index = 0; index < Math.min(x.length, y.length); index++) {
    if (x[index] !== y[index]) return (x[index] ?? 0) - (y[index] ?? 0);
  }
  return x.length - y.length;
}

function goNumber(value: number): string {
  return JSON.stringify(value);
}

function goString(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]|\\b|\\f/g,
    (sign) => sign.length > 1 ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** JSON text read with whole numbers beyond 2^53 kept as `bigint`. */
export function jsonNumbers(text: string): JsonValue {
  const reviver = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
      ? BigInt(context?.source ?? "0")
      : value;
  return JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]) as JsonValue;
}
