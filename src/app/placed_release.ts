import { isClusterScoped } from "../build/kustomize/identity.ts";
import type { BuildResult } from "../core/builder.ts";
import { isJsonObject } from "../core/json.ts";
import type { Resource } from "../core/resource.ts";
import { splitApiVersion } from "../core/resource.ts";

/** Kinds of Kubernetes without a namespace that kustomize 5.8.1 does not know, as `group kind`. */
const others: ReadonlySet<string> = new Set([
  "admissionregistration.k8s.io MutatingAdmissionPolicy",
  "admissionregistration.k8s.io MutatingAdmissionPolicyBinding",
  "admissionregistration.k8s.io ValidatingAdmissionPolicy",
  "admissionregistration.k8s.io ValidatingAdmissionPolicyBinding",
  "certificates.k8s.io ClusterTrustBundle",
  "flowcontrol.apiserver.k8s.io FlowSchema",
  "flowcontrol.apiserver.k8s.io PriorityLevelConfiguration",
  "gateway.networking.k8s.io GatewayClass",
  "internal.apiserver.k8s.io StorageVersion",
  "networking.k8s.io IPAddress",
  "networking.k8s.io ServiceCIDR",
  "resource.k8s.io DeviceClass",
  "resource.k8s.io ResourceSlice",
  "snapshot.storage.k8s.io VolumeSnapshotClass",
  "snapshot.storage.k8s.io VolumeSnapshotContent",
  "storage.k8s.io VolumeAttributesClass",
  "storagemigration.k8s.io StorageVersionMigration",
]);

/**
 * A rendered release whose resources name the release's namespace where their template names none. A cluster is told the
 * namespace with each request; in a folder only the file can say it. Kinds of the chart's own CRDs have the scope that
 * these say, and what nobody knows has a namespace, as in kustomize.
 */
export function placedRelease<Built extends BuildResult>(built: Built, namespace: string): Built {
  const scopes = definedScopes([...built.crds ?? [], ...built.resources]);
  const place = (resource: Resource): Resource => {
    const { metadata } = resource;
    if (metadata.namespace !== undefined && metadata.namespace !== "") return resource;
    const { group, version } = splitApiVersion(resource.apiVersion);
    const name = `${group} ${resource.kind}`;
    const isPlain = scopes.get(name) ?? (others.has(name) || isClusterScoped({ group, version, kind: resource.kind }));
    return isPlain ? resource : { ...resource, metadata: { ...metadata, namespace } };
  };
  return {
    ...built,
    resources: built.resources.map(place),
    hooks: built.hooks.map((hook) => ({ ...hook, resource: place(hook.resource) })),
  };
}

/** Whether kinds that CRDs define have no namespace, by `group kind`. */
function definedScopes(resources: readonly Resource[]): ReadonlyMap<string, boolean> {
  const scopes = new Map<string, boolean>();
  for (const { kind, spec } of resources) {
    if (kind !== "CustomResourceDefinition" || !isJsonObject(spec) || !isJsonObject(spec.names)) continue;
    scopes.set(`${String(spec.group)} ${String(spec.names.kind)}`, spec.scope === "Cluster");
  }
  return scopes;
}
