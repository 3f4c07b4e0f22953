import type { InventoryEntry } from "../../core/inventory.ts";
import { refOfEntry } from "../../core/inventory.ts";
import type { JsonObject } from "../../core/json.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import type { ResourceRef } from "../../core/resource.ts";
import { apiVersionOf, refKey, refText } from "../../core/resource.ts";
import type { Access } from "./access.ts";
import { readObject } from "./access.ts";
import { isEssentialTo } from "./essential.ts";
import type { EntryNote, StoredEntry } from "./inventory_store.ts";
import { appliedEntry, managerEntries } from "./managed_fields.ts";
import { isBeyondRelease, isFluxKind, isKeptForever } from "./marks.ts";
import { isLabelledFor, isLabelledForOthers, isLabelling, labellers, ourManagers } from "./owner_labels.ts";
import { takenBy } from "./taken_by.ts";
import { uidOf } from "./write_object.ts";

/** What an owner has, and what of it is to go. */
export interface OwnedEntries {
  readonly owner: ObjectKey;
  /** What is to go. */
  readonly entries: readonly InventoryEntry[];
  /** Everything that the owner applied, `entries` included. */
  readonly all: readonly InventoryEntry[];
  /** Owner other than this one whose inventory lists an entry; `undefined` where there is none. */
  readonly otherOwner?: (id: string) => string | undefined;
  /** What is remembered of entries, by their ids. */
  readonly stored?: ReadonlyMap<string, StoredEntry>;
}

/** Whether something is noted of an entry. */
export function isNoted({ stored }: Pick<OwnedEntries, "stored">, entry: InventoryEntry, note: EntryNote): boolean {
  return stored?.get(entry.id)?.notes?.includes(note) === true;
}

/** An entry of an inventory, and the object that it names as it stands. */
export interface EntryObject {
  readonly entry: InventoryEntry;
  readonly ref: ResourceRef;
  readonly live: JsonObject;
}

/** Keys of what the owner keeps: whatever way an entry is written, it never stands for one of these. */
export function staying({ entries, all }: OwnedEntries): ReadonlySet<string> {
  const going = new Set(entries.map(({ id }) => id));
  return new Set(all.flatMap((entry) => {
    const ref = going.has(entry.id) ? undefined : refIfAny(entry);
    return ref === undefined ? [] : [refKey(ref)];
  }));
}

/** Why an object is let go instead of deleted; `undefined` when it is the owner's to delete. */
export function notOurs(
  request: Pick<OwnedEntries, "owner" | "otherOwner" | "stored">,
  what: EntryObject,
): string | undefined {
  const { owner } = request;
  const { entry, ref, live } = what;
  const other = request.otherOwner?.(entry.id);
  if (other !== undefined) return `${refText(ref)} is left alone: it belongs to ${other} too`;
  if (!isOwned(owner, live)) {
    return `${refText(ref)} is left alone: it does not belong to ${keyText(owner)} any more`;
  }
  if (!isMadeByApply(live)) return `${refText(ref)} is left alone: it was made anew by somebody else`;
  const taker = takenBy(owner, live);
  if (taker !== undefined) return `${refText(ref)} is left alone: it belongs to ${taker} by now`;
  const isRelease = owner.kind === "HelmRelease";
  // What an owner makes without labels (hooks, CRDs) follows policies of its own.
  const isKept = isLabelling(owner) &&
    (isKeptForever(live) || isRelease && isBeyondRelease(live, ref.kind));
  if (isKept) return `${refText(ref)} is left alone: it says so itself`;
  if (isNoted(request, entry, "keep")) return `${refText(ref)} is left alone: its manifest said so`;
  if (inProcess.has(ref.kind) && isFluxKind(ref.group)) return `${refText(ref)} is left alone: it is Flux's own`;
  const essential = isEssentialTo(ref, live);
  return essential === undefined ? undefined : `${refText(ref)} is left alone: ${essential} cannot be without it`;
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
function isOwned(owner: ObjectKey, live: JsonObject): boolean {
  if (isLabelling(owner)) return isLabelledFor(live, owner);
  return !isLabelledForOthers(live, owner) && ourManagers.some((ours) => appliedEntry(live, ours) !== undefined);
}

/**
 * Whether anybody who writes owner labels has had a hand in an object: an object with our labels that only others wrote was
 * made from a copy (a backup, `kubectl create` of an export) after ours was gone.
 */
function isMadeByApply(live: JsonObject): boolean {
  const entries = managerEntries(live);
  return entries.length === 0 || entries.some(({ manager }) => labellers.includes(manager));
}

/**
 * Why an entry's object is let go because it is also known, by its identity, under another group, and stays there: `extensions` and
 * `networking.k8s.io` have shown the same Ingress, `""` and `events.k8s.io` show the same Event.
 */
export async function appliedElsewhere(
  access: Access,
  request: OwnedEntries,
  what: EntryObject,
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
