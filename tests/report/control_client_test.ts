import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { Hono } from "hono";
import { silentLog } from "../../src/core/log.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import { controlClient } from "../../src/report/control_client.ts";
import { openApp } from "../../src/report/http.ts";
import { StatusBoard } from "../../src/report/status_board.ts";
import { FakeClock } from "../support/fake_clock.ts";

const key = { kind: "Kustomization", namespace: "default", name: "apps" };

/** A daemon that gives its answers one after the other; the last one stays. */
function bench(answers: readonly Partial<ObjectStatus>[]) {
  const clock = new FakeClock();
  const app = new Hono();
  let asked = 0;
  app.get("/api/v1/objects/:kind/:namespace/:name", (context) => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    return context.json({ key, conditions: [], isSuspended: false, ...answer } as never);
  });
  const client = controlClient(async (request) => await app.fetch(request), { address: "/sock", clock });
  return { client, clock };
}

const signal = new AbortController().signal;

Deno.test("outcome() waits until the run of its order has ended", async () => {
  const { client, clock } = bench([
    { lastHandledReconcileAt: "old", isSettled: true },
    { lastHandledReconcileAt: "mine", isSettled: false },
    { lastHandledReconcileAt: "mine", isSettled: true, generation: 7 },
  ]);

  const outcome = client.outcome(key, "mine", signal);
  await clock.advance(1_000);

  equal((await outcome).generation, 7);
});

Deno.test("outcome() takes a run that answers a later order too", async () => {
  const { client, clock } = bench([
    { isSettled: true },
    { lastHandledReconcileAt: "theirs", isSettled: true, generation: 8 },
  ]);

  const outcome = client.outcome(key, "mine", signal);
  await clock.advance(1_000);

  equal((await outcome).generation, 8);
});

Deno.test("outcome() says that an object rests, and ends when it is aborted", async () => {
  await rejects(bench([{ isSuspended: true }]).client.outcome(key, "mine", signal), /is suspended: resume it first/);
  const { client, clock } = bench([{}]);
  const controller = new AbortController();
  const outcome = client.outcome(key, "mine", controller.signal);
  const ended = rejects(outcome, /enough/);
  await clock.advance(300);
  controller.abort(new Error("enough"));
  await ended;
  equal(clock.pending, 0);
});

Deno.test("a daemon that is away or refuses is said with its address and its words", async () => {
  const clock = new FakeClock();
  const away = controlClient(() => Promise.reject(new Error("connection refused")), { address: "/sock", clock });
  await rejects(away.objects(), /Cannot reach the daemon at "\/sock": connection refused/);
  const refusing = controlClient(
    () => Promise.resolve(Response.json({ error: "There is no object" }, { status: 404 })),
    { address: "/sock", clock },
  );
  await rejects(refusing.order(key, "suspend"), /^Error: There is no object$/);
  const strange = controlClient(() => Promise.resolve(new Response("?", { status: 502 })), { address: "/sock", clock });
  await rejects(strange.events(), (error) => {
    match((error as Error).message, /answered 502/);
    return true;
  });
});

Deno.test("follow() yields events that arrive in pieces", async () => {
  const pieces = [
    "event: hello\ndata: 1\n\nevent: ev",
    'ent\ndata: {"reason":"A"}\n\n',
    'event: event\ndata: {"reason":"B"}\n\n',
  ];
  const client = controlClient(
    () => Promise.resolve(new Response(ReadableStream.from(pieces.map((text) => new TextEncoder().encode(text))))),
    { address: "/sock", clock: new FakeClock() },
  );

  const reasons = [];
  for await (const event of client.follow(signal)) reasons.push(event.reason);

  deepEqual(reasons, ["A", "B"]);
});

Deno.test("follow() misses nothing between a list and itself, also where the list was empty", async () => {
  const board = new StatusBoard({ log: silentLog, meter: { count: () => {}, forget: () => {} } });
  const stopping = new AbortController();
  const app = openApp({
    board,
    metrics: { text: () => "" },
    version: "1",
    liveness: [],
    readiness: [],
    startup: [],
    now: () => 0,
    stopping: stopping.signal,
  });
  const client = controlClient(async (request) => await app.fetch(request), {
    address: "/sock",
    clock: new FakeClock(),
  });
  const happen = (message: string) =>
    board.record({
      status: { key, conditions: [], warnings: [], history: [] } as unknown as ObjectStatus,
      events: [{
        object: key,
        severity: "info",
        timestamp: "2026-01-01T00:00:00Z",
        reason: "R",
        message,
        metadata: {},
      }],
    });
  const next = async (since: number | undefined) => {
    const seen: string[] = [];
    const end = new AbortController();
    for await (const event of client.follow(end.signal, since)) {
      seen.push(event.message);
      if (event.message === "last") break;
    }
    return seen;
  };

  const none = await client.events();
  happen("between");
  happen("last");
  deepEqual(await next(none.at(-1)?.id ?? 0), ["between", "last"]);
  const some = await client.events();
  happen("once more");
  happen("last");
  deepEqual(await next(some.at(-1)?.id), ["once more", "last"]);
  stopping.abort();
});
