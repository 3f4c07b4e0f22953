import { deepEqual, equal, ok } from "node:assert/strict";
import { condition } from "../../src/core/condition.ts";
import { silentLog } from "../../src/core/log.ts";
import type { DesiredObject, ObjectKey } from "../../src/core/object.ts";
import { keyText } from "../../src/core/object.ts";
import { StageError } from "../../src/core/stage_error.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import type { WatchedChange } from "../../src/core/target.ts";
import { Engine } from "../../src/reconcile/engine.ts";
import type { Pipeline, Run, RunResult } from "../../src/reconcile/pipeline.ts";
import { newRecord, type ObjectRecord } from "../../src/reconcile/record.ts";
import { FakeClock } from "../support/fake_clock.ts";

const fine: RunResult = { record: {}, reason: "Succeeded", message: "fine", events: [], warnings: [] };

function keyOf(kind: string, name: string): ObjectKey {
  return { kind, namespace: "default", name };
}

function objectOf(kind: string, name: string, spec: Record<string, unknown> = {}): DesiredObject {
  return {
    key: keyOf(kind, name),
    apiVersion: "test/v1",
    labels: {},
    annotations: {},
    spec: { intervalMs: 60_000, suspend: false, ...spec },
    generation: 1,
    document: { spec: spec as never },
  };
}

/** An engine whose runs and removals last until they are let go by name. */
function makeEngine(options: {
  run?: (run: Run<unknown>) => Promise<RunResult> | RunResult;
  remove?: (record: ObjectRecord) => Promise<void>;
  records?: readonly ObjectRecord[];
  onRecord?: (status: ObjectStatus) => void;
  onQuiet?: () => void;
}) {
  const clock = new FakeClock();
  const records = new Map((options.records ?? []).map((record) => [keyText(record.key), record]));
  const log: string[] = [];
  const statuses = new Map<string, ObjectStatus>();
  const pipelineOf = (kind: string): Pipeline<unknown> => ({
    kind,
    run: async (run) => {
      log.push(`run ${run.object.key.name} ${run.trigger}`);
      const result = await (options.run?.(run) ?? fine);
      log.push(`ran ${run.object.key.name}`);
      return result;
    },
    remove: async (record) => {
      log.push(`remove ${record.key.name}`);
      await options.remove?.(record);
      log.push(`removed ${record.key.name}`);
    },
  });
  const engine = new Engine({
    clock,
    random: { next: () => 0.5, bytes: (length) => new Uint8Array(length) },
    log: silentLog,
    reporter: {
      record: ({ status }) => {
        statuses.set(keyText(status.key), status);
        options.onRecord?.(status);
      },
      forget: (key) => void statuses.delete(keyText(key)),
    },
    checkpoints: {
      get: (key) => records.get(keyText(key)),
      all: () => records.values(),
      save: (record) => Promise.resolve(void records.set(keyText(record.key), record)),
      forget: (key) => Promise.resolve(void records.delete(keyText(key))),
    },
    pipelines: ["Source", "App"].map(pipelineOf),
    concurrency: 4,
    evaluate: () => true,
    ...(options.onQuiet === undefined ? {} : { onQuiet: options.onQuiet }),
  });
  const statusOf = (kind: string, name: string) => statuses.get(keyText(keyOf(kind, name)));
  return { engine, clock, records, log, statuses, statusOf };
}

const complete = { complete: true };

Deno.test("reconcile() with its source runs the source first, and the object once with what it brought", async () => {
  let revision = "v1";
  const { engine, clock, log, statusOf } = makeEngine({
    run: async (run) => {
      if (run.object.key.kind === "App") {
        const found = run.find(keyOf("Source", "src"))?.record?.artifact?.revision;
        return { ...fine, record: found === undefined ? {} : { lastAppliedRevision: found } };
      }
      await clock.sleep(1_000);
      const artifact = { revision } as never;
      const isNew = run.record.artifact?.revision !== revision;
      return { ...fine, record: { artifact }, ...(isNew ? { newArtifact: artifact } : {}) };
    },
  });
  const app = objectOf("App", "app", { sourceRef: keyOf("Source", "src"), intervalMs: 3_600_000 });
  engine.update([objectOf("Source", "src", { intervalMs: 3_600_000 }), app], complete);
  await clock.advance(5_000);

  log.length = 0;
  revision = "v2";
  engine.reconcile(app.key, { withSource: true, token: "one" });
  await clock.advance(500);
  deepEqual(log, ["run src request"]);
  await clock.advance(5_000);
  deepEqual(log, ["run src request", "ran src", "run app revision", "ran app"]);
  equal(statusOf("App", "app")?.lastAppliedRevision, "v2");
  equal(statusOf("App", "app")?.lastHandledReconcileAt, "one");
  equal(statusOf("App", "app")?.isSettled, true);

  log.length = 0;
  engine.reconcile(app.key, { withSource: true, token: "two" });
  await clock.advance(5_000);
  deepEqual(log, ["run src request", "ran src", "run app request", "ran app"]);
  equal(statusOf("App", "app")?.lastHandledReconcileAt, "two");
  equal(statusOf("App", "app")?.isSettled, true);
  await engine.stop(0);
});

Deno.test("a person's order is not lost when a newer revision replaces its run", async () => {
  const { engine, clock, log } = makeEngine({
    run: async (run) => {
      await clock.sleep(1_000, run.signal);
      return fine;
    },
  });
  const app = objectOf("App", "app");
  engine.update([app], complete);
  await clock.advance(2_000);

  log.length = 0;
  engine.reconcile(app.key);
  await clock.advance(100);
  engine.update([{ ...app, document: { ...app.document, metadata: { labels: { a: "b" } } } }], complete);
  await clock.advance(2_000);

  deepEqual(log, ["run app request", "run app request", "ran app"]);
  await engine.stop(0);
});

Deno.test("an object that comes back waits until its removal has ended", async () => {
  const removal = Promise.withResolvers<void>();
  let revision: string | undefined = "v1";
  const { engine, clock, log, records } = makeEngine({
    remove: () => removal.promise,
    run: () => ({ ...fine, record: revision === undefined ? {} : { lastAppliedRevision: revision } }),
  });
  const app = objectOf("App", "app");
  engine.update([app], complete);
  await clock.advance(0);

  revision = undefined;
  engine.update([], complete);
  await clock.advance(0);
  engine.update([app], complete);
  await clock.advance(1_000);
  deepEqual(log.slice(2), ["remove app"]);
  removal.resolve();
  await clock.advance(0);

  deepEqual(log.slice(2), ["remove app", "removed app", "run app start", "ran app"]);
  equal(records.get("App/default/app")?.lastAppliedRevision, undefined, "what was removed whole is not remembered");
  await engine.stop(0);
});

Deno.test("an object that comes back for a moment only is removed in the end", async () => {
  let removal = Promise.withResolvers<void>();
  const { engine, clock, records, statuses } = makeEngine({ remove: () => removal.promise });
  const app = objectOf("App", "app");
  engine.update([app], complete);
  await clock.advance(0);

  engine.update([], complete);
  await clock.advance(0);
  engine.update([app], complete);
  engine.update([], complete);
  const first = removal;
  removal = Promise.withResolvers();
  removal.resolve();
  first.resolve();
  await engine.settled();

  equal(records.size, 0);
  equal(statuses.size, 0);
  await engine.stop(0);
});

Deno.test("children of an object that comes back before its run has ended stay", async () => {
  const { engine, clock, log } = makeEngine({
    run: async (run) => {
      if (run.object.key.name !== "parent") return fine;
      await clock.sleep(1_000);
      return { ...fine, children: [objectOf("App", "child")] };
    },
  });
  const parent = objectOf("App", "parent");
  engine.update([parent], complete);
  await clock.advance(1_500);
  engine.reconcile(parent.key);
  await clock.advance(100);

  engine.update([], complete);
  engine.update([parent], complete);
  await clock.advance(5_000);

  ok(!log.some((line) => line.startsWith("remove")), log.join("\n"));
  await engine.stop(0);
});

Deno.test("grandchildren outlive a start: their parent is found only when its own parent runs", async () => {
  const record = (name: string, parent: string | undefined, children: string[]): ObjectRecord => ({
    ...newRecord(objectOf("App", name)),
    ...(parent === undefined ? {} : { parent: keyOf("App", parent) }),
    children: children.map((child) => keyOf("App", child)),
  });
  const { engine, clock, log } = makeEngine({
    records: [
      record("top", undefined, ["middle"]),
      record("middle", "top", ["leaf"]),
      record("leaf", "middle", []),
      record("gone", "nobody", []),
    ],
    run: ({ object: { key } }) => ({
      ...fine,
      children: key.name === "top"
        ? [objectOf("App", "middle")]
        : key.name === "middle"
        ? [objectOf("App", "leaf")]
        : [],
    }),
  });

  engine.update([objectOf("App", "top")], complete);
  await engine.settled();
  await clock.advance(0);

  deepEqual(log.filter((line) => line.startsWith("removed")), ["removed gone"]);
  ok(log.includes("ran leaf"));
  await engine.stop(0);
});

Deno.test("an object that moves from an artifact to the documents is not removed by its former parent", async () => {
  const { engine, log, records } = makeEngine({
    run: ({ object: { key } }) => key.name === "parent" ? { ...fine, children: [objectOf("App", "child")] } : fine,
  });
  const parent = objectOf("App", "parent");
  engine.update([parent], complete);
  await engine.settled();

  engine.update([parent, objectOf("App", "child")], complete);
  engine.reconcile(parent.key);
  await engine.settled();

  ok(!log.some((line) => line.startsWith("remove")), log.join("\n"));
  equal(records.get("App/default/child")?.parent, undefined);
  await engine.stop(0);
});

Deno.test("two that wait for each other come to rest", async () => {
  const { engine, clock, log, statusOf } = makeEngine({});
  const waitsFor = (name: string) => ({ dependsOn: [keyOf("App", name)] });

  engine.update([objectOf("App", "one", waitsFor("two")), objectOf("App", "two", waitsFor("one"))], complete);
  await engine.settled();
  await clock.advance(1_000);

  deepEqual(log, []);
  equal(condition(statusOf("App", "one")?.conditions ?? [], "Ready")?.reason, "DependencyNotReady");
  await engine.stop(0);
});

Deno.test("a status says when the next run is due, after success, after failure, and not while it rests", async () => {
  let isBroken = false;
  const { engine, clock, statusOf } = makeEngine({
    run: () => {
      if (isBroken) throw new StageError("ReconciliationFailed", "it broke");
      return fine;
    },
  });
  const app = objectOf("App", "app");
  engine.update([app], complete);
  await engine.settled();
  equal(statusOf("App", "app")?.nextRunAt, "2026-01-01T00:01:00Z");

  isBroken = true;
  await clock.advance(60_000);
  equal(statusOf("App", "app")?.nextRunAt, "2026-01-01T00:01:00Z");
  await clock.advance(100);
  await engine.suspend(app.key);
  equal(statusOf("App", "app")?.nextRunAt, undefined);
  await engine.stop(0);
});

Deno.test("an object suspended during a run that cannot be cut short leaves its resources when it is removed", async () => {
  const { engine, clock, records } = makeEngine({
    run: async () => {
      await clock.sleep(1_000);
      return { ...fine, record: { removal: { prune: true, wait: false } } };
    },
  });
  const app = objectOf("App", "app");
  engine.update([app], complete);
  await clock.advance(100);
  await engine.suspend(app.key);
  await clock.advance(2_000);

  deepEqual(records.get("App/default/app")?.removal, { prune: false, wait: false });
  await engine.resume(app.key);
  await clock.advance(2_000);
  deepEqual(records.get("App/default/app")?.removal, { prune: true, wait: false });
  await engine.stop(0);
});

Deno.test("what a watch sees after a run keeps the outcome settled, and nothing once the object is gone", async () => {
  let call: (change: WatchedChange) => void = () => {};
  const { engine, statusOf, statuses } = makeEngine({
    run: () => ({ ...fine, watch: (onChange) => void (call = onChange) }),
  });
  const ref = { group: "", version: "v1", kind: "Pod", namespace: "default", name: "p" };
  const change: WatchedChange = { kind: "health", health: { ref, status: "Failed", message: "it crashed" } };
  engine.update([objectOf("App", "app")], complete);
  await engine.settled();

  call(change);
  equal(statusOf("App", "app")?.isSettled, true);
  equal(statusOf("App", "app")?.health?.[0]?.message, "it crashed");
  engine.update([], complete);
  await engine.settled();
  call(change);
  equal(statuses.size, 0);
  await engine.stop(0);
});

Deno.test("listeners that throw stop nothing", async () => {
  const { engine, clock, log, records } = makeEngine({
    run: () => ({
      ...fine,
      watch: () => {
        throw new Error("no watch");
      },
    }),
    onRecord: () => {
      throw new Error("no report");
    },
    onQuiet: () => {
      throw new Error("no rest");
    },
  });
  engine.update([objectOf("App", "app"), objectOf("App", "resting", { suspend: true })], complete);
  await engine.settled();
  await clock.advance(61_000);

  deepEqual(log, ["run app start", "ran app", "run app interval", "ran app"]);
  equal(condition(records.get("App/default/app")?.conditions ?? [], "Ready")?.status, "True");
  await engine.stop(0);
});

Deno.test("onQuiet is called after work, not after a run that found nothing to do, and not while it stops", async () => {
  let quiet = 0;
  let hasNews = false;
  const { engine, clock } = makeEngine({
    run: () => ({
      ...fine,
      events: hasNews ? [{ severity: "info", reason: "Succeeded", message: "new", metadata: {} }] : [],
    }),
    onQuiet: () => void quiet++,
  });
  engine.update([objectOf("App", "app")], complete);
  await engine.settled();
  equal(quiet, 1);
  await clock.advance(61_000);
  equal(quiet, 1);
  hasNews = true;
  await clock.advance(61_000);
  equal(quiet, 2);
  engine.reconcile(keyOf("App", "app"));
  await engine.stop(0);
  await clock.advance(61_000);
  equal(quiet, 2);
  equal(clock.pending, 0);
});

Deno.test("an object is shown before its first run, as the last start left it", async () => {
  const started = Promise.withResolvers<void>();
  const { engine, statusOf } = makeEngine({
    run: async () => {
      await started.promise;
      return fine;
    },
    records: [{ ...newRecord(objectOf("App", "app")), lastAppliedRevision: "v1" }],
  });

  engine.update([objectOf("App", "app")], complete);
  equal(statusOf("App", "app")?.lastAppliedRevision, "v1");
  equal(statusOf("App", "app")?.isSettled, false);
  started.resolve();
  await engine.settled();
  equal(statusOf("App", "app")?.isSettled, true);
  await engine.stop(0);
});
