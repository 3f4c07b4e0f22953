import type { YamlNode } from "../../../format/yaml_node/node.ts";
import { getField, isPresent, keyIndex, listNode, mapNode, putField, scalar } from "../../../format/yaml_node/node.ts";
import { emitNode } from "../../../format/yaml_node/emitter.ts";
import { readYaml } from "../../../format/yaml_node/reader.ts";
import { fault, wrapFault } from "../fault.ts";
import { type Growth, nodeSize } from "../growth.ts";
import { anyMatch } from "../match.ts";
import { kindWord } from "../node_edit.ts";
import { isItemTest, splitItemTest } from "./replacement_path.ts";

/** A place that can be filled anew. */
export interface Slot {
  readonly node: YamlNode;
  put(node: YamlNode): void;
}

/** Where slots are looked for. */
export interface SlotPath {
  /** Parts as `splitFieldPath` gives them. */
  readonly path: readonly string[];
  /** What to make at the end of a path that is not there yet; `undefined`: nothing is made. */
  readonly create: YamlNode["kind"] | undefined;
  /** What texts on the way hold counts here: each is read once for every path into it. */
  readonly growth: Growth;
}

interface Search extends SlotPath {
  readonly out: Slot[];
}

/** Places at a path with wildcards and tests. @throws {StageError} BuildFailed where the path does not fit what is there */
export function matchPath(root: YamlNode, { path, create, growth }: SlotPath): Slot[] {
  const search: Search = { path, create, growth, out: [] };
  match({ node: root, put: () => {} }, 0, search);
  return search.out;
}

function match(slot: Slot, at: number, search: Search): void {
  const { path, create, out } = search;
  if (at === path.length) {
    out.push(slot);
    return;
  }
  const part = path[at] as string;
  const { node } = slot;
  const next = path[at + 1];
  if (/^\+?\d+$/.test(part)) {
    const items = itemsOf(node, part);
    const index = Number(part);
    if (index === items.length && create !== undefined) items.push(freshNode(next, create));
    if (index >= items.length) throw fault(`Index ${index} specified but only ${items.length} elements found`);
    match(itemSlot(items, index), at + 1, search);
    return;
  }
  if (isItemTest(part)) {
    matchItems(node, at, search);
    return;
  }
  if (part === "*") {
    const items = itemsOf(node, part);
    items.forEach((_, index) => match(itemSlot(items, index), at + 1, search));
    return;
  }
  if (!isPresent(node)) return;
  if (node.kind !== "map") throw fault(`Wrong node kind: expected a mapping at "${part}", not a ${kindWord(node)}`);
  let index = keyIndex(node, part);
  if (index < 0) {
    if (create === undefined) return;
    putField(node, part, freshNode(next, create));
    index = node.keys.length - 1;
  }
  const field = node.values[index] as YamlNode;
  if (field.kind === "scalar" && next !== undefined) {
    // The text itself may be YAML; what is found in it can be looked at, yet not be changed this way.
    let inner: YamlNode | undefined;
    try {
      inner = readYaml(field.text);
    } catch (error) {
      throw wrapFault(`Cannot read the text at "${part}" as YAML`, error);
    }
    if (inner === undefined) return;
    search.growth.spend(nodeSize(inner));
    match({ node: inner, put: () => {} }, at + 1, search);
    return;
  }
  const position = index;
  match({ node: field, put: (made) => void (node.values[position] = made) }, at + 1, search);
}

function itemsOf(node: YamlNode, part: string): YamlNode[] {
  if (!isPresent(node)) return [];
  if (node.kind !== "list") throw fault(`Wrong node kind: expected a list at "${part}", not a ${kindWord(node)}`);
  return node.items;
}

function itemSlot(items: YamlNode[], index: number): Slot {
  return { node: items[index] as YamlNode, put: (made) => void (items[index] = made) };
}

function matchItems(node: YamlNode, at: number, search: Search): void {
  const { path, create, out } = search;
  const part = path[at] as string;
  const { field, value } = splitItemTest(part);
  const test = anyMatch(value, "list path element");
  const items = itemsOf(node, part);
  const before = out.length;
  const look = () =>
    items.forEach((item, index) => {
      const subject = field === "" ? item : getField(item, field);
      if (subject === undefined || !test(emitNode(subject).trim())) return;
      if (field === "") out.push(itemSlot(items, index));
      else match(itemSlot(items, index), at + 1, search);
    });
  look();
  if (out.length > before || create === undefined || node.kind !== "list") return;
  const made = scalar(value);
  if (field === "") items.push(made);
  else {
    const item = mapNode();
    putField(item, field, made);
    items.push(item);
  }
  look();
}

/** What is made for a part: a list before an index or a test, a mapping before a field, `create` at the end. */
function freshNode(next: string | undefined, create: YamlNode["kind"]): YamlNode {
  if (next === undefined) return create === "map" ? mapNode() : create === "list" ? listNode() : scalar("");
  return isItemTest(next) || /^\+?\d+$/.test(next) ? listNode() : mapNode();
}
