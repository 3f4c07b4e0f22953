import { MissingModule } from "../../../core/lazy_module.ts";
import type { MapNode, ScalarNode, YamlNode } from "../../../format/yaml_node/node.ts";
import { copyNode } from "../../../format/yaml_node/node.ts";
import { emitNode } from "../../../format/yaml_node/emitter.ts";
import { nodeToJson } from "../../../format/yaml_node/node_json.ts";
import { readYaml } from "../../../format/yaml_node/reader.ts";
import { goJson } from "../go_json.ts";
import { nodeSize } from "../growth.ts";
import { lookUp } from "./replacement_path.ts";
import type { SlotPath } from "./replacement_slots.ts";
import { matchPath } from "./replacement_slots.ts";

/**
 * Where a path goes on inside a text that is YAML or JSON, sets the value there and writes the text anew; says whether
 * it did. JSON stays JSON, and indented where it was; YAML is printed as kyaml prints it.
 */
export function setInsideText(root: MapNode, value: YamlNode, where: SlotPath): boolean {
  const { path } = where;
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
      return setInside(holder, value, { ...where, path: path.slice(length) });
    } catch (error) {
      if (error instanceof MissingModule) throw error;
      return false;
    }
  }
  return false;
}

function setInside(holder: ScalarNode, value: YamlNode, where: SlotPath): boolean {
  const old = holder.text;
  const inner = readYaml(old, { comments: true });
  if (inner === undefined) return false;
  const { growth } = where;
  growth.spend(nodeSize(inner));
  const slots = matchPath(inner, where);
  if (slots.length === 0) return false;
  for (const slot of slots) {
    growth.spend(nodeSize(value));
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
