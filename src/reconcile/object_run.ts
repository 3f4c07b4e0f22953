import type { Clock } from "../core/clock.ts";
import { timeText } from "../core/clock.ts";
import type { JsonValue } from "../core/json.ts";
import { withModules } from "../core/lazy_module.ts";
import type { Event } from "../core/event.ts";
import type { DesiredObject } from "../core/object.ts";
import { StageError } from "../core/stage_error.ts";
import { type Moment, whileRunning } from "./conditions.ts";
import { checkDependencies } from "./graph.ts";
import type { Pipelines, RecordPatch, Run, RunResult } from "./pipeline.ts";
import type { ObjectRecord } from "./record.ts";
import type { Trigger } from "./trigger.ts";

/** What a run of an object begins with. */
export interface RunStart {
  readonly object: DesiredObject;
  readonly trigger: Trigger;
  readonly signal: AbortSignal;
  /** The record as the object's document makes it. */
  readonly before: ObjectRecord;
  /** Nothing that was built before counts. */
  readonly buildsAnew: boolean;
}

/** What a run asks of the loop. */
export interface RunningLoop extends Pick<Run<unknown>, "find" | "offWorker"> {
  readonly clock: Clock;
  readonly pipelines: Pipelines;
  readonly evaluate: (expression: string, variables: Readonly<Record<string, JsonValue>>) => boolean;
  /** The record with what people ordered meanwhile. */
  withOrders(record: ObjectRecord): ObjectRecord;
  save(record: ObjectRecord): Promise<void>;
  /** Shows what is going on. */
  show(record: ObjectRecord): void;
  /** Shows it with what is to be told however the run ends. */
  tell(record: ObjectRecord, events: readonly Event[], warnings: readonly string[]): void;
  /** What the object wants stands. */
  applied(): void;
  /** Waits until others have applied what they are about to apply. */
  othersApplied(): Promise<void>;
}

/** When a run was, and what it left in the record. */
export interface RunFacts {
  readonly before: ObjectRecord;
  /** With all that was kept in the middle of the run. */
  readonly record: ObjectRecord;
  readonly moment: Moment;
  readonly durationMs: number;
}

/** How a run ended. */
export type RunOutcome =
  | { readonly kind: "success"; readonly facts: RunFacts; readonly result: RunResult }
  | { readonly kind: "failure"; readonly facts: RunFacts; readonly error: unknown }
  /** Replaced by a newer state or cut short: no trace of failure is left. */
  | { readonly kind: "aborted" };

/** Runs an object once: its dependencies must be ready, then its kind's pipeline does what it does. Never fails itself. */
export async function runObject(start: RunStart, loop: RunningLoop): Promise<RunOutcome> {
  const { object, trigger, signal, before } = start;
  const { clock, pipelines, evaluate } = loop;
  const startedMs = clock.monotonic();
  const moment: Moment = { at: timeText(clock.now()), generation: before.generation };
  let record = start.buildsAnew ? withoutInputs(before) : before;
  const run: Run<unknown> = {
    object,
    get record() {
      return record;
    },
    trigger,
    signal,
    find: loop.find,
    checkpoint: async (patch: RecordPatch) => {
      record = loop.withOrders({ ...record, ...patch });
      await loop.save(record);
    },
    progress: (message) => {
      record = { ...record, conditions: whileRunning(record.conditions, moment, message) };
      loop.show(record);
    },
    tell: ({ events, warnings }) => {
      const timestamp = timeText(clock.now());
      loop.tell(record, events.map((event) => ({ ...event, object: object.key, timestamp })), warnings);
    },
    applied: loop.applied,
    othersApplied: loop.othersApplied,
    offWorker: loop.offWorker,
  };
  const factsNow = (): RunFacts => ({
    before,
    record,
    moment,
    durationMs: Math.round(clock.monotonic() - startedMs),
  });
  try {
    await withModules(() => checkDependencies(object, { find: loop.find, evaluate }));
    const pipeline = pipelines.get(object.key.kind);
    if (pipeline === undefined) {
      throw new StageError("NotBuiltYet", `Cannot reconcile kind "${object.key.kind}": not built yet`);
    }
    const result = await pipeline.run(run);
    return { kind: "success", facts: factsNow(), result };
  } catch (error) {
    return signal.aborted ? { kind: "aborted" } : { kind: "failure", facts: factsNow(), error };
  }
}

/** A record as if nothing had been built of it yet. */
function withoutInputs({ inputs: _, ...record }: ObjectRecord): ObjectRecord {
  return record;
}
