import { equal, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  formatDuration,
  formatDurationNs,
  parseDuration,
  parseDurationNs,
  roundDurationNs,
} from "../../src/format/duration.ts";
import { FormatError } from "../../src/format/format_error.ts";
import { testVectors } from "../support/vectors.ts";

Deno.test("parseDuration() reads Go's forms as milliseconds", () => {
  equal(parseDuration("1h30m"), 5_400_000);
  equal(parseDuration("-1.5s"), -1500);
  equal(parseDuration("1500µs"), 1.5);
  equal(parseDuration("0"), 0);
  for (const wrong of ["", "5", "1d", "1 s", "s", "-", "1e3s", "300000000h"]) {
    throws(() => parseDuration(wrong), FormatError);
  }
});

Deno.test("formatDuration() prints as Go does", () => {
  equal(formatDuration(5_400_000), "1h30m0s");
  equal(formatDuration(300_000), "5m0s");
  equal(formatDuration(1.5), "1.5ms");
  equal(formatDuration(0), "0s");
});

Deno.test("parseDurationNs() reads back what formatDurationNs() prints, and refuses with coded errors", () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (ns) => {
    const printed = formatDurationNs(ns);
    // Go multiplies fractions as floats: the last digit of a long one may differ.
    return parseDurationNs(printed) - ns < 2n && ns - parseDurationNs(printed) < 2n;
  }));
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("1", "0", ".", "h", "m", "s", "-", "+", " ", "µ") }), (text) => {
      try {
        parseDurationNs(text);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
  );
});

testVectors<
  { input: string; ns?: string; string?: string; roundSecond?: string; error?: string }
>("gofmt/durations.json", {
  name: (item) => item.input,
  run(item) {
    if (item.error !== undefined) return void throws(() => parseDurationNs(item.input), FormatError);
    const ns = parseDurationNs(item.input);
    equal(ns.toString(), item.ns);
    equal(formatDurationNs(ns), item.string);
    equal(formatDurationNs(roundDurationNs(ns, 1_000_000_000n)), item.roundSecond);
  },
});
