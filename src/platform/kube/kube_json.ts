import type { JsonValue } from "../../core/json.ts";

/** Sixteen digits in a row: a number that a double may not hold. */
const longNumber = /[0-9]{16}/;

/** JSON of an API server. Whole numbers beyond 2^53 become `bigint`. @throws {SyntaxError} */
export function parseKubeJson(text: string): JsonValue {
  if (!longNumber.test(text)) return JSON.parse(text) as JsonValue;
  return JSON.parse(text, keepLong as (key: string, value: unknown) => unknown) as JsonValue;
}

/** JSON text of a value; `bigint` is printed in full. */
export function printKubeJson(value: JsonValue): string {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? rawJson(item.toString()) : item));
  }
}

function keepLong(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return /^-?[0-9]+$/.test(context.source) ? BigInt(context.source) : value;
}

/** ECMAScript 2026 `JSON.rawJSON`, which the type library does not know yet. */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}
