import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { isJsonObject } from "../../src/core/json.ts";

/** How a list or map is merged: by keys of its items, as a set of values, or as one. */
type Merging = { readonly kind: "keys"; readonly keys: readonly string[] } | { readonly kind: "set" } | {
  readonly kind: "atomic";
} | { readonly kind: "map" };

/** Lists of built-in kinds that are merged by keys (`x-kubernetes-list-map-keys`), by the name of their field. */
const listKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  env: ["name"],
  volumes: ["name"],
  volumeMounts: ["mountPath"],
  imagePullSecrets: ["name"],
  secrets: ["name"],
  ownerReferences: ["uid"],
  conditions: ["type"],
};

/** Maps that are owned as one (`x-kubernetes-map-type: atomic`). */
const atomicMaps = new Set(["selector", "nodeSelector", "matchLabels", "roleRef", "resourceFieldRef", "secretKeyRef"]);

/** How a value at a path of field names is merged. */
function mergingOf(path: readonly string[], value: JsonValue): Merging {
  const name = path.at(-1) ?? "";
  if (Array.isArray(value)) {
    if (name === "finalizers") return { kind: "set" };
    if (name === "ports") {
      return { kind: "keys", keys: path.includes("containers") ? ["containerPort", "protocol"] : ["port", "protocol"] };
    }
    const keys = listKeys[name];
    return keys === undefined ? { kind: "atomic" } : { kind: "keys", keys };
  }
  return isJsonObject(value) && !atomicMaps.has(name) ? { kind: "map" } : { kind: "atomic" };
}

/** A set of fields, each as the JSON text of its path: `["f:spec","f:replicas"]`. */
export type FieldSet = Set<string>;

/** Fields that a configuration sets. Identity and what the server writes do not count. */
export function fieldsSet(object: JsonObject): FieldSet {
  const fields: FieldSet = new Set();
  const visit = (value: JsonValue, path: readonly string[], names: readonly string[]) => {
    const merging = mergingOf(names, value);
    if (merging.kind === "map" && isJsonObject(value)) {
      // A map itself is only listed where it is empty; its members are.
      if (Object.keys(value).length === 0 && path.length > 0) fields.add(JSON.stringify(path));
      for (const [key, item] of Object.entries(value)) visit(item, [...path, `f:${key}`], [...names, key]);
    } else if (merging.kind === "keys" && Array.isArray(value)) {
      for (const item of value) {
        const inner = [...path, itemKey(item as JsonValue, merging.keys)];
        fields.add(JSON.stringify(inner));
        for (const [key, part] of Object.entries(isJsonObject(item) ? item : {})) {
          visit(part, [...inner, `f:${key}`], [...names, key]);
        }
      }
    } else if (merging.kind === "set" && Array.isArray(value)) {
      for (const item of value) fields.add(JSON.stringify([...path, `v:${JSON.stringify(item)}`]));
    } else fields.add(JSON.stringify(path));
  };
  const { apiVersion: _, kind: __, metadata, ...rest } = object;
  for (const [key, value] of Object.entries(rest)) visit(value, [`f:${key}`], [key]);
  for (const field of ["labels", "annotations", "finalizers", "ownerReferences"]) {
    const value = isJsonObject(metadata) ? metadata[field] : undefined;
    if (value === undefined) continue;
    visit(value, ["f:metadata", `f:${field}`], ["metadata", field]);
  }
  return fields;
}

/** Key of a list's item as a path element. */
function itemKey(item: JsonValue, keys: readonly string[]): string {
  const values = keys.map((key) =>
    [key, isJsonObject(item) && item[key] !== undefined ? item[key] : key === "protocol" ? "TCP" : null] as const
  );
  return `k:${JSON.stringify(Object.fromEntries(values))}`;
}

/** FieldsV1 of a set of fields. */
export function printFields(fields: FieldSet): JsonObject {
  const tree: Record<string, unknown> = {};
  const paths = [...fields].sort().map((text) => JSON.parse(text) as string[]);
  const inner = new Set(
    paths.flatMap((path) => path.slice(0, -1).map((_, index) => JSON.stringify(path.slice(0, index + 1)))),
  );
  for (const path of paths) {
    let node = tree;
    for (const part of path) node = (node[part] ??= {}) as Record<string, unknown>;
    if (inner.has(JSON.stringify(path)) || (path.at(-1) ?? "").startsWith("k:")) node["."] = {};
  }
  return sorted(tree as JsonObject) as JsonObject;
}

function sorted(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key] ?? null)]));
}

/** Set of fields of a FieldsV1. */
export function parseFields(tree: JsonObject): FieldSet {
  const fields: FieldSet = new Set();
  const visit = (node: JsonObject, path: readonly string[]) => {
    const keys = Object.keys(node);
    if (keys.length === 0 && path.length > 0) fields.add(JSON.stringify(path));
    for (const key of keys) {
      const child = node[key];
      if (key === ".") fields.add(JSON.stringify(path));
      else visit(isJsonObject(child) ? child : {}, [...path, key]);
    }
  };
  visit(tree, []);
  return fields;
}

/** Value at a path of a field; `undefined` when there is none. */
export function fieldValue(object: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let current = object;
  for (const part of path) current = step(current, part);
  return current;
}

function step(value: JsonValue | undefined, part: string): JsonValue | undefined {
  const body = part.slice(2);
  if (part.startsWith("f:")) return isJsonObject(value) ? value[body] : undefined;
  if (!Array.isArray(value)) return undefined;
  return value.find((item) => isItem(item as JsonValue, part)) as JsonValue | undefined;
}

/** Whether a list's item is the one that a path element names. */
function isItem(item: JsonValue, part: string): boolean {
  const wanted = JSON.parse(part.slice(2)) as JsonValue;
  if (part.startsWith("v:")) return JSON.stringify(item) === JSON.stringify(wanted);
  return isJsonObject(wanted) && isJsonObject(item) &&
    Object.entries(wanted).every(([key, value]) => (item[key] ?? (key === "protocol" ? "TCP" : null)) === value);
}

/** The live object with a configuration merged in. */
export function mergeConfig(live: JsonValue | undefined, config: JsonValue, names: readonly string[]): JsonValue {
  const merging = mergingOf(names, config);
  if (merging.kind === "map" && isJsonObject(config)) {
    const result: Record<string, JsonValue> = isJsonObject(live) ? { ...live } : {};
    for (const [key, value] of Object.entries(config)) result[key] = mergeConfig(result[key], value, [...names, key]);
    return result;
  }
  if (merging.kind === "keys" && Array.isArray(config)) {
    const result = Array.isArray(live) ? [...live] : [];
    for (const item of config as readonly JsonValue[]) {
      const key = itemKey(item, merging.keys);
      const index = result.findIndex((other) => isItem(other as JsonValue, key));
      const old = index < 0 ? undefined : result[index] as JsonValue;
      const merged: Record<string, JsonValue> = isJsonObject(old) ? { ...old } : {};
      for (const [field, value] of Object.entries(isJsonObject(item) ? item : {})) {
        merged[field] = mergeConfig(merged[field], value, [...names, field]);
      }
      if (index < 0) result.push(merged);
      else result[index] = merged;
    }
    return result;
  }
  if (merging.kind === "set" && Array.isArray(config)) {
    return [...new Set([...(Array.isArray(live) ? live : []), ...config])];
  }
  return config;
}

/** The object without a field. */
export function dropField(object: JsonValue, path: readonly string[]): JsonValue {
  const [part, ...rest] = path;
  if (part === undefined) return object;
  if (Array.isArray(object)) {
    return object.flatMap((item) => {
      if (!isItem(item as JsonValue, part)) return [item];
      return rest.length === 0 ? [] : [dropField(item as JsonValue, rest)];
    }) as JsonValue;
  }
  if (!isJsonObject(object)) return object;
  const key = part.slice(2);
  if (!(key in object)) return object;
  if (rest.length === 0) {
    const { [key]: _, ...others } = object;
    return others;
  }
  return { ...object, [key]: dropField(object[key] ?? null, rest) };
}
