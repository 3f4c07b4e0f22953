import { inParallel } from "../../core/in_parallel.ts";
import type { InventoryEntry } from "../../core/inventory.ts";
import { refOfEntry } from "../../core/inventory.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { isKubeError, KubeError } from "../../core/kube_api.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import type { ResourceRef } from "../../core/resource.ts";
import { apiVersionOf, refKey, refText } from "../../core/resource.ts";
import type { AppliedChange, RemoveResult, TargetOptions } from "../../core/target.ts";
import { appliedEntry, managerEntries } from "./managed_fields.ts";
import { isBeyondRelease, isFluxKind, isKeptForever, ownerLabels, textsOf } from "./marks.ts";
import { compareDelete, rankGroups } from "./order.ts";
import type { Candidate, Due } from "./prune_guard.ts";
import { emptyReason, guardReason, isConfirmed, isContainer, isUntouchable, shareReason } from "./prune_guard.ts";
import { labellers } from "./recover_inventory.ts";
import type { Access } from "./access.ts";
import { faultText, readObject } from "./access.ts";
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
  /** Owner other than this one whose inventory lists an entry; `undefined` where there is none. */
  readonly otherOwner?: (id: string) => string | undefined;
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
  const due = await passGuards(access, request, { going, kept, released }, signal);
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
    const message = notOurs(access, request, item.entry, item.ref, now);
    if (message !== undefined) return { entry: item.entry, message };
    live = now;
  }
}

function versionOf(object: JsonObject): string {
  const version = isJsonObject(object.metadata) ? object.metadata.resourceVersion : undefined;
  return typeof version === "string" ? version : "";
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
    const isHook = ownerLabels(request.owner) === undefined;
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
    const message = notOurs(access, request, entry, ref, live) ??
      await isAppliedElsewhere(access, request, { entry, ref, live }, signal);
    if (message !== undefined) return { kind: "released", released: { entry, message } };
    return { kind: "going", going: { entry, ref, kind, live } };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KubeError)) throw error;
    return { kind: "kept", kept: { entry, reason: "failed", message: faultText(ref, "delete", error) } };
  }
}

/** Keys of what the owner keeps: whatever way an entry is written, it never stands for one of these. */
function staying(request: PruneRequest): ReadonlySet<string> {
  const going = new Set(request.entries.map(({ id }) => id));
  return new Set(request.all.flatMap((entry) => {
    const ref = going.has(entry.id) ? undefined : refIfAny(entry);
    return ref === undefined ? [] : [refKey(ref)];
  }));
}

/** Why an object is let go instead of deleted; `undefined` when it is the owner's to delete. */
export function notOurs(
  access: Access,
  request: Pick<PruneRequest, "owner" | "otherOwner">,
  entry: InventoryEntry,
  ref: ResourceRef,
  live: JsonObject,
): string | undefined {
  const { owner } = request;
  const other = request.otherOwner?.(entry.id);
  if (other !== undefined) return `${refText(ref)} is left alone: it belongs to ${other} too`;
  if (!isOwned(access, owner, live)) {
    return `${refText(ref)} is left alone: it does not belong to ${keyText(owner)} any more`;
  }
  if (!isMadeByApply(access, live)) return `${refText(ref)} is left alone: it was made anew by somebody else`;
  const isRelease = owner.kind === "HelmRelease";
  // What an owner makes without labels (hooks, CRDs) follows policies of its own.
  const isKept = ownerLabels(owner) !== undefined &&
    (isKeptForever(live) || isRelease && isBeyondRelease(live, ref.kind));
  if (isKept) return `${refText(ref)} is left alone: it says so itself`;
  if (inProcess.has(ref.kind) && isFluxKind(ref.group)) return `${refText(ref)} is left alone: it is Flux's own`;
  return isUntouchable(ref) ? `${refText(ref)} is left alone: a cluster cannot be without it` : undefined;
}

/** Flux's kinds that we reconcile ourselves, or never apply: in a cluster they are Flux's. */
const inProcess: ReadonlySet<string> = new Set([
  "Kustomization",
  "HelmRelease",
  "HelmChart",
  "OCIRepository",
  "HelmRepository",
]);

/**
 * Whether an object is still an owner's: both owner labels say so. What an owner makes without labels (hooks, CRDs of a
 * release) is its own while we are the one who applied it and no other owner's label is on it.
 */
function isOwned(access: Access, owner: ObjectKey, live: JsonObject): boolean {
  const labels = textsOf(live, "labels");
  const wanted = ownerLabels(owner);
  if (wanted !== undefined) return Object.entries(wanted).every(([key, value]) => labels[key] === value);
  const isOthers = Object.entries(labels).some(([key, value]) =>
    key === "kustomize.toolkit.fluxcd.io/name" ||
    key === "helm.toolkit.fluxcd.io/name" && value !== owner.name ||
    key === "helm.toolkit.fluxcd.io/namespace" && value !== owner.namespace
  );
  return !isOthers && appliedEntry(live, access.manager) !== undefined;
}

/**
 * Whether anybody who writes owner labels has had a hand in an object: an object with our labels that only others wrote was
 * made from a copy (a backup, `kubectl create` of an export) after ours was gone.
 */
function isMadeByApply(access: Access, live: JsonObject): boolean {
  const entries = managerEntries(live);
  return entries.length === 0 ||
    entries.some(({ manager }) => manager === access.manager || labellers.includes(manager));
}

/**
 * Whether an entry's object is also known, by its identity, under another group, and stays there: `extensions` and
 * `networking.k8s.io` have shown the same Ingress, `""` and `events.k8s.io` show the same Event.
 */
async function isAppliedElsewhere(
  access: Access,
  request: PruneRequest,
  what: { readonly entry: InventoryEntry; readonly ref: ResourceRef; readonly live: JsonObject },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { ref, live } = what;
  const going = new Set(request.entries.map(({ id }) => id));
  for (const entry of request.all) {
    if (going.has(entry.id) || !entry.id.endsWith(`_${ref.kind}`)) continue;
    const twin = refIfAny(entry);
    if (twin?.name !== ref.name || twin.namespace !== ref.namespace || twin.group === ref.group) continue;
    const kind = await access.discovery.kindOf(twin, signal);
    const there = kind === undefined ? undefined : await readObject(access, { kind, ref: twin }, signal);
    if (there !== undefined && uidOf(there) === uidOf(live)) {
      return `${refText(ref)} is left alone: it is applied as ${apiVersionOf(twin)}`;
    }
  }
  return undefined;
}

function refIfAny(entry: InventoryEntry): ResourceRef | undefined {
  try {
    return refOfEntry(entry);
  } catch {
    return undefined;
  }
}

/**
 * What may go; the rest is kept, each with the reason. What holds other objects is judged last: an object that is kept keeps
 * its Namespace and its definition.
 */
async function passGuards(
  access: Access,
  request: PruneRequest,
  state: { readonly going: readonly Going[]; readonly kept: Kept[]; readonly released: readonly Released[] },
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
  const [namespaces, definitions] = [
    left.filter(({ ref }) => ref.kind === "Namespace"),
    left.filter(({ ref }) => ref.kind === "CustomResourceDefinition"),
  ];
  await judge(definitions, dueOf(due));
  await judge(namespaces, dueOf(due));
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
