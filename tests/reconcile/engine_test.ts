import { deepEqual, equal, match, ok } from "node:assert/strict";
import { condition } from "../../src/core/condition.ts";
import type { Event } from "../../src/core/event.ts";
import { silentLog } from "../../src/core/log.ts";
import type { DesiredObject, ObjectKey } from "../../src/core/object.ts";
import { keyText } from "../../src/core/object.ts";
import { StageError } from "../../src/core/stage_error.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import type { Checkpoints } from "../../src/reconcile/checkpoint.ts";
import { Engine } from "../../src/reconcile/engine.ts";
import type { Pipeline, Run, RunResult } from "../../src/reconcile/pipeline.ts";
import type { ObjectRecord } from "../../src/reconcile/record.ts";
import { FakeClock } from "../support/fake_clock.ts";

type Behaviour = (run: Run<unknown>) => Promise<RunResult> | RunResult;

const fine: RunResult = { record: {}, reason: "Succeeded", message: "fine", events: [], warnings: [] };

function objectOf(kind: string, name: string, spec: Record<string, unknown> = {}, parent?: ObjectKey): DesiredObject {
  const full = { intervalMs: 60_000, suspend: false, ...spec };
  return {
    key: { kind, namespace: "default", name },
    apiVersion: "test/v1",
    labels: {},
    annotations: {},
    spec: full,
    generation: 1,
    document: { apiVersion: "test/v1", kind, metadata: { name, namespace: "default" }, spec: full as never },
    ...(parent === undefined ? {} : { parent }),
  };
}

/** An engine over pipelines made of functions, with everything that it told. */
function makeEngine(
  behaviours: Record<string, Behaviour>,
  options: { records?: ObjectRecord[]; concurrency?: number; refuses?: () => boolean } = {},
) {
  const clock = new FakeClock();
  const records = new Map((options.records ?? []).map((record) => [keyText(record.key), record]));
  const checkpoints: Checkpoints = {
    get: (key) => records.get(keyText(key)),
    all: () => records.values(),
    save: async (record) => {
      records.set(keyText(record.key), record);
      if (options.refuses?.() === true) throw new StageError("StorageOperationFailed", "the disk is full");
    },
    forget: (key) => Promise.resolve(void records.delete(keyText(key))),
  };
  const runs: string[] = [];
  const removed: string[] = [];
  const events: Event[] = [];
  const statuses = new Map<string, ObjectStatus>();
  const pipelines = Object.entries(behaviours).map(([kind, behaviour]): Pipeline<unknown> => ({
    kind,
    run: async (run) => {
      runs.push(`${run.object.key.name}:${run.trigger}`);
      return await behaviour(run);
    },
    remove: (record) => Promise.resolve(void removed.push(record.key.name)),
  }));
  const engine = new Engine({
    clock,
    random: { next: () => 0.5, bytes: (length) => new Uint8Array(length) },
    log: silentLog,
    reporter: {
      record: (change) => {
        statuses.set(keyText(change.status.key), change.status);
        events.push(...change.events);
      },
      forget: (key) => void statuses.delete(keyText(key)),
    },
    checkpoints,
    pipelines,
    concurrency: options.concurrency ?? 4,
    evaluate: () => true,
  });
  const ready = (kind: string, name: string) =>
    condition(statuses.get(`${kind}/default/${name}`)?.conditions ?? [], "Ready");
  return { engine, clock, records, runs, removed, events, statuses, ready };
}

Deno.test("update() runs each object once, then again at its interval", async () => {
  const { engine, clock, runs, ready } = makeEngine({ A: () => fine });

  engine.update([objectOf("A", "one")], { complete: true });
  await engine.settled();
  await clock.advance(59_000);
  const before = [...runs];
  await clock.advance(2_000);

  deepEqual(before, ["one:start"]);
  deepEqual(runs, ["one:start", "one:interval"]);
  equal(ready("A", "one")?.status, "True");
  await engine.stop(0);
});

Deno.test("a new artifact runs its consumers at once", async () => {
  let revision = "v1@sha256:1";
  const { engine, clock, runs, records } = makeEngine({
    Source: (run) => {
      const artifact = { revision } as never;
      const isNew = run.record.artifact?.revision !== revision;
      return { ...fine, record: { artifact }, ...(isNew ? { newArtifact: artifact } : {}) };
    },
    Consumer: (run) => {
      const artifact = run.find({ kind: "Source", namespace: "default", name: "src" })?.record?.artifact;
      if (artifact === undefined) throw new StageError("SourceNotReady", "no artifact yet");
      return { ...fine, record: { lastAppliedRevision: artifact.revision } };
    },
  });
  const consumer = objectOf("Consumer", "app", {
    sourceRef: { kind: "Source", namespace: "default", name: "src" },
    intervalMs: 3_600_000,
  });

  engine.update([consumer, objectOf("Source", "src")], { complete: true });
  await engine.settled();
  revision = "v1@sha256:2";
  await clock.advance(61_000);

  equal(records.get(keyText(consumer.key))?.lastAppliedRevision, "v1@sha256:2");
  equal(runs.filter((run) => run === "app:revision").length, 2);
  await engine.stop(0);
});

Deno.test("dependsOn holds an object back and wakes it when its dependency becomes ready", async () => {
  let isBroken = true;
  const { engine, clock, runs, ready } = makeEngine({
    A: (run) => {
      if (run.object.key.name === "base" && isBroken) throw new StageError("BuildFailed", "broken");
      return fine;
    },
  });
  const top = objectOf("A", "top", { dependsOn: [{ kind: "A", namespace: "default", name: "base" }] });

  engine.update([top, objectOf("A", "base")], { complete: true });
  await engine.settled();
  const held = ready("A", "top");
  isBroken = false;
  engine.reconcile({ kind: "A", namespace: "default", name: "base" });
  await engine.settled();

  equal(held?.reason, "DependencyNotReady");
  equal(held?.message, "dependency 'default/base' is not ready");
  equal(ready("A", "top")?.status, "True");
  deepEqual(runs, ["base:start", "base:request", "top:dependency"]);
  await clock.advance(0);
  await engine.stop(0);
});

Deno.test("failures of class backoff are tried again with growing pauses", async () => {
  const { engine, clock, runs, events } = makeEngine({
    A: () => {
      throw new StageError("OCIArtifactPullFailed", "registry answered 503");
    },
  });

  engine.update([objectOf("A", "one")], { complete: true });
  await engine.settled();
  await clock.advance(760);
  const second = runs.length;
  await clock.advance(1_400);
  const third = runs.length;
  await clock.advance(100);

  deepEqual([second, third, runs.length], [2, 2, 3]);
  equal(events.length, 1, "the same failure is told once");
  await engine.stop(0);
});

Deno.test("a failure that only a change can mend stalls the object", async () => {
  const { engine, clock, runs, statuses, records } = makeEngine({
    A: () => {
      throw new StageError("URLInvalid", "bad url");
    },
  });

  engine.update([objectOf("A", "one")], { complete: true });
  await engine.settled();
  await clock.advance(3_600_000);
  engine.update([objectOf("A", "one", { url: "oci://good" })], { complete: true });
  await engine.settled();

  deepEqual(runs, ["one:start", "one:config"]);
  equal(condition(statuses.get("A/default/one")?.conditions ?? [], "Stalled")?.reason, "URLInvalid");
  equal(records.get("A/default/one")?.generation, 2);
  await engine.stop(0);
});

Deno.test("a newer document replaces an unfinished run without a failure", async () => {
  const versions: unknown[] = [];
  const { engine, events } = makeEngine({
    A: async (run) => {
      const { version } = run.object.spec as { version: number };
      versions.push(version);
      if (version === 1) {
        await new Promise((_, reject) => run.signal.addEventListener("abort", () => reject(run.signal.reason)));
      }
      return fine;
    },
  });

  engine.update([objectOf("A", "one", { version: 1 })], { complete: true });
  await Promise.resolve();
  await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
  engine.update([objectOf("A", "one", { version: 2 })], { complete: true });
  await engine.settled();

  deepEqual(versions, [1, 2]);
  deepEqual(events, []);
  await engine.stop(0);
});

Deno.test("an object runs at most once at a time and the gate bounds how many run together", async () => {
  let together = 0;
  let most = 0;
  const { engine } = makeEngine({
    A: async () => {
      most = Math.max(most, ++together);
      await Promise.resolve();
      await Promise.resolve();
      together--;
      return fine;
    },
  }, { concurrency: 3 });

  engine.update(Array.from({ length: 20 }, (_, index) => objectOf("A", `o${index}`)), { complete: true });
  await engine.settled();

  equal(most, 3);
  await engine.stop(0);
});

Deno.test("waiting off the worker lets others run", async () => {
  const release = Promise.withResolvers<void>();
  const { engine, ready } = makeEngine({
    Slow: async (run) => {
      await run.offWorker(() => release.promise);
      return fine;
    },
    Quick: () => {
      release.resolve();
      return fine;
    },
  }, { concurrency: 1 });

  engine.update([objectOf("Slow", "slow"), objectOf("Quick", "quick")], { complete: true });
  await engine.settled();

  equal(ready("Slow", "slow")?.status, "True");
  await engine.stop(0);
});

Deno.test("suspend() rests an object over document reloads, resume() runs it", async () => {
  const { engine, clock, runs, statuses } = makeEngine({ A: () => fine });
  const object = objectOf("A", "one");

  engine.update([object], { complete: true });
  await engine.settled();
  await engine.suspend(object.key);
  await clock.advance(600_000);
  engine.update([object], { complete: true });
  const resting = statuses.get("A/default/one")?.isSuspended;
  await engine.resume(object.key);
  await engine.settled();

  equal(resting, true);
  deepEqual(runs, ["one:start", "one:request"]);
  await engine.stop(0);
});

Deno.test("an object that left the documents is removed, unless a document could not be read", async () => {
  const { engine, removed, records } = makeEngine({ A: () => fine });

  engine.update([objectOf("A", "one"), objectOf("A", "two")], { complete: true });
  await engine.settled();
  engine.update([objectOf("A", "one")], { complete: false });
  await engine.settled();
  const afterBroken = [...removed];
  engine.update([objectOf("A", "one")], { complete: true });
  await engine.settled();

  deepEqual(afterBroken, []);
  deepEqual(removed, ["two"]);
  deepEqual([...records.keys()], ["A/default/one"]);
  await engine.stop(0);
});

Deno.test("objects found in an artifact run, and go with their parent, children first", async () => {
  const parent = objectOf("Parent", "root");
  const { engine, runs, removed } = makeEngine({
    Parent: (run) => ({ ...fine, children: [objectOf("A", "child", {}, run.object.key)] }),
    A: () => fine,
  });

  engine.update([parent], { complete: true });
  await engine.settled();
  engine.update([], { complete: true });
  await engine.settled();

  deepEqual(runs, ["root:start", "child:config"]);
  deepEqual(removed, ["child", "root"]);
  await engine.stop(0);
});

Deno.test("an object of an artifact never replaces one of the documents", async () => {
  const { engine, statuses, runs } = makeEngine({
    Parent: (run) => ({ ...fine, children: [objectOf("A", "taken", { from: "artifact" }, run.object.key)] }),
    A: () => fine,
  });

  engine.update([objectOf("Parent", "root"), objectOf("A", "taken")], { complete: true });
  await engine.settled();

  deepEqual(runs, ["root:start", "taken:start"]);
  match(statuses.get("Parent/default/root")?.warnings[0] ?? "", /Left out "A\/default\/taken"/);
  await engine.stop(0);
});

Deno.test("an unexpected fault is a failure of that object only", async () => {
  const { engine, ready } = makeEngine({
    A: () => {
      throw new TypeError("oops");
    },
    B: () => fine,
  });

  engine.update([objectOf("A", "one"), objectOf("B", "two")], { complete: true });
  await engine.settled();

  equal(ready("A", "one")?.reason, "Unexpected");
  match(ready("A", "one")?.message ?? "", /oops/);
  equal(ready("B", "two")?.status, "True");
  await engine.stop(0);
});

Deno.test("stop() lets a run finish within half the deadline and cuts short what is left", async () => {
  let aborted: unknown;
  const { engine, clock, records } = makeEngine({
    A: async (run) => {
      await new Promise((_, reject) =>
        run.signal.addEventListener("abort", () => {
          aborted = run.signal.reason;
          reject(run.signal.reason);
        })
      );
      return fine;
    },
  });

  engine.update([objectOf("A", "one")], { complete: true });
  await Promise.resolve();
  await Promise.resolve();
  const stopped = engine.stop(10_000);
  await clock.advance(4_000);
  const early = aborted;
  await clock.advance(2_000);
  await stopped;

  equal(early, undefined);
  ok(aborted instanceof Error);
  equal(records.size, 0, "a run that was cut short leaves no failure");
});

Deno.test("isAlive is false when the loop stands still for ten seconds", async () => {
  const { engine, clock } = makeEngine({});

  await clock.advance(60_000);
  const turning = engine.isAlive;
  await engine.stop(0);
  await clock.advance(11_000);

  deepEqual([turning, engine.isAlive], [true, false]);
});

Deno.test("an order given while a run goes on is not lost with that run's record", async () => {
  const release = Promise.withResolvers<void>();
  let first = true;
  const { engine, records, runs } = makeEngine({
    A: async () => {
      if (first) {
        first = false;
        await release.promise;
      }
      return fine;
    },
  });
  const object = objectOf("A", "one");
  engine.update([object], { complete: true });
  await Promise.resolve();
  await Promise.resolve();

  engine.reconcile(object.key, { token: "now" });
  release.resolve();
  await engine.settled();

  equal(records.get("A/default/one")?.lastHandledReconcileAt, "now");
  deepEqual(runs, ["one:start", "one:request"]);
  await engine.stop(0);
});

Deno.test("a state that cannot be saved is told once, and no longer than it is so", async () => {
  let isFull = true;
  const { engine, clock, statuses } = makeEngine({
    A: () => {
      throw new StageError("OCIArtifactPullFailed", "the registry is away");
    },
  }, { refuses: () => isFull });
  const warnings = () => statuses.get("A/default/one")?.warnings;

  engine.update([objectOf("A", "one")], { complete: true });
  await engine.settled();
  for (let times = 0; times < 5; times++) await clock.advance(60_000);
  deepEqual(warnings(), ["the disk is full"]);
  isFull = false;
  await clock.advance(60_000);

  deepEqual(warnings(), []);
  await engine.stop(0);
});
