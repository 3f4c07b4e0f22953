import type { JsonValue } from "../../../core/json.ts";
import { sha256Hex } from "../../../core/sha256.ts";
import type { YamlNode } from "../../../format/yaml_node/node.ts";
import { getField } from "../../../format/yaml_node/node.ts";
import { nodeToJson } from "../../../format/yaml_node/node_json.ts";
import { wrapFault } from "../fault.ts";
import { goJson } from "../go_json.ts";
import { idText, textOf } from "../identity.ts";
import type { NamedResource } from "../named_resource.ts";
import { mapAt, setScalarField } from "../node_edit.ts";
import type { ResourceSet } from "../resource_set.ts";

/** Puts the hash of their content behind the names of generated resources that ask for it. */
export function addHashes(set: ResourceSet): void {
  let changed = false;
  for (const resource of set.list) {
    if (!resource.needsHash) continue;
    const hash = hashOf(resource);
    resource.remember(set.scopes);
    setScalarField(mapAt(resource.node, "metadata"), "name", `${resource.id().name}-${hash}`, "");
    changed = true;
  }
  if (changed) set.touch();
}

function hashOf(resource: NamedResource): string {
  try {
    return contentHash(resource.node);
  } catch (error) {
    throw wrapFault(`Cannot hash the content of ${idText(resource.id())}`, error);
  }
}

const letters: Readonly<Record<string, string>> = { "0": "g", "1": "h", "3": "k", a: "m", e: "t" };

/**
 * The hash of a ConfigMap or Secret: ten letters of the SHA-256 over its JSON, with letters swapped so that no bad word
 * comes out (kustomize `api/hasher`). The name that goes into it is always empty, as it is there.
 */
function contentHash(node: YamlNode): string {
  const kind = textOf(getField(node, "kind"));
  const content: Record<string, JsonValue> = { kind, name: "", data: fieldValue(node, "data") };
  if (kind === "Secret") {
    content.type = fieldValue(node, "type");
    const texts = fieldValue(node, "stringData");
    if (typeof texts !== "string") content.stringData = texts;
  } else {
    const binary = fieldValue(node, "binaryData");
    if (typeof binary !== "string") content.binaryData = binary;
  }
  const hex = sha256Hex(goJson(content)).slice(0, 10);
  return hex.replace(/[013ae]/g, (letter) => letters[letter] as string);
}

function fieldValue(node: YamlNode, field: string): JsonValue {
  const value = getField(node, field);
  if (value === undefined) return "";
  return value.kind === "scalar" ? value.text : nodeToJson(value);
}
