import type { Clock } from "../core/clock.ts";
import { timeText } from "../core/clock.ts";
import { condition } from "../core/condition.ts";
import type { EngineControl } from "../core/control.ts";
import type { JsonValue } from "../core/json.ts";
import type { Log } from "../core/log.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Random } from "../core/random.ts";
import type { Reporter } from "../core/reporter.ts";
import { asStageError, messageOf } from "../core/stage_error.ts";
import type { WatchedChange } from "../core/target.ts";
import { withConfirmedPrune } from "./apply_and_prune.ts";
import type { Checkpoints } from "./checkpoint.ts";
import { Children } from "./children.ts";
import { Gate } from "./gate.ts";
import { Heartbeat } from "./heartbeat.ts";
import { LeftObjects, type StrayRecord, strayRecords } from "./lineage.ts";
import { type RunFacts, runObject, type RunOutcome } from "./object_run.ts";
import type { Pipeline, Pipelines, RunResult } from "./pipeline.ts";
import { asResting, withOrders } from "./present_record.ts";
import { Quiet } from "./quiet.ts";
import { withHealth, withoutHint } from "./record.ts";
import { Removals } from "./removals.ts";
import { endOfFailure, endOfSuccess, type RunEnd } from "./run_end.ts";
import { SlotRecords } from "./slot_records.ts";
import { type Slot, Slots } from "./slots.ts";
import type { Trigger } from "./trigger.ts";
import { CutShort, Turns } from "./turns.ts";

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
  /** Whether every document was readable: only then is what is missing taken for removed. */
  readonly complete: boolean;
  /**
   * Whether a file is among those that documents are read from: what came from elsewhere is another set of documents with
   * the same store, and stays. Default: every file is.
   */
  readonly covers?: (file: string) => boolean;
}

/** Kinds that may take over a resource of another object. */
const takers: ReadonlySet<string> = new Set(["Kustomization", "HelmRelease"]);

/**
 * The loop: holds every object, runs each when something it depends on changes or its time comes, at most one run per
 * object, and records what came of it. It decides nothing about content, which is the pipelines' work; what a run's end
 * means (`run_end.ts`), whose an object of an artifact is (`adoption.ts`) and when the next run is due (`schedule.ts`) are
 * pure functions of their own.
 */
export class Engine implements EngineControl {
  readonly #tools: EngineTools;
  readonly #pipelines: Pipelines;
  readonly #slots = new Slots();
  readonly #records: SlotRecords;
  readonly #children: Children;
  readonly #removals: Removals;
  readonly #left: LeftObjects;
  readonly #turns: Turns;
  readonly #heartbeat: Heartbeat;
  readonly #quiet: Quiet;

  constructor(tools: EngineTools) {
    const { clock, log } = tools;
    const slots = this.#slots;
    const pipelines = this.#pipelines = new Map(tools.pipelines.map((pipeline) => [pipeline.kind, pipeline]));
    const records = this.#records = new SlotRecords({ ...tools, slots });
    const gate = new Gate(tools.concurrency);
    this.#tools = tools;
    this.#left = new LeftObjects(log);
    this.#heartbeat = new Heartbeat(clock);
    this.#quiet = new Quiet({
      isQuiet: () => this.#turns.active === 0 && this.#removals.size === 0 && this.firstPassDone,
      isStopping: () => this.#turns.isStopped,
      onQuiet: () => records.tell("quiet", () => tools.onQuiet?.()),
    });
    this.#turns = new Turns({ ...tools, slots, records, gate }, {
      // What was removed under this name must be gone before it is made again.
      before: (slot) => this.#removals.under(slot.object.key),
      run: (slot, signal) => this.#run(slot, signal),
      ended: () => this.#quiet.look(),
    });
    const retire = (key: ObjectKey) => this.#retire(key);
    this.#children = new Children({ slots, records, pipelines, gate, log }, {
      put: (object) => this.#put(object),
      retire,
      wake: (slot, trigger) => this.#turns.wake(slot, trigger),
      restored: () => this.#quiet.look(),
    });
    this.#removals = new Removals({ ...tools, pipelines }, {
      has: (key) => slots.has(key),
      childrenOf: (parent) => slots.childrenOf(parent),
      retire,
      // Whatever runs may wake or bring an object that takes something over.
      othersApplied: (signal) => this.#turns.untilNone((slot) => slot.object.key.kind !== "Checkout", signal),
      forget: (key) => records.forget(key),
      ended: () => {
        this.#quiet.noteWork();
        this.#quiet.look();
      },
    });
  }

  get isAlive(): boolean {
    return this.#heartbeat.isAlive;
  }

  get firstPassDone(): boolean {
    if (this.#children.searches > 0) return false;
    for (const slot of this.#slots.unrun()) if (!this.#records.isSuspended(slot)) return false;
    return true;
  }

  /** Makes `objects` the desired state of the documents; objects found in artifacts stay with their parents. */
  update(objects: readonly DesiredObject[], options: UpdateOptions): void {
    const trigger: Trigger = this.#slots.size === 0 ? "start" : "config";
    const changed = objects.filter((object) => this.#put(object));
    if (options.complete) this.#retireAllBut(objects, options.covers ?? (() => true));
    for (const object of changed) this.#wakeKey(object.key, trigger);
    this.#quiet.look();
  }

  reconcile(key: ObjectKey, options: NonNullable<Parameters<EngineControl["reconcile"]>[1]> = {}): boolean {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    if (options.confirmPrune === true) slot.isPruneConfirmed = true;
    const token = options.token ?? timeText(this.#tools.clock.now());
    void this.#records.trySave(slot, { ...this.#records.of(slot), lastHandledReconcileAt: token });
    const source = options.withSource === true ? this.#slots.sourceOf(slot.object) : undefined;
    if (source === undefined) this.#turns.wake(slot, "request");
    else void this.#turns.wakeAfter(source, slot);
    return true;
  }

  async suspend(key: ObjectKey): Promise<boolean> {
    return await this.#setSuspended(key, true);
  }

  async resume(key: ObjectKey): Promise<boolean> {
    return await this.#setSuspended(key, false);
  }

  /** Runs what names a Secret or ConfigMap that changed. */
  wakeReferrers(kind: "Secret" | "ConfigMap", namespace: string, name: string): void {
    for (const key of this.#slots.graph.referrersOf(kind, namespace, name)) this.#wakeKey(key, "reference");
  }

  /** Whether an object names a Secret or ConfigMap. */
  hasReferrers(kind: "Secret" | "ConfigMap", namespace: string, name: string): boolean {
    return this.#slots.graph.referrersOf(kind, namespace, name).length > 0;
  }

  /** Runs an object again before its time: what made it fail is over. */
  retry(key: ObjectKey): void {
    this.#wakeKey(key, "retry");
  }

  /** Resolves when nothing runs, waits or is due at once, and every object has been run. */
  settled(): Promise<void> {
    return this.#quiet.settled();
  }

  /**
   * Ends the loop: nothing new starts; runs have half of `deadlineMs` to finish and are then cut short at the next
   * safe point. State is kept as it is, so that the next start goes on.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#turns.stop();
    this.#heartbeat.stop();
    const reason = new CutShort("The daemon stops");
    this.#children.stop(reason);
    const running: Promise<void>[] = [...this.#removals.done()];
    for (const slot of this.#slots.all()) {
      slot.cancelTimer?.();
      slot.stopWatch?.abort();
      if (slot.phase === "running") running.push(slot.ended);
    }
    const allEnded = Promise.all(running).then(() => {});
    const enough = new AbortController();
    const within = (ms: number) => Promise.race([allEnded, this.#tools.clock.sleep(ms, enough.signal).catch(() => {})]);
    try {
      if (running.length > 0) await within(deadlineMs / 2);
      for (const slot of this.#slots.all()) slot.abort?.abort(reason);
      this.#removals.stop(reason);
      if (running.length > 0) await within(deadlineMs / 2);
    } finally {
      enough.abort();
      this.#quiet.look();
    }
  }

  /** Puts an object in its slot. Returns whether it is new or its document changed. */
  #put(object: DesiredObject): boolean {
    this.#removals.callOff(object.key, new CutShort("The object is back"));
    const { slot, before, isChanged } = this.#slots.put(object);
    const rests = this.#records.isSuspended(slot);
    if (before?.parent !== undefined && object.parent === undefined) {
      this.#children.noteTaken(object.key, before.parent);
    }
    if (before !== undefined && isChanged) this.#noteRemoval(slot);
    if (rests && isChanged) this.#rest(slot);
    if (before === undefined) {
      if (rests) this.#children.restore(slot);
      // As the last start left it: whoever looks sees that it is there.
      else this.#records.show(slot, this.#records.of(slot));
    }
    return isChanged;
  }

  /** Takes out what no document names any more, and what the last start held and nothing brings. */
  #retireAllBut(objects: readonly DesiredObject[], covers: (file: string) => boolean): void {
    const wanted = new Set(objects.map((object) => keyText(object.key)));
    for (const { object: { key, parent } } of this.#slots.all()) {
      if (parent === undefined && !wanted.has(keyText(key))) this.#retire(key);
    }
    const strays = strayRecords(this.#records.all(), {
      isHeld: (key) => this.#slots.has(key),
      recordOf: (key) => this.#records.get(key),
    });
    const isOurs = ({ origin }: StrayRecord) => origin === undefined || covers(origin);
    for (const { record } of strays.filter(isOurs)) this.#retire(record.key);
    this.#left.tell(strays.filter((stray) => !isOurs(stray)));
  }

  /** Takes an object out of the loop and removes, in the background, what it left in the world: its children first. */
  #retire(key: ObjectKey): void {
    const slot = this.#slots.delete(key);
    if (slot !== undefined) {
      const reason = new CutShort("The object is gone");
      halt(slot, reason);
      this.#children.callOff(slot, reason);
    }
    this.#children.wakeRefused(key);
    if (!this.#turns.isStopped) this.#removals.begin(key, slot?.ended);
  }

  /** Keeps what a changed document says of its object's removal: it may go before it has run once more. */
  #noteRemoval(slot: Slot): void {
    const removal = this.#pipelines.get(slot.object.key.kind)?.removalOf?.(slot.object);
    const record = this.#records.get(slot.object.key);
    if (removal === undefined || record?.removal === undefined) return;
    const present = this.#records.of(slot);
    void this.#records.trySave(slot, asResting(slot.object, { ...present, removal }, present));
  }

  /** Ends what a suspended object does, and shows it as such. */
  #rest(slot: Slot): void {
    halt(slot, new CutShort("The object is suspended"));
    const { nextRunAt: _, ...live } = slot.live;
    slot.live = live;
    const present = this.#records.of(slot);
    const record = asResting(slot.object, present, present);
    if (record.observedGeneration >= 0) void this.#records.trySave(slot, record);
    this.#records.show(slot, record);
  }

  async #setSuspended(key: ObjectKey, suspended: boolean): Promise<boolean> {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    try {
      await this.#records.save({ ...this.#records.of(slot), suspended });
    } finally {
      // A disk that refuses it fails the order; until the end of the program it holds all the same.
      if (!suspended) this.#turns.wake(slot, "request");
      else if (this.#records.isSuspended(slot)) this.#rest(slot);
    }
    return true;
  }

  #wakeKey(key: ObjectKey, trigger: Trigger): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.#turns.wake(slot, trigger);
  }

  /** Runs an object, and records how that ended. */
  async #run(slot: Slot, signal: AbortSignal): Promise<void> {
    try {
      const outcome = await this.#runPipeline(slot, signal);
      // Replaced or cut short: that leaves no trace of failure.
      if (outcome.kind === "aborted" || signal.aborted && !this.#slots.holds(slot)) return;
      if (outcome.kind === "success") await this.#succeed(slot, outcome.facts, outcome.result);
      else await this.#fail(slot, outcome.facts, outcome.error);
    } catch (error) {
      this.#tools.log.error("run ended unexpectedly", { object: keyText(slot.object.key), error: messageOf(error) });
      this.#turns.schedule(slot, { kind: "failure", retry: "backoff", failures: 5 });
    }
    this.#hasRun(slot);
  }

  async #runPipeline(slot: Slot, signal: AbortSignal): Promise<RunOutcome> {
    const { clock, evaluate } = this.#tools;
    const records = this.#records;
    const before = records.of(slot);
    // A build that nothing else asks for brings what others held back.
    const buildsAnew = this.#children.mayTakeRefused(slot.object.key, before.refused);
    const { isPruneConfirmed } = slot;
    slot.isPruneConfirmed = false;
    const object = isPruneConfirmed ? withConfirmedPrune(slot.object) : slot.object;
    const outcome = await runObject({ object, trigger: slot.trigger, signal, before, buildsAnew }, {
      clock,
      evaluate,
      pipelines: this.#pipelines,
      find: (key) => records.find(key),
      withOrders: (record) => withOrders(record, records.get(record.key)),
      save: (record) => records.save(record),
      show: (record) => {
        // What it was held up by at first is over.
        if (condition(record.conditions, "Ready")?.status === "Unknown") slot.live = withoutHint(slot.live);
        records.show(slot, record);
      },
      tell: (record, events, warnings) => {
        slot.live = { ...slot.live, warnings };
        records.show(slot, record, { events });
      },
      applied: () => this.#turns.noteApplied(slot),
      // What one gives up another may be about to take over, and a resource that has moved is not deleted.
      othersApplied: () =>
        this.#turns.untilNone(
          (other) => other !== slot && takers.has(other.object.key.kind) && !other.hasApplied,
          signal,
        ),
      offWorker: (work) => this.#turns.offGate(work),
    });
    // What a person asked of a run that was replaced is asked of the next one.
    if (outcome.kind === "aborted") slot.isPruneConfirmed ||= isPruneConfirmed;
    return outcome;
  }

  async #succeed(slot: Slot, facts: RunFacts, result: RunResult): Promise<void> {
    const { before, before: { refused = [] } } = facts;
    const { key } = slot.object;
    const keepsMissing = result.keepMissingChildren === true;
    const family = result.children === undefined
      ? { children: before.children, refused, warnings: this.#children.refusals(refused) }
      : this.#children.adopt({ parent: slot.object, found: result.children, before: before.children, keepsMissing });
    const end = endOfSuccess({ facts, result }, family, this.#records.atEnd(slot));
    const isNews = result.events.length > 0 || result.newArtifact !== undefined || result.children !== undefined;
    if (isNews) this.#quiet.noteWork();
    await this.#record(slot, end, { durationMs: facts.durationMs, againAfterMs: result.againAfterMs });
    this.#watch(slot, result);
    if (this.#children.mayTakeRefused(key, end.record.refused)) this.#turns.wake(slot, "dependency");
    if (keepsMissing) this.#children.restore(slot);
    if (result.newArtifact !== undefined) {
      for (const consumer of this.#slots.graph.consumersOf(key)) this.#wakeKey(consumer, "revision");
    }
    this.#wakeBlocked(key);
  }

  async #fail(slot: Slot, facts: RunFacts, fault: unknown): Promise<void> {
    const { key } = slot.object;
    const error = asStageError(fault, "Unexpected", "Cannot reconcile");
    if (error.reason === "Unexpected") {
      const stack = fault instanceof Error ? fault.stack ?? "" : "";
      this.#tools.log.error("unexpected fault", { object: keyText(key), stack });
    }
    // A source that is at its first run has no artifact yet: its consumers wait, and nobody need be told before it has ended.
    const source = error.reason === "SourceNotReady" ? this.#slots.sourceOf(slot.object) : undefined;
    const wasEarly = slot.isEarly;
    slot.isEarly = source !== undefined && !source.hasRun && source.phase !== "idle";
    const end = endOfFailure({ facts, error, isEarly: slot.isEarly, wasEarly }, this.#records.atEnd(slot));
    if (!end.isBlocked) this.#quiet.noteWork();
    await this.#record(slot, end, { durationMs: facts.durationMs });
    // The same failure again opens no way for others: two that wait for each other would run without end.
    if (end.isNews) this.#wakeBlocked(key);
    this.#children.restore(slot);
  }

  /** Keeps, shows and tells how a run ended, and plans the next one. */
  async #record(
    slot: Slot,
    { record, live, events, ending }: RunEnd,
    run: { readonly durationMs: number; readonly againAfterMs?: number | undefined },
  ): Promise<void> {
    slot.live = live;
    await this.#records.trySave(slot, record);
    this.#turns.schedule(slot, ending, run.againAfterMs);
    this.#records.show(slot, record, { events, durationMs: run.durationMs });
  }

  #hasRun(slot: Slot): void {
    if (!this.#slots.markRun(slot)) return;
    // What was not worth a word while this source had its first run is, now that it brought nothing.
    for (const key of this.#slots.graph.consumersOf(slot.object.key)) {
      const consumer = this.#slots.get(key);
      // Who is on his way already, for the new artifact, need not run twice.
      if (consumer?.isEarly === true && consumer.phase === "idle") this.#turns.wake(consumer, "dependency");
    }
  }

  /** Runs the objects that wait for `key`. */
  #wakeBlocked(key: ObjectKey): void {
    for (const dependent of this.#slots.graph.dependentsOf(key)) {
      const record = this.#records.get(dependent);
      const ready = record === undefined ? undefined : condition(record.conditions, "Ready");
      const slot = this.#slots.get(dependent);
      if (slot?.phase === "running" || ready?.reason === "DependencyNotReady") this.#wakeKey(dependent, "dependency");
    }
  }

  #watch(slot: Slot, { watch }: RunResult): void {
    slot.stopWatch?.abort();
    slot.stopWatch = undefined;
    if (watch === undefined || this.#turns.isStopped || !this.#slots.holds(slot)) return;
    const stop = new AbortController();
    slot.stopWatch = stop;
    this.#records.tell("watch", () => watch((change) => this.#onWatched(slot, change), stop.signal));
  }

  #onWatched(slot: Slot, change: WatchedChange): void {
    if (this.#turns.isStopped || !this.#slots.holds(slot) || this.#records.isSuspended(slot)) return;
    if (change.kind === "drift") {
      this.#turns.wake(slot, "drift");
      return;
    }
    const { status, message } = change.health;
    slot.live = withHealth(slot.live, change.health);
    this.#records.showHealth(slot, status === "Failed" || status === "NotFound", message);
  }
}

/** Ends what a slot does and waits for. */
function halt(slot: Slot, reason: Error): void {
  slot.abort?.abort(reason);
  slot.cancelTimer?.();
  slot.stopWatch?.abort();
}
