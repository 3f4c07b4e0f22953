import { inParallel } from "../../core/in_parallel.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { WatchedChange } from "../../core/target.ts";
import type { OwnerState } from "./owner_state.ts";
import { viewOf } from "./owner_state.ts";
import { fluxReadinessOf } from "./readiness.ts";
import type { Seen } from "./seen.ts";
import { lostFields, shortHash } from "./seen.ts";

/**
 * Watches what an owner has applied and calls back when a resource drifts, drifts further, is as it was again, vanishes, stops being
 * Current or is Current again. What happens while we apply is our own doing; whether it still stands is looked at afterwards. Each
 * state is told once, also to a later watch, until the owner is applied.
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
      const now = `${wanted.owned}>${seen?.owned ?? ""}`;
      if (seen === undefined || seen.owned !== wanted.owned) {
        const before = told.get(key);
        const content = object === undefined ? "" : contentOf(object, state.access.digestKey);
        if (before?.state === now && (content === "" || content === before.content)) return;
        told.set(key, { state: now, content });
        onChange({ kind: "drift", ref, fields: seen === undefined ? [] : lostFields(wanted.fields, seen.fields) });
        return;
      }
      // Somebody has undone it: who told it looks again.
      if (told.delete(key)) onChange({ kind: "drift", ref, fields: [] });
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

/** Digest of what people write into an object: what is ours of it need not differ where they undo a part of their change. */
function contentOf({ status: _, metadata, ...rest }: JsonObject, digestKey: string): string {
  const { labels = {}, annotations = {} } = isJsonObject(metadata) ? metadata : {};
  return shortHash({ ...rest, labels, annotations }, digestKey);
}
