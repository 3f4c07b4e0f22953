import { equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { parseDurationNs } from "../../src/format/duration.ts";
import { FormatError } from "../../src/format/format_error.ts";
import { findZone, formatGoTime, utc } from "../../src/format/go_time.ts";
import { parseGoTime } from "../../src/format/go_time_parse.ts";
import { testVectors } from "../support/vectors.ts";

const nano = "2006-01-02T15:04:05.999999999Z07:00";

Deno.test("parseGoTime() reads what formatGoTime() prints", () => {
  const moment = parseGoTime(nano, "2024-02-29T12:30:00.5+02:00");
  equal(formatGoTime(moment, "Mon Jan _2 3:04:05.000 PM 2006 -0700"), "Thu Feb 29 12:30:00.500 PM 2024 +0200");
  throws(() => parseGoTime("2006-01-02", "2023-02-29"), /day out of range/);
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 18n), max: 10n ** 19n }),
      (ns) => parseGoTime(nano, formatGoTime({ ns, zone: utc }, nano)).ns === ns,
    ),
  );
});

Deno.test("parseGoTime() answers any layout and text with a moment or a FormatError", () => {
  const signs = fc.array(
    fc.constantFrom(
      "2006",
      "01",
      "2",
      "Jan",
      "MST",
      "-0700",
      "Z07:00",
      ".000",
      ".9",
      "15",
      "PM",
      " ",
      "-",
      "x",
      "12",
      "UTC",
      "+01:00",
    ),
  )
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(signs, signs, (layout, text) => {
      try {
        parseGoTime(layout, text);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});

testVectors<{ unix: number; nanos?: number; zone?: string; layout: string; output: string }>("gofmt/time_format.json", {
  name: (item, index) => `${index} ${item.layout}`,
  run(item) {
    const ns = BigInt(item.unix) * 1_000_000_000n + BigInt(item.nanos ?? 0);
    equal(formatGoTime({ ns, zone: findZone(item.zone ?? "") ?? utc }, item.layout), item.output);
  },
});

testVectors<
  { value: string; layout: string; output?: string; unix?: number; add?: string; after?: string; error?: string }
>(
  "gofmt/time_parse.json",
  {
    name: (item, index) => `${index} ${item.layout} ${item.value}`,
    run(item) {
      if (item.error !== undefined) {
        return void throws(
          () => parseGoTime(item.layout, item.value),
          (error) => error instanceof FormatError && error.what === item.error,
        );
      }
      const moment = parseGoTime(item.layout, item.value);
      equal(formatGoTime(moment, nano), item.output);
      if (item.add === undefined || item.after === undefined) return;
      equal(formatGoTime({ ...moment, ns: moment.ns + parseDurationNs(item.add) }, nano), item.after);
    },
  },
);
