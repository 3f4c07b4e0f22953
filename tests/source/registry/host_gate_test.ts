import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { StageError } from "../../../src/core/stage_error.ts";
import { HostGate } from "../../../src/source/registry/host_gate.ts";
import { defaultLimits } from "../../../src/source/registry/registry_tools.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** Lets those who called `enter` come to where they wait. */
const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
const limits = { ...defaultLimits, requestsPerHost: 1, longestRetryAfterMs: 60_000 };

Deno.test("enter() lets so many in, and the others in their order", async () => {
  const gate = new HostGate(new FakeClock(), limits);
  const order: string[] = [];
  const pass = async (name: string) => {
    const leave = await gate.enter("ghcr.io", undefined);
    order.push(name);
    await Promise.resolve();
    leave();
  };

  await Promise.all([pass("a"), pass("b"), pass("c")]);

  deepEqual(order, ["a", "b", "c"]);
});

Deno.test("a host that wants no requests for long refuses all who wait, at once", async () => {
  const gate = new HostGate(new FakeClock(), limits);
  const leave = await gate.enter("ghcr.io", undefined);
  const waiting = ["b", "c", "d"].map(() => gate.enter("ghcr.io", undefined));
  await settled();

  gate.pause("ghcr.io", 3_600_000);
  leave();

  const refused: unknown[] = [];
  for (const one of waiting) one.catch((error: unknown) => refused.push(error));
  await settled();
  equal(refused.length, 3);
  ok(refused.every((error) => error instanceof StageError && error.retryAfterMs === 3_600_000));
});

Deno.test("who gives up while the host rests lets the next one in", async () => {
  const clock = new FakeClock();
  const gate = new HostGate(clock, limits);
  const leave = await gate.enter("ghcr.io", undefined);
  const stop = new AbortController();
  const first = gate.enter("ghcr.io", stop.signal);
  const second = gate.enter("ghcr.io", undefined);
  await settled();
  gate.pause("ghcr.io", 5_000);
  leave();
  await clock.advance(1_000);

  stop.abort(new Error("enough"));
  await rejects(first, /enough/);
  await clock.advance(5_000);

  let isIn = false;
  void second.then(() => isIn = true);
  await settled();
  ok(isIn);
});
