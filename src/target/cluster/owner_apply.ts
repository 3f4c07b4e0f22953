import type { Clock } from "../../core/clock.ts";
import { digestOf } from "../../core/digest.ts";
import type { InventoryEntry } from "../../core/inventory.ts";
import { inventoryOf, subtract, union } from "../../core/inventory.ts";
import type { Inventory } from "../../core/inventory.ts";
import type { JsonValue } from "../../core/json.ts";
import { canonicalJson } from "../../core/json.ts";
import { keyText } from "../../core/object.ts";
import type { ApplyResult, TargetRequest } from "../../core/target.ts";
import { applyResources } from "./apply.ts";
import { keptAfterApply, keptAfterFailure, keptAhead, unwrittenOf } from "./inventory_steps.ts";
import type { InventoryStore, StoredInventory } from "./inventory_store.ts";
import { plannedRefs } from "./items.ts";
import type { WriterLease } from "./lease.ts";
import { isLabelling } from "./owner_labels.ts";
import type { OwnerState } from "./owner_state.ts";
import { bringHere, standsWhole } from "./owner_state.ts";
import { shortHash } from "./seen.ts";

/** What keeps inventories, and who may. */
export interface InventoryTools {
  readonly store: InventoryStore;
  readonly lease?: WriterLease | undefined;
}

/** What an apply for an owner works with. */
export interface OwnerApplyTools extends InventoryTools {
  readonly clock: Clock;
  /** Key of the digests that the cluster keeps; "" for none. */
  readonly digestKey: string;
  /** Milliseconds after which an owner is compared with the server in full. */
  readonly sweepMs: number;
}

/**
 * Makes an owner's resources stand, and its inventory list them. The very same once more, where all of it stands, costs no request.
 *
 * @throws {StageError} ReconciliationFailed, HealthCheckFailed
 * @throws {KubeError} when the server cannot be asked
 */
export async function applyOwner(
  tools: OwnerApplyTools,
  state: OwnerState,
  request: TargetRequest,
  signal: AbortSignal,
): Promise<ApplyResult> {
  const isKept = isLabelling(request.owner);
  const isSweep = isSweepDue(tools, state);
  const before = union(request.previous, { entries: [...state.stored.values()] });
  const wanted = wantedDigest(request);
  // The very same once more, and all of it stands: no resource need be looked at for itself.
  const isSame = isKept && !isSweep && state.wanted === wanted && await standsWhole(state, signal);
  state.wanted = "";
  const result = isSame
    ? unchanged(state)
    : await write(tools, state, { request, before, isSweep: isSweep || !isKept }, signal);
  if (isSweep) state.sweptAt = tools.clock.monotonic();
  const inputs = keptInputs(request.inputs, tools.digestKey);
  if (isKept) {
    state.arrived = new Set(subtract(result.inventory, before).map(({ id }) => id));
    const releasesStale = request.releasesStale ?? false;
    await keepInventory(tools, state, keptAfterApply(state, { before, result }, { inputs, releasesStale }), signal);
  }
  state.inputs = inputs;
  state.told.clear();
  // What was left alone has no proof: it is looked at again the next time.
  state.wanted = state.skipped.size === 0 ? wanted : "";
  return result;
}

/** Keeps an owner's inventory, in the cluster and as what we know of it. @throws {StageError} when the right to write is gone */
export async function keepInventory(
  { store, lease }: InventoryTools,
  state: OwnerState,
  inventory: StoredInventory,
  signal: AbortSignal,
): Promise<void> {
  lease?.assertHeld(state.term);
  await store.save(state.owner, inventory, signal);
  state.stored = new Map(inventory.entries.map((entry) => [entry.id, entry]));
}

/** Owners are swept at different times: the pause is lengthened by up to half, by the owner's name. */
export function isSweepDue(
  { clock, sweepMs }: Pick<OwnerApplyTools, "clock" | "sweepMs">,
  state: Pick<OwnerState, "owner" | "sweptAt">,
): boolean {
  const share = parseInt(digestOf(keyText(state.owner)).slice(7, 11), 16) / 0xffff;
  return clock.monotonic() - state.sweptAt >= sweepMs * (1 + share / 2);
}

/** The inputs of an apply as the cluster keeps them: values of Secrets may have gone into them. */
export function keptInputs(inputs: string | undefined, digestKey: string): string {
  if (inputs === undefined || inputs === "" || digestKey === "") return inputs ?? "";
  return shortHash(inputs, digestKey);
}

/** Applies, with the union of old and new inventory kept before the first write. */
async function write(
  tools: InventoryTools,
  state: OwnerState,
  what: { readonly request: TargetRequest; readonly before: Inventory; readonly isSweep: boolean },
  signal: AbortSignal,
): Promise<ApplyResult> {
  const { request, before, isSweep } = what;
  const isKept = isLabelling(request.owner);
  const planned = isKept ? inventoryOf(await plannedRefs(state.access, request, signal)) : { entries: [] };
  const sides = { before, planned };
  const made = new Set<string>();
  const claim = (entries: readonly InventoryEntry[]) => tools.store.claim(state.owner, state.cluster, entries);
  claim(planned.entries);
  let isAhead = false;
  const beforeWrite = async () => {
    if (isAhead || !isKept) return;
    bringHere(state, planned.entries);
    await keepInventory(tools, state, keptAhead(state, sides), signal);
    isAhead = true;
  };
  try {
    const result = await applyResources(state, request, { isSweep, beforeWrite, made }, signal);
    claim([]);
    return result;
  } catch (error) {
    state.inputs = "";
    // Nobody knows how far the last requests came.
    if (signal.aborted || !isKept) throw error;
    const unwritten = unwrittenOf(sides, made);
    if (isAhead && unwritten.length > 0) {
      // An entry too many does no harm, and the fault itself says more.
      await keepInventory(tools, state, keptAfterFailure(state, sides, unwritten), signal).catch(() => {});
    }
    if (unwritten.length > 0) request.onUnwritten?.(unwritten);
    throw error;
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
