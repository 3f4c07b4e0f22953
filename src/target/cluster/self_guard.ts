import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { isKubeError } from "../../core/kube_api.ts";
import type { ResourceRef } from "../../core/resource.ts";
import type { Access } from "./access.ts";
import { listItems } from "./discovery.ts";
import { inventoryLabel } from "./inventory_store.ts";

/** The ServiceAccount that we act as ourselves. */
export interface OwnAccount {
  readonly namespace: string;
  readonly name: string;
}

/** Asks once which account we are; `undefined` where we are none, or the server does not tell (before 1.28). */
export function ownAccountOf(access: Access, signal: AbortSignal): () => Promise<OwnAccount | undefined> {
  let asked: Promise<OwnAccount | undefined> | undefined;
  return () => asked ??= ask(access, signal);
}

async function ask(access: Access, signal: AbortSignal): Promise<OwnAccount | undefined> {
  const own = access.viewers[0]?.api ?? access.api;
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  try {
    const { status } = await own.send({ method: "POST", path, body }, signal);
    const user = isJsonObject(status) && isJsonObject(status.userInfo) ? status.userInfo.username : undefined;
    const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(String(user)) ?? [];
    return namespace === undefined || name === undefined ? undefined : { namespace, name };
  } catch (error) {
    if (isKubeError(error, 403) || isKubeError(error, 404)) return undefined;
    throw error;
  }
}

const workloads: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "DaemonSet"]);
const bindings: ReadonlySet<string> = new Set(["RoleBinding", "ClusterRoleBinding"]);

/**
 * What of this daemon the deletion of a resource takes along: its account, what gives that account rights, or the workload that runs
 * as it; `undefined` for all else.
 */
export async function selfHolds(
  ref: ResourceRef,
  live: JsonObject,
  ownAccount: () => Promise<OwnAccount | undefined>,
): Promise<string | undefined> {
  if (ref.group === "" && ref.kind === "ServiceAccount") {
    const own = await ownAccount();
    const isOwn = own?.namespace === ref.namespace && own.name === ref.name;
    return isOwn ? "all rights of this daemon, which acts as it" : undefined;
  }
  if (ref.group === "rbac.authorization.k8s.io" && bindings.has(ref.kind)) {
    const accounts = listItems(live, "subjects").filter(({ kind }) => kind === "ServiceAccount");
    if (accounts.length === 0) return undefined;
    const own = await ownAccount();
    const isOwn = accounts.some(({ namespace, name }) => own?.namespace === namespace && own?.name === name);
    return isOwn && own !== undefined ? "rights of this daemon, which acts as its subject" : undefined;
  }
  if (ref.group === "apps" && workloads.has(ref.kind)) {
    const account = accountOfPods(live);
    if (account === undefined) return undefined;
    const own = await ownAccount();
    return own?.namespace === ref.namespace && own.name === account ? "this daemon itself" : undefined;
  }
  return undefined;
}

function accountOfPods(workload: JsonObject): string | undefined {
  const spec = isJsonObject(workload.spec) ? workload.spec : {};
  const template = isJsonObject(spec.template) ? spec.template : {};
  const pod = isJsonObject(template.spec) ? template.spec : {};
  const { serviceAccountName } = pod;
  // Whoever is to apply things has an account of his own.
  return typeof serviceAccountName === "string" && serviceAccountName !== "default" ? serviceAccountName : undefined;
}

/** Whether a Namespace holds inventories, so that all owners would lose theirs with it; `false` where nobody may look. */
export async function holdsInventories(access: Access, namespace: string, signal: AbortSignal): Promise<boolean> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
  const own = access.viewers[0]?.api ?? access.api;
  try {
    const found = await own.send({ method: "GET", path, query: { labelSelector: inventoryLabel, limit: "1" } }, signal);
    return listItems(found, "items").length > 0;
  } catch (error) {
    if (isKubeError(error, 403) || isKubeError(error, 404)) return false;
    throw error;
  }
}
