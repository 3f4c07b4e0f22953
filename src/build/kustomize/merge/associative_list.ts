import type { ListNode, YamlNode } from "../../../format/yaml_node/node.ts";
import { getField, isPresent, keyIndex, putField, scalar } from "../../../format/yaml_node/node.ts";
import { fault } from "../fault.ts";
import { textOf } from "../identity.ts";

/** How a list is merged. */
export interface ListMerge {
  /** Fields that tell which items are the same; none for scalars. */
  readonly keys: readonly string[];
  readonly newItems: "first" | "last";
  /** Merges two items of the same key, either of which may be missing. */
  merge(own: YamlNode | undefined, change: YamlNode | undefined): YamlNode | undefined;
}

/**
 * Items of a merged list (kyaml `walk/associative_sequence.go`): the patch's items in their order, then the remaining
 * ones of the target, or the other way round; items that become empty go. `target` and `patch` may be the same list.
 *
 * Lists in which every item has its one key once take the short way. The others (several keys, items without a key,
 * keys that repeat) follow kyaml step by step, because what it answers there depends on its steps.
 */
export function mergeList(target: ListNode, patch: ListNode | undefined, options: ListMerge): YamlNode[] {
  if (options.keys.length === 0) return mergeScalars(target, patch, options);
  if (options.keys.length === 1) {
    const key = options.keys[0] as string;
    const own = indexByKey(target, key);
    const changes = patch === undefined || patch === target ? undefined : indexByKey(patch, key);
    if (own !== undefined && (patch === undefined || patch === target || changes !== undefined)) {
      return mergeByKey(target, patch, { ...options, own, key });
    }
  }
  return mergeStepwise(target, patch, options);
}

/** Items by their key; `undefined` when an item lacks it or two share it. */
function indexByKey(list: ListNode, key: string): Map<string, YamlNode> | undefined {
  const index = new Map<string, YamlNode>();
  for (const item of list.items) {
    if (item.kind !== "map") return undefined;
    const value = getField(item, key);
    if (value?.kind !== "scalar" || value.tag === "!!null" || value.text === "" || index.has(value.text)) {
      return undefined;
    }
    index.set(value.text, item);
  }
  return index;
}

function mergeByKey(
  target: ListNode,
  patch: ListNode | undefined,
  options: ListMerge & { readonly own: ReadonlyMap<string, YamlNode>; readonly key: string },
): YamlNode[] {
  const { own, key } = options;
  const first: YamlNode[] = [];
  const done = new Map<string, YamlNode | undefined>();
  const changed = patch === target ? target.items.slice() : patch?.items ?? [];
  for (const change of changed) {
    const name = textOf(getField(change, key));
    const old = own.get(name);
    const merged = options.merge(old, change);
    const kept = isGone(merged) ? undefined : merged;
    if (kept !== undefined) ensureKey(kept, key, name);
    // A target item that the patch replaces as a whole wins again when the target's items are put behind.
    const final = kept === undefined || old === undefined || options.newItems === "last" ? kept : old;
    done.set(name, final);
    if (final !== undefined && (options.newItems === "first" || old === undefined)) first.push(final);
  }
  const rest: YamlNode[] = [];
  for (const [name, item] of own) {
    if (done.has(name)) {
      const final = done.get(name);
      if (options.newItems === "last" && final !== undefined) rest.push(final);
      continue;
    }
    const walked = options.merge(item, undefined);
    if (!isGone(walked)) rest.push(walked as YamlNode);
  }
  return options.newItems === "first" ? [...first, ...rest] : [...rest, ...first];
}

function isGone(node: YamlNode | undefined): boolean {
  return !isPresent(node) || (node.kind === "map" && node.keys.length === 0);
}

function ensureKey(item: YamlNode, key: string, text: string): void {
  if (item.kind === "map" && text !== "" && keyIndex(item, key) < 0) putField(item, key, scalar(text));
}

function mergeScalars(target: ListNode, patch: ListNode | undefined, options: ListMerge): YamlNode[] {
  const seen = new Map<string, YamlNode>();
  const order = options.newItems === "first"
    ? [...(patch?.items ?? []), ...target.items]
    : [...target.items, ...(patch?.items ?? [])];
  for (const item of order) {
    if (item.kind !== "scalar") throw fault("Wrong node kind: a list of scalars holds something else");
    if (!seen.has(item.text) && isPresent(item)) seen.set(item.text, item);
  }
  return [...seen.values()];
}

/** kyaml's own steps, for lists that the short way cannot answer for. */
function mergeStepwise(target: ListNode, patch: ListNode | undefined, options: ListMerge): YamlNode[] {
  const { keys } = options;
  const sources = options.newItems === "first" ? [patch, target] : [target, patch];
  const tuples: string[][] = [];
  const seen = new Set<string>();
  for (const source of sources) {
    for (const item of source?.items ?? []) {
      const tuple = keys.map((key) => filledText(item, key));
      const id = tuple.join("\0");
      if (seen.has(id)) continue;
      seen.add(id);
      tuples.push(tuple);
    }
  }
  if (tuples.length === 0) return target.items;
  if (keys.length > 1) completeTuples(tuples);
  const added: ListNode = { ...target, items: [] };
  let validKeys: readonly string[] = keys;
  for (let at = 0; at < tuples.length; at++) {
    const tuple = tuples[at] as string[];
    const valid = validParts(tuples, tuple, keys);
    validKeys = valid.keys;
    const look = validParts([valid.values], valid.values, valid.keys);
    const own = findItem(target, look.keys, look.values);
    const change = patch === undefined ? undefined : findItem(patch, look.keys, look.values);
    const merged = options.merge(own, change);
    if (isGone(merged)) {
      setItem(target, undefined, valid.keys, valid.values);
      continue;
    }
    const item = merged as YamlNode;
    valid.keys.forEach((key, part) => ensureKey(item, key, valid.values[part] ?? ""));
    setItem(added, item, valid.keys, valid.values);
  }
  const [into, from] = options.newItems === "first" ? [added, target] : [target, added];
  for (const item of [...from.items]) appendItem(into, item, validKeys);
  return into.items;
}

function filledText(item: YamlNode, key: string): string {
  const value = getField(item, key);
  return isPresent(value) ? textOf(value) : "";
}

/** Tuples that agree where both have a part fill each other's gaps. */
function completeTuples(tuples: string[][]): void {
  for (let a = 0; a < tuples.length; a++) {
    // What stood here before this round is compared with all, even when the round has filled it.
    const left = tuples[a] as string[];
    for (let b = 0; b < tuples.length; b++) {
      const right = tuples[b] as string[];
      let common = false, differs = false;
      const filled = left.map((part, at) => {
        const other = right[at] ?? "";
        if (part === other) common = true;
        else if (part !== "" && other !== "") differs = true;
        return part !== "" ? part : other;
      });
      if (common && !differs) {
        tuples[a] = filled;
        tuples[b] = filled;
      }
    }
  }
}

/** Only the keys that some tuple has a value for count, with all of them where there is none. */
function validParts(
  tuples: readonly (readonly string[])[],
  tuple: readonly string[],
  keys: readonly string[],
): { readonly keys: readonly string[]; readonly values: readonly string[] } {
  const used = keys.filter((_, at) => tuples.some((other) => (other[at] ?? "") !== ""));
  if (used.length === 0) return { keys, values: tuple };
  return { keys: used, values: tuple.filter((part, at) => part !== "" || used.includes(keys[at] as string)) };
}

function findItem(list: ListNode, keys: readonly string[], values: readonly string[]): YamlNode | undefined {
  return list.items.find((item) =>
    item.kind === "map" &&
    keys.every((key, at) => {
      const value = getField(item, key);
      return value !== undefined && textOf(value) === values[at];
    })
  );
}

/** Puts an item in place of the one with its keys, or at the end; without an item, takes the matching ones out. */
function setItem(
  list: ListNode,
  item: YamlNode | undefined,
  keys: readonly string[],
  values: readonly string[],
): void {
  const out: YamlNode[] = [];
  let found = false;
  for (const other of list.items) {
    if (isGone(other)) continue;
    if (other.kind !== "map") {
      out.push(other);
      continue;
    }
    let hit: YamlNode | undefined;
    let matches = true;
    for (let at = 0; at < keys.length; at++) {
      if (at < values.length) {
        const value = getField(other, keys[at] as string);
        const wanted = values[at] as string;
        hit = value !== undefined && (wanted === "" || textOf(value) === wanted) ? value : undefined;
      }
      if (hit === undefined) {
        matches = false;
        break;
      }
    }
    if (!matches) {
      if (values.length > 0) out.push(other);
      continue;
    }
    found = true;
    if (item !== undefined) out.push(item);
  }
  if (item !== undefined && isPresent(item) && !found) out.push(item);
  list.items = out;
}

function appendItem(list: ListNode, item: YamlNode, keys: readonly string[]): void {
  const values: string[] = [];
  for (const key of keys) {
    const value = getField(item, key);
    if (value === undefined) list.items.push(item);
    else values.push(textOf(value));
  }
  if (keys.length > 1) setItem(list, undefined, keys, values);
  setItem(list, item, keys, values);
}
