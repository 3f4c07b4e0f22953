/** The board: secrets, repeats, log lines. */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Event } from "../../src/core/event.ts";
import type { Log, LogFields } from "../../src/core/log.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import { Redactor } from "../../src/report/redact.ts";
import { StatusBoard } from "../../src/report/status_board.ts";

const key = { kind: "Kustomization", namespace: "default", name: "apps" };

function statusOf(ready: "True" | "False" | "Unknown", overrides: Partial<ObjectStatus> = {}): ObjectStatus {
  return {
    key,
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    isSuspended: false,
    generation: 1,
    observedGeneration: 1,
    conditions: [{
      type: "Ready",
      status: ready,
      reason: "Reason",
      message: "message",
      lastTransitionTime: "2026-01-01T00:00:00Z",
      observedGeneration: 1,
    }],
    history: [],
    warnings: [],
    failures: 0,
    ...overrides,
  };
}

function eventOf(message: string, overrides: Partial<Event> = {}): Event {
  return {
    object: key,
    severity: "info",
    timestamp: "2026-01-01T00:00:00Z",
    reason: "Reason",
    message,
    metadata: {},
    ...overrides,
  };
}

function setUp() {
  const lines: string[] = [];
  const fields: LogFields[] = [];
  const write = (level: string) => (message: string, more: LogFields = {}) => {
    lines.push(`${level} ${message}`);
    fields.push(more);
  };
  const log: Log = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const board = new StatusBoard({ log, meter: { count: () => {}, forget: () => {} } });
  return { board, lines, fields };
}

Deno.test("the board lets no secret into statuses, events, news or log lines", () => {
  const { board, fields } = setUp();
  const news: unknown[] = [];
  board.listen((one) => news.push(one));
  board.hide(["canary-known-1", "-----BEGIN EC PRIVATE KEY-----\ncanaryKeyLine22\n-----END EC PRIVATE KEY-----"]);
  const dirty = `got canary-known-1 (${btoa("canary-known-1")}), line canaryKeyLine22, ` +
    "https://user:canary-url@ghcr.io/v2, Authorization: Bearer canary.token.abc, ?token=canary-query&x=1, " +
    "-----BEGIN RSA PRIVATE KEY-----\ncanary-pem\n-----END RSA PRIVATE KEY-----";
  const [ready] = statusOf("False").conditions;
  board.record({
    status: statusOf("False", {
      conditions: ready === undefined ? [] : [{ ...ready, message: dirty }],
      warnings: [dirty],
      hint: dirty,
      health: [{
        ref: { group: "", version: "v1", kind: "Pod", namespace: "a", name: "b" },
        status: "Failed",
        message: dirty,
      }],
    }),
    events: [eventOf(dirty, { severity: "error", metadata: { revision: dirty } })],
  });

  const everything = JSON.stringify([board.statuses(), board.events(), news, fields]);
  ok(!/canary/i.test(everything), everything);
  ok(!everything.includes(btoa("canary-known-1").replace(/=+$/, "")));
  ok(everything.includes("https://***@ghcr.io/v2"));
});

Deno.test("Redactor.clean() leaves ordinary texts and short values alone", () => {
  const redactor = new Redactor();
  redactor.learn(["app", ""]);
  const text = "Cannot pull oci://ghcr.io/app:v1@sha256:abc: app@example.com says basic auth is off";

  equal(redactor.clean(text), text);
});

Deno.test("repeats are one event for five minutes, also with others in between", () => {
  const { board } = setUp();
  const status = statusOf("False");
  for (const [message, timestamp] of [["a", "00:00:00"], ["b", "00:01:00"], ["a", "00:04:00"], ["a", "00:09:30"]]) {
    board.record({ status, events: [eventOf(message ?? "", { timestamp: `2026-01-01T${timestamp}Z` })] });
  }

  deepEqual(board.events().map((event) => [event.message, event.count, event.id]), [
    ["b", 1, 2],
    ["a", 2, 3],
    ["a", 1, 4],
  ]);
  deepEqual(board.events(3).map((event) => event.id), [4]);
  equal(board.events(900).length, 3, "a number of an earlier run");
});

Deno.test("the ring of events is bounded", () => {
  const { board } = setUp();
  for (let index = 0; index < 1_200; index++) board.record({ status: statusOf("True"), events: [eventOf(`${index}`)] });

  equal(board.events().length, 1_000);
  equal(board.events()[0]?.message, "200");
});

Deno.test("log lines tell changes once, and nothing when nothing changed", () => {
  const { board, lines } = setUp();
  board.record({ status: statusOf("Unknown"), events: [] });
  board.record({ status: statusOf("True"), events: [] });
  board.record({ status: statusOf("True"), events: [] });
  board.record({ status: statusOf("True", { warnings: ["old form"] }), events: [] });
  board.record({ status: statusOf("True", { warnings: ["old form"] }), events: [] });
  board.record({ status: statusOf("False"), events: [eventOf("broken", { severity: "error" })] });
  board.record({ status: statusOf("False", { isSuspended: true }), events: [] });
  board.forget(key);
  board.forget(key);

  deepEqual(lines, [
    "debug object in progress",
    "info object ready",
    "warn object has a warning",
    "error object failed",
    "info object suspended",
    "info object gone",
  ]);
});
