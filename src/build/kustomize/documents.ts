import type { JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { MapNode, ScalarNode, YamlNode } from "../../format/yaml_node/node.ts";
import { getField, isEmptyNode, isPresent } from "../../format/yaml_node/node.ts";
import { nodeFromJson, nodeToJson } from "../../format/yaml_node/node_json.ts";
import { readYaml } from "../../format/yaml_node/reader.ts";
import { StageError } from "../../core/stage_error.ts";
import { fault, textFault } from "./fault.ts";
import { type Growth, nodeSize } from "./growth.ts";
import { textOf } from "./identity.ts";
import { NamedResource } from "./named_resource.ts";

const schemaComment = /#[ \t]*\{.*"x-kubernetes-/;
const separator = /\n---[^\n]*\n/g;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Most bytes of one file that a build reads. */
export const maxFileBytes = 10 * 1024 * 1024;

/**
 * Text of a file that must be UTF-8.
 *
 * @throws {StageError} BuildFailed when it is not, or when it is larger than 10 MB
 */
export function decodeText(file: string, bytes: Uint8Array): string {
  if (bytes.length > maxFileBytes) {
    throw fault(`Cannot read "${file}": it has ${bytes.length} bytes, the limit is ${maxFileBytes}`);
  }
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw textFault(file, error, `Cannot read "${file}" as UTF-8 text`);
  }
}

interface Piece {
  readonly text: string;
  readonly line: number;
}

/** Cuts a text at its `---` lines. After the dashes only blanks and a comment may stand. */
function splitText(text: string): Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  let line = 1;
  for (const match of text.matchAll(separator)) {
    const rest = match[0].slice(4).trim();
    if (rest !== "" && !rest.startsWith("#")) throw fault(`Invalid document separator: "${match[0].trim()}"`);
    pieces.push({ text: text.slice(start, match.index + 1), line });
    line += countLines(text, start, match.index + match[0].length);
    start = match.index + match[0].length;
  }
  pieces.push({ text: text.slice(start), line });
  return pieces;
}

function countLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/** What the texts of one build share. */
export interface ResourceOptions {
  readonly keys?: Map<string, ScalarNode>;
  readonly growth?: Growth;
}

/**
 * The resources of a text in order: empty documents are dropped, lists (`kind: …List` with `items`) are spread out at
 * the end. Each needs a kind and, unless it is a list, a name (kustomize `api/resource/factory.go`).
 *
 * @throws {StageError} BuildFailed with the place of the fault
 */
export function readResources(
  text: string,
  file: string,
  { keys, growth }: ResourceOptions = {},
): NamedResource[] {
  const pieces = text === "" ? [] : splitText(text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text);
  // Comments only count where a schema may stand in them: patches are merged by it.
  const how = { ...(keys === undefined ? {} : { keys }), ...(schemaComment.test(text) ? { comments: true } : {}) };
  // Without an anchor nothing can come out larger than it was written.
  const counted = text.includes("&") ? growth : undefined;
  let nodes: MapNode[] = [];
  for (const piece of pieces) {
    let root: YamlNode | undefined;
    try {
      root = readYaml(piece.text, { firstLine: piece.line, ...how });
    } catch (error) {
      throw textFault(file, error);
    }
    if (!isPresent(root)) continue;
    counted?.spend(nodeSize(root));
    const items = pieces.length === 1 && /^(?:Resource)?List$/.test(textOf(getField(root, "kind")))
      ? getField(root, "items")
      : undefined;
    if (items?.kind === "list") {
      for (const item of items.items) checkNode(item, file, nodes);
    } else checkNode(root, file, nodes);
  }
  nodes = spreadLists(nodes, file);
  return nodes.map((node) => {
    const resource = new NamedResource(node);
    resource.file = file;
    return resource;
  });
}

/** The resources that an entry of a kustomization spells out; `undefined` when it is no text of resources, so that it is a path. */
export function inlineResources(
  entry: string,
  file: string,
  options: ResourceOptions = {},
): NamedResource[] | undefined {
  try {
    return readResources(entry, file, options);
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    return undefined;
  }
}

function checkNode(node: YamlNode, file: string, out: MapNode[]): void {
  if (isEmptyNode(node)) return;
  const place = { file, line: Math.max(node.line, 1), column: 1 };
  if (node.kind !== "map") throw fault("Missing resource metadata: the document is no mapping", place);
  const kind = textOf(getField(node, "kind"));
  if (kind === "") throw fault("Missing kind in object", place);
  if (!kind.endsWith("List") && isEmptyNode(nameOf(node))) {
    throw fault(`Missing metadata.name in object of kind "${kind}"`, place);
  }
  out.push(node);
}

function nameOf(node: MapNode): YamlNode | undefined {
  const name = getField(getField(node, "metadata"), "name");
  return name?.kind === "scalar" && name.text === "" ? undefined : name;
}

function spreadLists(nodes: MapNode[], file: string): MapNode[] {
  if (!nodes.some((node) => textOf(getField(node, "kind")).endsWith("List"))) return nodes;
  const out: MapNode[] = [];
  const queue = [...nodes];
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at] as MapNode;
    const kind = textOf(getField(node, "kind"));
    if (!kind.endsWith("List")) {
      out.push(node);
      continue;
    }
    let value: JsonValue;
    try {
      value = nodeToJson(node);
    } catch (error) {
      throw textFault(file, error);
    }
    const items = isJsonObject(value) ? value.items : undefined;
    if (items === undefined) out.push(node);
    else if (Array.isArray(items)) {
      for (const item of items) checkNode(quotedNode(item), file, queue);
    } else if (items !== null) throw fault(`Expected a list in ${kind}/items`, { file, line: node.line, column: 1 });
  }
  return out;
}

/** Nodes as they are read from JSON text: every string is quoted. */
function quotedNode(value: JsonValue): YamlNode {
  const node = nodeFromJson(value);
  quoteAll(node);
  return node;
}

function quoteAll(node: YamlNode): void {
  if (node.kind === "scalar") {
    if (node.tag === "!!str") node.style = "double";
  } else if (node.kind === "list") node.items.forEach(quoteAll);
  else node.values.forEach(quoteAll);
}
