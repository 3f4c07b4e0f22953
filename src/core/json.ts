/** A JSON value as Kubernetes exchanges it. Integers beyond 2^53 are `bigint`, so that no digit is lost. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;

/** A JSON object. Keys keep their order of insertion. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** The same, open to change while it is being built. */
export type MutableJson = null | boolean | number | bigint | string | MutableJson[] | { [key: string]: MutableJson };

/** Whether `value` is a JSON object (not null, not a list). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two JSON values are the same; key order does not count, `1` and `1n` are the same number. */
export function jsonEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (isNumeric(a) && isNumeric(b)) {
    // Mixed: equal when both stand for the same integer.
    return typeof a !== typeof b && Number.isInteger(Number(a)) && Number.isInteger(Number(b)) &&
      BigInt(a) === BigInt(b);
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => jsonEqual(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && jsonEqual(a[key], b[key]));
}

function isNumeric(value: JsonValue | undefined): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** JSON text with sorted keys and no blanks: the same value always gives the same bytes. `bigint` is printed in full. */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string") {
    return JSON.stringify(value);
  }
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const object = value as JsonObject;
  const members = Object.keys(object).sort().map((key) =>
    `${JSON.stringify(key)}:${canonicalJson(object[key] ?? null)}`
  );
  return `{${members.join(",")}}`;
}
