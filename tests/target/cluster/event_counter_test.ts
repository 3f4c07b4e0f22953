import { equal, ok } from "node:assert/strict";
import type { Event } from "../../../src/core/event.ts";
import { EventCounter } from "../../../src/target/cluster/event_counter.ts";

function event(name: string, changes: Partial<Event> = {}): Event {
  return {
    object: { kind: "Kustomization", namespace: "team", name },
    severity: "error",
    timestamp: "2026-01-01T00:00:00Z",
    reason: "HealthCheckFailed",
    message: "it broke",
    metadata: {},
    ...changes,
  };
}

Deno.test("EventCounter drops what one object tells too often, and begins a new series after ten minutes", () => {
  const counter = new EventCounter();
  const told = Array.from({ length: 40 }, (_, index) => counter.count(event("noisy", { message: `${index}` })));
  equal(told.filter((series) => series !== undefined).length, 25);
  ok(counter.count(event("quiet")));
  equal(counter.count(event("noisy", { timestamp: "2026-01-01T00:04:59Z" })), undefined);
  equal(counter.count(event("noisy", { timestamp: "2026-01-01T00:05:00Z" }))?.count, 1);
  equal(counter.count(event("noisy", { timestamp: "2026-01-01T00:10:00Z" }))?.count, 2);
  equal(counter.count(event("noisy", { timestamp: "2026-01-01T00:30:00Z" }))?.count, 1);
});
