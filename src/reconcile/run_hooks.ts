import type { HookResource } from "../core/builder.ts";
import { entryOf } from "../core/inventory.ts";
import type { ObjectKey } from "../core/object.ts";
import { refOf, refText } from "../core/resource.ts";
import type { Target, TargetOptions } from "../core/target.ts";

/** Hooks of one moment of a release. */
export interface HookOrder {
  /** The release. */
  readonly key: ObjectKey;
  readonly hooks: readonly HookResource[];
  /** `pre-install`, `post-delete`, … */
  readonly event: string;
  readonly options: TargetOptions;
  /** Of each hook. */
  readonly timeoutMs: number;
}

/** What a round of hooks works with: a run has all of it. */
export interface HookTools {
  readonly signal: AbortSignal;
  progress(message: string): void;
  /** Does something that only waits, without holding a place among the objects that run at the same time. */
  offWorker<T>(work: () => Promise<T>): Promise<T>;
}

/** Owner under which a target remembers what a release makes and never prunes: namespace, CRDs, hooks. */
export function keptOwner(key: ObjectKey): ObjectKey {
  return { ...key, kind: `${key.kind}Kept` };
}

/** The release of an owner that {@linkcode keptOwner} made; any other owner as it is. */
export function releaseOf(owner: ObjectKey): ObjectKey {
  return owner.kind === keptOwner({ ...owner, kind: "HelmRelease" }).kind ? { ...owner, kind: "HelmRelease" } : owner;
}

/**
 * Runs the hooks of one event, by weight, then name; each is waited for before the next. What policy `hook-succeeded`
 * deletes goes when all of the event have run, last one first: an earlier hook may be what a later one needs; after a
 * failure first one first. A hook that is a CustomResourceDefinition is never deleted (Helm 4.2.4 `execHook`,
 * `deleteHookByPolicy`).
 *
 * @throws {StageError} what the target says of the hook that failed
 */
export async function runHooks(target: Target, order: HookOrder, tools: HookTools): Promise<void> {
  const due = order.hooks.flatMap((hook) => hook.events.filter((event) => event === order.event).map(() => hook));
  const owner = keptOwner(order.key);
  const { signal } = tools;
  const remove = async (hook: HookResource, policy: string) => {
    const policies = hook.deletePolicies.length === 0 ? ["before-hook-creation"] : hook.deletePolicies;
    if (!policies.includes(policy) || hook.resource.kind === "CustomResourceDefinition") return;
    const entry = entryOf(refOf(hook.resource));
    await target.remove(owner, [entry], { ...order.options, isWholeRemoval: true }, signal);
  };
  const succeeded: HookResource[] = [];
  const removeSucceeded = async (hooks: readonly HookResource[]) => {
    for (const hook of hooks) await remove(hook, "hook-succeeded");
  };
  for (const hook of due.toSorted(byWeightAndName)) {
    tools.progress(`Running ${order.event} hook ${refText(refOf(hook.resource))}`);
    await remove(hook, "before-hook-creation");
    try {
      await target.apply({
        owner,
        resources: [hook.resource],
        previous: { entries: [] },
        revision: order.event,
        options: order.options,
      }, signal);
      // Only what runs to an end is waited for (Helm waits for Jobs and Pods of a hook).
      if (hook.resource.kind === "Job" || hook.resource.kind === "Pod") await waitForHook(target, order, hook, tools);
    } catch (error) {
      if (signal.aborted) throw error;
      await remove(hook, "hook-failed");
      await removeSucceeded(succeeded);
      throw error;
    }
    succeeded.push(hook);
  }
  await removeSucceeded(succeeded.toReversed());
}

async function waitForHook(target: Target, order: HookOrder, hook: HookResource, tools: HookTools): Promise<void> {
  const { serviceAccountName, kubeconfig } = order.options;
  await tools.offWorker(() =>
    target.wait({
      owner: keptOwner(order.key),
      refs: [refOf(hook.resource)],
      timeoutMs: order.timeoutMs,
      expressions: [],
      ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
    }, tools.signal)
  );
}

function byWeightAndName(a: HookResource, b: HookResource): number {
  if (a.weight !== b.weight) return a.weight - b.weight;
  const [left, right] = [a.resource.metadata.name, b.resource.metadata.name];
  return left < right ? -1 : left > right ? 1 : 0;
}
