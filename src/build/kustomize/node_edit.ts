import type { MapNode, ScalarNode, YamlNode } from "../../format/yaml_node/node.ts";
import { dropField, getField, keyIndex, mapNode, putField, scalar } from "../../format/yaml_node/node.ts";
import { readYaml } from "../../format/yaml_node/reader.ts";
import { resolveText } from "../../format/yaml_node/resolve.ts";
import { fault } from "./fault.ts";

/**
 * Edits of nodes with kyaml's rule that kustomize's answers depend on: a scalar that replaces another one keeps the
 * style of the old one. So `"80"` replaced by 8080 stays a text, and 80 replaced by `"8080"` a text too.
 */

/** Whether YAML 1.1 would read a text as something else than a text. */
function readsAsOther(text: string): boolean {
  if (text === "" || text.includes("\n")) return false;
  if (/^[A-Za-z][A-Za-z0-9./-]*$/.test(text)) return resolveText(text, "v2").tag !== "!!str";
  try {
    const node = readYaml(text, { dialect: "v2" });
    return node === undefined || node.kind !== "scalar" || node.tag !== "!!str";
  } catch {
    return false;
  }
}

/** A scalar for a place where nothing stood: texts that YAML 1.1 would misread are quoted. */
export function freshScalar(text: string, tag: string): ScalarNode {
  const quoted = (tag === "" || tag === "!!str") && readsAsOther(text);
  return scalar(text, tag, quoted ? "double" : "plain");
}

/** Gives a scalar the style of the node that it replaces. */
export function takeStyle(made: ScalarNode, old: YamlNode): void {
  made.style = old.kind === "scalar" ? old.style : "plain";
  made.explicitTag = old.kind === "scalar" && old.explicitTag;
}

/** Sets a scalar field. One that is there is changed in place, in its style: other places may share it. */
export function setScalarField(map: MapNode, key: string, text: string, tag: string): void {
  const at = keyIndex(map, key);
  if (at < 0) {
    putField(map, key, freshScalar(text, tag));
    return;
  }
  const old = map.values[at] as YamlNode;
  if (old.kind === "scalar") {
    old.text = text;
    old.tag = tag;
  } else map.values[at] = scalar(text, tag);
}

/**
 * Mapping at a key, made when it is missing or null.
 *
 * @throws {StageError} BuildFailed when something else stands there
 */
export function mapAt(map: MapNode, key: string): MapNode {
  const found = getField(map, key);
  if (found !== undefined && found.tag !== "!!null") {
    if (found.kind !== "map") throw fault(`Field "${key}" must be a mapping, not a ${kindWord(found)}`);
    return found;
  }
  const made = mapNode();
  putField(map, key, made);
  return made;
}

/** Texts of a mapping's fields, whatever their type: what kyaml sees as labels and annotations. */
export function textsOf(node: YamlNode | undefined): Map<string, string> {
  const texts = new Map<string, string>();
  if (node === undefined || node.kind !== "map") return texts;
  node.keys.forEach((key, at) => {
    const value = node.values[at] as YamlNode;
    texts.set(key.text, value.kind === "scalar" ? value.text : "");
  });
  return texts;
}

/** Replaces `metadata.<field>` by texts; none at all removes the field. */
export function setMetadataTexts(root: MapNode, field: string, texts: ReadonlyMap<string, string>): void {
  const metadata = mapAt(root, "metadata");
  dropField(metadata, field);
  if (texts.size === 0) return;
  const map = mapNode();
  for (const [key, text] of texts) putField(map, key, scalar(text, "!!str", text.includes("\n") ? "literal" : "plain"));
  putField(metadata, field, map);
}

/** A node's kind for people. */
export function kindWord(node: YamlNode): string {
  return node.kind === "map" ? "mapping" : node.kind === "list" ? "list" : "scalar";
}
