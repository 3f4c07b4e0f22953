/**
 * Part `target/cluster`: makes a Kubernetes cluster match. In: resources of an owner and what it had before. Out: what was
 * changed, the inventory, health. May fail: with a `StageError` that names every resource at fault. Called by the
 * pipelines, through the contract `Target`.
 *
 * Server-side apply under one field manager; the inventory is kept in the cluster; one watch per kind shows drift and
 * health and proves that nothing is to be done.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import { inParallel } from "../../core/in_parallel.ts";
import type { Inventory, InventoryEntry } from "../../core/inventory.ts";
import { subtract, union } from "../../core/inventory.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { KubeError } from "../../core/kube_api.ts";
import type { ObjectKey } from "../../core/object.ts";
import type { Ownership } from "../../core/ownership.ts";
import type { Random } from "../../core/random.ts";
import type { Resource, ResourceRef } from "../../core/resource.ts";
import { isResource, refKey } from "../../core/resource.ts";
import { asStageError, StageError } from "../../core/stage_error.ts";
import type {
  ApplyResult,
  RemoveResult,
  Target,
  TargetOptions,
  TargetRequest,
  WaitRequest,
  WatchedChange,
} from "../../core/target.ts";
import { ClusterIdentity } from "./cluster_identity.ts";
import type { ClusterFacts } from "./cluster_facts.ts";
import type { OpenCluster } from "./cluster_connections.ts";
import { waitForHealth } from "./health.ts";
import { isSameCluster } from "./cluster_name.ts";
import { InventoryStore } from "./inventory_store.ts";
import { LostInventories } from "./lost_inventories.ts";
import { OwnerAccess } from "./owner_access.ts";
import type { OwnerApplyTools } from "./owner_apply.ts";
import { applyOwner, isSweepDue, keptInputs } from "./owner_apply.ts";
import { isLabelling } from "./owner_labels.ts";
import type { OwnerRemovalTools } from "./owner_removal.ts";
import { removeForOwner } from "./owner_removal.ts";
import { moveTo, seeThrough, standsWhole } from "./owner_state.ts";
import type { OwnerState } from "./owner_state.ts";
import { OwnerStates } from "./owner_states.ts";
import { watchOwner } from "./owner_watch.ts";
import { planResources } from "./plan.ts";
import { readObject } from "./access.ts";
import type { OverriddenManager } from "./take_over.ts";
import { earlierManagers } from "./take_over.ts";
import { limited } from "./time_limit.ts";
import type { WriterLease } from "./lease.ts";

/** What a cluster target works with. */
export interface ClusterTargetOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: Random;
  /** Connects to the cluster of a kubeconfig's text. Absent: such requests are refused. */
  readonly openCluster?: OpenCluster;
  /** Under whose name resources stand: field manager and owner labels. Default `flux`. */
  readonly ownership?: Ownership;
  /** Managers whose fields become ours. Default {@linkcode earlierManagers}. */
  readonly managers?: readonly OverriddenManager[];
  /** Secret text with which the digests are keyed that the cluster keeps. Another one means that all is compared once more. Default none. */
  readonly digestKey?: string;
  /** Namespace of the inventories. Default the account's own. */
  readonly inventoryNamespace?: string;
  /** `false` deletes whatever is stale without a question. Default `true`. */
  readonly guards?: boolean;
  /** Requests of one apply at once. Default 16. */
  readonly concurrency?: number;
  /** Milliseconds after which an owner is compared with the server in full, whatever is known. Default one hour. */
  readonly sweepMs?: number;
  /** Only its holder writes. Default: nobody else writes. */
  readonly lease?: WriterLease;
}

/** A cluster as a target; its watches end when it is disposed. */
export interface ClusterTarget extends Target, Disposable {
  /** Lists and watches that are open. */
  readonly openViews: number;
  /**
   * What templates may ask of the cluster that an owner's resources go to, as the identity and by the connection that apply
   * them.
   *
   * @throws {StageError} ReconciliationFailed where that cluster cannot be connected to
   */
  facts(
    owner: ObjectKey,
    options: Pick<TargetOptions, "kubeconfig" | "serviceAccountName">,
  ): Promise<ClusterFacts>;
}

const applyTimeoutMs = 300_000;

/** Makes a target of a cluster. Nothing is sent before it is used. */
export function clusterTarget(options: ClusterTargetOptions): ClusterTarget {
  return new Cluster(options);
}

class Cluster implements ClusterTarget {
  readonly kind = "cluster";
  readonly name = "cluster";
  readonly #options: ClusterTargetOptions;
  readonly #tools: OwnerApplyTools & OwnerRemovalTools;
  readonly #states: OwnerStates;
  readonly #access: OwnerAccess;
  readonly #identity: ClusterIdentity;
  readonly #lost: LostInventories;

  constructor(options: ClusterTargetOptions) {
    this.#options = options;
    this.#identity = new ClusterIdentity(options.api, options.clock);
    const { clock, lease, digestKey = "", sweepMs = 3_600_000, guards = true } = options;
    const store = new InventoryStore(options.api, options.inventoryNamespace ?? options.api.namespace);
    this.#access = new OwnerAccess({
      ...options,
      ownership: this.ownership,
      managers: options.managers ?? earlierManagers,
      digestKey,
      concurrency: this.#concurrency,
      mayWrite: () => lease?.assertHeld(),
    });
    this.#tools = { store, lease, access: this.#access, clock, digestKey, sweepMs, guards };
    this.#states = new OwnerStates({
      store,
      term: () => lease?.term ?? 0,
      access: (owner) => this.#access.of(owner, {}),
    });
    this.#lost = new LostInventories((owner) => this.#access.of(owner, {}), clock);
  }

  get ownership(): Ownership {
    return this.#options.ownership ?? "flux";
  }

  get openViews(): number {
    return this.#access.openViews;
  }

  async facts(
    owner: ObjectKey,
    options: Pick<TargetOptions, "kubeconfig" | "serviceAccountName">,
  ): Promise<ClusterFacts> {
    return await this.#guarded("Cannot ask the cluster", () => this.#access.facts(owner, options));
  }

  async plan(request: TargetRequest, signal: AbortSignal) {
    return await this.#guarded("Cannot plan", async () => {
      const access = await this.#access.of(request.owner, request.options);
      const stored = await this.#tools.store.reload(request.owner, signal);
      const cluster = await this.#access.clusterOf(request.owner, request.options, signal);
      const isHere = stored !== undefined && isSameCluster(stored.cluster, cluster);
      const known = isHere ? stored.entries : [];
      const left = isHere ? { entries: [] } : stored ?? { entries: [] };
      const previous = { entries: subtract(request.previous, left) };
      return await planResources(access, { ...request, previous }, { entries: known }, signal);
    });
  }

  async apply(request: TargetRequest, signal: AbortSignal): Promise<ApplyResult> {
    return await this.#writing("Cannot apply", request.owner, async (state) => {
      const limit = limited(this.#options.clock, request.options.timeoutMs ?? applyTimeoutMs, signal);
      try {
        seeThrough(state, await this.#access.of(request.owner, request.options));
        await this.#access.assertAccount(request, limit.signal);
        moveTo(state, await this.#access.clusterOf(request.owner, request.options, limit.signal));
        return await applyOwner(this.#tools, state, request, limit.signal);
      } finally {
        limit.end();
      }
    }, signal);
  }

  async wait(request: WaitRequest, signal: AbortSignal) {
    return await this.#guarded("Cannot check health", async () => {
      const access = await this.#access.of(request.owner, request);
      const state = await this.#states.of(request.owner, signal);
      const refs = await this.#placedRefs(state, request.refs, signal);
      return await waitForHealth(access, {
        refs: refs.filter((ref) => !state.skipped.has(refKey(ref))),
        timeoutMs: request.timeoutMs,
        ownerKind: request.owner.kind,
        ...(request.expressions === undefined ? {} : { expressions: request.expressions }),
      }, signal);
    });
  }

  async remove(
    owner: ObjectKey,
    entries: readonly InventoryEntry[],
    options: TargetOptions,
    signal: AbortSignal,
  ): Promise<RemoveResult> {
    return await this.#writing(
      "Cannot delete",
      owner,
      async (state) => {
        const result = await removeForOwner(this.#tools, state, { entries, options }, signal);
        if (options.isWholeRemoval === true) this.#forget(state);
        return result;
      },
      signal,
    );
  }

  async stands(owner: ObjectKey, inputs: string, signal: AbortSignal): Promise<boolean> {
    try {
      const state = await this.#states.of(owner, signal);
      const { digestKey } = this.#tools;
      if (inputs === "" || state.inputs !== keptInputs(inputs, digestKey)) return false;
      if (isSweepDue(this.#tools, state)) return false;
      for (const entry of state.stored.values()) if (entry.desired === "") return false;
      return await standsWhole(state, signal);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.code === 0 || error.code === 401) this.#identity.forget();
      return false;
    }
  }

  watch(owner: ObjectKey, onChange: (change: WatchedChange) => void, signal: AbortSignal): void {
    void this.#states.of(owner, signal).then((state) => watchOwner(state, onChange, signal)).catch(() => {
      // A watch that cannot be had is no fault: the next run at its interval looks anyway.
    });
  }

  async read(
    owner: ObjectKey,
    ref: ResourceRef,
    options: TargetOptions,
    signal: AbortSignal,
  ): Promise<Resource | undefined> {
    return await this.#guarded("Cannot read", async () => {
      const access = await this.#access.of(owner, options);
      const kind = await access.discovery.kindOf(ref, signal);
      if (kind === undefined) return undefined;
      const namespace = kind.isNamespaced ? ref.namespace || options.defaultNamespace || owner.namespace : "";
      const found = await readObject(access, { kind, ref: { ...ref, namespace } }, signal);
      return isResource(found) ? found : undefined;
    });
  }

  async identity(signal: AbortSignal): Promise<string> {
    return await this.#guarded("Cannot reach the cluster", () => this.#identity.read(signal));
  }

  async remembered(owner: ObjectKey, signal?: AbortSignal): Promise<Inventory | undefined> {
    if (!isLabelling(owner)) return undefined;
    // Others may wait for the same answer: it does not end with the one who came first.
    const limit = limited(this.#options.clock, applyTimeoutMs, new AbortController().signal);
    try {
      return await this.#guarded("Cannot read the inventory", async () => {
        const { store, lease } = this.#tools;
        let stored = await store.reload(owner, limit.signal);
        if (signal !== undefined && lease !== undefined && lease.term === 0) {
          await lease.hold(signal);
          stored = await store.reload(owner, limit.signal);
        }
        const state = await this.#states.of(owner, limit.signal);
        const known = union({ entries: [...state.stored.values()] }, { entries: stored?.entries ?? [] });
        if (stored !== undefined) return plain(known);
        const lost = await this.#lost.of(owner, limit.signal);
        // Whoever is new has nothing to be found again: the inventories of all others are not read for him.
        const otherOwner = lost.length === 0 ? () => undefined : await store.others(owner, "", limit.signal);
        const found = lost.filter(({ id }) => otherOwner(id) === undefined);
        const all = union(known, { entries: found });
        return all.entries.length === 0 ? undefined : plain(all);
      });
    } finally {
      limit.end();
    }
  }

  [Symbol.dispose](): void {
    this.#access[Symbol.dispose]();
    this.#lost[Symbol.dispose]();
    this.#states.clear();
  }

  /** Does what writes for an owner, once that is our turn. */
  async #writing<Result>(
    action: string,
    owner: ObjectKey,
    work: (state: OwnerState) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    return await this.#guarded(action, async () => {
      await this.#tools.lease?.hold(signal);
      const state = await this.#states.of(owner, signal);
      state.isApplying = true;
      try {
        return await work(state);
      } finally {
        state.isApplying = false;
        for (const watcher of [...state.watchers]) watcher();
      }
    });
  }

  async #placedRefs(
    state: OwnerState,
    refs: readonly ResourceRef[],
    signal: AbortSignal,
  ): Promise<readonly ResourceRef[]> {
    const placed = new Map([...state.proofs.values()].map(({ ref }) => [`${ref.group}/${ref.kind}/${ref.name}`, ref]));
    return await inParallel(refs, this.#concurrency, async (ref) => {
      if (ref.namespace !== "") return ref;
      const applied = placed.get(`${ref.group}/${ref.kind}/${ref.name}`);
      if (applied !== undefined) return { ...ref, namespace: applied.namespace };
      const kind = await state.access.discovery.kindOf(ref, signal);
      return kind?.isNamespaced === true ? { ...ref, namespace: state.owner.namespace } : ref;
    });
  }

  /** Lets the memory of an owner go that has nothing left. */
  #forget(state: OwnerState): void {
    if (state.proofs.size > 0 || state.stored.size > 0) return;
    this.#states.forget(state.owner);
    this.#access.leave(state.owner);
  }

  get #concurrency(): number {
    return this.#options.concurrency ?? 16;
  }

  async #guarded<Result>(action: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      // Whoever answers next may be another cluster.
      if (error.code === 0 || error.code === 401) this.#identity.forget();
      if (error.retryAfterMs === undefined) throw asStageError(error, "ReconciliationFailed", action);
      throw new StageError("ReconciliationFailed", `${action}: ${error.message}`, {
        cause: error,
        retryAfterMs: error.retryAfterMs,
      });
    }
  }
}

function plain(inventory: Inventory): Inventory {
  return { entries: inventory.entries.map(({ id, v }) => ({ id, v })) };
}
