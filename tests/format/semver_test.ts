import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../src/format/format_error.ts";
import { newestTag } from "../../src/format/newest_tag.ts";
import { compareVersions, parseRange, parseStrictVersion, parseVersion, versionText } from "../../src/format/semver.ts";
import { testVectors } from "../support/vectors.ts";

Deno.test("parseVersion() is lenient, parseStrictVersion() is not", () => {
  equal(versionText(parseVersion("v01.2-rc.1+b")), "1.2.0-rc.1+b");
  throws(() => parseStrictVersion("v1.2.3"), FormatError);
  equal(versionText(parseStrictVersion("v1.2.3", { leadingV: true })), "1.2.3");
  equal(versionText(parseVersion("18446744073709551615")), "18446744073709551615.0.0");
});

Deno.test("parseRange() lets pre-releases in only where a comparator of the group names one", () => {
  equal(parseRange(">=1.0.0").allows(parseVersion("2.0.0-rc.1")), false);
  equal(parseRange(">=1.0.0-0 <3").allows(parseVersion("2.0.0-rc.1")), true);
  equal(parseRange("^0.2 || 1.4 - 1.6").allows(parseVersion("1.5.9")), true);
  throws(() => parseRange(""), FormatError);
  throws(() => parseRange("1".repeat(600)), FormatError);
});

Deno.test("newestTag() skips what is no version and follows the filter", () => {
  equal(newestTag(["latest", "1.0.0", "v1.2.0", "1.10.0-rc.1", "1.3"], "*"), "v1.2.0");
  equal(newestTag(["1.0.0", "1.10.0-rc.1"], ">=1.0.0-0", { filter: "-rc" }), "1.10.0-rc.1");
  equal(newestTag(["1.0.0_a"], "1.x", { isHelmChart: true }), "1.0.0_a");
  equal(newestTag([], "*"), undefined);
});

Deno.test("semver parsers answer any text with a value or a FormatError", () => {
  const signs = fc.string({
    unit: fc.constantFrom(
      "1",
      "0",
      "9",
      ".",
      "-",
      "+",
      "x",
      "*",
      " ",
      ",",
      "|",
      "||",
      ">",
      "<",
      "=",
      "~",
      "^",
      "!",
      "v",
      "a",
    ),
  });
  fc.assert(
    fc.property(signs, (text) => {
      for (const run of [() => parseVersion(text), () => parseRange(text).allows(parseVersion("1.2.3"))]) {
        try {
          run();
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
        }
      }
    }),
    { numRuns: 2000 },
  );
});

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return undefined;
  }
}

interface VersionCase {
  readonly input: string;
  readonly ok: boolean;
  readonly major?: string;
  readonly minor?: string;
  readonly patch?: string;
  readonly prerelease?: string;
  readonly metadata?: string;
  readonly string?: string;
  readonly strictOK: boolean;
  readonly fluxOK: boolean;
}

testVectors<VersionCase>("semver/versions.json", {
  name: (item) => item.input,
  run(item) {
    const version = attempt(() => parseVersion(item.input));
    equal(version !== undefined, item.ok);
    equal(attempt(() => parseStrictVersion(item.input)) !== undefined, item.strictOK);
    equal(attempt(() => parseStrictVersion(item.input, { leadingV: true })) !== undefined, item.fluxOK);
    if (version === undefined) return;
    deepEqual([String(version.major), String(version.minor), String(version.patch)], [
      item.major,
      item.minor,
      item.patch,
    ]);
    deepEqual([version.prerelease, version.metadata], [item.prerelease ?? "", item.metadata ?? ""]);
    equal(versionText(version), item.string);
  },
});

testVectors<{ constraint: string; ok?: boolean; satisfied?: string[]; unsatisfied?: string[] }>(
  "semver/constraints.json",
  {
    name: (item) => item.constraint,
    run(item) {
      if (item.ok !== true) return void throws(() => parseRange(item.constraint), FormatError);
      const range = parseRange(item.constraint);
      const wrong = [
        ...(item.satisfied ?? []).filter((version) => !range.allows(parseVersion(version))),
        ...(item.unsatisfied ?? []).filter((version) => range.allows(parseVersion(version))),
      ];
      deepEqual(wrong, []);
    },
  },
);

testVectors<{ a: string; b: string; compare: number; equal: boolean }>("semver/compare.json", {
  name: (item) => `${item.a} ${item.b}`,
  run(item) {
    equal(compareVersions(parseVersion(item.a), parseVersion(item.b)), item.compare);
  },
});

testVectors<{ input: string[]; sorted: string[] }>("semver/sort.json", {
  name: (item) => item.input.join(" "),
  run(item) {
    deepEqual(item.input.map(parseVersion).sort(compareVersions).map((version) => version.original), item.sorted);
  },
});

testVectors<{ tags: string[]; semver: string; semverFilter?: string; helmChart?: boolean; chosen?: string }>(
  "semver/newest_tag.json",
  {
    name: (item) => JSON.stringify([item.tags, item.semver, item.semverFilter, item.helmChart]),
    run(item) {
      const chosen = attempt(() =>
        newestTag(item.tags, item.semver, {
          ...(item.semverFilter === undefined ? {} : { filter: item.semverFilter }),
          isHelmChart: item.helmChart === true,
        })
      );
      equal(chosen, item.chosen);
    },
  },
);
