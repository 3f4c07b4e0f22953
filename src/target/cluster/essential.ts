import type { JsonObject } from "../../core/json.ts";
import type { ResourceRef } from "../../core/resource.ts";
import { inventoryLabel } from "./inventory_store.ts";
import { textsOf } from "./marks.ts";

/** Namespaces without which a cluster is none. */
const systemNamespaces: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public", "kube-node-lease"]);

/**
 * Whose an object is that is never deleted, whoever confirms it; `undefined` for all others. The cluster makes such objects by
 * itself: who applies one adds to it, and takes nothing away when he leaves it out. Tokens die with the ServiceAccount `default`,
 * and the server makes the roles of its own bootstrap again only when it starts.
 *
 * Differs: Flux deletes what it has applied once.
 */
export function isEssentialTo(ref: ResourceRef, live: JsonObject): "the cluster" | "Pilotfish" | undefined {
  const { group, kind, namespace, name } = ref;
  if (group === "rbac.authorization.k8s.io") {
    return textsOf(live, "labels")["kubernetes.io/bootstrapping"] === "rbac-defaults" ? "the cluster" : undefined;
  }
  if (group !== "") return undefined;
  const isSystem = kind === "Namespace" && systemNamespaces.has(name) ||
    kind === "ServiceAccount" && name === "default" ||
    kind === "ConfigMap" && name === "kube-root-ca.crt" ||
    kind === "ConfigMap" && namespace === "kube-system" && name === "extension-apiserver-authentication" ||
    kind === "Service" && namespace === "default" && name === "kubernetes";
  if (isSystem) return "the cluster";
  return kind === "ConfigMap" && inventoryLabel in textsOf(live, "labels") ? "Pilotfish" : undefined;
}
