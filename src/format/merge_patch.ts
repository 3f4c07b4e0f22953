import type { JsonObject, JsonValue, MutableJson } from "../core/json.ts";
import { isJsonObject, jsonEqual } from "../core/json.ts";
import { cloneJson, setMember } from "./json_clone.ts";

/** A document with a merge patch applied: null removes, maps merge, everything else replaces (RFC 7386). Both stay as they are. */
export function applyMergePatch(document: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return cloneJson(patch) as JsonValue;
  const result = (isJsonObject(document) ? { ...document } : {}) as { [key: string]: MutableJson };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else {
      const old = Object.hasOwn(result, key) ? result[key] as JsonValue : undefined;
      setMember(result, key, applyMergePatch(old, value) as MutableJson);
    }
  }
  return result as JsonObject;
}

/**
 * The smallest merge patch that makes `to` of `from`; `undefined` when they are equal. Members that are null in `to` cannot
 * be expressed (RFC 7386, section 1): such a patch removes them.
 */
export function createMergePatch(from: JsonValue, to: JsonValue): JsonValue | undefined {
  if (jsonEqual(from, to)) return undefined;
  if (!isJsonObject(from) || !isJsonObject(to)) return to;
  const patch: { [key: string]: MutableJson } = {};
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) setMember(patch, key, null);
  for (const [key, value] of Object.entries(to)) {
    const change = Object.hasOwn(from, key) ? createMergePatch(from[key] as JsonValue, value) : value;
    if (change !== undefined) setMember(patch, key, change as MutableJson);
  }
  return patch as JsonObject;
}
