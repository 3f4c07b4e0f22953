import type { JsonObject, JsonValue, MutableJson } from "../../../core/json.ts";
import { isJsonObject, jsonEqual } from "../../../core/json.ts";
import { dropField, getField, isEmptyNode, mapNode, putField } from "../../../format/yaml_node/node.ts";
import { nodeFromJson, nodeToJson } from "../../../format/yaml_node/node_json.ts";
import { readYaml } from "../../../format/yaml_node/reader.ts";
import { fault } from "../fault.ts";
import type { NamedResource } from "../named_resource.ts";

/** Operations of a JSON 6902 patch. */
export type JsonPatch = readonly JsonObject[];

/** Most operations of one patch. */
const maxOperations = 10_000;

/**
 * Operations of a text: JSON when it begins with `[`, else YAML (its first document).
 *
 * @throws {Error} when it is no list of operations
 */
export function readJsonPatch(text: string): JsonPatch {
  const node = readYaml(text, { dialect: text.startsWith("[") ? "v3" : "v2" });
  const value = node === undefined ? null : nodeToJson(node, { dialect: "v2", keys: "lenient" });
  if (value === null) return [];
  if (!Array.isArray(value)) throw fault("A JSON patch must be a list of operations");
  if (value.length > maxOperations) {
    throw fault(`A JSON patch has ${value.length} operations, the limit is ${maxOperations}`);
  }
  return value.map((operation) => {
    if (!isJsonObject(operation)) throw fault("An operation of a JSON patch must be a mapping");
    return operation;
  });
}

/**
 * Applies a patch to a resource. Where kustomize would hold annotations of its own, `metadata.annotations` is there for
 * the patch. Numbers come out as Go's floats, as kustomize has them.
 *
 * @throws {Error} when an operation does not apply
 */
export function applyJsonPatch(resource: NamedResource, patch: JsonPatch): void {
  const marked = resource.hasMarks();
  if (marked) ensureAnnotations(resource);
  const changed = applyOperations(nodeToJson(resource.node), patch);
  const node = nodeFromJson(changed, { floats: true });
  if (node.kind !== "map") throw fault("The patched resource is no mapping");
  resource.node = node;
  const metadata = getField(node, "metadata");
  if (metadata?.kind === "map" && isEmptyNode(getField(metadata, "annotations"))) dropField(metadata, "annotations");
}

function ensureAnnotations(resource: NamedResource): void {
  const metadata = getField(resource.node, "metadata");
  if (metadata?.kind !== "map" || !isEmptyNode(getField(metadata, "annotations"))) return;
  putField(metadata, "annotations", mapNode());
}

/** The document after all operations (evanphx/json-patch v4 rules: negative indexes, nothing missing is removed). */
export function applyOperations(document: MutableJson, patch: JsonPatch): MutableJson {
  let root = document;
  patch.forEach((operation, at) => {
    try {
      root = applyOne(root, operation);
    } catch (error) {
      const path = typeof operation.path === "string" ? ` at "${operation.path}"` : "";
      throw fault(`Operation ${at + 1} ("${String(operation.op)}"${path}): ${(error as Error).message}`);
    }
  });
  return root;
}

function applyOne(root: MutableJson, operation: JsonObject): MutableJson {
  const path = pointerOf(operation, "path");
  switch (operation.op) {
    case "add":
      place(parentOf(root, path)).add(lastPart(path), clone(operation.value ?? null));
      return root;
    case "remove":
      place(parentOf(root, path)).remove(lastPart(path));
      return root;
    case "replace":
      if (path === "") return clone(operation.value ?? null);
      {
        const holder = place(parentOf(root, path));
        holder.get(lastPart(path));
        holder.set(lastPart(path), clone(operation.value ?? null));
      }
      return root;
    case "move": {
      const from = pointerOf(operation, "from");
      const holder = place(parentOf(root, from));
      const value = holder.get(lastPart(from));
      holder.remove(lastPart(from));
      place(parentOf(root, path)).add(lastPart(path), value);
      return root;
    }
    case "copy": {
      const from = pointerOf(operation, "from");
      const value = clone(place(parentOf(root, from)).get(lastPart(from)));
      place(parentOf(root, path)).add(lastPart(path), value);
      return root;
    }
    case "test": {
      let value: JsonValue;
      if (path === "") value = root;
      else {
        const holder = place(parentOf(root, path));
        value = holder.has(lastPart(path)) ? holder.get(lastPart(path)) : null;
      }
      if (!jsonEqual(value, operation.value ?? null)) throw new Error("the value differs");
      return root;
    }
    default:
      throw new Error("unknown operation");
  }
}

function pointerOf(operation: JsonObject, field: "path" | "from"): string {
  const pointer = operation[field];
  if (typeof pointer !== "string") throw new Error(`"${field}" is missing`);
  return pointer;
}

function parts(path: string): string[] {
  return path.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function lastPart(path: string): string {
  return parts(path).at(-1) ?? "";
}

function parentOf(root: MutableJson, path: string): MutableJson {
  const all = parts(path);
  if (all.length === 0) throw new Error("the document is missing the path");
  let node = root;
  for (const part of all.slice(0, -1)) node = place(node).get(part);
  return node;
}

interface Place {
  get(key: string): MutableJson;
  has(key: string): boolean;
  set(key: string, value: MutableJson): void;
  add(key: string, value: MutableJson): void;
  remove(key: string): void;
}

function place(node: MutableJson): Place {
  if (Array.isArray(node)) return listPlace(node);
  if (typeof node === "object" && node !== null) return mapPlace(node);
  throw new Error("the document is missing the path");
}

function mapPlace(map: { [key: string]: MutableJson }): Place {
  const need = (key: string) => {
    if (!Object.hasOwn(map, key)) throw new Error(`there is no key "${key}"`);
  };
  const set = (key: string, value: MutableJson) =>
    void Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  return {
    get: (key) => {
      need(key);
      return map[key] as MutableJson;
    },
    has: (key) => Object.hasOwn(map, key),
    set,
    add: set,
    remove: (key) => {
      need(key);
      delete map[key];
    },
  };
}

function listPlace(list: MutableJson[]): Place {
  const index = (key: string, size: number): number => {
    if (!/^[+-]?\d+$/.test(key)) throw new Error(`"${key}" is no index`);
    const at = Number(key);
    if (at >= size || at < -size) throw new Error(`index ${key} is out of bounds`);
    return at < 0 ? at + size : at;
  };
  return {
    get: (key) => list[index(key, list.length)] as MutableJson,
    has: (key) => /^[+-]?\d+$/.test(key) && Number(key) < list.length && Number(key) >= -list.length,
    set: (key, value) => void (list[index(key, list.length)] = value),
    add: (key, value) => {
      if (key === "-") list.push(value);
      else list.splice(index(key, list.length + 1), 0, value);
    },
    remove: (key) => void list.splice(index(key, list.length), 1),
  };
}

function clone(value: JsonValue): MutableJson {
  if (Array.isArray(value)) return value.map(clone);
  if (!isJsonObject(value)) return value as MutableJson;
  const out: { [key: string]: MutableJson } = {};
  for (const key of Object.keys(value)) {
    Object.defineProperty(out, key, {
      value: clone(value[key] as JsonValue),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return out;
}
