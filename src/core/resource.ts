import type { JsonObject } from "./json.ts";
import { isJsonObject } from "./json.ts";

/** A Kubernetes object as JSON: apiVersion, kind, metadata and whatever its kind has. */
export type Resource = JsonObject & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject & { readonly name: string; readonly namespace?: string };
};

/** Identity of a resource. `group` is "" for the core group; `namespace` is "" for cluster-scoped ones. */
export interface ResourceRef {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Group and version of an `apiVersion`: `apps/v1` is group `apps`, `v1` is group "". */
export function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf("/");
  return slash < 0
    ? { group: "", version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** `apiVersion` text of a group and version. */
export function apiVersionOf(ref: { readonly group: string; readonly version: string }): string {
  return ref.group === "" ? ref.version : `${ref.group}/${ref.version}`;
}

/** Identity of a resource as it is written (no default namespace is filled in). */
export function refOf(resource: Resource): ResourceRef {
  const { group, version } = splitApiVersion(resource.apiVersion);
  return {
    group,
    version,
    kind: resource.kind,
    namespace: resource.metadata.namespace ?? "",
    name: resource.metadata.name,
  };
}

/** Map key of a resource. The version does not count: one object is served in several versions. */
export function refKey(ref: ResourceRef): string {
  return `${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}`;
}

/** `Kind/namespace/name` as Flux prints it in events and messages; without a namespace `Kind/name`. */
export function refText(ref: Pick<ResourceRef, "kind" | "namespace" | "name">): string {
  return ref.namespace === "" ? `${ref.kind}/${ref.name}` : `${ref.kind}/${ref.namespace}/${ref.name}`;
}

/** Whether a value has what every resource needs: apiVersion, kind and metadata.name, all non-empty texts. */
export function isResource(value: unknown): value is Resource {
  return isJsonObject(value) && typeof value.apiVersion === "string" && value.apiVersion !== "" &&
    typeof value.kind === "string" && value.kind !== "" && isJsonObject(value.metadata) &&
    typeof value.metadata.name === "string" && value.metadata.name !== "";
}
