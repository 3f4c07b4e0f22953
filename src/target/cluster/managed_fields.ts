/**
 * Reading and joining `metadata.managedFields`: who set which field. The text form (`FieldsV1`) is structured-merge-diff's:
 * `f:name` a field, `k:{…}` an item by its keys, `v:…` an item by its value, `i:0` an item by place, `.` the thing itself.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { canonicalJson, isJsonObject } from "../../core/json.ts";
import { listItems } from "./discovery.ts";

/** One row of `metadata.managedFields`. */
export type ManagerEntry = JsonObject & { readonly manager: string; readonly operation: "Apply" | "Update" };

/** Rows of an object. */
export function managerEntries(object: JsonObject): readonly ManagerEntry[] {
  return isJsonObject(object.metadata) ? listItems(object.metadata, "managedFields") as ManagerEntry[] : [];
}

/** The row of a manager's applies; rows of subresources do not count. */
export function appliedEntry(object: JsonObject, manager: string): ManagerEntry | undefined {
  return managerEntries(object).find((entry) =>
    entry.manager === manager && entry.operation === "Apply" && !entry.subresource
  );
}

/** Fields of a row; empty when it has none. */
export function fieldsOf(entry: ManagerEntry | undefined): JsonObject {
  return entry !== undefined && isJsonObject(entry.fieldsV1) ? entry.fieldsV1 : {};
}

/** Fields of both. */
export function joinFields(a: JsonObject, b: JsonObject): JsonObject {
  const joined: Record<string, JsonValue> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const there = joined[key];
    joined[key] = isJsonObject(there) && isJsonObject(value) ? joinFields(there, value) : value;
  }
  return joined;
}

/** Fields of `a` that `b` does not have, as a tree that holds leaves only. */
export function subtractFields(a: JsonObject, b: JsonObject): JsonObject {
  const rest: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(a)) {
    // The thing itself is there in both.
    if (key === ".") continue;
    const inner = isJsonObject(value) ? value : {};
    const other = b[key];
    if (!isJsonObject(other)) {
      rest[key] = inner;
      continue;
    }
    if (Object.keys(inner).length === 0) continue;
    const left = subtractFields(inner, other);
    if (Object.keys(left).length > 0) rest[key] = left;
  }
  return rest;
}

/** Whether a tree of fields has the field at `path` (its elements as `f:…`), itself or in part. */
export function hasField(fields: JsonObject, path: readonly string[]): boolean {
  let current: JsonObject = fields;
  for (const [index, part] of path.entries()) {
    const next = current[part];
    if (next === undefined) {
      // A leaf above: the field belongs to a whole that is owned as one.
      return index > 0 && Object.keys(current).filter((key) => key !== ".").length === 0;
    }
    current = isJsonObject(next) ? next : {};
  }
  return true;
}

/**
 * Leaves of a tree of fields as JSON pointers, sorted. An item of a list is shown by its keys (`/ports/port=80`), since
 * its place is not known.
 */
export function fieldPointers(fields: JsonObject): readonly string[] {
  const pointers: string[] = [];
  const visit = (node: JsonObject, prefix: string) => {
    const keys = Object.keys(node).filter((key) => key !== ".");
    if (keys.length === 0) {
      if (prefix !== "") pointers.push(prefix);
      return;
    }
    for (const key of keys) {
      const inner = node[key];
      visit(isJsonObject(inner) ? inner : {}, `${prefix}/${partText(key).replaceAll("~", "~0").replaceAll("/", "~1")}`);
    }
  };
  visit(fields, "");
  return pointers.sort();
}

function partText(key: string): string {
  const body = key.slice(2);
  if (key.startsWith("f:")) return body;
  try {
    const value = JSON.parse(body) as JsonValue;
    if (!isJsonObject(value)) return String(value);
    return Object.entries(value).map(([name, item]) =>
      `${name}=${typeof item === "string" ? item : canonicalJson(item)}`
    )
      .join(",");
  } catch {
    return body;
  }
}

/** The values that stand at the leaves of a tree of fields, in the order of the tree: what those fields hold now. */
export function valuesAt(object: JsonValue | undefined, fields: JsonObject): JsonValue[] {
  const values: JsonValue[] = [];
  const visit = (value: JsonValue | undefined, node: JsonObject) => {
    const keys = Object.keys(node).filter((key) => key !== ".");
    if (keys.length === 0) {
      // A thing with "." alone is owned as such: that it is there counts, not what others put into it.
      values.push("." in node ? value !== undefined : value ?? null);
      return;
    }
    for (const key of keys) {
      const inner = node[key];
      visit(stepInto(value, key), isJsonObject(inner) ? inner : {});
    }
  };
  visit(object, fields);
  return values;
}

function stepInto(value: JsonValue | undefined, key: string): JsonValue | undefined {
  const body = key.slice(2);
  if (key.startsWith("f:")) return isJsonObject(value) ? value[body] : undefined;
  if (!Array.isArray(value)) return undefined;
  if (key.startsWith("i:")) return value[Number(body)] as JsonValue | undefined;
  const wanted = JSON.parse(body) as JsonValue;
  if (key.startsWith("v:")) {
    const text = canonicalJson(wanted);
    return value.find((item) => canonicalJson(item as JsonValue) === text) as JsonValue | undefined;
  }
  if (!isJsonObject(wanted)) return undefined;
  return value.find((item) =>
    isJsonObject(item) && Object.entries(wanted).every(([name, part]) => item[name] === part)
  ) as JsonValue | undefined;
}
