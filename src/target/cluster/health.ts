import { inParallel } from "../../core/in_parallel.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { KubeError } from "../../core/kube_api.ts";
import { ownerSelector } from "../../core/ownership.ts";
import type { ResourceRef } from "../../core/resource.ts";
import { refKey, refText } from "../../core/resource.ts";
import { StageError } from "../../core/stage_error.ts";
import type { HealthExpression, ResourceHealth } from "../../core/target.ts";
import type { ServedKind } from "./discovery.ts";
import { failureReason } from "./failure_reason.ts";
import { healthRules } from "./health_rules.ts";
import type { HealthRules } from "./health_rules.ts";
import type { OpenCollection } from "./live_view.ts";
import { textsOf } from "./marks.ts";
import { PodWatch } from "./pod_watch.ts";
import { unschedulableAfterMs } from "./workload_readiness.ts";
import type { Access } from "./access.ts";
import { readObject } from "./access.ts";
import { isOlder, versionOf } from "./seen.ts";

/** What to wait for. */
export interface HealthWait {
  readonly refs: readonly ResourceRef[];
  readonly timeoutMs: number;
  readonly expressions?: readonly HealthExpression[];
  /** What the failure's message begins with; default `Health check`. */
  readonly action?: string;
  /** Kind of the owner whose label the resources carry: they are then watched together. */
  readonly ownerKind?: string;
}

/** One resource that is waited for. */
interface Waiting {
  readonly ref: ResourceRef;
  kind?: ServedKind;
  health: ResourceHealth;
  /** Last state while it is not Current. */
  object?: JsonObject;
  /** A Job that goes by itself once it is done. */
  vanishesWhenDone: boolean;
  pods?: PodWatch;
}

/** Milliseconds after which kinds that cannot be watched, or are not served yet, are looked at again. */
const lookAgainMs = 2_000;

/**
 * Waits until resources are Current: told by a watch, not by asking again. Ends early when one has failed.
 *
 * @throws {StageError} HealthCheckFailed naming what is not Current and the reason that its Pods or events give;
 *   HealthCheckCanceled when the signal is aborted; InvalidCELExpression
 */
export async function waitForHealth(
  access: Access,
  wait: HealthWait,
  signal: AbortSignal,
): Promise<readonly ResourceHealth[]> {
  const rules = await healthRules(wait.expressions ?? []);
  const startedAt = access.clock.monotonic();
  const stop = new AbortController();
  const ended = Promise.withResolvers<"current" | "failed" | "timeout">();
  const waiting = new Map<string, Waiting>();
  const closers: (() => void)[] = [];
  const onAbort = () => stop.abort(signal.reason);
  const check = () => {
    const all = [...waiting.values()];
    if (all.some((item) => item.health.status === "Failed")) ended.resolve("failed");
    else if (all.every((item) => item.health.status === "Current")) ended.resolve("current");
  };
  for (const ref of wait.refs) {
    const health: ResourceHealth = { ref, status: "Unknown", message: "not looked at yet" };
    waiting.set(refKey(ref), { ref, health, vanishesWhenDone: false });
  }
  signal.addEventListener("abort", onAbort, { once: true });
  closers.push(access.clock.after(wait.timeoutMs, () => {
    ended.resolve("timeout");
    stop.abort(new Error("timeout"));
  }));
  try {
    signal.throwIfAborted();
    const watcher: Watcher = { access, rules, wait, closers, check, signal: stop.signal };
    inParallel([...waiting.values()], access.concurrency, (item) => follow(watcher, item)).then(check, (error) => {
      if (!stop.signal.aborted) ended.reject(error);
    });
    const outcome = await Promise.race([ended.promise, untilAborted(signal)]);
    if (outcome === "current") return [...waiting.values()].map((item) => item.health);
    throw await failure(access, { wait, waiting: [...waiting.values()], outcome, startedAt }, signal);
  } catch (error) {
    if (signal.aborted && !(error instanceof StageError)) {
      throw new StageError("HealthCheckCanceled", `${wait.action ?? "Health check"} was cancelled`, { cause: error });
    }
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    stop.abort(new Error("done"));
    for (const close of closers.reverse()) close();
    for (const item of waiting.values()) item.pods?.[Symbol.dispose]();
  }
}

interface Watcher {
  readonly access: Access;
  readonly rules: HealthRules;
  readonly wait: HealthWait;
  readonly closers: (() => void)[];
  readonly check: () => void;
  readonly signal: AbortSignal;
}

/** Looks at one resource, then follows it until the wait ends. */
async function follow(watcher: Watcher, item: Waiting): Promise<void> {
  const { access, signal } = watcher;
  const kind = await access.discovery.kindOf(item.ref, signal);
  if (kind === undefined) {
    item.health = { ref: item.ref, status: "NotFound", message: "its kind is not served" };
    return lookAgain(watcher, item);
  }
  item.kind = kind;
  const ref = kind.isNamespaced ? item.ref : { ...item.ref, namespace: "" };
  const label = watcher.wait.ownerKind === undefined
    ? undefined
    : ownerSelector(watcher.wait.ownerKind, access.ownership);
  let view = await access.view.open(
    {
      kind,
      namespace: ref.namespace,
      ...(label === undefined ? { name: ref.name } : { label }),
    },
    access.viewers,
    signal,
  );
  if (view !== undefined) keep(watcher, view);
  if (view !== undefined && label !== undefined && view.collection.get(ref.namespace, ref.name) === undefined) {
    const live = await readObject(access, { kind, ref }, signal);
    // What has just been made is there before the watch tells it; only what lacks the label needs a watch of its own.
    if (live !== undefined && label in textsOf(live, "labels")) view.collection.note(live);
    else {
      view[Symbol.dispose]();
      view = await access.view.open({ kind, namespace: ref.namespace, name: ref.name }, access.viewers, signal);
      if (view !== undefined) keep(watcher, view);
    }
  }
  if (view !== undefined) {
    watcher.closers.push(view.collection.listen(ref.namespace, ref.name, (_, object) => {
      judgeHealth(watcher, item, object);
      watcher.check();
    }));
    const seen = view.collection.get(ref.namespace, ref.name);
    // What the watch called Current is so, unless an expression decides.
    if (seen?.status === "Current" && !watcher.rules.decides(item.ref)) {
      item.health = { ref: item.ref, status: "Current", message: "Resource is current" };
      return;
    }
  }
  const read = await readObject(access, { kind, ref }, signal);
  // The watch may have told more while the answer was on its way: it must not be taken back, for it is not told again.
  const told = view?.collection.get(ref.namespace, ref.name);
  if (told === undefined || read !== undefined && !isOlder(versionOf(read), told.resourceVersion)) {
    judgeHealth(watcher, item, read);
  }
  watcher.check();
  if (view === undefined) lookAgain(watcher, item);
}

function keep(watcher: Watcher, view: OpenCollection): void {
  if (watcher.signal.aborted) view[Symbol.dispose]();
  else watcher.closers.push(() => view[Symbol.dispose]());
}

function lookAgain(watcher: Watcher, item: Waiting): void {
  if (watcher.signal.aborted || item.health.status === "Current") return;
  watcher.closers.push(watcher.access.clock.after(lookAgainMs, () => {
    follow(watcher, item).then(watcher.check, () => lookAgain(watcher, item));
  }));
}

function judgeHealth(watcher: Watcher, item: Waiting, object: JsonObject | undefined): void {
  const { ref } = item;
  if (object === undefined) {
    item.health = item.vanishesWhenDone
      ? { ref, status: "Current", message: "Job is done and was removed" }
      : { ref, status: "NotFound", message: "Resource not found" };
    delete item.object;
    return;
  }
  const spec = isJsonObject(object.spec) ? object.spec : {};
  item.vanishesWhenDone = ref.kind === "Job" && spec.ttlSecondsAfterFinished !== undefined;
  const { status, message } = watcher.rules.judge(object, watcher.access.clock.now());
  item.health = { ref, status, message };
  if (status === "Current") {
    delete item.object;
    item.pods?.[Symbol.dispose]();
    delete item.pods;
    return;
  }
  item.object = object;
  if (ref.kind === "Pod" && status === "InProgress") againWhenUnschedulable(watcher, item, object);
  if (status === "InProgress" && (ref.kind === "StatefulSet" || ref.kind === "ReplicaSet")) followPods(watcher, item);
}

/** A Pod without a node fails by time alone: no event tells. */
function againWhenUnschedulable(watcher: Watcher, item: Waiting, object: JsonObject): void {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  const dueIn = Date.parse(String(metadata.creationTimestamp)) + unschedulableAfterMs - watcher.access.clock.now();
  if (!(dueIn > 0)) return;
  watcher.closers.push(watcher.access.clock.after(dueIn, () => {
    if (item.object !== object) return;
    judgeHealth(watcher, item, object);
    watcher.check();
  }));
}

/** A failed Pod fails its StatefulSet or ReplicaSet (fluxcd/cli-utils `podControllerStatusReader`). */
function followPods(watcher: Watcher, item: Waiting): void {
  if (item.pods !== undefined || item.object === undefined) return;
  item.pods = new PodWatch(watcher.access, item.object, (pod, readiness) => {
    if (item.health.status !== "InProgress") return;
    item.health = { ref: item.ref, status: "Failed", message: `${item.health.message}; Pod ${pod}: ${readiness}` };
    watcher.check();
  });
}

async function failure(
  access: Access,
  what: {
    readonly wait: HealthWait;
    readonly waiting: readonly Waiting[];
    readonly outcome: "failed" | "timeout";
    readonly startedAt: number;
  },
  signal: AbortSignal,
): Promise<StageError> {
  const culprits = what.waiting.filter((item) =>
    what.outcome === "failed" ? item.health.status === "Failed" : item.health.status !== "Current"
  );
  const shown = culprits.slice(0, 10);
  const texts = await inParallel(shown, 4, async (item) => {
    const { ref, health } = item;
    let reason: string | undefined;
    try {
      reason = item.object === undefined ? undefined : await failureReason(access, item.object, signal);
    } catch (error) {
      // Only what explains is missing.
      if (!(error instanceof KubeError)) throw error;
    }
    return `${refText(ref)} status: '${health.status}': ${health.message}${reason === undefined ? "" : `; ${reason}`}`;
  });
  if (culprits.length > shown.length) texts.push(`and ${culprits.length - shown.length} more`);
  const seconds = ((access.clock.monotonic() - what.startedAt) / 1000).toFixed(1);
  const how = what.outcome === "failed" ? "failed early due to stalled resources" : "timeout waiting for";
  return new StageError(
    "HealthCheckFailed",
    `${what.wait.action ?? "Health check"} failed after ${seconds}s: ${how}: [${texts.join(", ")}]`,
  );
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}
