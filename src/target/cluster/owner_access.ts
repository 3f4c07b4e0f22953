import { isKubeError, metadataOnly } from "../../core/kube_api.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import { fieldManagerOf } from "../../core/ownership.ts";
import type { Random } from "../../core/random.ts";
import { StageError } from "../../core/stage_error.ts";
import type { TargetOptions, TargetRequest } from "../../core/target.ts";
import type { Access } from "./access.ts";
import type { OpenCluster } from "./cluster_connections.ts";
import { ClusterConnections } from "./cluster_connections.ts";
import type { ClusterFacts } from "./cluster_facts.ts";
import { clusterFacts } from "./cluster_facts.ts";
import { ClusterIdentity } from "./cluster_identity.ts";
import { addressOf, clusterName } from "./cluster_name.ts";
import type { OwnerState } from "./owner_state.ts";

/** What is the same for whoever acts, and whatever the cluster. */
type CommonAccess = Omit<Access, "api" | "viewers" | "discovery" | "view">;

/** What access is made with. */
export interface OwnerAccessOptions extends Omit<CommonAccess, "manager"> {
  /** Our own cluster, as ourselves. */
  readonly api: KubeApi;
  readonly random: Random;
  /** Connects to the cluster of a kubeconfig's text. Absent: such requests are refused. */
  readonly openCluster?: OpenCluster;
}

/** As whom, and by which login, an owner wants to act. */
export type Identity = Pick<TargetOptions, "kubeconfig" | "serviceAccountName">;

/** In which cluster, and as which account, owners act: each cluster is connected once, whoever acts in it. */
export class OwnerAccess implements Disposable {
  readonly #common: CommonAccess;
  readonly #connections: ClusterConnections;
  /** By connection, then by user: they keep for a minute what a cluster serves. */
  readonly #facts = new WeakMap<KubeApi, Map<string, ClusterFacts>>();
  /** Of the other clusters, by connection. */
  readonly #identities = new WeakMap<KubeApi, ClusterIdentity>();

  constructor({ api, random, openCluster, ...options }: OwnerAccessOptions) {
    const { clock, ownership, managers, digestKey, concurrency, mayWrite } = options;
    const manager = fieldManagerOf(ownership);
    this.#common = { clock, ownership, manager, managers, digestKey, concurrency, mayWrite };
    this.#connections = new ClusterConnections(api, { clock, random, manager, managers, digestKey, openCluster });
  }

  /** Lists and watches that are open. */
  get openViews(): number {
    return this.#connections.openViews;
  }

  /**
   * The access of an owner. What it applies is watched by our own account where that may, so that watches are shared; else by
   * the account that acts.
   *
   * @throws {StageError} ReconciliationFailed for an empty account, or another cluster that cannot be connected to
   */
  async of(owner: ObjectKey, options: Identity): Promise<Access> {
    const connection = await this.#connections.open(owner, options.kubeconfig);
    const viewers = [{ api: connection.api, user: "" }];
    let { api } = connection;
    if (options.serviceAccountName !== undefined) {
      if (options.serviceAccountName === "") {
        throw new StageError("ReconciliationFailed", `Cannot act for ${keyText(owner)}: serviceAccountName is empty`, {
          hint: "Name a ServiceAccount, or leave the field out",
        });
      }
      const user = `system:serviceaccount:${owner.namespace}:${options.serviceAccountName}`;
      api = connection.api.as(user);
      viewers.push({ api, user });
    }
    return {
      api,
      viewers,
      discovery: connection.discovery,
      view: connection.view,
      ...this.#common,
    };
  }

  /** What templates may ask of the cluster, kept by cluster and account. */
  async facts(owner: ObjectKey, identity: Identity): Promise<ClusterFacts> {
    const { api } = await this.of(owner, identity);
    const connection = (await this.#connections.open(owner, identity.kubeconfig)).api;
    const byUser = this.#facts.get(connection) ?? new Map<string, ClusterFacts>();
    this.#facts.set(connection, byUser);
    const user = identity.serviceAccountName === undefined ? "" : `${owner.namespace}/${identity.serviceAccountName}`;
    const known = byUser.get(user) ?? clusterFacts(api, this.#common.clock);
    byUser.set(user, known);
    return known;
  }

  /**
   * Refuses to act as an account that was deleted: its bindings may still be there. Where we may not look, the server
   * decides alone.
   *
   * Differs: Flux goes on by the bindings that are left.
   */
  async assertAccount({ owner, options }: TargetRequest, signal: AbortSignal): Promise<void> {
    if (!await this.isAccountGone(owner, options, signal)) return;
    throw new StageError(
      "ReconciliationFailed",
      `Cannot act for ${
        keyText(owner)
      }: ServiceAccount "${owner.namespace}/${options.serviceAccountName}" is not there`,
      { hint: "Create it, or correct spec.serviceAccountName" },
    );
  }

  /** Name of the other cluster in which an owner's resources go; "" for ours. @throws {KubeError} when it cannot be asked */
  async clusterOf(
    owner: ObjectKey,
    { kubeconfig }: Pick<TargetOptions, "kubeconfig">,
    signal: AbortSignal,
  ): Promise<string> {
    if (kubeconfig === undefined) return "";
    const { api } = await this.#connections.open(owner, kubeconfig);
    const identity = this.#identities.get(api) ?? new ClusterIdentity(api, this.#common.clock);
    this.#identities.set(api, identity);
    return clusterName(api.name, await identity.read(signal));
  }

  /** Whoever removes: what stands in another cluster is never sought in ours. `undefined` when that one is out of reach. */
  async forRemoval(state: OwnerState, options: TargetOptions): Promise<Access | undefined> {
    if (options.kubeconfig !== undefined || state.cluster === "") return await this.of(state.owner, options);
    return state.access.api.name === addressOf(state.cluster) ? state.access : undefined;
  }

  /** Whether the account of an owner was deleted: what it applied then stays (kustomize-controller 1.9, `finalize`). */
  async isAccountGone(owner: ObjectKey, options: TargetOptions, signal: AbortSignal): Promise<boolean> {
    const { serviceAccountName, kubeconfig } = options;
    if (serviceAccountName === undefined || serviceAccountName === "") return false;
    const { api } = await this.#connections.open(owner, kubeconfig);
    try {
      const path = `/api/v1/namespaces/${encodeURIComponent(owner.namespace)}/serviceaccounts/${
        encodeURIComponent(serviceAccountName)
      }`;
      await api.send({ method: "GET", path, accept: metadataOnly }, signal);
      return false;
    } catch (error) {
      // Who may not look lets the deletion itself tell.
      if (isKubeError(error, 403)) return false;
      if (isKubeError(error, 404)) return true;
      throw error;
    }
  }

  /** Closes what an owner alone has used. */
  leave(owner: ObjectKey): void {
    this.#connections.leave(owner);
  }

  [Symbol.dispose](): void {
    this.#connections[Symbol.dispose]();
  }
}
