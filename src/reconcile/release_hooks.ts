import type { HookResource } from "../core/builder.ts";
import { digestOf, shortDigest } from "../core/digest.ts";
import { entryOf } from "../core/inventory.ts";
import type { JsonValue } from "../core/json.ts";
import { canonicalJson, isJsonObject } from "../core/json.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Resource, ResourceRef } from "../core/resource.ts";
import { refOf, refText } from "../core/resource.ts";
import { StageError } from "../core/stage_error.ts";
import type { Target, TargetOptions } from "../core/target.ts";
import { parseYaml } from "../format/yaml.ts";
import type { KeptHooks } from "./record.ts";

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
 * deletes goes when all of the event have run, last one first: an earlier hook may be what a later one needs. A hook
 * that is a CustomResourceDefinition is never deleted (Helm 4.2.4 `execHook`, `deleteHookByPolicy`).
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
  const removeSucceeded = async () => {
    for (const hook of succeeded.toReversed()) await remove(hook, "hook-succeeded");
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
      await removeSucceeded();
      throw error;
    }
    succeeded.push(hook);
  }
  await removeSucceeded();
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

/** Hooks that run around the removal of a release. */
export function removalHooks(hooks: readonly HookResource[]): readonly HookResource[] {
  return hooks.filter((hook) => hook.events.some((event) => event === "pre-delete" || event === "post-delete"));
}

/**
 * Keeps hooks over restarts, so that a release can be removed as its chart wants when its document, its values and its
 * chart are gone.
 */
export interface HookKeep {
  /** Keeps `hooks` in `namespace`; what was kept of the release before is replaced. @throws {StageError} */
  save(target: Target, order: HookKeepOrder, hooks: readonly HookResource[], signal: AbortSignal): Promise<KeptHooks>;
  /** What was kept; none where a person deleted it. @throws {StageError} UninstallFailed when it was changed */
  load(target: Target, order: HookKeepOrder, kept: KeptHooks, signal: AbortSignal): Promise<readonly HookResource[]>;
  forget(target: Target, order: HookKeepOrder, kept: KeptHooks, signal: AbortSignal): Promise<void>;
}

/** Whose hooks are kept, and where. */
export interface HookKeepOrder {
  readonly key: ObjectKey;
  readonly namespace: string;
  readonly options: TargetOptions;
}

/** Most bytes of a Secret's values (Kubernetes `MaxSecretSize`). */
const largestSecret = 1_048_576;

/**
 * Hooks in a Secret of the cluster in which they run, as Helm keeps its releases: they may hold secrets, and those stay
 * off our disk. A digest in our own state says whether somebody else wrote to it.
 */
export const hooksInSecret: HookKeep = {
  async save(target, order, hooks, signal) {
    const text = canonicalJson(hooks as unknown as JsonValue);
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > largestSecret) {
      throw new StageError(
        "InstallFailed",
        `Cannot keep the hooks that run when ${
          keyText(order.key)
        } is removed: they are ${bytes.length} bytes, and a Secret holds ${largestSecret}`,
        { hint: "Set spec.uninstall.disableHooks to remove the release without them" },
      );
    }
    const { namespace } = order;
    const digest = digestOf(text);
    // Other content has another name: until the record says where it is, what was kept before stays as it was.
    const name = `pilotfish-hooks-${shortDigest(digestOf(keyText(order.key)))}-${shortDigest(digest)}`;
    const secret: Resource = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace, annotations: { "pilotfish.dev/owner": keyText(order.key) } },
      type: "pilotfish.dev/hooks.v1",
      data: { hooks: bytes.toBase64() },
    };
    const owner = secretOwner(order.key);
    await target.apply(
      { owner, resources: [secret], previous: { entries: [] }, revision: "hooks", options: order.options },
      signal,
    );
    return { namespace, name, digest };
  },

  async load(target, order, kept, signal) {
    const found = await target.read?.(secretOwner(order.key), secretRef(kept), order.options, signal);
    const data = isJsonObject(found?.data) ? found.data.hooks : undefined;
    if (found === undefined) return [];
    const text = typeof data === "string" ? new TextDecoder().decode(Uint8Array.fromBase64(data)) : "";
    if (digestOf(text) === kept.digest) return parseYaml(text) as unknown as readonly HookResource[];
    throw new StageError(
      "UninstallFailed",
      `Cannot run the hooks of ${
        keyText(order.key)
      }: Secret "${kept.namespace}/${kept.name}" was changed by somebody else`,
      { hint: "Delete the Secret to remove the release without its hooks" },
    );
  },

  async forget(target, order, kept, signal) {
    await target.remove(
      secretOwner(order.key),
      [entryOf(secretRef(kept))],
      { ...order.options, isWholeRemoval: true },
      signal,
    );
  },
};

function secretOwner(key: ObjectKey): ObjectKey {
  return { ...key, kind: `${key.kind}Hooks` };
}

function secretRef({ namespace, name }: KeptHooks): ResourceRef {
  return { group: "", version: "v1", kind: "Secret", namespace, name };
}
