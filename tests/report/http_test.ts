import { deepEqual, equal, match, ok } from "node:assert/strict";
import { silentLog } from "../../src/core/log.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import { controlApp, openApp } from "../../src/report/http.ts";
import { Metrics } from "../../src/report/metrics.ts";
import { StatusBoard } from "../../src/report/status_board.ts";
import { FakeClock } from "../support/fake_clock.ts";

const key = { kind: "Kustomization", namespace: "default", name: "apps" };

function statusOf(overrides: Partial<ObjectStatus> = {}): ObjectStatus {
  return {
    key,
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    isSuspended: false,
    generation: 1,
    observedGeneration: 1,
    conditions: [{
      type: "Ready",
      status: "True",
      reason: "ReconciliationSucceeded",
      message: "Applied revision: v1",
      lastTransitionTime: "2026-01-01T00:00:00Z",
      observedGeneration: 1,
    }],
    history: [],
    warnings: [],
    failures: 0,
    ...overrides,
  };
}

function setUp() {
  const board: StatusBoard = new StatusBoard({
    log: silentLog,
    meter: { count: (change) => metrics.count(change), forget: (gone) => metrics.forget(gone) },
  });
  const metrics = new Metrics(
    () => board.statuses(),
    () => ({ residentBytes: 1, version: "1.2.3", isConfigGood: true }),
  );
  const faults = new Map<string, string>();
  const check = (name: string) => ({ name, check: () => faults.get(name) });
  const calls: string[] = [];
  const stopping = new AbortController();
  const tools = {
    board,
    metrics,
    version: "1.2.3",
    liveness: [check("loop")],
    readiness: [check("first pass"), check("store")],
    startup: [check("documents")],
    now: () => Date.UTC(2026, 0, 1, 0, 10),
    stopping: stopping.signal,
    engine: {
      reconcile: (target: typeof key, options?: unknown) => {
        calls.push(`reconcile ${target.name} ${JSON.stringify(options)}`);
        return target.name === "apps";
      },
      suspend: (target: typeof key) => Promise.resolve(target.name === "apps"),
      resume: (target: typeof key) => Promise.resolve(target.name === "apps"),
      firstPassDone: true,
      isAlive: true,
    },
  };
  return { board, tools, faults, calls, stopping, open: openApp(tools), control: controlApp(tools) };
}

Deno.test("a port of this machine answers to addresses and localhost only, so that no name of another leads to it", async () => {
  const { tools } = setUp();
  const local = openApp({ ...tools, isLocal: true });
  for (const host of ["127.0.0.1:9292", "[::1]:9292", "localhost", "pilotfish.localhost:80", "0x7f.1"]) {
    for (const path of ["/", "/healthz", "/api/v1/objects", "/metrics"]) {
      equal((await local.request(`http://${host}${path}`)).status, 200, `${host}${path}`);
    }
  }
  for (const host of ["evil.example:9292", "127.0.0.1.evil.example", "localhost.evil.example", "localhosts"]) {
    for (const path of ["/", "/healthz", "/api/v1/objects", "/metrics", "/nothing"]) {
      const response = await local.request(`http://${host}${path}`);
      equal(response.status, 421, `${host}${path}`);
      ok(!(await response.text()).includes("apps"));
    }
  }
  const strange = await local.fetch({ url: "http://999.0.0.1/", method: "GET", headers: new Headers() } as Request);
  equal(strange.status, 421, "a name that is none");
  equal((await openApp(tools).request("http://status.example/")).status, 200, "another port has names we do not know");
});

Deno.test("no page of another site may read the open port", async () => {
  const read = await setUp().open.request("/api/v1/objects", { headers: { origin: "http://evil.example" } });
  equal(read.headers.get("access-control-allow-origin"), null);
  equal(read.headers.get("cross-origin-resource-policy"), "same-origin");
});

const event = (message: string, severity: "info" | "error" = "info") => ({
  object: key,
  severity,
  timestamp: "2026-01-01T00:00:00Z",
  reason: "ReconciliationSucceeded",
  message,
  metadata: {},
});

Deno.test("probes say ok, and which check fails", async () => {
  const { open, faults } = setUp();

  const good = await open.request("/readyz");
  faults.set("store", "Cannot write to the store");
  const bad = await open.request("/readyz");

  deepEqual([good.status, await good.text()], [200, "ok\n"]);
  deepEqual([bad.status, await bad.text()], [503, "[+] first pass\n[-] store: Cannot write to the store\nfailed\n"]);
  equal((await open.request("/healthz")).status, 200, "a full disk is no reason to be killed");
});

Deno.test("the page shows objects and events, escapes every text and needs no script", async () => {
  const { open, board } = setUp();
  board.record({ status: statusOf(), events: [event("<script>alert(1)</script>")] });

  const response = await open.request("/");
  const html = await response.text();

  equal(response.status, 200);
  match(html, /Applied revision: v1/);
  ok(!html.includes("<script>alert"));
  match(html, /&lt;script&gt;alert/);
  match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
});

Deno.test("every object has a page and an address in the API", async () => {
  const { open, board } = setUp();
  board.record({ status: statusOf({ inventory: { entries: [{ id: "web_one__ConfigMap", v: "v1" }] } }), events: [] });

  const page = await (await open.request("/objects/Kustomization/default/apps")).text();
  const one = await (await open.request("/api/v1/objects/Kustomization/default/apps")).json();
  const all = await (await open.request("/api/v1/objects")).json();

  match(page, /ConfigMap\/web\/one/);
  equal(one.key.name, "apps");
  equal(all.items.length, 1);
  equal((await open.request("/objects/Kustomization/default/other")).status, 404);
});

Deno.test("the open port changes nothing", async () => {
  const { open, control, calls, board } = setUp();
  board.record({ status: statusOf(), events: [] });
  const path = "/api/v1/objects/Kustomization/default/apps/reconcile";

  const refused = await open.request(path, { method: "POST" });
  const done = await control.request(path, {
    method: "POST",
    body: JSON.stringify({ withSource: true, confirmPrune: true, token: "t" }),
  });
  const unknown = await control.request(path.replace("apps", "other"), { method: "POST" });

  deepEqual([refused.status, done.status, unknown.status], [404, 202, 404]);
  deepEqual(calls, ['reconcile apps {"withSource":true,"confirmPrune":true,"token":"t"}', "reconcile other {}"]);
});

Deno.test("repeated events are counted, and a listener gets what it missed", () => {
  const { board } = setUp();
  const status = statusOf();
  board.record({ status, events: [event("one")] });
  board.record({ status, events: [event("two")] });
  board.record({ status, events: [event("two")] });

  deepEqual(board.events().map((one) => [one.id, one.message, one.count]), [[1, "one", 1], [3, "two", 2]]);
  deepEqual(board.events(1).map((one) => one.message), ["two"]);
});

Deno.test("events stream as server-sent events after Last-Event-ID and end when the daemon stops", async () => {
  const { open, board, stopping } = setUp();
  board.record({ status: statusOf(), events: [event("one"), event("two")] });

  const response = await open.request("/api/v1/events", {
    headers: { accept: "text/event-stream", "last-event-id": "1" },
  });
  stopping.abort();
  const text = await response.text();

  match(response.headers.get("content-type") ?? "", /text\/event-stream/);
  match(text, /"message":"two"/);
  ok(!text.includes('"message":"one"'));
  match(text, /event: hello/);
});

Deno.test("metrics have Flux's names and lose an object that is gone", async () => {
  const { open, board } = setUp();
  board.record({ status: statusOf(), events: [], durationMs: 1_500 });
  const text = await (await open.request("/metrics")).text();
  board.forget(key);
  const after = await (await open.request("/metrics")).text();

  match(text, /gotk_reconcile_duration_seconds_sum\{kind="Kustomization",namespace="default",name="apps"\} 1\.5/);
  match(
    text,
    /gotk_reconcile_condition\{kind="Kustomization",namespace="default",name="apps",type="Ready",status="True"\} 1/,
  );
  match(text, /controller_runtime_reconcile_total\{controller="kustomization",result="success"\} 1/);
  ok(!after.includes('name="apps"'));
});

Deno.test("the control app asks for its token where it has one, for reading too", async () => {
  const { board, tools } = setUp();
  board.record({ status: statusOf(), events: [] });
  const app = controlApp({ ...tools, token: "right-token" });
  const ask = async (authorization?: string) =>
    (await app.request("/api/v1/objects", { headers: authorization === undefined ? {} : { authorization } })).status;

  deepEqual(
    [await ask(), await ask("Bearer wrong"), await ask("right-token"), await ask("Bearer right-token")],
    [401, 401, 401, 200],
  );
  equal(
    (await controlApp({ ...tools, token: "" }).request("/api/v1/objects", { headers: { authorization: "Bearer x" } }))
      .status,
    401,
  );
});

Deno.test("an order with any body is an order or a clear refusal", async () => {
  const { control, board } = setUp();
  board.record({ status: statusOf(), events: [] });
  const path = "/api/v1/objects/Kustomization/default/apps";

  for (const body of ["null", "[]", "{", '"text"', '{"token": 5}']) {
    equal((await control.request(`${path}/reconcile`, { method: "POST", body })).status, 202, body);
  }
  equal((await control.request(`${path}/explode`, { method: "POST" })).status, 404);
});

Deno.test("quiet streams beat, and a listener that reads too slowly is let go", async () => {
  const { board, tools } = setUp();
  const clock = new FakeClock();
  const open = openApp({ ...tools, clock });
  const headers = { accept: "text/event-stream" };
  const response = await open.request("/api/v1/events", { headers });
  await clock.advance(31_000);
  for (let index = 0; index < 2_000; index++) board.record({ status: statusOf(), events: [] });
  const text = await response.text();

  equal(text.match(/event: beat/g)?.length, 2);
  ok((text.match(/event: status/g)?.length ?? 0) <= 502);
  equal(clock.pending, 0);
});

Deno.test("metrics count events, failures and objects by state", async () => {
  const { open, board } = setUp();
  const failed = statusOf({ inventory: { entries: [{ id: "a_b__ConfigMap", v: "v1" }] }, failures: 2 });
  const conditions = failed.conditions.map((one) => ({ ...one, status: "False" as const }));
  board.record({ status: { ...failed, conditions }, events: [event("no", "error")], durationMs: 10 });
  const text = await (await open.request("/metrics")).text();

  match(text, /controller_runtime_reconcile_errors_total\{controller="kustomization"\} 1/);
  match(text, /pilotfish_events_total\{kind="Kustomization",severity="error",reason="ReconciliationSucceeded"\} 1/);
  match(text, /pilotfish_objects\{kind="Kustomization",state="failing"\} 1/);
  match(text, /pilotfish_object_resources\{kind="Kustomization",namespace="default",name="apps"\} 1/);
});
