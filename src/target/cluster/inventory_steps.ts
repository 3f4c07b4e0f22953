/**
 * What an owner's inventory holds at each step of an apply and of a removal. At every instant it lists whatever may be there: a
 * crash leaves entries too many, never too few. Decides only; who saves it is `owner_apply.ts` and `owner_removal.ts`.
 *
 * @module
 */
import type { Inventory, InventoryEntry } from "../../core/inventory.ts";
import { inventoryOf, refOfEntry, subtract, union } from "../../core/inventory.ts";
import { refKey } from "../../core/resource.ts";
import type { ApplyResult, RemoveResult } from "../../core/target.ts";
import type { StoredInventory } from "./inventory_store.ts";
import { withNote } from "./inventory_store.ts";
import type { OwnerState } from "./owner_state.ts";
import { storedOf } from "./owner_state.ts";

/** What stood before an apply, and what it wants. */
export interface ApplySides {
  readonly before: Inventory;
  readonly planned: Inventory;
}

/** Before the first write: all that stood and all that is wanted. */
export function keptAhead(state: OwnerState, { before, planned }: ApplySides): StoredInventory {
  return storedOf(state, union(before, planned).entries, { inputs: state.inputs });
}

/** Entries of a failed apply that were not there before and have not been written for certain. @param made keys of the rest */
export function unwrittenOf({ before, planned }: ApplySides, made: ReadonlySet<string>): readonly InventoryEntry[] {
  return subtract(planned, before).filter((entry) => !made.has(refKey(refOfEntry(entry))));
}

/** After a failure: what was not written and not known before is taken out again, it would be sought for ever. */
export function keptAfterFailure(
  state: OwnerState,
  { before, planned }: ApplySides,
  unwritten: readonly InventoryEntry[],
): StoredInventory {
  const rest = subtract(union(before, planned), { entries: unwritten });
  return storedOf(state, rest, { inputs: state.inputs });
}

/** After an apply that is complete: what it made, and what is left over unless that is let go. */
export function keptAfterApply(
  state: OwnerState,
  { before, result }: { readonly before: Inventory; readonly result: ApplyResult },
  options: { readonly inputs: string; readonly releasesStale: boolean },
): StoredInventory {
  const complete = new Set(result.inventory.entries.map(({ id }) => id));
  const kept = options.releasesStale ? result.inventory : union(before, result.inventory);
  return storedOf(state, kept.entries, { inputs: options.inputs, complete });
}

/** Ids of what a removal took away, or let go. */
export function goneIds({ removed, released }: Pick<RemoveResult, "removed" | "released">): ReadonlySet<string> {
  const ids = new Set(inventoryOf(removed.map(({ ref }) => ref)).entries.map(({ id }) => id));
  for (const { entry } of released) ids.add(entry.id);
  return ids;
}

/** After a removal: what is gone, or not ours any more, is taken out. @param held ids of what is kept until it is confirmed */
export function keptAfterRemoval(
  state: OwnerState,
  gone: ReadonlySet<string>,
  held: ReadonlySet<string>,
): StoredInventory {
  const rest = [...state.stored.values()].filter(({ id }) => !gone.has(id));
  const entries = rest.map((entry) => held.has(entry.id) ? withNote(entry, "held") : entry);
  return { inputs: state.inputs, cluster: state.cluster, entries };
}
