import type { InventoryEntry } from "../../core/inventory.ts";
import { refOfEntry } from "../../core/inventory.ts";
import type { JsonObject } from "../../core/json.ts";
import { isKubeError, KubeError } from "../../core/kube_api.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import type { ResourceRef } from "../../core/resource.ts";
import { refKey, refText } from "../../core/resource.ts";
import type { AppliedChange, RemoveResult, TargetOptions } from "../../core/target.ts";
import { appliedEntry } from "./managed_fields.ts";
import { isKeptForever, ownerLabels, textsOf } from "./marks.ts";
import { compareDelete, rankGroups } from "./order.ts";
import type { Candidate } from "./prune_guard.ts";
import { guardReason, isConfirmed, shareReason } from "./prune_guard.ts";
import type { Access } from "./access.ts";
import { faultText, inParallel, readObject } from "./access.ts";
import { deleteObject, isGoing, uidOf } from "./write_object.ts";

/** What is to be deleted, and what the owner has altogether. */
export interface PruneRequest {
  readonly owner: ObjectKey;
  readonly entries: readonly InventoryEntry[];
  /** Everything that the owner applied, `entries` included. */
  readonly all: readonly InventoryEntry[];
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
  await inParallel(request.entries, access.concurrency, async (entry) => {
    const found = await lookAt(access, request, entry, signal);
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
        const outcome = await deleteObject(access, item, { uid: uidOf(item.live), background: true }, signal);
        if (outcome === "gone") removed.push({ action: "deleted", ref: item.ref });
        else waiting.push(item);
      } catch (error) {
        if (isKubeError(error, 409)) {
          released.push({ entry: item.entry, message: `${refText(item.ref)} was made anew by somebody else` });
        } else if (error instanceof KubeError) {
          kept.push({ entry: item.entry, reason: "failed", message: faultText(item.ref, "delete", error) });
        } else throw error;
      }
    });
  }
  await awaitDeletions(access, { waiting, removed, kept }, signal);
  return { removed, kept, released };
}

type Found =
  | { readonly kind: "going"; readonly going: Going }
  | { readonly kind: "gone"; readonly ref: ResourceRef }
  | { readonly kind: "kept"; readonly kept: Kept }
  | { readonly kind: "released"; readonly released: Released };

async function lookAt(
  access: Access,
  request: PruneRequest,
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
    if (kind.isNamespaced !== (ref.namespace !== "")) {
      const message = `${refText(ref)} names ${
        kind.isNamespaced ? "no namespace" : "a namespace that its kind does not have"
      }`;
      return { kind: "released", released: { entry, message } };
    }
    const live = await readObject(access, { kind, ref }, signal);
    if (live === undefined) return { kind: "gone", ref };
    if (!isOwned(access, request.owner, live)) {
      const message = `${refText(ref)} is left alone: it does not belong to ${keyText(request.owner)} any more`;
      return { kind: "released", released: { entry, message } };
    }
    if (isKeptForever(live)) {
      return { kind: "released", released: { entry, message: `${refText(ref)} is left alone: it says so itself` } };
    }
    return { kind: "going", going: { entry, ref, kind, live } };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KubeError)) throw error;
    return { kind: "kept", kept: { entry, reason: "failed", message: faultText(ref, "delete", error) } };
  }
}

/**
 * Whether an object is still an owner's: both owner labels say so. What an owner makes without labels (hooks, CRDs of a
 * release) is its own while we are the one who applied it and no other owner's label is on it.
 */
function isOwned(access: Access, owner: ObjectKey, live: JsonObject): boolean {
  const labels = textsOf(live, "labels");
  const wanted = ownerLabels(owner);
  if (wanted !== undefined) return Object.entries(wanted).every(([key, value]) => labels[key] === value);
  const isOthers = Object.entries(labels).some(([key, value]) =>
    /^(kustomize|helm)\.toolkit\.fluxcd\.io\/name$/.test(key) && value !== owner.name
  );
  return !isOthers && appliedEntry(live, access.manager) !== undefined;
}

/** What may go; the rest is kept, each with the reason. */
async function passGuards(
  access: Access,
  request: PruneRequest,
  state: { readonly going: readonly Going[]; readonly kept: Kept[] },
  signal: AbortSignal,
): Promise<Going[]> {
  const { going, kept } = state;
  if (!request.guards || request.options.pruneConfirmed === true) return [...going];
  const share = request.options.isWholeRemoval === true
    ? undefined
    : shareReason(going.filter((item) => !isConfirmed(item.live)).length, request.all.length);
  if (share !== undefined) {
    for (const { entry, ref, live } of going) {
      if (!isConfirmed(live)) kept.push({ entry, reason: "guarded", message: `${refText(ref)} is kept: ${share}` });
    }
  }
  const left = share === undefined ? going : going.filter((item) => isConfirmed(item.live));
  const ours = new Set(request.all.flatMap((entry) => {
    try {
      return [refKey(refOfEntry(entry))];
    } catch {
      return [];
    }
  }));
  const due: Going[] = [];
  await inParallel(left, 4, async (item) => {
    try {
      const message = isGoing(item.live) ? undefined : await guardReason(access, item, ours, signal);
      if (message === undefined) due.push(item);
      else kept.push({ entry: item.entry, reason: "guarded", message });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof KubeError)) throw error;
      kept.push({ entry: item.entry, reason: "failed", message: faultText(item.ref, "delete", error) });
    }
  });
  return due;
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
