import type { YamlNode } from "../../format/yaml_node/node.ts";
import { listNode, mapNode, putField, textScalar } from "../../format/yaml_node/node.ts";
import { emitNode } from "../../format/yaml_node/emitter.ts";
import { needsQuotes } from "../../format/yaml_node/node_json.ts";

/** Where a resource comes from, or what changed it (`buildMetadata`; kustomize `api/resource/origin.go`). */
export interface Origin {
  readonly path?: string;
  readonly configuredIn?: string;
  readonly configuredBy?: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name?: string;
    readonly namespace?: string;
  };
}

/** Annotation with a resource's origin. */
export const originAnnotation = "config.kubernetes.io/origin";

/** Annotation with the list of what changed a resource. */
export const transformationsAnnotation = "alpha.config.kubernetes.io/transformations";

/** An origin one path further in. */
export function appendPath(origin: Origin, path: string): Origin {
  return { path: cleanJoin(origin.path ?? "", path) };
}

/** Joins and cleans two paths; `..` beyond the start stays. */
export function cleanJoin(base: string, path: string): string {
  const out: string[] = [];
  for (const part of [...base.split("/"), ...path.split("/")]) {
    if (part === "" || part === ".") continue;
    if (part === ".." && out.length > 0 && out.at(-1) !== "..") out.pop();
    else out.push(part);
  }
  return out.join("/") || (base.startsWith("/") ? "/" : "");
}

function originNode(origin: Origin): YamlNode {
  const node = mapNode();
  const put = (map: typeof node, key: string, text: string | undefined) => {
    if (text === undefined || text === "") return;
    const value = textScalar(text);
    if (needsQuotes(text)) value.style = "double";
    putField(map, key, value);
  };
  put(node, "path", origin.path);
  put(node, "configuredIn", origin.configuredIn);
  const by = origin.configuredBy;
  if (by !== undefined) {
    const inner = mapNode();
    put(inner, "apiVersion", by.apiVersion);
    put(inner, "kind", by.kind);
    put(inner, "name", by.name);
    put(inner, "namespace", by.namespace);
    putField(node, "configuredBy", inner);
  }
  return node;
}

/** YAML text of an origin, as the annotation holds it. */
export function originText(origin: Origin): string {
  return emitNode(originNode(origin));
}

/** YAML text of a list of origins. */
export function transformationsText(origins: readonly Origin[]): string {
  return emitNode(listNode(origins.map(originNode)));
}
