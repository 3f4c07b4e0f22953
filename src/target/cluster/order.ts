import type { Resource, ResourceRef } from "../../core/resource.ts";

/** Kinds in the order in which they are applied, from fluxcd/pkg ssa v0.65 `ReconcileOrder` (research: flux.md 2.6). */
const first = [
  "CustomResourceDefinition",
  "Namespace",
  "ClusterRole",
  "ClusterClass",
  "RuntimeClass",
  "PriorityClass",
  "StorageClass",
  "VolumeSnapshotClass",
  "IngressClass",
  "GatewayClass",
  "ClusterRoleBinding",
  "ResourceQuota",
  "ServiceAccount",
  "Role",
  "RoleBinding",
  "ConfigMap",
  "Secret",
  "Service",
  "LimitRange",
  "Deployment",
  "StatefulSet",
  "CronJob",
  "PodDisruptionBudget",
];
const last = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
const ranks = new Map<string, number>([
  ...first.map((kind, index) => [kind, index] as const),
  ...last.map((kind, index) => [kind, first.length + 1 + index] as const),
]);

/** A step of an apply: all of it stands (and is established) before the next one begins. */
export type Stage = "definitions" | "classes" | "rest";

/** Steps in order. */
export const stages: readonly Stage[] = ["definitions", "classes", "rest"];

/** Step of a kind (fluxcd/pkg ssa `ApplyAllStaged`). */
export function stageOf(ref: Pick<ResourceRef, "group" | "kind">): Stage {
  if (ref.kind === "CustomResourceDefinition" || ref.kind === "Namespace" || ref.kind === "ClusterRole") {
    return "definitions";
  }
  return ref.kind.endsWith("Class") ? "classes" : "rest";
}

/** Place of a kind in the order; kinds that are not in the table share one, before the webhooks. */
export function rankOf(kind: string): number {
  return ranks.get(kind) ?? first.length;
}

/** Order in which resources are applied: rank, then group and kind, then namespace, then name. */
export function compareApply(a: ResourceRef, b: ResourceRef): number {
  return rankOf(a.kind) - rankOf(b.kind) || compareText(a.group, b.group) || compareText(a.kind, b.kind) ||
    compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

/** Order in which they are deleted: the reverse. */
export function compareDelete(a: ResourceRef, b: ResourceRef): number {
  return compareApply(b, a);
}

/** Whether two resources may be worked on at the same time: the same rank, group and kind. */
function isSameRank(a: ResourceRef, b: ResourceRef): boolean {
  return rankOf(a.kind) === rankOf(b.kind) && a.kind === b.kind && a.group === b.group;
}

/** Runs of items that share a rank, in order. The items must be sorted by {@linkcode compareApply}. */
export function rankGroups<Item>(items: readonly Item[], refOf: (item: Item) => ResourceRef): readonly Item[][] {
  const groups: Item[][] = [];
  for (const item of items) {
    const group = groups.at(-1);
    const before = group?.[0];
    if (group !== undefined && before !== undefined && isSameRank(refOf(before), refOf(item))) group.push(item);
    else groups.push([item]);
  }
  return groups;
}

/** CustomResourceDefinitions among resources. */
export function definesKind(resource: Resource): boolean {
  return resource.kind === "CustomResourceDefinition" && resource.apiVersion.startsWith("apiextensions.k8s.io/");
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
