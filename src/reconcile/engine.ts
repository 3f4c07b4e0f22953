import { withModules } from "../core/lazy_module.ts";
import type { Clock } from "../core/clock.ts";
import { timeText } from "../core/clock.ts";
import { condition } from "../core/condition.ts";
import type { EngineControl } from "../core/control.ts";
import { digestOf } from "../core/digest.ts";
import type { Event } from "../core/event.ts";
import type { JsonValue } from "../core/json.ts";
import { canonicalJson } from "../core/json.ts";
import type { Log } from "../core/log.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Random } from "../core/random.ts";
import { reasons, toldReason } from "../core/reason.ts";
import type { Reporter } from "../core/reporter.ts";
import { asStageError, messageOf, StageError } from "../core/stage_error.ts";
import type { WatchedChange } from "../core/target.ts";
import type { Checkpoints } from "./checkpoint.ts";
import { afterFailure, afterSuccess, type Moment, whileRunning, whileSuspended } from "./conditions.ts";
import { Gate } from "./gate.ts";
import { checkDependencies, type Graph, graphOf, sourceOf } from "./graph.ts";
import type { Pipeline, RecordPatch, Run, RunResult, Trigger } from "./pipeline.ts";
import { addHistory, isSuspended, type LiveState, newRecord, type ObjectRecord, resting, statusOf } from "./record.ts";
import { Removals } from "./removals.ts";
import { type Ending, nextDelayMs } from "./schedule.ts";

/** What the engine is handed. */
export interface EngineTools {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly reporter: Reporter;
  readonly checkpoints: Checkpoints;
  /** One per kind. */
  // deno-lint-ignore no-explicit-any -- the kind of an object decides its spec's type; config has checked it
  readonly pipelines: readonly Pipeline<any>[];
  /** Objects that run at the same time. */
  readonly concurrency: number;
  /** Evaluates CEL for `readyExpr`. */
  readonly evaluate: (expression: string, variables: Readonly<Record<string, JsonValue>>) => boolean;
  /** Called after a run that did real work and when nothing is left to do: a good moment to tidy up. */
  readonly onQuiet?: () => void;
}

/** How {@linkcode Engine.update} takes the documents. */
export interface UpdateOptions {
  readonly complete: boolean;
  readonly covers?: (file: string) => boolean;
}

/** One object while the program runs. */
interface Slot {
  object: DesiredObject;
  /** Digest of the object's spec: taken once, because it is asked for often. */
  specDigest: string;
  phase: "idle" | "waiting" | "running";
  trigger: Trigger;
  /** Set when it must run once more right after this run. */
  again?: Trigger | undefined;
  abort?: AbortController | undefined;
  cancelTimer?: (() => void) | undefined;
  stopWatch?: AbortController | undefined;
  live: LiveState;
  hasRun: boolean;
  /** Ends the search for the objects of its last good run. */
  restoring?: AbortController;
  /** An order that runs it as soon as its source has been looked at. */
  isOrdered: boolean;
  /** Whether it found its source without an artifact while that was at its first run, and nobody was told. */
  isEarly?: boolean;
  /** Settles when the present run has ended. */
  ended: Promise<void>;
  /** Whether the present run has made what it makes: what it wants is known to the target then. */
  hasApplied: boolean;
}

/** Abort reason of a run that a newer revision or document replaces. */
class Superseded extends Error {
  override readonly name = "Superseded";
}
/** Abort reason of a run that the end of the program cuts short. */
class Stopped extends Error {
  override readonly name = "Stopped";
}

/** Milliseconds between two beats of the loop. */
const beatMs = 2_000;
/** Age of the last beat from which on the loop counts as hanging. */
const deadAfterMs = 10_000;
/** Longest wait for others before something is given up, in milliseconds. */
const othersWithinMs = 60_000;
/** Kinds that may take over a resource of another object. */
const takers: ReadonlySet<string> = new Set(["Kustomization", "HelmRelease"]);
/** How deep objects found in artifacts may nest. */
const deepestChild = 8;

/**
 * The loop: holds every object, runs each when something it depends on changes or its time comes, at most one run per
 * object, and records what came of it. It decides nothing about content; that is the pipelines' work.
 */
export class Engine implements EngineControl {
  readonly #tools: EngineTools;
  // deno-lint-ignore no-explicit-any -- see EngineTools.pipelines
  readonly #pipelines: ReadonlyMap<string, Pipeline<any>>;
  readonly #gate: Gate;
  readonly #slots = new Map<string, Slot>();
  /** Those of them that have not run yet: asked for after every run, so not searched for among all. */
  readonly #unrun = new Set<Slot>();
  /** Parents whose objects of the last good run are being found again. */
  readonly #restoring = new Set<Slot>();
  /** Objects of other documents that were told of. */
  readonly #left = new Set<string>();
  readonly #removals: Removals;
  /** Slots that wait or run. */
  #active = 0;
  #graph: Graph = graphOf([]);
  #stopping = false;
  #lastBeat: number;
  #cancelBeat: (() => void) | undefined;
  #settledWaiters: (() => void)[] = [];
  /** Called when an object has applied what it applies, or its run has ended. */
  readonly #applyWaiters = new Set<() => void>();
  /** Whether something was done since it was quiet last; a start is work. */
  #hasWorked = true;

  constructor(tools: EngineTools) {
    this.#tools = tools;
    this.#pipelines = new Map(tools.pipelines.map((pipeline) => [pipeline.kind, pipeline]));
    this.#gate = new Gate(tools.concurrency);
    this.#removals = new Removals({ ...tools, pipelines: this.#pipelines }, {
      has: (key) => this.#slots.has(keyText(key)),
      childrenOf: (parent) => this.#childrenOf(parent),
      retire: (key) => this.#retire(key),
      othersApplied: (signal) => this.#othersApplied(undefined, signal, { withSources: true }),
      forget: (key) => this.#tell("forget", () => tools.reporter.forget(key)),
      ended: () => {
        this.#hasWorked = true;
        this.#checkSettled();
      },
    });
    this.#lastBeat = tools.clock.monotonic();
    this.#beat();
  }

  get isAlive(): boolean {
    return this.#tools.clock.monotonic() - this.#lastBeat < deadAfterMs;
  }

  get firstPassDone(): boolean {
    return this.#restoring.size === 0 && [...this.#unrun].every((slot) => this.#isSuspended(slot));
  }

  /**
   * Makes `objects` the desired state of the documents; objects found in artifacts stay with their parents.
   *
   * @param options.complete whether every document was readable: only then is what is missing taken for removed
   * @param options.covers whether a file is among those that documents are read from: what came from elsewhere is another
   *   set of documents with the same store, and stays. Default: every file is
   */
  update(objects: readonly DesiredObject[], options: UpdateOptions): void {
    const trigger: Trigger = this.#slots.size === 0 ? "start" : "config";
    const wanted = new Set(objects.map((object) => keyText(object.key)));
    const changed = objects.filter((object) => this.#put(object));
    if (options.complete) {
      for (const [name, slot] of [...this.#slots]) {
        if (slot.object.parent === undefined && !wanted.has(name)) this.#retire(slot.object.key);
      }
      const left: ObjectRecord[] = [];
      for (const record of [...this.#tools.checkpoints.all()]) {
        if (this.#slots.has(keyText(record.key)) || this.#hasLivingAncestor(record)) continue;
        const origin = this.#originOf(record);
        if (origin === undefined || options.covers?.(origin) !== false) this.#retire(record.key);
        else left.push(record);
      }
      this.#tellLeft(left);
    }
    this.#graph = graphOf([...this.#slots.values()].map((slot) => slot.object));
    for (const object of changed) this.#wakeKey(object.key, trigger);
    this.#checkSettled();
  }

  reconcile(key: ObjectKey, options: { readonly withSource?: boolean; readonly token?: string } = {}): boolean {
    const slot = this.#slots.get(keyText(key));
    if (slot === undefined) return false;
    const token = options.token ?? timeText(this.#tools.clock.now());
    void this.#trySave(slot, { ...this.#prepare(slot), lastHandledReconcileAt: token });
    const source = options.withSource === true ? this.#sourceSlot(slot.object) : undefined;
    if (source === undefined) this.#wake(slot, "request");
    else {
      slot.isOrdered = true;
      this.#wake(source, "request");
      void this.#runAfter(source, slot);
    }
    return true;
  }

  /** Runs an object once its source has ended what it does: with a new artifact it runs anyway, and not twice. */
  async #runAfter(source: Slot, slot: Slot): Promise<void> {
    while (source.phase !== "idle") await source.ended;
    slot.isOrdered = false;
    const runsNew = slot.again ?? (slot.phase === "idle" ? undefined : slot.trigger);
    if (runsNew !== "revision" && this.#isCurrent(slot)) this.#wake(slot, "request");
  }

  async suspend(key: ObjectKey): Promise<boolean> {
    return await this.#setSuspended(key, true);
  }

  async resume(key: ObjectKey): Promise<boolean> {
    return await this.#setSuspended(key, false);
  }

  /** Runs what names a Secret or ConfigMap that changed. */
  wakeReferrers(kind: "Secret" | "ConfigMap", namespace: string, name: string): void {
    for (const key of this.#graph.referrersOf(kind, namespace, name)) this.#wakeKey(key, "reference");
  }

  /** Resolves when nothing runs, waits or is due at once, and every object has been run. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settledWaiters.push(resolve);
      this.#checkSettled();
    });
  }

  /** Record of an object, for those who render or diff beside the loop. */
  recordOf(key: ObjectKey): ObjectRecord | undefined {
    return this.#tools.checkpoints.get(key);
  }

  /** Objects that the loop holds, those found in artifacts included. */
  objects(): readonly DesiredObject[] {
    return [...this.#slots.values()].map((slot) => slot.object);
  }

  /**
   * Ends the loop: nothing new starts; runs have half of `deadlineMs` to finish and are then cut short at the next
   * safe point. State is kept as it is, so that the next start goes on.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    this.#cancelBeat?.();
    const running: Promise<void>[] = [...this.#removals.done()];
    for (const slot of this.#slots.values()) {
      slot.cancelTimer?.();
      slot.stopWatch?.abort();
      if (slot.phase === "running") running.push(slot.ended);
    }
    const allEnded = Promise.all(running).then(() => {});
    const enough = new AbortController();
    const within = (ms: number) => Promise.race([allEnded, this.#tools.clock.sleep(ms, enough.signal).catch(() => {})]);
    try {
      if (running.length > 0) await within(deadlineMs / 2);
      for (const slot of this.#slots.values()) {
        slot.abort?.abort(new Stopped("The daemon stops"));
        slot.restoring?.abort(new Stopped("The daemon stops"));
      }
      this.#removals.stop(new Stopped("The daemon stops"));
      if (running.length > 0) await within(deadlineMs / 2);
    } finally {
      enough.abort();
      this.#checkSettled();
    }
  }

  /** Puts an object in its slot. Returns whether it is new or its document changed. */
  #put(object: DesiredObject): boolean {
    const name = keyText(object.key);
    this.#removals.callOff(object.key, new Superseded("The object is back"));
    const slot = this.#slots.get(name);
    const specDigest = digestOf(canonicalJson(object.document.spec ?? null));
    if (slot === undefined) {
      const added: Slot = {
        object,
        specDigest,
        phase: "idle",
        trigger: "config",
        live: { warnings: [] },
        hasRun: false,
        isOrdered: false,
        ended: Promise.resolve(),
        hasApplied: false,
      };
      this.#slots.set(name, added);
      this.#unrun.add(added);
      this.#showResting(object);
      this.#showWaiting(object);
      if (this.#isSuspended(added)) void this.#restoreChildren(added);
      return true;
    }
    const isSame = canonicalJson(slot.object.document) === canonicalJson(object.document) &&
      parentText(slot.object.parent) === parentText(object.parent);
    const { parent } = slot.object;
    slot.object = object;
    if (parent !== undefined && object.parent === undefined) this.#noteTaken(object.key, parent);
    slot.specDigest = specDigest;
    if (!isSame) {
      this.#noteRemoval(slot);
      this.#showResting(object);
    }
    return !isSame;
  }

  /** Keeps what a changed document says of its object's removal: it may go before it has run once more. */
  #noteRemoval(slot: Slot): void {
    const removal = this.#pipelines.get(slot.object.key.kind)?.removalOf?.(slot.object);
    const record = this.#tools.checkpoints.get(slot.object.key);
    if (removal === undefined || record?.removal === undefined) return;
    void this.#trySave(slot, this.#asResting(slot, { ...this.#prepare(slot), removal }));
  }

  /** Shows a suspended object as such; its document decides again when its spec changed. */
  #showResting(object: DesiredObject): void {
    const slot = this.#slots.get(keyText(object.key));
    if (slot === undefined || !this.#isSuspended(slot)) return;
    slot.abort?.abort(new Superseded("The object is suspended"));
    slot.cancelTimer?.();
    slot.stopWatch?.abort();
    const { nextRunAt: _, ...live } = slot.live;
    slot.live = live;
    const record = this.#asResting(slot, this.#prepare(slot));
    if (record.observedGeneration >= 0) void this.#trySave(slot, record);
    this.#report(slot, record, []);
  }

  /** Shows an object that has not run yet, as the last start left it: whoever looks sees that it is there. */
  #showWaiting(object: DesiredObject): void {
    const slot = this.#slots.get(keyText(object.key));
    if (slot !== undefined && !this.#isSuspended(slot)) this.#report(slot, this.#prepare(slot), []);
  }

  /** The record as it is kept while its object rests; as it is when the object does not. */
  #asResting(slot: Slot, record: ObjectRecord): ObjectRecord {
    if (this.#isSuspended(slot)) return { ...resting(record), conditions: whileSuspended(record.conditions) };
    return slot.object.parent !== undefined && isPruneDisabled(slot.object) ? resting(record) : record;
  }

  async #setSuspended(key: ObjectKey, suspended: boolean): Promise<boolean> {
    const slot = this.#slots.get(keyText(key));
    if (slot === undefined) return false;
    try {
      await this.#save({ ...this.#prepare(slot), suspended });
    } finally {
      // A disk that refuses it fails the order; until the end of the program it holds all the same.
      if (suspended) this.#showResting(slot.object);
      else this.#wake(slot, "request");
    }
    return true;
  }

  #isSuspended(slot: Slot): boolean {
    return isSuspended(slot.object, this.#prepare(slot));
  }

  #sourceSlot(object: DesiredObject): Slot | undefined {
    const source = sourceOf(object);
    return source === undefined ? undefined : this.#slots.get(keyText(source));
  }

  /** Whether a parent, or its parent, is held: after a start the objects in between are found only when that one runs. */
  #hasLivingAncestor(record: ObjectRecord): boolean {
    let parent = record.parent;
    for (let depth = 0; parent !== undefined && depth <= deepestChild; depth++) {
      if (this.#slots.has(keyText(parent))) return true;
      parent = this.#tools.checkpoints.get(parent)?.parent;
    }
    return false;
  }

  /** File of the document that an object came from, or the object in whose artifact it was found. */
  #originOf(record: ObjectRecord): string | undefined {
    let current: ObjectRecord | undefined = record;
    for (let depth = 0; current?.parent !== undefined && depth <= deepestChild; depth++) {
      current = this.#tools.checkpoints.get(current.parent);
    }
    return current?.origin;
  }

  /** Tells, once, of objects that the store knows from documents elsewhere. */
  #tellLeft(left: readonly ObjectRecord[]): void {
    const news = left.filter(({ key }) => !this.#left.has(keyText(key)));
    if (news.length === 0) return;
    for (const { key } of news) this.#left.add(keyText(key));
    this.#tools.log.warn("objects of other documents in this store are left as they are", {
      objects: news.map(({ key }) => keyText(key)).join(", "),
      documents: [...new Set(news.map((record) => this.#originOf(record)))].join(", "),
      hint:
        "Give each set of documents a store of its own; to remove them, name these files or their folder with --config",
    });
  }

  /** The record of a slot's object with its generation counted up when its spec changed. */
  #prepare(slot: Slot): ObjectRecord {
    const { object, specDigest } = slot;
    const kept = this.#tools.checkpoints.get(object.key);
    const record = kept === undefined ? newRecord(object) : withOwner(kept, object);
    if (record.specDigest === specDigest) return record;
    const { suspended: _, ...rest } = record;
    return record.specDigest === ""
      ? { ...record, specDigest, generation: object.generation }
      : { ...rest, specDigest, generation: record.generation + 1, failures: 0 };
  }

  /** A run's record with what people ordered while it ran. */
  #withOrders(record: ObjectRecord): ObjectRecord {
    const { suspended: _, lastHandledReconcileAt: _at, ...rest } = record;
    const now = this.#tools.checkpoints.get(record.key) ?? record;
    return {
      ...rest,
      // A new spec ends a rest that was ordered for the old one.
      ...(now.suspended === undefined || now.specDigest !== record.specDigest ? {} : { suspended: now.suspended }),
      ...(now.lastHandledReconcileAt === undefined ? {} : { lastHandledReconcileAt: now.lastHandledReconcileAt }),
    };
  }

  #wakeKey(key: ObjectKey, trigger: Trigger): void {
    const slot = this.#slots.get(keyText(key));
    if (slot !== undefined) this.#wake(slot, trigger);
  }

  #wake(slot: Slot, trigger: Trigger): void {
    if (this.#stopping || this.#isSuspended(slot)) return;
    slot.cancelTimer?.();
    slot.cancelTimer = undefined;
    switch (slot.phase) {
      case "idle":
        slot.phase = "waiting";
        slot.hasApplied = false;
        this.#active++;
        slot.trigger = trigger;
        slot.ended = this.#enterAndRun(slot);
        break;
      case "waiting":
        slot.trigger = stronger(slot.trigger, trigger);
        break;
      case "running":
        slot.again = slot.again === undefined ? trigger : stronger(slot.again, trigger);
        if (trigger === "revision" || trigger === "config") {
          // What a person asked of the run that ends here is asked of the next one.
          slot.again = stronger(slot.again, slot.trigger);
          slot.abort?.abort(new Superseded("A newer state replaces this run"));
        }
        break;
    }
  }

  async #enterAndRun(slot: Slot): Promise<void> {
    // What was removed under this name must be gone before it is made again.
    const removing = this.#removals.under(slot.object.key);
    if (removing !== undefined) await removing;
    await this.#gate.enter(urgency(slot.trigger));
    try {
      if (!this.#stopping && this.#isCurrent(slot) && !this.#isSuspended(slot)) {
        slot.phase = "running";
        slot.abort = new AbortController();
        if (await this.#runOnce(slot, slot.abort)) this.#hasRun(slot);
      }
    } catch (error) {
      this.#tools.log.error("run ended unexpectedly", { object: keyText(slot.object.key), error: messageOf(error) });
      this.#hasRun(slot);
      this.#schedule(slot, { kind: "failure", retry: "backoff", failures: 5 });
    } finally {
      slot.abort = undefined;
      slot.phase = "idle";
      this.#active--;
      this.#gate.leave();
    }
    const { again } = slot;
    slot.again = undefined;
    if (again !== undefined && this.#isCurrent(slot)) this.#wake(slot, again);
    this.#tellApplied();
    this.#checkSettled();
  }

  #hasRun(slot: Slot): void {
    if (slot.hasRun) return;
    slot.hasRun = true;
    this.#unrun.delete(slot);
    // What was not worth a word while this source had its first run is, now that it brought nothing.
    for (const key of this.#graph.consumersOf(slot.object.key)) {
      const consumer = this.#slots.get(keyText(key));
      // Who is on his way already, for the new artifact, need not run twice.
      if (consumer?.isEarly === true && consumer.phase === "idle") this.#wake(consumer, "dependency");
    }
  }

  #isCurrent(slot: Slot): boolean {
    return this.#slots.get(keyText(slot.object.key)) === slot;
  }

  /** Runs an object once. `false` when the run was replaced or cut short: it then leaves no trace of failure. */
  async #runOnce(slot: Slot, abort: AbortController): Promise<boolean> {
    const { clock } = this.#tools;
    const { object } = slot;
    const startedMs = clock.monotonic();
    const before = this.#prepare(slot);
    const moment: Moment = { at: timeText(clock.now()), generation: before.generation };
    // A build that nothing else asks for brings what others held back.
    let record = this.#mayTakeRefused(before) ? withoutInputs(before) : before;
    const checkpoint = async (patch: RecordPatch) => {
      record = this.#withOrders({ ...record, ...patch });
      await this.#save(record);
    };
    const run: Run<unknown> = {
      object,
      get record() {
        return record;
      },
      trigger: slot.trigger,
      signal: abort.signal,
      find: (key) => this.#find(key),
      checkpoint,
      progress: (message) => {
        record = { ...record, conditions: whileRunning(record.conditions, moment, message) };
        this.#report(slot, record, []);
      },
      applied: () => {
        slot.hasApplied = true;
        this.#tellApplied();
      },
      othersApplied: () => this.#othersApplied(slot, abort.signal),
      offWorker: async (work) => {
        this.#gate.leave();
        try {
          return await work();
        } finally {
          await this.#gate.enter(0);
        }
      },
    };
    try {
      const { evaluate } = this.#tools;
      await withModules(() => checkDependencies(object, { find: (key) => this.#find(key), evaluate }));
      const pipeline = this.#pipelines.get(object.key.kind);
      if (pipeline === undefined) {
        throw new StageError("NotBuiltYet", `Cannot reconcile kind "${object.key.kind}": not built yet`);
      }
      const result = await pipeline.run(run);
      if (abort.signal.aborted && !this.#isCurrent(slot)) return false;
      await this.#succeed(slot, { before, record, result, moment, startedMs });
    } catch (error) {
      if (
        abort.signal.aborted && (abort.signal.reason instanceof Superseded || abort.signal.reason instanceof Stopped)
      ) {
        return false;
      }
      await this.#fail(slot, { before, record, error, moment, startedMs });
    }
    return true;
  }

  #tellApplied(): void {
    for (const tell of [...this.#applyWaiters]) tell();
  }

  /**
   * Waits until no other object is on its way to apply something, or long enough: what one gives up another may be about to
   * take over, and a resource that has moved is not deleted. With sources, those that may wake or bring such an object count
   * too, to the end of their run.
   */
  async #othersApplied(
    self: Slot | undefined,
    signal: AbortSignal,
    options: { readonly withSources?: boolean } = {},
  ): Promise<void> {
    const isComing = (slot: Slot) =>
      slot !== self && slot.phase !== "idle" &&
      (options.withSources === true
        ? slot.object.key.kind !== "Checkout"
        : takers.has(slot.object.key.kind) && !slot.hasApplied);
    const tell = { go: () => {} };
    let isOver = false;
    const waiter = () => tell.go();
    const end = () => {
      isOver = true;
      waiter();
    };
    this.#applyWaiters.add(waiter);
    signal.addEventListener("abort", end, { once: true });
    const cancel = this.#tools.clock.after(othersWithinMs, end);
    try {
      while (!isOver && !signal.aborted && !this.#stopping && [...this.#slots.values()].some(isComing)) {
        await new Promise<void>((resolve) => tell.go = resolve);
      }
    } finally {
      cancel();
      signal.removeEventListener("abort", end);
      this.#applyWaiters.delete(waiter);
    }
  }

  async #succeed(
    slot: Slot,
    done: { before: ObjectRecord; record: ObjectRecord; result: RunResult; moment: Moment; startedMs: number },
  ): Promise<void> {
    const { before, result, moment } = done;
    const { clock } = this.#tools;
    const durationMs = Math.round(clock.monotonic() - done.startedMs);
    const warnings = [...result.warnings];
    const keepMissing = result.keepMissingChildren === true;
    const adopted = result.children === undefined
      ? { children: before.children, refused: before.refused ?? [] }
      : this.#adopt(slot.object, result.children, { warnings, keepMissing, before: before.children });
    const { children } = adopted;
    const revision = result.record.lastAppliedRevision;
    const record = this.#asResting(slot, {
      ...withRefused(this.#withOrders(done.record), adopted.refused),
      ...result.record,
      observedGeneration: before.generation,
      children,
      failures: 0,
      conditions: afterSuccess(done.record.conditions, moment, {
        reason: result.reason,
        message: result.message,
        extra: result.conditions ?? [],
      }),
      history: revision === undefined ? before.history : addHistory(before.history, {
        digest: result.record.inputs ?? "",
        status: result.reason,
        revision,
        at: timeText(clock.now()),
        durationMs,
      }),
    });
    this.#hasWorked ||= result.events.length > 0 || result.newArtifact !== undefined || result.children !== undefined;
    slot.live = {
      warnings,
      ...(result.health === undefined ? {} : { health: result.health }),
      ...(result.target === undefined ? {} : { target: result.target }),
    };
    await this.#trySave(slot, record);
    this.#schedule(slot, { kind: "success" }, result.againAfterMs);
    this.#report(slot, record, result.events.map((event) => ({ ...event, ...this.#stamp(slot) })), durationMs);
    this.#watch(slot, result);
    if (this.#mayTakeRefused(record)) this.#wake(slot, "dependency");
    if (keepMissing) void this.#restoreChildren(slot);
    if (result.newArtifact !== undefined) {
      for (const key of this.#graph.consumersOf(slot.object.key)) this.#wakeKey(key, "revision");
    }
    this.#wakeBlocked(slot.object.key);
  }

  async #fail(
    slot: Slot,
    done: { before: ObjectRecord; record: ObjectRecord; error: unknown; moment: Moment; startedMs: number },
  ): Promise<void> {
    const error = asStageError(done.error, "Unexpected", "Cannot reconcile");
    if (error.reason === "Unexpected") {
      const cause = done.error instanceof Error ? done.error.stack ?? "" : "";
      this.#tools.log.error("unexpected fault", { object: keyText(slot.object.key), stack: cause });
    }
    const text = messageOf(error);
    const end = error.exhausted === undefined ? {} : { exhausted: error.exhausted };
    const shown = new StageError(error.reason, text, { hint: error.hint, cause: error.cause, ...end });
    const { retry } = reasons[error.exhausted === undefined ? error.reason : "RetriesExceeded"];
    const told = toldReason(error.reason, slot.object.key.kind);
    const isBlocked = retry === "after-dependency";
    const failures = isBlocked ? done.before.failures : done.before.failures + 1;
    const durationMs = Math.round(this.#tools.clock.monotonic() - done.startedMs);
    const ready = condition(done.before.conditions, "Ready");
    // A source that is at its first run has no artifact yet: its consumers wait, and that is no news before the run has ended.
    const source = error.reason === "SourceNotReady" ? this.#sourceSlot(slot.object) : undefined;
    const wasEarly = slot.isEarly === true;
    slot.isEarly = source !== undefined && !source.hasRun && source.phase !== "idle";
    const record = this.#asResting(slot, {
      ...this.#withOrders(done.record),
      observedGeneration: retry === "on-change" ? done.before.generation : done.before.observedGeneration,
      failures,
      conditions: slot.isEarly
        ? whileRunning(done.record.conditions, done.moment, text)
        : afterFailure(done.record.conditions, done.moment, { error: shown, kind: slot.object.key.kind }),
    });
    this.#hasWorked ||= !isBlocked;
    const { nextRunAt: _, ...live } = slot.live;
    slot.live = { ...live, hint: error.hint };
    await this.#trySave(slot, record);
    this.#schedule(slot, {
      kind: "failure",
      retry,
      failures: Math.max(1, failures),
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    });
    const isNews = !slot.isEarly && (wasEarly || ready?.reason !== told || ready.message !== text);
    const event: Event = {
      ...this.#stamp(slot),
      severity: isBlocked ? "info" : "error",
      reason: told,
      message: text,
      metadata: record.lastAttemptedRevision === undefined ? {} : { revision: record.lastAttemptedRevision },
    };
    this.#report(slot, record, isNews ? [event] : [], durationMs);
    // The same failure again opens no way for others: two that wait for each other would run without end.
    if (isNews) this.#wakeBlocked(slot.object.key);
    void this.#restoreChildren(slot);
  }

  /**
   * Takes the objects found in an artifact; those that were found before and are not any more are removed, unless they are
   * to be kept: then they go on as they were found last.
   */
  #adopt(
    parent: DesiredObject,
    found: readonly DesiredObject[],
    options: { readonly warnings: string[]; readonly keepMissing: boolean; readonly before: readonly ObjectKey[] },
  ): { readonly children: readonly ObjectKey[]; readonly refused: readonly ObjectKey[] } {
    const { warnings, keepMissing } = options;
    const kept: DesiredObject[] = [];
    const refused: ObjectKey[] = [];
    for (const child of found) {
      const other = this.#slots.get(keyText(child.key));
      const isForeign = other !== undefined &&
        (other.object.parent === undefined || keyText(other.object.parent) !== keyText(parent.key));
      if (isForeign) {
        const owner = other.object.parent === undefined ? "the documents" : keyText(other.object.parent);
        warnings.push(`Left out "${keyText(child.key)}" of the artifact: ${owner} has an object of that name`);
        refused.push(child.key);
      } else if (this.#depthOf(parent) >= deepestChild) {
        warnings.push(`Left out "${keyText(child.key)}": objects in artifacts may nest ${deepestChild} deep`);
      } else kept.push({ ...child, parent: parent.key });
    }
    const changed = kept.filter((child) => this.#put(child));
    const names = new Set(kept.map((child) => keyText(child.key)));
    for (const record of keepMissing ? [] : [...this.#tools.checkpoints.all()]) {
      const isOurs = record.parent !== undefined && keyText(record.parent) === keyText(parent.key);
      if (isOurs && !this.#slots.has(keyText(record.key)) && !names.has(keyText(record.key))) this.#retire(record.key);
    }
    const missing = [...this.#slots.values()].filter((slot) =>
      slot.object.parent !== undefined && keyText(slot.object.parent) === keyText(parent.key) &&
      !names.has(keyText(slot.object.key))
    );
    if (!keepMissing) { for (const slot of missing) this.#retire(slot.object.key); }
    this.#graph = graphOf([...this.#slots.values()].map((slot) => slot.object));
    for (const child of changed) this.#wakeKey(child.key, "config");
    // Those that a start has not found again yet are known on.
    const unheld = options.before.filter((key) => !this.#slots.has(keyText(key)));
    const others = keepMissing ? [...missing.map((slot) => slot.object.key), ...unheld] : [];
    return { children: [...kept.map((child) => child.key), ...others], refused };
  }

  /** Whether nobody holds the name any more of an object that was left out of an artifact. */
  #mayTakeRefused(record: ObjectRecord): boolean {
    return record.refused?.some((key) => !this.#slots.has(keyText(key))) ?? false;
  }

  /** Runs the objects from whose artifact one of this name was left out. */
  #wakeRefused(key: ObjectKey): void {
    const name = keyText(key);
    for (const slot of [...this.#slots.values()]) {
      const { refused } = this.#tools.checkpoints.get(slot.object.key) ?? {};
      if (refused?.some((other) => keyText(other) === name) === true) this.#wake(slot, "dependency");
    }
  }

  /** Notes that a document took over the name of an object of an artifact. */
  #noteTaken(key: ObjectKey, parent: ObjectKey): void {
    const slot = this.#slots.get(keyText(parent));
    if (slot === undefined) return;
    const record = this.#prepare(slot);
    const others = (record.refused ?? []).filter((other) => keyText(other) !== keyText(key));
    void this.#trySave(slot, { ...record, refused: [...others, key] });
  }

  /**
   * Brings back the objects that the last good run of a parent found, where a start finds it at rest or in a state in which
   * it cannot be built: they go on without it, as they would had the program not ended.
   */
  async #restoreChildren(slot: Slot): Promise<void> {
    const record = this.#prepare(slot);
    const missing = new Set(record.children.map(keyText).filter((name) => !this.#slots.has(name)));
    const find = this.#pipelines.get(slot.object.key.kind)?.children;
    if (missing.size === 0 || find === undefined || this.#restoring.has(slot) || this.#stopping) return;
    this.#restoring.add(slot);
    this.#active++;
    const { signal } = slot.restoring = new AbortController();
    await this.#gate.enter(1);
    try {
      const found = await find({ object: slot.object, record, signal });
      // What left the artifact since the last good run, or changed its parent, is not made anew by this.
      const children = found.filter((child) => missing.has(keyText(child.key)));
      if (!signal.aborted && !this.#stopping && this.#isCurrent(slot)) {
        this.#adopt(slot.object, children, { warnings: [], keepMissing: true, before: record.children });
      }
    } catch (error) {
      this.#tools.log.warn("objects of an artifact could not be found again", {
        object: keyText(slot.object.key),
        error: messageOf(error),
      });
    } finally {
      this.#gate.leave();
      this.#active--;
      this.#restoring.delete(slot);
      this.#checkSettled();
    }
  }

  #depthOf(object: DesiredObject): number {
    let depth = 0;
    let current: DesiredObject | undefined = object;
    while (current?.parent !== undefined && depth <= deepestChild) {
      depth++;
      current = this.#slots.get(keyText(current.parent))?.object;
    }
    return depth;
  }

  /** Takes an object out of the loop and removes, in the background, what it left in the world: its children first. */
  #retire(key: ObjectKey): void {
    const name = keyText(key);
    const slot = this.#slots.get(name);
    if (slot !== undefined) {
      this.#slots.delete(name);
      this.#unrun.delete(slot);
      slot.cancelTimer?.();
      slot.stopWatch?.abort();
      slot.abort?.abort(new Superseded("The object is gone"));
      slot.restoring?.abort(new Superseded("The object is gone"));
      this.#wakeRefused(key);
    }
    if (!this.#stopping) this.#removals.begin(key, slot?.ended);
  }

  /** Objects that the loop holds of an artifact. */
  #childrenOf(parent: ObjectKey): readonly ObjectKey[] {
    const name = keyText(parent);
    return [...this.#slots.values()]
      .filter(({ object }) => object.parent !== undefined && keyText(object.parent) === name)
      .map(({ object }) => object.key);
  }

  #watch(slot: Slot, result: RunResult): void {
    slot.stopWatch?.abort();
    slot.stopWatch = undefined;
    if (result.watch === undefined || this.#stopping || !this.#isCurrent(slot)) return;
    const stop = new AbortController();
    slot.stopWatch = stop;
    const { watch } = result;
    this.#tell("watch", () => watch((change) => this.#onWatched(slot, change), stop.signal));
  }

  #onWatched(slot: Slot, change: WatchedChange): void {
    if (this.#stopping || !this.#isCurrent(slot) || this.#isSuspended(slot)) return;
    if (change.kind === "drift") {
      this.#wake(slot, "drift");
      return;
    }
    const { health } = change;
    const others = (slot.live.health ?? []).filter((other) =>
      other.ref.kind !== health.ref.kind || other.ref.name !== health.ref.name ||
      other.ref.namespace !== health.ref.namespace || other.ref.group !== health.ref.group
    );
    slot.live = { ...slot.live, health: [...others, health] };
    const record = this.#prepare(slot);
    const isBad = health.status === "Failed" || health.status === "NotFound";
    const event: Event = {
      ...this.#stamp(slot),
      severity: "error",
      reason: "HealthCheckFailed",
      message: health.message,
      metadata: {},
    };
    this.#report(slot, record, isBad ? [event] : []);
  }

  /** Runs the objects that wait for `key`. */
  #wakeBlocked(key: ObjectKey): void {
    for (const dependent of this.#graph.dependentsOf(key)) {
      const record = this.#tools.checkpoints.get(dependent);
      const ready = record === undefined ? undefined : condition(record.conditions, "Ready");
      const slot = this.#slots.get(keyText(dependent));
      if (slot?.phase === "running" || ready?.reason === "DependencyNotReady") this.#wakeKey(dependent, "dependency");
    }
  }

  #find(key: ObjectKey): { object: DesiredObject; record: ObjectRecord | undefined } | undefined {
    const slot = this.#slots.get(keyText(key));
    if (slot === undefined) return undefined;
    const record = this.#tools.checkpoints.get(key);
    return { object: slot.object, record: record === undefined ? undefined : this.#prepare(slot) };
  }

  #schedule(slot: Slot, ending: Ending, againAfterMs?: number): void {
    if (this.#stopping || slot.again !== undefined || !this.#isCurrent(slot) || this.#isSuspended(slot)) return;
    const spec = slot.object.spec as { readonly intervalMs?: number; readonly retryIntervalMs?: number };
    if (spec.intervalMs === undefined && ending.kind === "success" && againAfterMs === undefined) return;
    const delayMs = againAfterMs ?? nextDelayMs(ending, {
      intervalMs: spec.intervalMs ?? 600_000,
      ...(spec.retryIntervalMs === undefined ? {} : { retryIntervalMs: spec.retryIntervalMs }),
    }, this.#tools.random.next());
    if (delayMs === undefined) return;
    const { clock } = this.#tools;
    slot.live = { ...slot.live, nextRunAt: timeText(clock.now() + delayMs) };
    slot.cancelTimer?.();
    slot.cancelTimer = clock.after(delayMs, () => this.#wake(slot, ending.kind === "success" ? "interval" : "retry"));
  }

  #stamp(slot: Slot): { object: ObjectKey; timestamp: string } {
    return { object: slot.object.key, timestamp: timeText(this.#tools.clock.now()) };
  }

  #report(slot: Slot, record: ObjectRecord, events: readonly Event[], durationMs?: number): void {
    // A run that ends after its object went must not bring it back.
    if (!this.#isCurrent(slot)) return;
    const hasEnded = durationMs !== undefined || slot.phase === "idle";
    const isSettled = hasEnded && slot.again === undefined && !slot.isOrdered &&
      (slot.hasRun || durationMs !== undefined);
    const source = sourceOf(slot.object);
    this.#tell("report", () =>
      this.#tools.reporter.record({
        status: {
          ...statusOf(slot.object, record, slot.live),
          ...(source === undefined ? {} : { source }),
          isSettled,
        },
        events,
        ...(durationMs === undefined ? {} : { durationMs }),
      }));
  }

  /** Calls somebody outside of the loop: what they throw is their fault and stops nothing here. */
  #tell(what: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#tools.log.error("a listener of the loop failed", { what, error: messageOf(error) });
    }
  }

  async #save(record: ObjectRecord): Promise<void> {
    await this.#tools.checkpoints.save(record);
  }

  /** Saves the end of a run; when the disk refuses, the record lives on in memory and the status says so. */
  async #trySave(slot: Slot, record: ObjectRecord): Promise<void> {
    try {
      await this.#save(record);
    } catch (error) {
      this.#tools.log.error("state could not be saved", { object: keyText(record.key), error: messageOf(error) });
      slot.live = { ...slot.live, warnings: [...slot.live.warnings, messageOf(error)] };
    }
  }

  #checkSettled(): void {
    if (!this.#stopping && (this.#active > 0 || this.#removals.size > 0 || !this.firstPassDone)) return;
    const waiters = this.#settledWaiters;
    this.#settledWaiters = [];
    for (const waiter of waiters) waiter();
    if (this.#stopping || !this.#hasWorked) return;
    this.#hasWorked = false;
    this.#tell("quiet", () => this.#tools.onQuiet?.());
  }

  #beat(): void {
    this.#lastBeat = this.#tools.clock.monotonic();
    this.#cancelBeat = this.#tools.clock.after(beatMs, () => this.#beat());
  }
}

/** How urgent a run is: 0 before 1 before 2. */
function urgency(trigger: Trigger): number {
  switch (trigger) {
    case "request":
    case "config":
    case "revision":
    case "drift":
      return 0;
    case "start":
    case "dependency":
    case "reference":
      return 1;
    case "retry":
    case "interval":
      return 2;
  }
}

/** The trigger of a run that two ask for: a person's order is never lost, then the more urgent one counts. */
function stronger(a: Trigger, b: Trigger): Trigger {
  if (a === "request" || b === "request") return "request";
  return urgency(b) < urgency(a) ? b : a;
}

/** Whether an object of an artifact says that its parent's prune leaves it and its resources alone. */
function isPruneDisabled(object: DesiredObject): boolean {
  const key = "kustomize.toolkit.fluxcd.io/prune";
  return (object.labels[key] ?? object.annotations[key] ?? "").toLowerCase() === "disabled";
}

/** A record as if nothing had been built of it yet. */
function withoutInputs({ inputs: _, ...record }: ObjectRecord): ObjectRecord {
  return record;
}

/** A record with the objects that were left out of its artifact. */
function withRefused({ refused: _, ...record }: ObjectRecord, refused: readonly ObjectKey[]): ObjectRecord {
  return refused.length === 0 ? record : { ...record, refused };
}

function parentText(parent: ObjectKey | undefined): string {
  return parent === undefined ? "" : keyText(parent);
}

/** A record with the parent and file that its object has now: an object may move between documents and artifacts. */
function withOwner(record: ObjectRecord, { parent, origin }: DesiredObject): ObjectRecord {
  const { parent: oldParent, origin: oldOrigin, ...rest } = record;
  if (parentText(oldParent) === parentText(parent) && oldOrigin === origin) return record;
  return { ...rest, ...(parent === undefined ? {} : { parent }), ...(origin === undefined ? {} : { origin }) };
}
