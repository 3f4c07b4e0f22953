import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { RetryClass } from "../../src/core/reason.ts";
import { nextDelayMs } from "../../src/reconcile/schedule.ts";

const intervals = { intervalMs: 600_000, retryIntervalMs: 120_000 };

function afterFailures(retry: RetryClass, failures: number, random = 1, retryAfterMs?: number) {
  return nextDelayMs(
    { kind: "failure", retry, failures, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    intervals,
    random,
  );
}

Deno.test("nextDelayMs() spreads the interval by five percent after success", () => {
  const delays = [0, 0.5, 1].map((random) => nextDelayMs({ kind: "success" }, intervals, random));

  deepEqual(delays, [570_000, 600_000, 630_000]);
});

Deno.test("nextDelayMs() doubles after each failure up to the retry interval", () => {
  const delays = [1, 2, 3, 4, 7, 8, 30].map((failures) => afterFailures("backoff", failures));

  deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 64_000, 120_000, 120_000]);
});

Deno.test("nextDelayMs() keeps to Retry-After and never runs by time what only a change can mend", () => {
  equal(afterFailures("backoff", 1, 0, 30_000), 30_000);
  equal(afterFailures("on-change", 1), undefined);
  equal(afterFailures("at-interval", 9, 0.5), 120_000);
  equal(nextDelayMs({ kind: "failure", retry: "at-interval", failures: 9 }, { intervalMs: 600_000 }, 0.5), 600_000);
  equal(afterFailures("after-dependency", 9, 0.5), 600_000);
});

Deno.test("nextDelayMs() is never negative, NaN or zero after a failure", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const delay = afterFailures("backoff", failures, random) ?? NaN;
      ok(delay >= 500 && delay <= 120_000);
    }),
  );
});
