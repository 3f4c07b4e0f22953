import type { JsonValue } from "../../../core/json.ts";
import { withoutRawBytes } from "../template/go_string.ts";
import { GoBytes, GoInt, GoMap, GoSlice } from "../template/value.ts";
import type { Value } from "../template/value.ts";

/** JSON of values: what a schema checks and a release record keeps. Integers beyond 2^53 are `bigint`; raw bytes become U+FFFD. */
export function jsonOf(value: Value): JsonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return withoutRawBytes(value);
  if (typeof value !== "object") return value;
  if (value instanceof GoInt) return value.value;
  if (value instanceof GoSlice) return value.items === null ? null : value.items.map(jsonOf);
  if (value instanceof GoBytes) return value.bytes === null ? null : value.bytes.toBase64();
  if (!(value instanceof GoMap) || value.entries === null) return null;
  const made: Record<string, JsonValue> = {};
  for (const [key, item] of value.entries) {
    // A plain assignment of this key would set the prototype.
    if (key === "__proto__") {
      Object.defineProperty(made, key, { value: jsonOf(item), enumerable: true, configurable: true, writable: true });
    } else made[withoutRawBytes(key)] = jsonOf(item);
  }
  return made;
}
