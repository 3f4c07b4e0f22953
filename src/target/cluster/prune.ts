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
import { appliedElsewhere, notOurs, staying } from "./not_ours.ts";
import { compareDelete, rankGroups } from "./order.ts";
import type { Candidate, Due } from "./prune_guard.ts";
import { emptyReason, guardReason, isConfirmed, isContainer, shareReason } from "./prune_guard.ts";
import type { Access } from "./access.ts";
import { faultText, readObject } from "./access.ts";
import { versionOf } from "./seen.ts";
import { deleteObject, isGoing, uidOf } from "./write_object.ts";

/** What is to be deleted, and what the owner has altogether. */
export interface PruneRequest extends OwnedEntries {
  readonly options: TargetOptions;
  /** Whether guards are on. */
  readonly guards: boolean;
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
): Promise<RemoveResult> {
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
  const due = await passGuards(access, request, { going, kept }, signal);
  const waiting: Going[] = [];
  due.sort((a, b) => compareDelete(a.ref, b.ref));
  for (const group of rankGroups(due, (item) => item.ref)) {
    await inParallel(group, access.concurrency, async (item) => {
      try {
        const outcome = await deleteUnchanged(access, request, item, signal);
        if (outcome === "gone") removed.push({ action: "deleted", ref: item.ref });
        else if (outcome === "going") waiting.push(item);
        else released.push(outcome);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        kept.push({ entry: item.entry, reason: "failed", message: faultText(item.ref, "delete", error) });
      }
    });
  }
  await awaitDeletions(access, { waiting, removed, kept }, signal);
  return { removed, kept, released };
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
    const message = notOurs(request, what) ?? await appliedElsewhere(access, request, what, signal);
    if (message !== undefined) return { kind: "released", released: { entry, message } };
    return { kind: "going", going: { entry, ref, kind, live } };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KubeError)) throw error;
    return { kind: "kept", kept: { entry, reason: "failed", message: faultText(ref, "delete", error) } };
  }
}

/**
 * What may go; the rest is kept, each with the reason. What holds other objects is judged last: an object that is kept keeps
 * its Namespace and its definition.
 */
async function passGuards(
  access: Access,
  request: PruneRequest,
  state: { readonly going: readonly Going[]; readonly kept: Kept[] },
  signal: AbortSignal,
): Promise<Going[]> {
  const { going, kept } = state;
  if (!request.guards || request.options.pruneConfirmed === true) return [...going];
  const alarm = request.options.isWholeRemoval === true ? undefined : alarmOf(request, going);
  if (alarm !== undefined) {
    for (const { entry, ref, live } of going) {
      if (!isConfirmed(live)) kept.push({ entry, reason: "guarded", message: `${refText(ref)} is kept: ${alarm}` });
    }
  }
  const left = alarm === undefined ? going : going.filter((item) => isConfirmed(item.live));
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
  await judge(left.filter(({ ref }) => !isContainer(ref)), dueOf([]));
  const containers = left.filter(({ ref }) => isContainer(ref));
  await judge(containers.filter(({ ref }) => ref.kind !== "Namespace"), dueOf(due));
  await judge(containers.filter(({ ref }) => ref.kind === "Namespace"), dueOf(due));
  return due;
}

function dueOf(items: readonly Going[]): Due {
  return {
    keys: new Set(items.map(({ ref }) => refKey(ref))),
    uids: new Set(items.map(({ live }) => uidOf(live))),
  };
}

/** Why nothing of a pass goes without a person's word: it is too much of what there is. */
function alarmOf(request: PruneRequest, going: readonly Going[]): string | undefined {
  const open = going.filter((item) => !isConfirmed(item.live)).length;
  if (open > 0 && request.options.isEmptyBuild === true) return emptyReason(open);
  return shareReason(open, request.all.length);
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
      const live = await readObject(access, item, signal);
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
