import { inParallel } from "../../core/in_parallel.ts";
import type { InventoryEntry } from "../../core/inventory.ts";
import { refOfEntry } from "../../core/inventory.ts";
import type { JsonObject } from "../../core/json.ts";
import { isKubeError, KubeError } from "../../core/kube_api.ts";
import type { ResourceRef } from "../../core/resource.ts";
import { refKey, refText } from "../../core/resource.ts";
import type { AppliedChange, RemoveResult, TargetOptions } from "../../core/target.ts";
import { isLabelling } from "./owner_labels.ts";
import type { OwnedEntries } from "./not_ours.ts";
import { appliedElsewhere, isNoted, notOurs, staying } from "./not_ours.ts";
import { compareDelete, rankGroups } from "./order.ts";
import type { Candidate, Due } from "./prune_guard.ts";
import { emptyReason, guardReason, heldReason, isConfirmed, isContainer, shareReason } from "./prune_guard.ts";
import type { Access } from "./access.ts";
import { faultText, readObject } from "./access.ts";
import { heldByFlux } from "./flux_owner.ts";
import { versionOf } from "./seen.ts";
import { holdsInventories, ownAccountOf } from "./self_guard.ts";
import { deleteObject, isGoing, uidOf } from "./write_object.ts";

/** What is to be deleted, and what the owner has altogether. */
export interface PruneRequest extends OwnedEntries {
  readonly options: TargetOptions;
  /** Whether guards are on. */
  readonly guards: boolean;
  /** Ids of entries that are so new that what goes is not measured by them. Default none. */
  readonly arrived?: ReadonlySet<string>;
}

/** What a pass did. */
export interface PruneResult extends RemoveResult {
  /** Ids of entries that are kept because too much would have gone at once. */
  readonly held: ReadonlySet<string>;
}

/** Longest wait for what is being deleted, in milliseconds. */
const goneWithinMs = 10_000;

type Kept = RemoveResult["kept"][number];
type Released = RemoveResult["released"][number];

/** An entry of the inventory on its way out. */
interface Going extends Candidate {
  readonly entry: InventoryEntry;
}

/**
 * Deletes an owner's resources in the reverse of the order in which they are applied, in the background, where they are
 * still the owner's. What another owner has taken, or says that it is to be kept, is let go. Nothing is deleted before
 * the guards have looked at all of it.
 *
 * @throws {KubeError} when the server cannot be reached at all; faults of single resources are in the result
 */
export async function pruneResources(
  access: Access,
  request: PruneRequest,
  signal: AbortSignal,
): Promise<PruneResult> {
  const removed: AppliedChange[] = [];
  const kept: Kept[] = [];
  const released: Released[] = [];
  const going: Going[] = [];
  const stays = staying(request);
  await inParallel(request.entries, access.concurrency, async (entry) => {
    const found = await lookAt(access, { ...request, staying: stays }, entry, signal);
    if (found.kind === "going") going.push(found.going);
    else if (found.kind === "gone") removed.push({ action: "deleted", ref: found.ref, note: "It was gone already" });
    else if (found.kind === "kept") kept.push(found.kept);
    else released.push(found.released);
  });
  const held = new Set<string>();
  const ownAccount = ownAccountOf(access, signal);
  const due = await passGuards(access, request, {
    going: await leaveToFlux(access, request, { going, released }, signal),
    kept,
    held,
    ownAccount,
  }, signal);
  const waiting: Going[] = [];
  due.sort((a, b) => compareDelete(a.ref, b.ref));
  const isAsked = request.guards && request.options.pruneConfirmed !== true;
  const spared: Going[] = [];
  for (const group of rankGroups(due, (item) => item.ref)) {
    await inParallel(group, access.concurrency, async (item) => {
      try {
        // What was to go first and has not gone would go with what holds it.
        if (isAsked && spared.length > 0 && isContainer(item.ref)) {
          const left = due.filter((other) => !spared.includes(other));
          const message = await guardReason(access, item, dueOf(left, ownAccount), signal);
          if (message !== undefined) {
            spared.push(item);
            kept.push({ entry: item.entry, reason: "guarded", message });
            return;
          }
        }
        const outcome = await deleteUnchanged(access, request, item, signal);
        if (outcome === "gone") removed.push({ action: "deleted", ref: item.ref });
        else if (outcome === "going") waiting.push(item);
        else {
          spared.push(item);
          released.push(outcome);
        }
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        spared.push(item);
        kept.push({ entry: item.entry, reason: "failed", message: faultText(item.ref, "delete", error) });
      }
    });
  }
  await awaitDeletions(access, { waiting, removed, kept }, signal);
  return { removed, kept, released, held };
}

/** Looks at an object again at most so often when it changes between the look and its deletion. */
const looks = 5;

/**
 * Deletes an object only in the very state in which it was judged: who changes it meanwhile may have made it his. Then it is
 * looked at again.
 *
 * Differs: Flux deletes by name.
 */
async function deleteUnchanged(
  access: Access,
  request: PruneRequest,
  item: Going,
  signal: AbortSignal,
): Promise<"gone" | "going" | Released> {
  let { live } = item;
  for (let look = 1;; look++) {
    try {
      return await deleteObject(access, item, {
        uid: uidOf(live),
        resourceVersion: versionOf(live),
        propagation: request.options.deletionPropagation ?? "background",
      }, signal);
    } catch (error) {
      if (!isKubeError(error, 409) || look >= looks) throw error;
    }
    const now = await readObject(access, item, signal);
    if (now === undefined) return "gone";
    if (uidOf(now) !== uidOf(item.live)) {
      return { entry: item.entry, message: `${refText(item.ref)} was made anew by somebody else` };
    }
    const message = notOurs(request, { ...item, live: now });
    if (message !== undefined) return { entry: item.entry, message };
    live = now;
  }
}

type Found =
  | { readonly kind: "going"; readonly going: Going }
  | { readonly kind: "gone"; readonly ref: ResourceRef }
  | { readonly kind: "kept"; readonly kept: Kept }
  | { readonly kind: "released"; readonly released: Released };

async function lookAt(
  access: Access,
  request: PruneRequest & { readonly staying: ReadonlySet<string> },
  entry: InventoryEntry,
  signal: AbortSignal,
): Promise<Found> {
  let ref: ResourceRef;
  try {
    ref = refOfEntry(entry);
  } catch (error) {
    return { kind: "released", released: { entry, message: String(error) } };
  }
  if (isNoted(request, entry, "elsewhere")) {
    const message = `${
      refText(ref)
    } is left in the cluster where it stands: the kubeConfig of its owner leads to another`;
    return { kind: "released", released: { entry, message } };
  }
  try {
    const kind = await access.discovery.kindOf(ref, signal);
    // Without its definition an object is gone.
    if (kind === undefined) return { kind: "gone", ref };
    // A hook is asked for as its chart writes it, before it was ever applied. What an inventory lists says where it stands.
    const { defaultNamespace } = request.options;
    const isHook = !isLabelling(request.owner);
    if (isHook && kind.isNamespaced && ref.namespace === "" && defaultNamespace !== undefined) {
      ref = { ...ref, namespace: defaultNamespace };
    }
    if (kind.isNamespaced !== (ref.namespace !== "")) {
      const message = `${refText(ref)} names ${
        kind.isNamespaced ? "no namespace" : "a namespace that its kind does not have"
      }`;
      return { kind: "released", released: { entry, message } };
    }
    if (request.staying.has(refKey(ref))) {
      return { kind: "released", released: { entry, message: `${refText(ref)} is left alone: it is applied` } };
    }
    const live = await readObject(access, { kind, ref }, signal);
    if (live === undefined) return { kind: "gone", ref };
    const what = { entry, ref, live };
    const message = notOurs(request, what) ?? await appliedElsewhere(access, request, what, signal) ??
      await homeOfInventories(access, ref, signal);
    if (message !== undefined) return { kind: "released", released: { entry, message } };
    return { kind: "going", going: { entry, ref, kind, live } };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KubeError)) throw error;
    return { kind: "kept", kept: { entry, reason: "failed", message: faultText(ref, "delete", error) } };
  }
}

/** Why a Namespace is left alone in which inventories are kept, whoever confirms that it may go. */
async function homeOfInventories(access: Access, ref: ResourceRef, signal: AbortSignal): Promise<string | undefined> {
  if (ref.group !== "" || ref.kind !== "Namespace" || !await holdsInventories(access, ref.name, signal)) {
    return undefined;
  }
  return `${refText(ref)} is left alone: Pilotfish keeps its inventories there`;
}

/** What may go, without what a Flux at work holds for an owner of the same name: that is let go. */
async function leaveToFlux(
  access: Access,
  request: PruneRequest,
  state: { readonly going: readonly Going[]; readonly released: Released[] },
  signal: AbortSignal,
): Promise<readonly Going[]> {
  if (state.going.length === 0) return [];
  const heldBy = await heldByFlux(access, request.owner, signal);
  return state.going.filter(({ entry, ref }) => {
    const holder = heldBy(entry.id);
    if (holder !== undefined) {
      state.released.push({ entry, message: `${refText(ref)} is left alone: ${holder} holds it too` });
    }
    return holder === undefined;
  });
}

/**
 * What may go; the rest is kept, each with the reason. What holds other objects is judged last: an object that is kept keeps
 * its Namespace and its definition.
 */
async function passGuards(
  access: Access,
  request: PruneRequest,
  state: {
    readonly going: readonly Going[];
    readonly kept: Kept[];
    readonly held: Set<string>;
    readonly ownAccount: Due["ownAccount"];
  },
  signal: AbortSignal,
): Promise<Going[]> {
  const { going, kept, held, ownAccount } = state;
  if (!request.guards || request.options.pruneConfirmed === true) return [...going];
  const alarmFor = request.options.isWholeRemoval === true ? () => undefined : alarmOf(request, going);
  const left: Going[] = [];
  for (const item of going) {
    const alarm = isConfirmed(item.live) ? undefined : alarmFor(item);
    if (alarm === undefined) {
      left.push(item);
      continue;
    }
    kept.push({ entry: item.entry, reason: "guarded", message: `${refText(item.ref)} is kept: ${alarm.message}` });
    if (alarm.isLasting) held.add(item.entry.id);
  }
  const due: Going[] = [];
  const judge = async (items: readonly Going[], keys: Due) => {
    await inParallel(items, 4, async (item) => {
      try {
        const message = isGoing(item.live) ? undefined : await guardReason(access, item, keys, signal);
        if (message === undefined) due.push(item);
        else kept.push({ entry: item.entry, reason: "guarded", message });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof KubeError)) throw error;
        kept.push({ entry: item.entry, reason: "failed", message: faultText(item.ref, "delete", error) });
      }
    });
  };
  await judge(left.filter(({ ref }) => !isContainer(ref)), dueOf([], ownAccount));
  const containers = left.filter(({ ref }) => isContainer(ref));
  await judge(containers.filter(({ ref }) => ref.kind !== "Namespace"), dueOf(due, ownAccount));
  await judge(containers.filter(({ ref }) => ref.kind === "Namespace"), dueOf(due, ownAccount));
  return due;
}

function dueOf(items: readonly Going[], ownAccount: Due["ownAccount"]): Due {
  return {
    ownAccount,
    keys: new Set(items.map(({ ref }) => refKey(ref))),
    uids: new Set(items.map(({ live }) => uidOf(live))),
  };
}

/**
 * Why an entry does not go without a person's word: the pass takes too much of what there is, or of what there was before the apply
 * (new names for everything are a deletion of everything). The latter is not forgotten because the new is no longer new.
 */
function alarmOf(
  request: PruneRequest,
  going: readonly Going[],
): (item: Going) => { readonly message: string; readonly isLasting: boolean } | undefined {
  const open = going.filter((item) => !isConfirmed(item.live)).length;
  const isEmpty = open > 0 && request.options.isEmptyBuild === true;
  const now = isEmpty ? emptyReason(open) : shareReason(open, request.all.length);
  if (now !== undefined) return () => ({ message: now, isLasting: false });
  const before = request.all.filter(({ id }) => request.arrived?.has(id) !== true).length;
  const then = shareReason(open, Math.max(open, before));
  if (then !== undefined) return () => ({ message: then, isLasting: true });
  return ({ entry }) => isNoted(request, entry, "held") ? { message: heldReason, isLasting: true } : undefined;
}

/** Waits a while for what is on its way out; what is not gone then stays in the inventory. */
async function awaitDeletions(
  access: Access,
  state: { readonly waiting: readonly Going[]; readonly removed: AppliedChange[]; readonly kept: Kept[] },
  signal: AbortSignal,
): Promise<void> {
  const until = access.clock.monotonic() + goneWithinMs;
  let waiting = [...state.waiting];
  for (let pauseMs = 100; waiting.length > 0; pauseMs = Math.min(1_000, pauseMs * 2)) {
    const still: { readonly item: Going; readonly live: JsonObject }[] = [];
    await inParallel(waiting, access.concurrency, async (item) => {
      const live = await readObject(access, item, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        if (!(error instanceof KubeError)) throw error;
        // Who does not answer now is asked again.
        return item.live;
      });
      if (live !== undefined && uidOf(live) === uidOf(item.live)) still.push({ item, live });
      else state.removed.push({ action: "deleted", ref: item.ref });
    });
    waiting = still.map(({ item }) => item);
    if (waiting.length === 0 || access.clock.monotonic() >= until) {
      for (const { item, live } of still) {
        const metadata = live.metadata as JsonObject;
        const holders = Array.isArray(metadata.finalizers) ? metadata.finalizers.map(String).join(", ") : "";
        const why = holders === "" ? "" : `, held by finalizers ${holders}`;
        state.kept.push({
          entry: item.entry,
          reason: "terminating",
          message: `${refText(item.ref)} is still being deleted${why}`,
        });
      }
      return;
    }
    await access.clock.sleep(pauseMs, signal);
  }
}
