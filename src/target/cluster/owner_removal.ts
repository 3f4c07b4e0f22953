import type { InventoryEntry } from "../../core/inventory.ts";
import { entryOf, union } from "../../core/inventory.ts";
import { keyText } from "../../core/object.ts";
import type { RemoveResult, TargetOptions } from "../../core/target.ts";
import { addressOf } from "./cluster_name.ts";
import { goneIds, keptAfterRemoval } from "./inventory_steps.ts";
import type { OwnerAccess } from "./owner_access.ts";
import type { InventoryTools } from "./owner_apply.ts";
import { keepInventory } from "./owner_apply.ts";
import { isLabelling } from "./owner_labels.ts";
import type { OwnerState } from "./owner_state.ts";
import { dropProof, moveTo } from "./owner_state.ts";
import { pruneResources } from "./prune.ts";

/** What a removal for an owner works with. */
export interface OwnerRemovalTools extends InventoryTools {
  readonly access: OwnerAccess;
  /** Whether guards are on. */
  readonly guards: boolean;
}

/** What of an owner is to go. */
export interface OwnerRemoval {
  readonly entries: readonly InventoryEntry[];
  readonly options: TargetOptions;
}

/**
 * Deletes an owner's resources where they stand, and takes what is gone, or not the owner's any more, out of its inventory.
 *
 * @throws {StageError} ReconciliationFailed
 * @throws {KubeError} when the server cannot be asked
 */
export async function removeForOwner(
  tools: OwnerRemovalTools,
  state: OwnerState,
  { entries, options }: OwnerRemoval,
  signal: AbortSignal,
): Promise<RemoveResult> {
  const { owner } = state;
  if (options.isWholeRemoval === true) tools.store.claim(owner, state.cluster, []);
  const access = await tools.access.forRemoval(state, options);
  if (access === undefined) return outOfReach(state, entries);
  // Where the login leads elsewhere by now, all of it stands elsewhere.
  if (options.kubeconfig !== undefined) moveTo(state, await tools.access.clusterOf(owner, options, signal));
  if (options.isWholeRemoval === true && await tools.access.isAccountGone(owner, options, signal)) {
    const result = leftBehind(entries, options);
    await trim(tools, state, { ...result, held: new Set() }, signal);
    return result;
  }
  const all = union({ entries: [...state.stored.values()] }, { entries }).entries;
  const others = isLabelling(owner) ? { otherOwner: await tools.store.others(owner, state.cluster, signal) } : {};
  const { stored, arrived } = state;
  const request = { owner, entries, all, options, guards: tools.guards, stored, arrived, ...others };
  const { held, ...result } = await pruneResources(access, request, signal);
  await trim(tools, state, { ...result, held }, signal);
  return result;
}

async function trim(
  tools: InventoryTools,
  state: OwnerState,
  result: RemoveResult & { readonly held: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<void> {
  // What is gone is not there any more: the same once more makes it again.
  state.wanted = "";
  const gone = goneIds(result);
  for (const [key, { ref }] of [...state.proofs]) if (gone.has(entryOf(ref).id)) dropProof(state, key);
  if (isLabelling(state.owner)) await keepInventory(tools, state, keptAfterRemoval(state, gone, result.held), signal);
}

function leftBehind(entries: readonly InventoryEntry[], { serviceAccountName }: TargetOptions): RemoveResult {
  const message = `is left behind: ServiceAccount "${serviceAccountName}" may not delete it, it is gone`;
  return { removed: [], kept: [], released: entries.map((entry) => ({ entry, message: `${entry.id} ${message}` })) };
}

function outOfReach(state: OwnerState, entries: readonly InventoryEntry[]): RemoveResult {
  const message = `resources of ${keyText(state.owner)} stand in cluster "${
    addressOf(state.cluster)
  }", and its kubeConfig is not at hand`;
  return { removed: [], released: [], kept: entries.map((entry) => ({ entry, reason: "failed", message })) };
}
