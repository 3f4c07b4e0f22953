import type { ResourceRef } from "./resource.ts";

/** One applied resource as Flux records it: `id` is `<namespace>_<name>_<group>_<kind>`, `v` the version. */
export interface InventoryEntry {
  readonly id: string;
  readonly v: string;
}

/** What an object applied, in no particular order (fluxcd/pkg ssa, `ResourceInventory`). */
export interface Inventory {
  readonly entries: readonly InventoryEntry[];
}

/** Entry of a resource. Colons of RBAC names are written `__`, as cli-utils does. */
export function entryOf(ref: ResourceRef): InventoryEntry {
  return { id: `${ref.namespace}_${ref.name.replaceAll(":", "__")}_${ref.group}_${ref.kind}`, v: ref.version };
}

/** Resource of an entry. @throws {RangeError} when the id does not have four parts */
export function refOfEntry(entry: InventoryEntry): ResourceRef {
  // A name may hold "__" (a colon); namespace, group and kind hold no underscore.
  const first = entry.id.indexOf("_");
  const last = entry.id.lastIndexOf("_");
  const middle = entry.id.lastIndexOf("_", last - 1);
  if (first < 0 || middle <= first || last <= middle) {
    throw new RangeError(`Cannot read inventory entry "${entry.id}": it must be "namespace_name_group_kind"`);
  }
  return {
    namespace: entry.id.slice(0, first),
    name: entry.id.slice(first + 1, middle).replaceAll("__", ":"),
    group: entry.id.slice(middle + 1, last),
    kind: entry.id.slice(last + 1),
    version: entry.v,
  };
}

/** Inventory of refs, sorted by id, each once. */
export function inventoryOf(refs: Iterable<ResourceRef>): Inventory {
  const byId = new Map<string, InventoryEntry>();
  for (const ref of refs) {
    const entry = entryOf(ref);
    byId.set(entry.id, entry);
  }
  return { entries: [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)) };
}

/** Entries of `a` that `b` does not have, by id. */
export function subtract(a: Inventory, b: Inventory): readonly InventoryEntry[] {
  const ids = new Set(b.entries.map((entry) => entry.id));
  return a.entries.filter((entry) => !ids.has(entry.id));
}

/** All entries of both; where both have an id, the version of `b` counts. */
export function union(a: Inventory, b: Inventory): Inventory {
  const byId = new Map(a.entries.map((entry) => [entry.id, entry]));
  for (const entry of b.entries) byId.set(entry.id, entry);
  return { entries: [...byId.values()].sort((x, y) => (x.id < y.id ? -1 : x.id > y.id ? 1 : 0)) };
}
