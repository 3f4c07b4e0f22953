/**
 * YAML as nodes: what a value-level reader throws away and kustomize's answers depend on: the style and raw text of
 * each scalar, the tag that was resolved or written, the order of keys, comments and lines.
 * In: text (`reader.ts`). Out: nodes, JSON values (`node_json.ts`), text (`emitter.ts`). Pure; bad text gets a
 * {@linkcode YamlSyntaxError}. Called by `build/kustomize`.
 *
 * @module
 */

/** How a scalar was written. */
export type ScalarStyle = "plain" | "single" | "double" | "literal" | "folded";

/** Comments around a node, each with its `#` and line ends as written, without indentation. */
export interface NodeComments {
  head?: string;
  line?: string;
  foot?: string;
}

/** A scalar. `text` is its content after unquoting and folding. */
export interface ScalarNode {
  readonly kind: "scalar";
  text: string;
  /** Short tag (`!!str`, `!!int`, …) as resolved by the reader; `""` for a node that was made and takes the tag of its text. */
  tag: string;
  style: ScalarStyle;
  /** Whether the tag was written in the text. */
  explicitTag: boolean;
  /** Line counted from 1; 0 for nodes that were made. */
  line: number;
  comments: NodeComments | undefined;
}

/** A mapping: keys and values side by side, in the order written. */
export interface MapNode {
  readonly kind: "map";
  keys: ScalarNode[];
  values: YamlNode[];
  tag: string;
  flow: boolean;
  line: number;
  comments: NodeComments | undefined;
  /** A key that the text gives twice (look-ups see the first). */
  duplicate: string | undefined;
  /** Positions of keys, made when the map is large; `undefined` means scan. */
  index: Map<string, number> | undefined;
}

/** A sequence. */
export interface ListNode {
  readonly kind: "list";
  items: YamlNode[];
  tag: string;
  flow: boolean;
  line: number;
  comments: NodeComments | undefined;
}

/** Any node. Aliases and merge keys are expanded by the reader. */
export type YamlNode = ScalarNode | MapNode | ListNode;

/** A new scalar; with tag `""` it reads as whatever its text resolves to. */
export function scalar(text: string, tag = "", style: ScalarStyle = "plain"): ScalarNode {
  return { kind: "scalar", text, tag, style, explicitTag: false, line: 0, comments: undefined };
}

/** A new scalar that reads as a string, whatever its text. */
export function textScalar(text: string): ScalarNode {
  return scalar(text, "!!str", text.includes("\n") ? "literal" : "plain");
}

/** A new empty mapping. */
export function mapNode(): MapNode {
  return {
    kind: "map",
    keys: [],
    values: [],
    tag: "!!map",
    flow: false,
    line: 0,
    comments: undefined,
    duplicate: undefined,
    index: undefined,
  };
}

/** A new sequence. */
export function listNode(items: YamlNode[] = []): ListNode {
  return { kind: "list", items, tag: "!!seq", flow: false, line: 0, comments: undefined };
}

const indexFrom = 24;

/** Position of a key, or -1. */
export function keyIndex(map: MapNode, key: string): number {
  const keys = map.keys;
  if (keys.length < indexFrom) {
    for (let at = 0; at < keys.length; at++) if ((keys[at] as ScalarNode).text === key) return at;
    return -1;
  }
  let index = map.index;
  if (index === undefined || index.size === 0) {
    index = new Map();
    for (let at = keys.length - 1; at >= 0; at--) index.set((keys[at] as ScalarNode).text, at);
    map.index = index;
  }
  return index.get(key) ?? -1;
}

/** Value of a key, or `undefined`. Look-ups in anything but a mapping find nothing. */
export function getField(node: YamlNode | undefined, key: string): YamlNode | undefined {
  if (node === undefined || node.kind !== "map") return undefined;
  const at = keyIndex(node, key);
  return at < 0 ? undefined : node.values[at];
}

/**
 * Sets a key; a new key goes to the end. Without a node for it, a new key reads as whatever its text resolves to: `1` is a
 * number then, which no JSON value of the map can be made of (as with kyaml).
 */
export function putField(map: MapNode, key: string, value: YamlNode, keyNode?: ScalarNode): void {
  const at = keyIndex(map, key);
  if (at >= 0) {
    map.values[at] = value;
    return;
  }
  map.keys.push(keyNode ?? scalar(key));
  map.values.push(value);
  map.index?.set(key, map.keys.length - 1);
}

/** Removes a key and returns its value, or `undefined` when it was not there. */
export function dropField(map: MapNode, key: string): YamlNode | undefined {
  const at = keyIndex(map, key);
  if (at < 0) return undefined;
  map.keys.splice(at, 1);
  map.index = undefined;
  return map.values.splice(at, 1)[0];
}

/** Whether a node is there and is not a null. */
export function isPresent(node: YamlNode | undefined): node is YamlNode {
  return node !== undefined && node.tag !== "!!null";
}

/** Whether a node is missing, null, `{}` or `[]`. */
export function isEmptyNode(node: YamlNode | undefined): boolean {
  if (node === undefined || node.tag === "!!null") return true;
  return node.kind === "map" ? node.keys.length === 0 : node.kind === "list" && node.items.length === 0;
}

/** Whether a scalar is text: tagged so, or made without a tag. */
export function isTextNode(node: YamlNode): node is ScalarNode {
  return node.kind === "scalar" && (node.tag === "!!str" || node.tag === "");
}

/** A deep copy. Keys are shared: nothing changes a key in place. */
export function copyNode<Node extends YamlNode>(node: Node): Node;
export function copyNode(node: YamlNode): YamlNode {
  switch (node.kind) {
    case "scalar":
      return {
        kind: "scalar",
        text: node.text,
        tag: node.tag,
        style: node.style,
        explicitTag: node.explicitTag,
        line: node.line,
        comments: node.comments,
      };
    case "map":
      return {
        kind: "map",
        keys: node.keys.slice(),
        values: node.values.map(copyNode),
        tag: node.tag,
        flow: node.flow,
        line: node.line,
        comments: node.comments,
        duplicate: node.duplicate,
        index: undefined,
      };
    case "list":
      return {
        kind: "list",
        items: node.items.map(copyNode),
        tag: node.tag,
        flow: node.flow,
        line: node.line,
        comments: node.comments,
      };
  }
}
