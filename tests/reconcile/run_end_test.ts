import { deepEqual, equal } from "node:assert/strict";
import { condition } from "../../src/core/condition.ts";
import type { DesiredObject } from "../../src/core/object.ts";
import { StageError } from "../../src/core/stage_error.ts";
import type { RunFacts } from "../../src/reconcile/object_run.ts";
import { newRecord, type ObjectRecord } from "../../src/reconcile/record.ts";
import { type EndingObject, endOfFailure, endOfSuccess } from "../../src/reconcile/run_end.ts";

const object: DesiredObject = {
  key: { kind: "Kustomization", namespace: "default", name: "app" },
  apiVersion: "test/v1",
  labels: {},
  annotations: {},
  spec: {},
  generation: 1,
  document: {},
};
const moment = { at: "2026-01-01T00:00:00Z", generation: 1 };
const known: ObjectRecord = { ...newRecord(object), specDigest: "one" };

function ending(record: ObjectRecord = known): EndingObject {
  return { object, kept: record, present: record, live: { warnings: [], nextRunAt: "soon" }, nowMs: 0 };
}

function fail(error: StageError, before: ObjectRecord = known, early: { isEarly?: boolean; wasEarly?: boolean } = {}) {
  const facts: RunFacts = { before, record: before, moment, durationMs: 5 };
  return endOfFailure({ facts, error, isEarly: false, wasEarly: false, ...early }, ending(before));
}

Deno.test("endOfFailure() tells a failure once, and again when it is another one", () => {
  const first = fail(new StageError("BuildFailed", "it broke"));
  deepEqual(first.events.map(({ severity, reason, message }) => [severity, reason, message]), [
    ["error", "BuildFailed", "it broke"],
  ]);
  const again = fail(new StageError("BuildFailed", "it broke"), first.record);
  deepEqual([again.events, again.isNews, again.record.failures], [[], false, 2]);
  equal(fail(new StageError("BuildFailed", "it broke elsewhere"), again.record).isNews, true);
});

Deno.test("endOfFailure() counts no failure of what only waits for another object", () => {
  const end = fail(new StageError("DependencyNotReady", "base is not ready"), { ...known, failures: 2 });
  deepEqual([end.isBlocked, end.record.failures, end.events[0]?.severity], [true, 2, "info"]);
  deepEqual(end.ending, { kind: "failure", retry: "after-dependency", failures: 2 });
});

Deno.test("endOfFailure() says nothing of a source that is at its first run, and says it later", () => {
  const error = new StageError("SourceNotReady", "no artifact yet");
  const early = fail(error, known, { isEarly: true });
  deepEqual([early.events, condition(early.record.conditions, "Ready")?.status], [[], "Unknown"]);
  const late = fail(error, early.record, { wasEarly: true });
  deepEqual([late.events.length, condition(late.record.conditions, "Ready")?.status], [1, "False"]);
});

Deno.test("endOfFailure() stalls what only a change can mend, and what has been tried often enough", () => {
  const wrong = fail(new StageError("URLInvalid", "bad url"));
  deepEqual([wrong.record.observedGeneration, wrong.ending.kind === "failure" && wrong.ending.retry], [1, "on-change"]);
  const often = fail(new StageError("InstallFailed", "no", { exhausted: "Failed to install after 3 attempt(s)" }));
  equal(condition(often.record.conditions, "Stalled")?.reason, "RetriesExceeded");
  equal(often.live.nextRunAt, undefined);
});

Deno.test("endOfSuccess() keeps what people ordered meanwhile, and what is left out of the artifact", () => {
  const facts: RunFacts = { before: known, record: { ...known, failures: 3 }, moment, durationMs: 5 };
  const result = { record: {}, reason: "Succeeded" as const, message: "fine", events: [], warnings: ["old form"] };
  const refused = [{ kind: "App", namespace: "default", name: "taken" }];
  const ordered = { ...known, suspended: true, lastHandledReconcileAt: "now", removal: { prune: true, wait: false } };
  const { record, live } = endOfSuccess(
    { facts, result },
    { children: [], refused, warnings: ["Left out"] },
    ending(ordered),
  );

  deepEqual([record.suspended, record.lastHandledReconcileAt, record.failures], [true, "now", 0]);
  deepEqual(record.removal, { prune: false, wait: false }, "who rests leaves what he made");
  deepEqual(record.refused, refused);
  deepEqual(live.warnings, ["old form", "Left out"]);
  const { record: after } = endOfSuccess(
    { facts, result },
    { children: [], refused: [], warnings: [] },
    ending(record),
  );
  equal(after.refused, undefined);
});
