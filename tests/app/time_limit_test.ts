import { equal, match } from "node:assert/strict";
import { aborted, cutShort, timeLimit } from "../../src/app/time_limit.ts";

Deno.test("timeLimit() is over after its time, and leaves no timer behind", async () => {
  const never = new AbortController().signal;
  {
    using limit = timeLimit(1, never);
    await aborted(limit.signal);
    match(String(limit.signal.reason), /time limit of 1 ms is over/);
  }
  using unused = timeLimit(60_000, never);
  equal(unused.signal.aborted, false);
});

Deno.test("timeLimit() follows another signal, also one that was aborted before", () => {
  const controller = new AbortController();
  using limit = timeLimit(60_000, controller.signal);
  controller.abort(new Error("stop"));
  equal(limit.signal.reason.message, "stop");
  using late = timeLimit(60_000, controller.signal);
  equal(late.signal.aborted, true);
});

Deno.test("cutShort() says which came first", async () => {
  equal(await cutShort(Promise.resolve(), new AbortController().signal), false);
  equal(await cutShort(new Promise(() => {}), AbortSignal.abort()), true);
});
