import type { JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { ListNode, MapNode, ScalarNode, YamlNode } from "../../../format/yaml_node/node.ts";
import { dropField, getField, isPresent, keyIndex, listNode, putField } from "../../../format/yaml_node/node.ts";
import { fault } from "../fault.ts";
import { textOf } from "../identity.ts";
import { kindWord, takeStyle } from "../node_edit.ts";
import { mergeList } from "./associative_list.ts";
import type { FieldType, MergeSchema, ObjectType } from "./schema.ts";
import { fieldTypeOf } from "./schema.ts";

/** Schema and place of one merge. */
export interface MergeContext {
  readonly schema: MergeSchema;
  /** Where new items of merged lists go: kustomize's patches put them first. */
  readonly newItems: "first" | "last";
}

/**
 * Merges a patch into a node and returns the result, or `undefined` when the patch removes it all. The target is
 * changed in place and nodes of the patch become part of it: hand in a copy.
 *
 * What it does (kustomize 5.8.1, kyaml `merge2` and `walk`): mappings merge field by field, null in the patch removes,
 * lists are replaced unless the schema names merge keys, `$patch: delete|replace|merge` in a mapping or as an item of
 * its own in a list. A scalar keeps the style of the one it replaces. The whole target is walked: an empty null value
 * disappears, a written one (`null`, `~`) stays.
 *
 * @throws {StageError} BuildFailed when target and patch differ in kind, or for an unknown directive
 */
export function strategicMerge(target: YamlNode, patch: YamlNode, context: MergeContext): YamlNode | undefined {
  return mergeNodes(target, patch, undefined, context);
}

/** One step of the merge: `undefined` for the patch means the target alone is walked. */
function mergeNodes(
  target: YamlNode | undefined,
  patch: YamlNode | undefined,
  type: FieldType | undefined,
  context: MergeContext,
): YamlNode | undefined {
  const lead = isPresent(target) ? target : isPresent(patch) ? patch : undefined;
  if (lead === undefined) return mergeNulls(target, patch);
  if (isPresent(patch) && patch.kind !== lead.kind) {
    throw fault(
      `Wrong node kind: cannot merge a ${kindWord(patch)} into a ${kindWord(lead)}` +
        (patch.line > 0 ? ` (line ${patch.line} of the patch)` : ""),
    );
  }
  switch (lead.kind) {
    case "scalar":
      return patch === undefined ? target : isPresent(patch) ? patch : undefined;
    case "list":
      if (type?.mergeKeys !== undefined) {
        return mergeAssociative(target, patch, type, context);
      }
      return patch === undefined ? target : isPresent(patch) ? patch : undefined;
    case "map":
      return mergeMaps(target, patch, type?.isList ? undefined : type?.type, context);
  }
}

/** Nothing or null on both sides: a null that was written out in the target stays where the patch says nothing. */
function mergeNulls(target: YamlNode | undefined, patch: YamlNode | undefined): YamlNode | undefined {
  if (patch === undefined && target !== undefined && textOf(target) !== "") return target;
  return undefined;
}

function mergeMaps(
  target: YamlNode | undefined,
  patch: YamlNode | undefined,
  known: ObjectType | undefined,
  context: MergeContext,
): YamlNode | undefined {
  const type = known ?? typeOfNodes(target, patch, context.schema);
  let result: MapNode;
  if (!isPresent(target)) {
    if (patch?.kind !== "map") return undefined;
    if (takeDirective(patch, true) === "delete") return undefined;
    result = patch;
  } else {
    if (patch !== undefined && !isPresent(patch)) return undefined;
    const directive = patch?.kind === "map" ? takeDirective(patch, false) : "merge";
    if (directive === "delete") return undefined;
    result = (directive === "replace" ? patch : target) as MapNode;
  }
  mergeFields(result, patch as MapNode | undefined, type, context);
  return result;
}

function mergeFields(
  result: MapNode,
  patch: MapNode | undefined,
  type: ObjectType | undefined,
  context: MergeContext,
): void {
  const drops: string[] = [];
  const count = result.keys.length;
  for (let at = 0; at < count; at++) {
    const key = result.keys[at] as ScalarNode;
    if (key.text === "") throw emptyKey(key);
    const old = result.values[at] as YamlNode;
    const place = patch === undefined ? -1 : keyIndex(patch, key.text);
    const change = patch === result ? old : patch?.values[place];
    const commented = commentType(old, key) ??
      (change === undefined || change === old ? undefined : commentType(change, patch?.keys[place]));
    const merged = mergeNodes(old, change, commented ?? type?.field(key.text), context);
    if (merged === undefined) drops.push(key.text);
    else if (merged !== old) {
      if (merged.kind === "scalar" && old.kind === "scalar") {
        // In place: other places may share it.
        old.text = merged.text;
        old.tag = merged.tag;
      } else {
        if (merged.kind === "scalar") takeStyle(merged, old);
        result.values[at] = merged;
      }
    }
  }
  if (patch !== undefined && patch !== result) {
    for (let at = 0; at < patch.keys.length; at++) {
      const key = patch.keys[at] as ScalarNode;
      if (key.text === "") throw emptyKey(key);
      if (keyIndex(result, key.text) >= 0) continue;
      const value = patch.values[at] as YamlNode;
      const merged = mergeNodes(undefined, value, commentType(value, key) ?? type?.field(key.text), context);
      if (merged !== undefined) putField(result, key.text, merged, key);
    }
  }
  for (const key of drops) dropField(result, key);
}

/** kustomize cannot set a field without a name, and merging sets each field again, changed or not. */
function emptyKey(key: ScalarNode): Error {
  return fault(`A mapping with an empty key (line ${key.line}) cannot be patched`);
}

/** What a JSON schema in a field's comment says of it: at the end of the value's or key's line, or above (kyaml `fieldmeta`). */
function commentType(value: YamlNode, key: ScalarNode | undefined): FieldType | undefined {
  for (const node of [value, key]) {
    if (node?.comments === undefined) continue;
    for (const comment of [node.comments.line, node.comments.head]) {
      if (comment === undefined) continue;
      const schema = jsonOf(comment.replace(/^#+/, ""));
      if (isJsonObject(schema) && Object.keys(schema).some((word) => word.startsWith("x-kubernetes-"))) {
        return fieldTypeOf(schema);
      }
    }
  }
  return undefined;
}

function jsonOf(text: string): JsonValue | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function typeOfNodes(
  target: YamlNode | undefined,
  patch: YamlNode | undefined,
  schema: MergeSchema,
): ObjectType | undefined {
  for (const node of [target, patch]) {
    if (node?.kind !== "map") continue;
    const kind = textOf(getField(node, "kind"));
    if (kind === "") continue;
    const apiVersion = textOf(getField(node, "apiVersion"));
    if (apiVersion === "") continue;
    const type = schema.typeOf(apiVersion, kind);
    if (type !== undefined) return type;
  }
  return undefined;
}

type Directive = "merge" | "replace" | "delete";

const directiveKey = "$patch";

/** Reads and removes `$patch` of a mapping. */
function takeDirective(patch: MapNode, tolerant: boolean): Directive {
  const node = getField(patch, directiveKey);
  if (node === undefined) return "merge";
  const word = textOf(node);
  if (word !== "merge" && word !== "replace" && word !== "delete") {
    if (tolerant) return "merge";
    throw fault(`Unknown patch strategy "${word}"; known are merge, replace and delete`);
  }
  dropField(patch, directiveKey);
  return word;
}

/** Reads and removes an item of a list that is nothing but `$patch: …`; items with other fields carry their own. */
function takeListDirective(patch: ListNode): Directive {
  const item = patch.items.find((item) => item.kind === "map" && getField(item, directiveKey) !== undefined);
  if (item?.kind !== "map" || item.keys.length > 1) return "merge";
  const word = textOf(getField(item, directiveKey));
  if (word !== "merge" && word !== "replace" && word !== "delete") {
    throw fault(`Unknown patch strategy "${word}"; known are merge, replace and delete`);
  }
  patch.items = patch.items.filter((other) =>
    !(other.kind === "map" && (other.keys.length === 0 || textOf(getField(other, directiveKey)) === word)) &&
    isPresent(other)
  );
  return word;
}

function mergeAssociative(
  target: YamlNode | undefined,
  patch: YamlNode | undefined,
  type: FieldType,
  context: MergeContext,
): YamlNode | undefined {
  let result: ListNode;
  if (!isPresent(target)) result = patch as ListNode;
  else {
    if (patch !== undefined && !isPresent(patch)) return undefined;
    const directive = patch === undefined ? "merge" : takeListDirective(patch as ListNode);
    if (directive === "delete") return undefined;
    result = (directive === "replace" ? patch : target) as ListNode;
  }
  const items = mergeList(result, patch as ListNode | undefined, {
    keys: type.mergeKeys ?? [],
    newItems: context.newItems,
    merge: (own, change) => mergeNodes(own, change, itemType(type), context),
  });
  if (items === result.items) return result;
  const list = listNode(items);
  list.line = result.line;
  return list;
}

function itemType(type: FieldType): FieldType | undefined {
  return type.type === undefined ? undefined : { type: type.type, isList: false, mergeKeys: undefined };
}
