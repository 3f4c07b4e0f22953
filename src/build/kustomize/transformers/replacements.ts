import { MissingModule } from "../../../core/lazy_module.ts";
import type { JsonValue } from "../../../core/json.ts";
import type { MapNode, ScalarNode, YamlNode } from "../../../format/yaml_node/node.ts";
import {
  copyNode,
  getField,
  isEmptyNode,
  isPresent,
  keyIndex,
  listNode,
  mapNode,
  putField,
  scalar,
} from "../../../format/yaml_node/node.ts";
import { emitNode } from "../../../format/yaml_node/emitter.ts";
import { nodeToJson } from "../../../format/yaml_node/node_json.ts";
import { readYaml } from "../../../format/yaml_node/reader.ts";
import { fault, textFault, wrapFault } from "../fault.ts";
import { splitPath } from "../field_path.ts";
import { type Growth, nodeSize, textSize } from "../growth.ts";
import type { ResourceId } from "../identity.ts";
import { effectiveNamespace, idText, selects } from "../identity.ts";
import { decode, list } from "../decode.ts";
import type { Replacement, Selector } from "../kustomization_file.ts";
import { replacement as replacementShape } from "../kustomization_file.ts";
import type { Loader } from "../load.ts";
import { anyMatch } from "../match.ts";
import type { NamedResource } from "../named_resource.ts";
import { kindWord } from "../node_edit.ts";
import type { ResourceSet } from "../resource_set.ts";
import { goJson } from "../go_json.ts";
import type { Transform } from "./patches.ts";
import { candidates, compileSelector } from "./select.ts";

const defaultPath = "metadata.name";

/**
 * Entries of `replacements`: inline, or files with one or a list of them.
 *
 * @throws {StageError} BuildFailed for files that cannot be read
 */
export function prepareReplacements(
  entries: readonly { readonly path: string; readonly value: JsonValue }[],
  loader: Loader,
): Transform {
  const all: Replacement[] = [];
  for (const entry of entries) {
    if (entry.path === "") {
      all.push(decode(replacementShape, entry.value, readOptions("replacement")));
      continue;
    }
    const content = readFileValue(entry.path, loader);
    const options = readOptions(entry.path);
    if (Array.isArray(content)) all.push(...decode(list(replacementShape), content, options));
    else if (typeof content === "object" && content !== null) all.push(decode(replacementShape, content, options));
    else throw fault(`Replacement file "${entry.path}" must hold a replacement or a list of them`);
  }
  return (set, { growth }) => {
    for (const replacement of all) replace(set, replacement, growth);
  };
}

function readOptions(what: string) {
  return { what, lenientTexts: true, unknownFields: true };
}

function readFileValue(path: string, loader: Loader): JsonValue {
  try {
    const node = readYaml(loader.readText(path), { dialect: "v2" });
    return node === undefined ? null : nodeToJson(node, { dialect: "v2", keys: "lenient" });
  } catch (error) {
    throw textFault(path, error);
  }
}

function replace(set: ResourceSet, replacement: Replacement, growth: Growth): void {
  const { source, sourceValue, targets } = replacement;
  if ((source === undefined && sourceValue === undefined) || targets === undefined) {
    throw fault("Replacements must specify a source and at least one target");
  }
  if (source !== undefined && sourceValue !== undefined) {
    throw fault("Value and resource selectors of a replacement are mutually exclusive");
  }
  const value = source === undefined ? scalar(sourceValue as string) : sourceNode(set, source);
  const filling = { value, size: nodeSize(value), growth };
  for (const target of targets) {
    const { select } = target;
    if (select === undefined) throw fault("Target must specify resources to select");
    const compiled = compileSelector(select);
    const rejects = target.reject.map((reject) => ({ reject, compiled: compileSelector(reject) }));
    const paths = target.fieldPaths.length === 0 ? [defaultPath] : target.fieldPaths;
    for (const resource of [...candidates(set, select)]) {
      if (isEmptyNode(resource.node) || !compiled.marks(resource)) continue;
      const ids = idsOf(resource);
      const rejected = rejects.some(({ reject, compiled: test }) =>
        (hasMarks(reject) && test.marks(resource)) || (!hasNoIdentity(reject) && ids.some((id) => fits(test, id)))
      );
      if (rejected || !ids.some((id) => fits(compiled, id))) continue;
      for (const path of paths) {
        try {
          setAt(resource.node, filling, path, target.options);
        } catch (error) {
          throw wrapFault(`Cannot replace field "${path}" of ${idText(resource.id())}`, error);
        }
        if (/^\/?(?:metadata|kind|apiVersion)\b/.test(path)) set.touch();
      }
    }
  }
}

/** The current identity with its namespace as written, then the former ones. */
function idsOf(resource: NamedResource): ResourceId[] {
  const id = resource.id();
  return [id, ...resource.former.map((former) => ({ ...id, ...former }))];
}

function fits(test: ReturnType<typeof compileSelector>, id: ResourceId): boolean {
  return test.group(id.group) && test.version(id.version) && test.kind(id.kind) && test.name(id.name) &&
    test.namespace(id.namespace);
}

function hasMarks(selector: Selector): boolean {
  return selector.labelSelector !== "" || selector.annotationSelector !== "";
}

function hasNoIdentity(selector: Selector): boolean {
  return selector.group === "" && selector.version === "" && selector.kind === "" && selector.name === "" &&
    selector.namespace === "";
}

type Source = NonNullable<Replacement["source"]>;

function sourceNode(set: ResourceSet, source: Source): YamlNode {
  const wanted = effectiveNamespace({ ...source, group: "", version: "", kind: "" });
  const pool = source.name !== "" ? set.withName(source.name) : source.kind !== "" ? set.ofKind(source.kind) : set.list;
  const matches = pool.filter((resource) =>
    idsOf(resource).some((id) =>
      (source.name === "" || source.name === id.name) &&
      (source.namespace === "" || wanted === (id.namespace === "" ? "default" : id.namespace)) &&
      selects(source, id)
    )
  );
  const name = idText(source);
  if (matches.length > 1) throw fault(`Multiple matches for selector ${name}`);
  const resource = matches[0];
  if (resource === undefined) throw fault(`Nothing selected by ${name}`);
  const path = source.fieldPath === "" ? defaultPath : source.fieldPath;
  let found: YamlNode | undefined;
  try {
    found = lookUp(resource.node, splitFieldPath(path));
  } catch (error) {
    throw wrapFault("Error looking up replacement source", error);
  }
  if (found === undefined || isEmptyNode(found)) {
    throw fault(`FieldPath "${path}" is missing for replacement source ${name}`);
  }
  const { options } = source;
  if (options === undefined || options.delimiter === "") return found;
  if (found.kind !== "scalar") throw fault("Delimiter option can only be used with scalar nodes");
  const parts = found.text.split(options.delimiter);
  const index = Number(options.index);
  const part = index < 0 ? undefined : parts[index];
  if (part === undefined) throw fault(`Options.index ${index} is out of bounds for value "${found.text}"`);
  return { ...found, text: part };
}

/** Cuts a field path at its dots; `[name=a.b]` stays whole, `[a.b]` loses its brackets. */
export function splitFieldPath(path: string): string[] {
  const pieces = splitPath(path, ".");
  const out: string[] = [];
  for (let at = 0; at < pieces.length; at++) {
    const piece = pieces[at] as string;
    if (!piece.startsWith("[") || piece.endsWith("]")) {
      out.push(piece);
      continue;
    }
    const inner = [piece];
    while (at < pieces.length - 1) {
      const next = pieces[++at] as string;
      inner.push(next);
      if (next.endsWith("]")) break;
    }
    const joined = inner.join(".");
    out.push(joined.includes("=") ? joined : joined.replace(/^[[\]]+|[[\]]+$/g, ""));
  }
  return out;
}

const number = /^[+-]?\d+$/;

function isItemTest(part: string): boolean {
  return part.startsWith("[") && part.endsWith("]");
}

function splitItemTest(part: string): { readonly field: string; readonly value: string } {
  const inner = part.slice(1, -1);
  const equal = inner.indexOf("=");
  if (equal < 0) throw fault(`List path element "${part}" must contain fieldName=fieldValue for the element to match`);
  return { field: inner.slice(0, equal), value: inner.slice(equal + 1) };
}

/** Node at an exact path: fields, indexes, `-` for the last item, `[name=value]`. */
export function lookUp(root: YamlNode, path: readonly string[]): YamlNode | undefined {
  let node: YamlNode | undefined = root;
  for (const raw of path) {
    const part = raw.trim();
    if (part === "") continue;
    if (node === undefined) return undefined;
    if (number.test(part) || part === "-") {
      if (!isPresent(node)) return undefined;
      if (node.kind !== "list") throw fault(`Wrong node kind: expected a list at "${part}", not a ${kindWord(node)}`);
      const index: number = part === "-" ? node.items.length - 1 : Number(part);
      if (index < 0 && part !== "-") throw fault(`Array index ${part} cannot be negative`);
      node = node.items[index];
    } else if (part === "*") throw fault("Wildcard is not supported here");
    else if (isItemTest(part)) {
      if (!isPresent(node)) return undefined;
      if (node.kind !== "list") throw fault(`Wrong node kind: expected a list at "${part}", not a ${kindWord(node)}`);
      const { field, value } = splitItemTest(part);
      node = node.items.find((item: YamlNode) =>
        field === ""
          ? item.kind === "scalar" && item.text === value
          : item.kind === "map" && hasText(getField(item, field), value)
      );
    } else {
      if (!isPresent(node)) return undefined;
      if (node.kind !== "map") throw fault(`Wrong node kind: expected a mapping at "${part}", not a ${kindWord(node)}`);
      node = getField(node, part);
    }
  }
  return node;
}

function hasText(node: YamlNode | undefined, text: string): boolean {
  return node !== undefined && (node.kind === "scalar" ? node.text : "") === text;
}

/** A place that can be filled anew. */
interface Slot {
  readonly node: YamlNode;
  put(node: YamlNode): void;
}

type Options = Replacement["source"] extends infer S ? NonNullable<S> extends { options: infer O } ? O : never : never;

/** What a replacement puts somewhere. */
interface Filling {
  readonly value: YamlNode;
  readonly size: number;
  readonly growth: Growth;
}

function setAt(root: MapNode, filling: Filling, path: string, options: Options): void {
  const { value } = filling;
  const parts = splitFieldPath(path);
  const create = options?.create === true ? value.kind : undefined;
  if (setInsideText(root, value, parts, create)) return filling.growth.spend(filling.size);
  const slots = matchPath(root, parts, create);
  if (slots.length === 0) {
    throw fault(`Unable to find ${create === undefined ? "" : "or create "}field "${path}" in replacement target`);
  }
  for (const slot of slots) fill(slot, filling, options);
}

function fill(slot: Slot, { value, size, growth }: Filling, options: Options): void {
  growth.spend(size);
  let filling = copyNode(value);
  if (options !== undefined && options.delimiter !== "") {
    if (slot.node.kind !== "scalar") throw fault("Delimiter option can only be used with scalar nodes");
    const parts = slot.node.text.split(options.delimiter);
    const text = value.kind === "scalar" ? value.text : "";
    const index = Number(options.index);
    if (index < 0) parts.unshift(text);
    else if (index >= parts.length) parts.push(text);
    else parts[index] = text;
    const joined = parts.join(options.delimiter);
    growth.spend(textSize(joined));
    filling = filling.kind === "scalar" ? { ...filling, text: joined } : scalar(joined);
  }
  if (slot.node.kind === "scalar") slot.node.text = filling.kind === "scalar" ? filling.text : "";
  else slot.put(filling);
}

/** Places at a path with wildcards and tests; missing parts are made where `create` names what to make at the end. */
function matchPath(root: YamlNode, path: readonly string[], create: YamlNode["kind"] | undefined): Slot[] {
  const out: Slot[] = [];
  match({ node: root, put: () => {} }, path, 0, create, out);
  return out;
}

function match(
  slot: Slot,
  path: readonly string[],
  at: number,
  create: YamlNode["kind"] | undefined,
  out: Slot[],
): void {
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
    match(itemSlot(items, index), path, at + 1, create, out);
    return;
  }
  if (isItemTest(part)) {
    matchItems(node, part, path, at, create, out);
    return;
  }
  if (part === "*") {
    const items = itemsOf(node, part);
    items.forEach((_, index) => match(itemSlot(items, index), path, at + 1, create, out));
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
    if (inner !== undefined) match({ node: inner, put: () => {} }, path, at + 1, create, out);
    return;
  }
  const position = index;
  match({ node: field, put: (made) => void (node.values[position] = made) }, path, at + 1, create, out);
}

function itemsOf(node: YamlNode, part: string): YamlNode[] {
  if (!isPresent(node)) return [];
  if (node.kind !== "list") throw fault(`Wrong node kind: expected a list at "${part}", not a ${kindWord(node)}`);
  return node.items;
}

function itemSlot(items: YamlNode[], index: number): Slot {
  return { node: items[index] as YamlNode, put: (made) => void (items[index] = made) };
}

function matchItems(
  node: YamlNode,
  part: string,
  path: readonly string[],
  at: number,
  create: YamlNode["kind"] | undefined,
  out: Slot[],
): void {
  const { field, value } = splitItemTest(part);
  const test = anyMatch(value, "list path element");
  const items = itemsOf(node, part);
  const before = out.length;
  const look = () =>
    items.forEach((item, index) => {
      const subject = field === "" ? item : getField(item, field);
      if (subject === undefined || !test(emitNode(subject).trim())) return;
      if (field === "") out.push(itemSlot(items, index));
      else match(itemSlot(items, index), path, at + 1, create, out);
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

/**
 * Where a path goes on inside a text that is YAML or JSON, sets the value there and writes the text anew; says whether
 * it did. JSON stays JSON, and indented where it was; YAML is printed as kyaml prints it.
 */
function setInsideText(
  root: MapNode,
  value: YamlNode,
  path: readonly string[],
  create: YamlNode["kind"] | undefined,
): boolean {
  for (let length = 1; length < path.length; length++) {
    let holder: YamlNode | undefined;
    try {
      holder = lookUp(root, path.slice(0, length));
    } catch (error) {
      if (error instanceof MissingModule) throw error;
      continue;
    }
    if (holder?.kind !== "scalar") continue;
    try {
      return setInside(holder, value, path.slice(length), create);
    } catch (error) {
      if (error instanceof MissingModule) throw error;
      return false;
    }
  }
  return false;
}

function setInside(
  holder: ScalarNode,
  value: YamlNode,
  path: readonly string[],
  create: YamlNode["kind"] | undefined,
): boolean {
  const old = holder.text;
  const inner = readYaml(old, { comments: true });
  if (inner === undefined) return false;
  const slots = matchPath(inner, path, create);
  if (slots.length === 0) return false;
  for (const slot of slots) {
    if (slot.node.kind === "scalar") slot.node.text = value.kind === "scalar" ? value.text : "";
    else slot.put(copyNode(value));
  }
  const first = old.trim()[0];
  if (first === "{" || first === "[") {
    const json = nodeToJson(inner);
    const pretty = old.includes("\n") && old.includes("  ");
    holder.text = goJson(json, pretty ? 2 : 0);
  } else holder.text = emitNode(inner).trim();
  return true;
}
