import type { JsonValue, MutableJson } from "../core/json.ts";

/** A copy of a JSON value that shares nothing with it. */
export function cloneJson(value: JsonValue): MutableJson {
  if (Array.isArray(value)) return value.map(cloneJson);
  if (typeof value !== "object" || value === null) return value as MutableJson;
  const object = value as { readonly [key: string]: JsonValue };
  const copy: { [key: string]: MutableJson } = {};
  for (const key of Object.keys(object)) setMember(copy, key, cloneJson(object[key] as JsonValue));
  return copy;
}

/** Sets a member as data, whatever its name is: `__proto__` is a key like any other. */
export function setMember(object: { [key: string]: MutableJson }, key: string, value: MutableJson): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else object[key] = value;
}
