import { compareStrings } from "../template/go_string.ts";
import type { Dialect } from "../dialect.ts";
import { isHelm3 } from "../dialect.ts";

/** Kinds that others need first, first (Helm 4.2.4, `pkg/release/v1/util/kind_sorter.go`). */
const helm4Install = [
  ..."PriorityClass Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy PodDisruptionBudget".split(" "),
  ..."ServiceAccount Secret SecretList ConfigMap StorageClass PersistentVolume PersistentVolumeClaim".split(" "),
  ..."CustomResourceDefinition ClusterRole ClusterRoleList ClusterRoleBinding ClusterRoleBindingList".split(" "),
  ..."Role RoleList RoleBinding RoleBindingList Service DaemonSet Pod ReplicationController ReplicaSet".split(" "),
  ..."Deployment HorizontalPodAutoscaler StatefulSet Job CronJob IngressClass Ingress APIService".split(" "),
  ..."MutatingWebhookConfiguration ValidatingWebhookConfiguration".split(" "),
];

/** Nearly the reverse: Services go right after Ingresses, before what runs behind them. */
const helm4Uninstall = [
  ..."ValidatingWebhookConfiguration MutatingWebhookConfiguration APIService Ingress IngressClass Service".split(" "),
  ..."CronJob Job StatefulSet HorizontalPodAutoscaler Deployment ReplicaSet ReplicationController Pod".split(" "),
  ..."DaemonSet RoleBindingList RoleBinding RoleList Role ClusterRoleBindingList ClusterRoleBinding".split(" "),
  ..."ClusterRoleList ClusterRole CustomResourceDefinition PersistentVolumeClaim PersistentVolume".split(" "),
  ..."StorageClass ConfigMap SecretList Secret ServiceAccount PodDisruptionBudget PodSecurityPolicy".split(" "),
  ..."LimitRange ResourceQuota NetworkPolicy Namespace PriorityClass".split(" "),
];

const isWebhook = (kind: string) => kind.endsWith("WebhookConfiguration");

const orders = {
  install: { helm4: rank(helm4Install), helm3: rank(helm4Install.filter((kind) => !isWebhook(kind))) },
  uninstall: { helm4: rank(helm4Uninstall), helm3: rank(helm4Uninstall.filter((kind) => !isWebhook(kind))) },
};

function rank(kinds: readonly string[]): ReadonlyMap<string, number> {
  return new Map(kinds.map((kind, index) => [kind, index]));
}

/** The kinds that have a place, in their order. */
export function kindOrder(direction: "install" | "uninstall", dialect: Dialect): readonly string[] {
  return [...orders[direction][isHelm3(dialect) ? "helm3" : "helm4"].keys()];
}

/**
 * Things by their kind, in the order in which Helm installs or removes them. Stable; kinds without a place come last, by
 * name.
 */
export function sortByKind<T>(
  items: readonly T[],
  kindOf: (item: T) => string,
  options: { readonly direction: "install" | "uninstall"; readonly dialect: Dialect },
): readonly T[] {
  const ranks = orders[options.direction][isHelm3(options.dialect) ? "helm3" : "helm4"];
  return [...items].sort((a, b) => {
    const left = ranks.get(kindOf(a));
    const right = ranks.get(kindOf(b));
    if (left === undefined && right === undefined) return compareStrings(kindOf(a), kindOf(b));
    return left === undefined ? 1 : right === undefined ? -1 : left - right;
  });
}
