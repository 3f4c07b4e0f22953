import { inParallel } from "../../core/in_parallel.ts";
import { inventoryOf, refOfEntry, subtract, union } from "../../core/inventory.ts";
import type { InventoryEntry } from "../../core/inventory.ts";
import { refOf } from "../../core/resource.ts";
import { StageError } from "../../core/stage_error.ts";
import type { PlannedChange, TargetRequest } from "../../core/target.ts";
import type { Item, Verdict } from "./judge.ts";
import { judge } from "./judge.ts";
import { namesOneOf, plannedRefs, prepare } from "./items.ts";
import type { StoredEntry } from "./inventory_store.ts";
import type { OwnedEntries } from "./not_ours.ts";
import { notOurs } from "./not_ours.ts";
import { compareApply } from "./order.ts";
import { plannedWrite, textsOfChange } from "./planned_write.ts";
import type { Access } from "./access.ts";
import { readObject } from "./access.ts";

/**
 * What an apply and the removal of what is stale would do, with the texts before and after. Asks the server to try each
 * change; writes nothing.
 *
 * @throws {StageError} ReconciliationFailed with every resource that the server would refuse
 */
export async function planResources(
  access: Access,
  request: TargetRequest,
  stored: { readonly entries: readonly StoredEntry[] },
  signal: AbortSignal,
): Promise<readonly PlannedChange[]> {
  const { items, unknown, faults } = await prepare(access, request, request.resources, signal);
  const coming = namesOneOf(request.resources);
  const changes: PlannedChange[] = [];
  const problems = [...faults];
  await inParallel(items, access.concurrency, async (item) => {
    const verdict = await judge(access, item, { coming }, signal);
    if (verdict.kind === "fault") problems.push(verdict.message);
    else if (verdict.kind === "write") changes.push(await plannedWrite(access, item, verdict, signal));
    else changes.push(changeOf(item, verdict));
  });
  for (const resource of unknown) {
    // Its definition comes with it, or is not there at all: then the apply says so.
    changes.push({
      action: "create",
      ref: refOf(resource),
      ...textsOfChange(undefined, resource),
      note: "Its kind is not served yet",
    });
  }
  if (problems.length > 0) throw new StageError("ReconciliationFailed", problems.sort().join("\n"));
  const wanted = inventoryOf(await plannedRefs(access, request, signal));
  const known = new Map(stored.entries.map((entry) => [entry.id, entry]));
  for (const entry of subtract(union(request.previous, stored), wanted)) {
    const change = await deletionOf(access, { owner: request.owner, stored: known }, entry, signal);
    if (change !== undefined) changes.push(change);
  }
  return changes.sort((a, b) => compareApply(a.ref, b.ref));
}

function changeOf(item: Item, verdict: Exclude<Verdict, { readonly kind: "fault" | "write" }>): PlannedChange {
  const { ref } = item;
  switch (verdict.kind) {
    case "unchanged":
      return { action: "unchanged", ref, ...noteOf(verdict.note) };
    case "skip":
      return { action: "skip", ref, note: verdict.note };
    case "later":
      return {
        action: "create",
        ref,
        ...textsOfChange(undefined, item.body),
        note: `It cannot be tried yet: ${verdict.error.message}`,
      };
  }
}

async function deletionOf(
  access: Access,
  request: Pick<OwnedEntries, "owner" | "stored">,
  entry: InventoryEntry,
  signal: AbortSignal,
): Promise<PlannedChange | undefined> {
  const ref = refOfEntry(entry);
  const kind = await access.discovery.kindOf(ref, signal);
  if (kind === undefined || kind.isNamespaced !== (ref.namespace !== "")) return undefined;
  const live = await readObject(access, { kind, ref }, signal);
  if (live === undefined) return undefined;
  const note = notOurs(request, { entry, ref, live });
  return note === undefined
    ? { action: "delete", ref, ...textsOfChange(live, undefined) }
    : { action: "skip", ref, note };
}

function noteOf(note: string | undefined): { readonly note?: string } {
  return note === undefined ? {} : { note };
}
