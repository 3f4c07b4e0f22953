import { deepEqual, equal } from "node:assert/strict";
import { Waiters } from "../../src/reconcile/waiters.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** Somebody who waits until `state.isSo`. */
function waiting() {
  const clock = new FakeClock();
  const waiters = new Waiters(clock);
  const state = { isSo: false, asked: 0, hasEnded: false };
  const abort = new AbortController();
  const isSo = () => {
    state.asked++;
    return state.isSo;
  };
  void waiters.until(isSo, { withinMs: 1_000, signal: abort.signal }).then(() => state.hasEnded = true);
  return { clock, waiters, state, abort };
}

Deno.test("Waiters.until() looks again when told, and ends when it is so", async () => {
  const { clock, waiters, state } = waiting();
  waiters.tell();
  await clock.advance(10);
  deepEqual([state.asked, state.hasEnded], [2, false]);
  state.isSo = true;
  await clock.advance(10);
  equal(state.hasEnded, false, "nobody told");
  waiters.tell();
  await clock.advance(10);
  equal(state.hasEnded, true);
  equal(clock.pending, 0);
});

Deno.test("Waiters.until() gives up in time, and when aborted", async () => {
  const late = waiting();
  await late.clock.advance(999);
  equal(late.state.hasEnded, false);
  await late.clock.advance(1);
  equal(late.state.hasEnded, true);

  const aborted = waiting();
  aborted.abort.abort();
  await aborted.clock.advance(0);
  equal(aborted.state.hasEnded, true);
  equal(aborted.clock.pending, 0);
});
