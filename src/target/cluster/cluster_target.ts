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
import { digestOf } from "../../core/digest.ts";
import { inParallel } from "../../core/in_parallel.ts";
import type { Inventory, InventoryEntry } from "../../core/inventory.ts";
import { inventoryOf, refOfEntry, subtract, union } from "../../core/inventory.ts";
import type { JsonValue } from "../../core/json.ts";
import { canonicalJson } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { KubeError } from "../../core/kube_api.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
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
import { applyResources } from "./apply.ts";
import { ClusterIdentity } from "./cluster_identity.ts";
import type { ClusterFacts } from "./cluster_facts.ts";
import type { OpenCluster } from "./cluster_connections.ts";
import { waitForHealth } from "./health.ts";
import { addressOf, isSameCluster } from "./cluster_name.ts";
import { InventoryStore, withNote } from "./inventory_store.ts";
import { plannedRefs } from "./items.ts";
import { LostInventories } from "./lost_inventories.ts";
import { OwnerAccess } from "./owner_access.ts";
import { isLabelling } from "./owner_labels.ts";
import { bringHere, moveTo, seeThrough, standsWhole, storedOf } from "./owner_state.ts";
import type { OwnerState } from "./owner_state.ts";
import { OwnerStates } from "./owner_states.ts";
import { watchOwner } from "./owner_watch.ts";
import { planResources } from "./plan.ts";
import { pruneResources } from "./prune.ts";
import { shortHash } from "./seen.ts";
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
  readonly #store: InventoryStore;
  readonly #states: OwnerStates;
  readonly #access: OwnerAccess;
  readonly #identity: ClusterIdentity;
  readonly #lost: LostInventories;

  constructor(options: ClusterTargetOptions) {
    this.#options = options;
    this.#identity = new ClusterIdentity(options.api, options.clock);
    this.#store = new InventoryStore(options.api, options.inventoryNamespace ?? options.api.namespace);
    this.#access = new OwnerAccess({
      ...options,
      ownership: this.ownership,
      managers: options.managers ?? earlierManagers,
      digestKey: this.#digestKey,
      concurrency: this.#concurrency,
      mayWrite: () => options.lease?.assertHeld(),
    });
    this.#states = new OwnerStates({
      store: this.#store,
      term: () => options.lease?.term ?? 0,
      access: (owner) => this.#access.of(owner, {}),
    });
    this.#lost = new LostInventories((owner) => this.#access.of(owner, {}), options.clock);
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
      const stored = await this.#store.reload(request.owner, signal);
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
        return await this.#apply(state, request, limit.signal);
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
      (state) => this.#remove(state, entries, options, signal),
      signal,
    );
  }

  async stands(owner: ObjectKey, inputs: string, signal: AbortSignal): Promise<boolean> {
    try {
      const state = await this.#states.of(owner, signal);
      if (inputs === "" || state.inputs !== this.#kept(inputs) || this.#isSweepDue(state)) return false;
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
        let stored = await this.#store.reload(owner, limit.signal);
        const { lease } = this.#options;
        if (signal !== undefined && lease !== undefined && lease.term === 0) {
          await lease.hold(signal);
          stored = await this.#store.reload(owner, limit.signal);
        }
        const state = await this.#states.of(owner, limit.signal);
        const known = union({ entries: [...state.stored.values()] }, { entries: stored?.entries ?? [] });
        if (stored !== undefined) return plain(known);
        const lost = await this.#lost.of(owner, limit.signal);
        // Whoever is new has nothing to be found again: the inventories of all others are not read for him.
        const otherOwner = lost.length === 0 ? () => undefined : await this.#store.others(owner, "", limit.signal);
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
      await this.#options.lease?.hold(signal);
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

  async #remove(
    state: OwnerState,
    entries: readonly InventoryEntry[],
    options: TargetOptions,
    signal: AbortSignal,
  ): Promise<RemoveResult> {
    const { owner } = state;
    if (options.isWholeRemoval === true) this.#store.claim(owner, state.cluster, []);
    const access = await this.#access.forRemoval(state, options);
    if (access === undefined) return outOfReach(state, entries);
    // Where the login leads elsewhere by now, all of it stands elsewhere.
    if (options.kubeconfig !== undefined) moveTo(state, await this.#access.clusterOf(owner, options, signal));
    if (options.isWholeRemoval === true && await this.#access.isAccountGone(owner, options, signal)) {
      const message = `is left behind: ServiceAccount "${options.serviceAccountName}" may not delete it, it is gone`;
      const released = entries.map((entry) => ({ entry, message: `${entry.id} ${message}` }));
      await this.#trim(state, { removed: [], kept: [], released }, signal);
      return { removed: [], kept: [], released };
    }
    const all = union({ entries: [...state.stored.values()] }, { entries }).entries;
    const guards = this.#options.guards ?? true;
    const others = isLabelling(owner) ? { otherOwner: await this.#store.others(owner, state.cluster, signal) } : {};
    const { stored, arrived } = state;
    const request = { owner, entries, all, options, guards, stored, arrived, ...others };
    const { held, ...result } = await pruneResources(access, request, signal);
    await this.#trim(state, result, signal, held);
    if (options.isWholeRemoval === true) this.#forget(state);
    return result;
  }

  async #apply(state: OwnerState, request: TargetRequest, signal: AbortSignal): Promise<ApplyResult> {
    const { owner } = request;
    const isKept = isLabelling(owner);
    const isSweep = this.#isSweepDue(state);
    const before = union(request.previous, { entries: [...state.stored.values()] });
    const wanted = wantedDigest(request);
    // The very same once more, and all of it stands: no resource need be looked at for itself.
    const isSame = isKept && !isSweep && state.wanted === wanted && await standsWhole(state, signal);
    state.wanted = "";
    const result = isSame
      ? unchanged(state)
      : await this.#write(state, request, { before, isKept, isSweep: isSweep || !isKept }, signal);
    if (isSweep) state.sweptAt = this.#options.clock.monotonic();
    if (isKept) {
      const complete = new Set(result.inventory.entries.map((entry) => entry.id));
      const kept = request.releasesStale === true ? result.inventory : union(before, result.inventory);
      state.arrived = new Set(subtract(result.inventory, before).map(({ id }) => id));
      const after = storedOf(state, kept.entries, {
        inputs: this.#kept(request.inputs),
        complete,
      });
      await this.#save(state, after, signal);
    }
    state.inputs = this.#kept(request.inputs);
    state.told.clear();
    // What was left alone has no proof: it is looked at again the next time.
    state.wanted = state.skipped.size === 0 ? wanted : "";
    return result;
  }

  /**
   * Applies, with the union of old and new inventory kept before the first write. When that fails, what was not written and
   * was not known before is taken out again: it would be sought for ever.
   */
  async #write(
    state: OwnerState,
    request: TargetRequest,
    how: { readonly before: Inventory; readonly isKept: boolean; readonly isSweep: boolean },
    signal: AbortSignal,
  ): Promise<ApplyResult> {
    const planned = how.isKept ? inventoryOf(await plannedRefs(state.access, request, signal)) : { entries: [] };
    const made = new Set<string>();
    const claim = (entries: readonly InventoryEntry[]) => this.#store.claim(state.owner, state.cluster, entries);
    claim(planned.entries);
    let isAhead = false;
    const beforeWrite = async () => {
      if (isAhead || !how.isKept) return;
      bringHere(state, planned.entries);
      await this.#save(
        state,
        storedOf(state, union(how.before, planned).entries, { inputs: state.inputs }),
        signal,
      );
      isAhead = true;
    };
    try {
      const result = await applyResources(state, request, { isSweep: how.isSweep, beforeWrite, made }, signal);
      claim([]);
      return result;
    } catch (error) {
      state.inputs = "";
      // Nobody knows how far the last requests came.
      if (signal.aborted || !how.isKept) throw error;
      const isMade = (entry: InventoryEntry) => made.has(refKey(refOfEntry(entry)));
      const unwritten = subtract(planned, how.before).filter((entry) => !isMade(entry));
      if (isAhead && unwritten.length > 0) {
        const rest = subtract(union(how.before, planned), { entries: unwritten });
        // An entry too many does no harm, and the fault itself says more.
        await this.#save(state, storedOf(state, rest, { inputs: state.inputs }), signal).catch(() => {});
      }
      if (unwritten.length > 0) request.onUnwritten?.(unwritten);
      throw error;
    }
  }

  async #save(state: OwnerState, inventory: Parameters<InventoryStore["save"]>[1], signal: AbortSignal) {
    this.#options.lease?.assertHeld(state.term);
    await this.#store.save(state.owner, inventory, signal);
    state.stored = new Map(inventory.entries.map((entry) => [entry.id, entry]));
  }

  /** Takes what is gone, or not ours any more, out of the inventory. */
  async #trim(
    state: OwnerState,
    result: RemoveResult,
    signal: AbortSignal,
    held: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    // What is gone is not there any more: the same once more makes it again.
    state.wanted = "";
    const gone = new Set(inventoryOf(result.removed.map((change) => change.ref)).entries.map((entry) => entry.id));
    for (const { entry } of result.released) gone.add(entry.id);
    for (const [key, proof] of [...state.proofs]) {
      if (!gone.has(inventoryOf([proof.ref]).entries[0]?.id ?? "")) continue;
      proof.view?.[Symbol.dispose]();
      state.proofs.delete(key);
    }
    if (!isLabelling(state.owner)) return;
    const rest = [...state.stored.values()].filter((entry) => !gone.has(entry.id)).map((entry) =>
      held.has(entry.id) ? withNote(entry, "held") : entry
    );
    await this.#save(state, { inputs: state.inputs, cluster: state.cluster, entries: rest }, signal);
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

  get #digestKey(): string {
    return this.#options.digestKey ?? "";
  }

  /** The inputs of an apply as the cluster keeps them: values of Secrets may have gone into them. */
  #kept(inputs: string | undefined): string {
    if (inputs === undefined || inputs === "" || this.#digestKey === "") return inputs ?? "";
    return shortHash(inputs, this.#digestKey);
  }

  get #concurrency(): number {
    return this.#options.concurrency ?? 16;
  }

  /** Owners are swept at different times: the pause is lengthened by up to half, by the owner's name. */
  #isSweepDue(state: OwnerState): boolean {
    const sweepMs = this.#options.sweepMs ?? 3_600_000;
    const share = parseInt(digestOf(keyText(state.owner)).slice(7, 11), 16) / 0xffff;
    return this.#options.clock.monotonic() - state.sweptAt >= sweepMs * (1 + share / 2);
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

/** Digest of what a request wants; the order of keys counts, so that it is cheap. */
function wantedDigest(request: TargetRequest): string {
  try {
    return digestOf(JSON.stringify([request.resources, request.options]));
  } catch {
    // A number beyond 2^53.
    return digestOf(canonicalJson([request.resources, request.options] as unknown as JsonValue));
  }
}

/** The result of an apply over what stands. */
function unchanged(state: OwnerState): ApplyResult {
  const refs = [...state.proofs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { ref }]) => ref);
  return { inventory: inventoryOf(refs), changes: refs.map((ref) => ({ action: "unchanged", ref })) };
}

function outOfReach(state: OwnerState, entries: readonly InventoryEntry[]): RemoveResult {
  const message = `resources of ${keyText(state.owner)} stand in cluster "${
    addressOf(state.cluster)
  }", and its kubeConfig is not at hand`;
  return { removed: [], released: [], kept: entries.map((entry) => ({ entry, reason: "failed", message })) };
}

function plain(inventory: Inventory): Inventory {
  return { entries: inventory.entries.map(({ id, v }) => ({ id, v })) };
}
