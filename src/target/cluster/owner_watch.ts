import { inParallel } from "../../core/in_parallel.ts";
import type { JsonObject } from "../../core/json.ts";
import type { WatchedChange } from "../../core/target.ts";
import type { OwnerState } from "./owner_state.ts";
import { viewOf } from "./owner_state.ts";
import { fluxReadinessOf } from "./readiness.ts";
import type { Seen } from "./seen.ts";
import { lostFields } from "./seen.ts";

/**
 * Watches what an owner has applied and calls back when a resource drifts, vanishes, stops being Current or is Current
 * again. What happens while we apply is our own doing; whether it still stands is looked at afterwards. Each state is
 * told once, also to a later watch, until the owner is applied.
 */
export async function watchOwner(
  state: OwnerState,
  onChange: (change: WatchedChange) => void,
  signal: AbortSignal,
): Promise<void> {
  const { told } = state;
  const statuses = new Map<string, Seen["status"]>();
  const checks: (() => void)[] = [];
  const listening: (() => void)[] = [];
  const stop = () => {
    for (const end of listening.splice(0)) end();
  };
  signal.addEventListener("abort", stop, { once: true });
  const recheck = () => checks.forEach((check) => check());
  state.watchers.add(recheck);
  listening.push(() => state.watchers.delete(recheck));

  await inParallel([...state.proofs.keys()], state.access.concurrency, async (key) => {
    const proof = state.proofs.get(key);
    if (proof === undefined) return;
    const view = await viewOf(state, proof, signal);
    if (view === undefined || signal.aborted) return;
    const { collection } = view;
    const { ref } = proof;
    const check = (seen: Seen | undefined, object: JsonObject | undefined) => {
      const wanted = state.proofs.get(key);
      if (state.isApplying || wanted === undefined || signal.aborted) return;
      const now = seen?.owned ?? "";
      if (seen === undefined || now !== wanted.owned) {
        if (told.get(key) === `${wanted.owned}>${now}`) return;
        told.set(key, `${wanted.owned}>${now}`);
        onChange({ kind: "drift", ref, fields: seen === undefined ? [] : lostFields(wanted.fields, seen.fields) });
        return;
      }
      told.delete(key);
      const before = statuses.get(key);
      statuses.set(key, seen.status);
      if (before === undefined || before === seen.status || object === undefined) return;
      if (before !== "Current" && seen.status !== "Current") return;
      const { status, message } = fluxReadinessOf(object, state.access.clock.now());
      onChange({ kind: "health", health: { ref, status, message } });
    };
    const first = collection.get(ref.namespace, ref.name);
    if (first !== undefined) statuses.set(key, first.status);
    listening.push(collection.listen(ref.namespace, ref.name, check));
    checks.push(() => check(collection.get(ref.namespace, ref.name), undefined));
    if (collection.isSynced) check(first, undefined);
  });
  if (signal.aborted) stop();
}
