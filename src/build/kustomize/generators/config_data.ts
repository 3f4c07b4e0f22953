import type { MapNode, ScalarNode } from "../../../format/yaml_node/node.ts";
import { mapNode, putField, scalar } from "../../../format/yaml_node/node.ts";
import { fault } from "../fault.ts";
import { byCodePoint } from "../go_json.ts";
import { textSize } from "../growth.ts";
import type { ConfigMapEntry, GeneratorOptions, SecretEntry } from "../kustomization_file.ts";
import type { Loader } from "../load.ts";
import type { Behavior } from "../named_resource.ts";
import { NamedResource } from "../named_resource.ts";
import { freshScalar } from "../node_edit.ts";
import type { KeyValue } from "./key_values.ts";
import { readKeyValues } from "./key_values.ts";

/**
 * A ConfigMap of a generator entry. Values that are no UTF-8 go to `binaryData`.
 *
 * @throws {StageError} BuildFailed
 */
export function makeConfigMap(entry: ConfigMapEntry, loader: Loader): NamedResource {
  const node = baseNode("ConfigMap", entry);
  const values = readKeyValues(entry, entry.name, loader);
  for (const key of [...values.keys()].sort(byCodePoint)) {
    const value = values.get(key) as KeyValue;
    loader.growth.spend(textSize(value));
    const text = typeof value === "string" ? value : utf8(value);
    if (text === undefined) putField(mapIn(node, "binaryData"), key, valueNode(base64(value)));
    else putField(mapIn(node, "data"), key, valueNode(text));
  }
  return finish(node, entry);
}

/** A Secret of a generator entry: everything in base64. @throws {StageError} BuildFailed */
export function makeSecret(entry: SecretEntry, loader: Loader): NamedResource {
  const node = baseNode("Secret", entry);
  putField(node, "type", freshScalar(entry.type === "" ? "Opaque" : entry.type, "!!str"));
  const values = readKeyValues(entry, entry.name, loader);
  const data = mapIn(node, "data");
  for (const key of [...values.keys()].sort(byCodePoint)) {
    const value = values.get(key) as KeyValue;
    loader.growth.spend(textSize(value));
    putField(data, key, valueNode(base64(value)));
  }
  return finish(node, entry);
}

/** Options of one generator with those of the kustomization: switches are or-ed, maps fill what is missing. */
export function mergeOptions(
  own: GeneratorOptions | undefined,
  global: GeneratorOptions | undefined,
): GeneratorOptions | undefined {
  if (global === undefined || own === undefined) return own ?? global;
  return {
    labels: new Map([...global.labels, ...own.labels]),
    annotations: new Map([...global.annotations, ...own.annotations]),
    disableNameSuffixHash: own.disableNameSuffixHash || global.disableNameSuffixHash,
    immutable: own.immutable || global.immutable,
  };
}

function baseNode(kind: string, entry: ConfigMapEntry): MapNode {
  if (entry.name === "") throw fault(`A ${kind} of a generator must have a name`);
  const node = mapNode();
  putField(node, "apiVersion", scalar("v1", "!!str"));
  putField(node, "kind", scalar(kind, "!!str"));
  const metadata = mapIn(node, "metadata");
  putField(metadata, "name", freshScalar(entry.name, "!!str"));
  if (entry.namespace !== "") putField(metadata, "namespace", freshScalar(entry.namespace, "!!str"));
  return node;
}

function mapIn(node: MapNode, key: string): MapNode {
  const at = node.keys.findIndex((known) => known.text === key);
  if (at >= 0) return node.values[at] as MapNode;
  const map = mapNode();
  putField(node, key, map);
  return map;
}

function valueNode(text: string): ScalarNode {
  const node = freshScalar(text, "!!str");
  if (text.includes("\n")) node.style = "literal";
  return node;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const lineLength = 70;

/** Base64 as kyaml writes it: in lines of 70 characters, each ended, when there is more than one. */
function base64(value: KeyValue): string {
  const text = (typeof value === "string" ? new TextEncoder().encode(value) : value).toBase64();
  if (text.length < lineLength) return text;
  let out = "";
  for (let at = 0; at < text.length; at += lineLength) out += `${text.slice(at, at + lineLength)}\n`;
  return out;
}

const behaviors: readonly string[] = ["create", "replace", "merge"];

function finish(node: MapNode, entry: ConfigMapEntry): NamedResource {
  const { options } = entry;
  if (options !== undefined) {
    const metadata = mapIn(node, "metadata");
    for (const field of ["labels", "annotations"] as const) {
      for (const key of [...options[field].keys()].sort(byCodePoint)) {
        putField(mapIn(metadata, field), key, scalar(options[field].get(key) as string, "!!str", "single"));
      }
    }
    if (options.immutable) putField(node, "immutable", scalar("true", "!!bool"));
  }
  const resource = new NamedResource(node);
  resource.needsHash = !(options?.disableNameSuffixHash ?? false);
  resource.behavior = behaviors.includes(entry.behavior) ? entry.behavior as Behavior : "unspecified";
  return resource;
}
