import { inParallel } from "../../core/in_parallel.ts";
import type { InventoryEntry } from "../../core/inventory.ts";
import { entryOf, refOfEntry } from "../../core/inventory.ts";
import type { JsonObject } from "../../core/json.ts";
import type { ObjectKey } from "../../core/object.ts";
import { ownerSelector } from "../../core/ownership.ts";
import type { ResourceRef } from "../../core/resource.ts";
import { refKey } from "../../core/resource.ts";
import { isSameCluster } from "./cluster_name.ts";
import type { ServedKind } from "./discovery.ts";
import type { StoredEntry, StoredInventory } from "./inventory_store.ts";
import { leftOver, withNote } from "./inventory_store.ts";
import type { OpenCollection } from "./live_view.ts";
import { textsOf } from "./marks.ts";
import type { Seen } from "./seen.ts";
import { seenOf } from "./seen.ts";
import type { Access } from "./access.ts";
import { readObject } from "./access.ts";

/** How one resource stood when it was applied last: the proof against which it is held. */
export interface Proof {
  readonly ref: ResourceRef;
  readonly desired: string;
  readonly owned: string;
  /** Our row of managed fields; "" when only its digest is known (after a start). */
  fields: string;
  /** Where it is watched; opened when it is looked at first. */
  view?: OpenCollection;
  kind?: ServedKind;
  /** Whether it lacks the owner's label, so that its whole namespace must be watched. */
  isUnlabelled?: boolean;
  /** Whether its manifest says that it is never deleted. */
  readonly isKept?: boolean;
}

/** A drift that was told. */
export interface ToldDrift {
  /** What was ours, and what is ours now. */
  readonly state: string;
  /** Digest of all that people write into the object; "" where it was not seen itself. */
  readonly content: string;
}

/** What is known of one owner while we run. */
export interface OwnerState {
  readonly owner: ObjectKey;
  /** Term of writing in which `stored` was read; 0 when it was read without the right to write. */
  term: number;
  /** Digest of what decided the last complete apply; "" before one. */
  inputs: string;
  /** Digest of the resources and options of the last complete apply of this run of the program; "" before one. */
  wanted: string;
  /** Name of the other cluster in which its resources stand; "" for our own. */
  cluster: string;
  readonly proofs: Map<string, Proof>;
  /** Entries that the cluster remembers, which may hold more than what was applied last. */
  stored: ReadonlyMap<string, StoredEntry>;
  /** Whose eyes see its resources. */
  access: Access;
  /** Monotonic time of the last full comparison. */
  sweptAt: number;
  /** Whether an apply is under way: what the watch sees then may be our own doing. */
  isApplying: boolean;
  /** Told when an apply has ended, while the owner is watched. */
  readonly watchers: Set<() => void>;
  /** Drift that was told since the last apply, by key of the resource: a run that only tells it is not woken by it again. */
  readonly told: Map<string, ToldDrift>;
  /** Keys of resources that the last apply left alone. */
  readonly skipped: Set<string>;
  /** Ids of entries that the last apply added: what is stale after it is measured by what was there before. */
  arrived: ReadonlySet<string>;
}

/** State of an owner from what the cluster remembers. */
export function ownerState(
  owner: ObjectKey,
  stored: StoredInventory | undefined,
  access: Access,
): OwnerState {
  return {
    owner,
    term: 0,
    inputs: stored?.inputs ?? "",
    wanted: "",
    cluster: stored?.cluster ?? "",
    proofs: proofsOf(stored),
    stored: entriesOf(stored),
    access,
    sweptAt: access.clock.monotonic(),
    isApplying: false,
    watchers: new Set(),
    told: new Map(),
    skipped: new Set(),
    arrived: new Set(),
  };
}

/** Takes in what another writer has kept of an owner since its state was read. What both know stays watched. */
export function renewState(state: OwnerState, stored: StoredInventory | undefined): void {
  const proofs = proofsOf(stored);
  for (const [key, { desired, owned }] of [...state.proofs]) {
    const proof = proofs.get(key);
    if (proof?.desired === desired && proof.owned === owned) proofs.delete(key);
    else dropProof(state, key);
  }
  for (const [key, proof] of proofs) state.proofs.set(key, proof);
  state.inputs = stored?.inputs ?? "";
  state.wanted = "";
  state.cluster = stored?.cluster ?? "";
  state.stored = entriesOf(stored);
}

function proofsOf(stored: StoredInventory | undefined): Map<string, Proof> {
  const proofs = new Map<string, Proof>();
  for (const entry of stored?.entries ?? []) {
    if (!isProved(entry)) continue;
    const ref = refOfEntry(entry);
    const isKept = entry.notes?.includes("keep") === true;
    proofs.set(refKey(ref), { ref, desired: entry.desired, owned: entry.owned, fields: "", isKept });
  }
  return proofs;
}

function entriesOf(stored: StoredInventory | undefined): ReadonlyMap<string, StoredEntry> {
  return new Map((stored?.entries ?? []).map((entry) => [entry.id, entry]));
}

/**
 * Notes in which cluster an owner's resources stand from now on. What stands in another one is left there: a list of that one says
 * nothing about this one, where objects of the same names may be another's.
 *
 * Differs: Flux deletes what is stale in whichever cluster the kubeconfig leads to by now.
 */
export function moveTo(state: OwnerState, cluster: string): void {
  if (!isSameCluster(state.cluster, cluster)) {
    for (const key of [...state.proofs.keys()]) dropProof(state, key);
    state.inputs = "";
    state.wanted = "";
    state.stored = new Map([...state.stored].map(([id, entry]) => [
      id,
      withNote({ ...entry, desired: leftOver, owned: leftOver }, "elsewhere"),
    ]));
  }
  state.cluster = cluster;
}

/** Takes what is wanted here off the list of what stands elsewhere. */
export function bringHere(state: OwnerState, wanted: readonly InventoryEntry[]): void {
  const ids = new Set(wanted.map(({ id }) => id));
  state.stored = new Map([...state.stored].map(([id, entry]) => {
    const isHere = ids.has(id) && entry.notes?.includes("elsewhere") === true;
    return [id, isHere ? { id, v: entry.v, desired: "", owned: "" } : entry];
  }));
}

/** Lets an owner's resources be seen by other eyes. Watches through another connection than before end. */
export function seeThrough(state: OwnerState, access: Access): void {
  if (state.access.view !== access.view) {
    for (const proof of state.proofs.values()) {
      proof.view?.[Symbol.dispose]();
      delete proof.view;
      delete proof.kind;
    }
  }
  state.access = access;
}

/** How a resource stands now, from the watch where there is one; `undefined` when it is gone. */
export async function look(state: OwnerState, proof: Proof, signal: AbortSignal): Promise<Seen | undefined> {
  const { access } = state;
  const { namespace, name } = proof.ref;
  const view = await viewOf(state, proof, signal);
  const seen = view?.collection.isSynced === true ? view.collection.get(namespace, name) : undefined;
  if (seen !== undefined) return seen;
  if (proof.kind === undefined) return undefined;
  const live = await readObject(access, { kind: proof.kind, ref: proof.ref }, signal);
  if (live === undefined) return undefined;
  if (!hasLabel(state, live) && proof.isUnlabelled !== true) {
    // The watch by label never shows it: from now on it is watched with all of its namespace.
    proof.isUnlabelled = true;
    view?.[Symbol.dispose]();
    delete proof.view;
    return summary(access, live);
  }
  return view === undefined ? summary(access, live) : view.collection.note(live);
}

/** Whether all that an owner applied still stands as it was made. Stops at the first that does not. */
export async function standsWhole(state: OwnerState, signal: AbortSignal): Promise<boolean> {
  let isUntouched = true;
  await inParallel([...state.proofs.values()], state.access.concurrency, async (proof) => {
    if (!isUntouched) return;
    const seen = await look(state, proof, signal);
    if (seen === undefined || seen.owned !== proof.owned || seen.status === "Terminating") isUntouched = false;
    // Only its digest was kept over the restart: from here on a drift can be told by field.
    else if (proof.fields === "") proof.fields = seen.fields;
  });
  return isUntouched;
}

/** The collection in which a resource is watched; `undefined` where nobody may. */
export async function viewOf(
  state: OwnerState,
  proof: Proof,
  signal: AbortSignal,
): Promise<OpenCollection | undefined> {
  if (proof.view !== undefined) return proof.view;
  const { access } = state;
  const { isUnlabelled } = proof;
  const kind = proof.kind ?? await access.discovery.kindOf(proof.ref, signal);
  if (kind === undefined) return undefined;
  proof.kind = kind;
  const label = isUnlabelled === true ? undefined : watchLabel(state);
  const view = await access.view.open(
    {
      kind: proof.kind,
      namespace: proof.ref.namespace,
      ...(label === undefined ? {} : { label }),
    },
    access.viewers,
    signal,
  );
  const key = refKey(proof.ref);
  const current = state.proofs.get(key);
  // Meanwhile somebody else may have opened it, or the resource may have been applied again, dropped or moved.
  const isSame = state.access.view === access.view && proof.isUnlabelled === isUnlabelled;
  if (current === proof && proof.view === undefined && isSame) {
    if (view !== undefined) proof.view = view;
    return view;
  }
  view?.[Symbol.dispose]();
  return current === undefined ? undefined : await viewOf(state, current, signal);
}

/** What is remembered of an object. */
export function summary(access: Access, object: JsonObject): Seen {
  const { manager, managers, digestKey } = access;
  return seenOf(object, { manager, managers, digestKey, now: access.clock.now() });
}

/** The label by which an owner's objects are watched; what still carries the other set's is watched with its namespace. */
function watchLabel({ owner, access }: Pick<OwnerState, "owner" | "access">): string | undefined {
  return ownerSelector(owner.kind, access.ownership);
}

/** Whether an object carries the label by which its owner's objects are watched. */
export function hasLabel(state: Pick<OwnerState, "owner" | "access">, object: JsonObject): boolean {
  const label = watchLabel(state);
  return label !== undefined && label in textsOf(object, "labels");
}

/** Forgets a resource and lets its watch go. */
export function dropProof(state: OwnerState, key: string): void {
  state.proofs.get(key)?.view?.[Symbol.dispose]();
  state.proofs.delete(key);
  state.told.delete(key);
}

/** Whether an entry carries the proof of an apply. */
function isProved(entry: StoredEntry): boolean {
  return entry.desired !== "" && entry.desired !== leftOver;
}

/** The inventory to keep: entries with the proofs of those that have been applied. */
export function storedOf(
  state: OwnerState,
  entries: Iterable<InventoryEntry>,
  options: {
    readonly inputs: string;
    /** Ids of what an apply that is complete now made; all else is left over. Absent while an apply is under way. */
    readonly complete?: ReadonlySet<string>;
  },
): StoredInventory {
  const byId = new Map([...state.proofs.values()].map((proof) => [entryOf(proof.ref).id, proof]));
  return {
    inputs: options.inputs,
    cluster: state.cluster,
    entries: [...entries].map(({ id, v }) => {
      const proof = byId.get(id);
      if (proof !== undefined && proof.owned !== "") {
        const kept = proof.isKept === true ? { notes: ["keep" as const] } : {};
        return { id, v, desired: proof.desired, owned: proof.owned, ...kept };
      }
      const isLeftOver = options.complete === undefined
        ? state.stored.get(id)?.desired === leftOver
        : !options.complete.has(id);
      const { notes } = state.stored.get(id) ?? {};
      const noted = notes === undefined ? {} : { notes };
      return isLeftOver ? { id, v, desired: leftOver, owned: leftOver, ...noted } : { id, v, desired: "", owned: "" };
    }),
  };
}
