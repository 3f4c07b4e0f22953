import { timeText } from "../core/clock.ts";
import { condition } from "../core/condition.ts";
import type { Event } from "../core/event.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { reasons, toldReason } from "../core/reason.ts";
import { messageOf, StageError } from "../core/stage_error.ts";
import { afterFailure, afterSuccess, whileRunning } from "./conditions.ts";
import type { RunFacts } from "./object_run.ts";
import type { RunResult } from "./pipeline.ts";
import { asResting, withOrders } from "./present_record.ts";
import { addHistory, type LiveState, type ObjectRecord } from "./record.ts";
import type { Ending } from "./schedule.ts";

/** What the loop knows of an object when its run ends. */
export interface EndingObject {
  readonly object: DesiredObject;
  /** The record as it is kept: with what people ordered while the run went on. */
  readonly kept: ObjectRecord | undefined;
  /** The same as the present document makes it. */
  readonly present: ObjectRecord;
  readonly live: LiveState;
  /** Wall time in milliseconds. */
  readonly nowMs: number;
}

/** What is kept, shown and told of a run. */
export interface RunEnd {
  readonly record: ObjectRecord;
  readonly live: LiveState;
  readonly events: readonly Event[];
  readonly ending: Ending;
}

/** The end of a run that succeeded. Pure. */
export function endOfSuccess(
  run: { readonly facts: RunFacts; readonly result: RunResult },
  family: Pick<ObjectRecord, "children" | "refused"> & { readonly warnings: readonly string[] },
  { object, kept, present, nowMs }: EndingObject,
): RunEnd {
  const { facts: { before, moment, durationMs, ...facts }, result } = run;
  const revision = result.record.lastAppliedRevision;
  const timestamp = timeText(nowMs);
  // What is so by now has not been so since the run began.
  const ended = { ...moment, at: timestamp };
  const record: ObjectRecord = {
    ...withRefused(withOrders(facts.record, kept), family.refused),
    ...result.record,
    observedGeneration: before.generation,
    children: family.children,
    failures: 0,
    conditions: afterSuccess(facts.record.conditions, ended, {
      reason: result.reason,
      message: result.message,
      extra: result.conditions ?? [],
    }),
    history: revision === undefined ? before.history : addHistory(before.history, {
      digest: result.record.inputs ?? "",
      status: result.reason,
      revision,
      at: timestamp,
      durationMs,
    }),
  };
  return {
    record: asResting(object, record, present),
    live: {
      warnings: [...result.warnings, ...family.warnings],
      ...(result.health === undefined ? {} : { health: result.health }),
      ...(result.target === undefined ? {} : { target: result.target }),
    },
    events: result.events.map((event) => ({ ...event, object: object.key, timestamp })),
    ending: { kind: "success" },
  };
}

/** A run that failed, and what it is to people. */
export interface FailedRun {
  readonly facts: RunFacts;
  readonly error: StageError;
  /** It only waits for a source that is at its first run: that is no news yet. */
  readonly isEarly: boolean;
  /** The one before was so too, and nobody was told. */
  readonly wasEarly: boolean;
}

/** What is kept, shown and told of a run that failed. */
export interface FailureEnd extends RunEnd {
  /** It waits for another object, and nothing is wrong with it itself. */
  readonly isBlocked: boolean;
  /** It was not told before. */
  readonly isNews: boolean;
}

/** The end of a run that failed. Pure. */
export function endOfFailure(
  { facts, error, isEarly, wasEarly }: FailedRun,
  { object, kept, present, live: { nextRunAt: _, ...live }, nowMs }: EndingObject,
): FailureEnd {
  const { before, moment } = facts;
  const { kind } = object.key;
  const { hint, cause, exhausted, retryAfterMs } = error;
  const message = messageOf(error);
  const shown = new StageError(error.reason, message, {
    hint,
    cause,
    ...(exhausted === undefined ? {} : { exhausted }),
  });
  const { retry } = reasons[exhausted === undefined ? error.reason : "RetriesExceeded"];
  const reason = toldReason(error.reason, kind);
  const isBlocked = retry === "after-dependency";
  const failures = isBlocked ? before.failures : before.failures + 1;
  const record: ObjectRecord = {
    ...withOrders(facts.record, kept),
    observedGeneration: retry === "on-change" ? before.generation : before.observedGeneration,
    failures,
    conditions: isEarly
      ? whileRunning(facts.record.conditions, moment, message)
      : afterFailure(facts.record.conditions, { ...moment, at: timeText(nowMs) }, { error: shown, kind }),
  };
  const ready = condition(before.conditions, "Ready");
  const isNews = !isEarly && (wasEarly || ready?.reason !== reason || ready.message !== message);
  const event: Event = {
    object: object.key,
    timestamp: timeText(nowMs),
    severity: isBlocked ? "info" : "error",
    reason,
    message,
    metadata: record.lastAttemptedRevision === undefined ? {} : { revision: record.lastAttemptedRevision },
  };
  return {
    record: asResting(object, record, present),
    live: { ...live, hint },
    events: isNews ? [event] : [],
    ending: {
      kind: "failure",
      retry,
      failures: Math.max(1, failures),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
    isBlocked,
    isNews,
  };
}

/** A record with the objects that were left out of its artifact. */
function withRefused({ refused: _, ...record }: ObjectRecord, refused: readonly ObjectKey[] = []): ObjectRecord {
  return refused.length === 0 ? record : { ...record, refused };
}
