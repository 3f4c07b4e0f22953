import { compareStrings } from "../template/go_string.ts";
import type { Dialect } from "../dialect.ts";
import { isHelm3 } from "../dialect.ts";

/** Kinds that others need first, first (Helm 4.2.4, `pkg/release/v1/util/kind_sorter.go`); Helm 3 knows no webhooks. */
const helm4Kinds = [
  ..."PriorityClass Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy PodDisruptionBudget".split(" "),
  ..."ServiceAccount Secret SecretList ConfigMap StorageClass PersistentVolume PersistentVolumeClaim".split(" "),
  ..."CustomResourceDefinition ClusterRole ClusterRoleList ClusterRoleBinding ClusterRoleBindingList".split(" "),
  ..."Role RoleList RoleBinding RoleBindingList Service DaemonSet Pod ReplicationController ReplicaSet".split(" "),
  ..."Deployment HorizontalPodAutoscaler StatefulSet Job CronJob IngressClass Ingress APIService".split(" "),
  ..."MutatingWebhookConfiguration ValidatingWebhookConfiguration".split(" "),
];

const helm4Ranks = ranksOf(helm4Kinds);
const helm3Ranks = ranksOf(helm4Kinds.filter((kind) => !kind.endsWith("WebhookConfiguration")));

function ranksOf(kinds: readonly string[]): ReadonlyMap<string, number> {
  return new Map(kinds.map((kind, index) => [kind, index]));
}

/** Things in the order in which Helm installs their kinds. Stable; kinds without a place come last, by name. */
export function sortByKind<T>(items: readonly T[], kindOf: (item: T) => string, dialect: Dialect): readonly T[] {
  const ranks = isHelm3(dialect) ? helm3Ranks : helm4Ranks;
  return [...items].sort((a, b) => {
    const left = ranks.get(kindOf(a));
    const right = ranks.get(kindOf(b));
    if (left === undefined && right === undefined) return compareStrings(kindOf(a), kindOf(b));
    return left === undefined ? 1 : right === undefined ? -1 : left - right;
  });
}
