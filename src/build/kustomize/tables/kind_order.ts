/** Kinds that kustomize's legacy order puts first, in this order (5.8.1). */
export const orderFirst: readonly string[] = [
  "Namespace",
  "ResourceQuota",
  "StorageClass",
  "CustomResourceDefinition",
  "ServiceAccount",
  "PodSecurityPolicy",
  "Role",
  "ClusterRole",
  "RoleBinding",
  "ClusterRoleBinding",
  "ConfigMap",
  "Secret",
  "Endpoints",
  "Service",
  "LimitRange",
  "PriorityClass",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "Deployment",
  "StatefulSet",
  "CronJob",
  "PodDisruptionBudget",
];

/** Kinds that it puts last. */
export const orderLast: readonly string[] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/** Rank function of two lists: negative for the first ones, positive for the last ones, 0 for all between. */
export function rankOf(first: readonly string[], last: readonly string[]): (kind: string) => number {
  const ranks = new Map<string, number>();
  first.forEach((kind, at) => ranks.set(kind, at - first.length));
  last.forEach((kind, at) => ranks.set(kind, at + 1));
  return (kind) => ranks.get(kind) ?? 0;
}

/** Rank of a kind in the default lists. */
export const defaultOrder: (kind: string) => number = rankOf(orderFirst, orderLast);
