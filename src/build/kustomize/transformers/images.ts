import type { ScalarNode, YamlNode } from "../../../format/yaml_node/node.ts";
import { getField, isEmptyNode, isPresent } from "../../../format/yaml_node/node.ts";
import { fault, wrapFault } from "../fault.ts";
import type { FieldSpec } from "../field_path.ts";
import { fieldRule, visitField } from "../field_path.ts";
import { idText } from "../identity.ts";
import type { ImageEntry } from "../kustomization_file.ts";
import { imageMatch } from "../match.ts";
import { kindWord } from "../node_edit.ts";
import type { Transform } from "./patches.ts";
import { isMatch } from "./set_fields.ts";

/**
 * Changes names, tags and digests of images: in every list called `containers` or `initContainers` whose items have
 * `image`, then at the field specs. Custom resource definitions are left alone.
 *
 * @throws {StageError} BuildFailed for a name that is no expression
 */
export function prepareImage(entry: ImageEntry, fields: readonly FieldSpec[]): Transform {
  const matches = imageMatch(entry.name);
  const rules = fields.map((field) => fieldRule(field, undefined));
  const change = (node: YamlNode) => {
    if (!isPresent(node)) return;
    if (node.kind !== "scalar") throw fault(`Wrong node kind: an image must be a scalar, not a ${kindWord(node)}`);
    if (matches(node.text)) setImage(node, entry);
  };
  return (set) => {
    for (const resource of set.list) {
      if (isEmptyNode(resource.node)) continue;
      const gvk = resource.gvk();
      if (gvk.kind === "CustomResourceDefinition") continue;
      try {
        inContainers(resource.node, change);
        for (const rule of rules) {
          if (isMatch(rule.field, gvk)) visitField(resource.node, rule, change);
        }
      } catch (error) {
        throw wrapFault(`Cannot set images of ${idText(resource.id())}`, error);
      }
    }
  };
}

function inContainers(node: YamlNode, change: (image: YamlNode) => void): void {
  if (node.kind === "list") {
    for (const item of node.items) if (item.kind !== "scalar") inContainers(item, change);
    return;
  }
  if (node.kind !== "map") return;
  for (let at = 0; at < node.keys.length; at++) {
    const value = node.values[at] as YamlNode;
    if (value.kind === "scalar") continue;
    inContainers(value, change);
    const key = (node.keys[at] as ScalarNode).text;
    if (value.kind !== "list" || (key !== "containers" && key !== "initContainers")) continue;
    for (const item of value.items) {
      if (!isPresent(item)) continue;
      if (item.kind !== "map") throw fault(`Wrong node kind: an item of "${key}" must be a mapping`);
      const image = getField(item, "image");
      if (image !== undefined) change(image);
    }
  }
}

function setImage(node: ScalarNode, entry: ImageEntry): void {
  let { name, tag, digest } = splitImage(node.text);
  if (entry.newName !== "") name = entry.newName;
  if (entry.newTag !== "" && entry.digest !== "") {
    tag = entry.newTag;
    digest = entry.digest;
  } else if (entry.newTag !== "") {
    tag = entry.newTag;
    digest = "";
  } else if (entry.digest !== "") {
    tag = "";
    digest = entry.digest;
  } else if (entry.tagSuffix !== "") {
    tag += entry.tagSuffix;
    digest = "";
  }
  node.text = name + (tag === "" ? "" : `:${tag}`) + (digest === "" ? "" : `@${digest}`);
  node.tag = "";
}

/** Name, tag and digest of an image reference; a colon before the first slash belongs to the registry. */
function splitImage(image: string): { name: string; tag: string; digest: string } {
  const at = image.indexOf("@");
  const digest = at < 0 ? "" : image.slice(at + 1);
  const rest = at < 0 ? image : image.slice(0, at);
  const slash = image.indexOf("/");
  const colon = rest.indexOf(":", Math.max(slash, 0));
  return colon < 0
    ? { name: rest, tag: "", digest }
    : { name: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
}
