import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../src/format/format_error.ts";
import { compileGlob } from "../../src/format/glob.ts";
import { compileRegexp, quoteRegexp } from "../../src/format/go_regexp.ts";
import { testVectors } from "../support/vectors.ts";

Deno.test("compileRegexp() follows Go where JavaScript differs", () => {
  equal(compileRegexp("a*").replaceAll("baac", "x"), "xbxcx");
  equal(compileRegexp("(a)(b)?").replaceAll("ab a", "${1}W$1W$$$2"), "aW$b aW$");
  deepEqual(compileRegexp(",").split("a,b,c", 2), ["a", "b,c"]);
  equal(compileRegexp("a|ab").matchesWhole("ab"), true);
  equal(compileRegexp("a$").test("a\n"), false);
  equal(compileRegexp("(?P<x>a)").groupNames[1], "x");
  for (const wrong of ["(?=a)", "(?<=a)b", "(a)\\1", "[", "a{2,1}"]) throws(() => compileRegexp(wrong), FormatError);
  equal(compileRegexp(quoteRegexp("a.b[c]")).matchesWhole("a.b[c]"), true);
});

Deno.test("compileRegexp() stays linear", () => {
  equal(compileRegexp("^(a+)+$").test(`${"a".repeat(50_000)}b`), false);
});

Deno.test("compileGlob() keeps single stars within a segment", () => {
  equal(compileGlob("config/*.{yaml,json}")("config/a.json"), true);
  equal(compileGlob("config/*")("config/a/b"), false);
  equal(compileGlob("**.txt")("a/b.txt"), true);
  equal(compileGlob("[!a-c]?")("db"), true);
  equal(compileGlob("\\*")("x"), false);
  equal(compileGlob("{a,b")("b"), true);
  throws(() => compileGlob("[a"), FormatError);
});

Deno.test("compileRegexp() and compileGlob() answer any pattern with a value or a FormatError", () => {
  const signs = fc.string({
    unit: fc.constantFrom(
      "a",
      "b",
      "(",
      ")",
      "[",
      "]",
      "{",
      "}",
      ",",
      "*",
      "?",
      "+",
      "\\",
      "|",
      "^",
      "$",
      "1",
      "-",
      ":",
      "!",
    ),
  });
  fc.assert(
    fc.property(signs, signs, (pattern, text) => {
      for (const run of [() => compileRegexp(pattern).matchAll(text), () => compileGlob(pattern)(text)]) {
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

interface RegexpCase {
  readonly pattern: string;
  readonly input: string;
  readonly error?: string;
  readonly match: boolean;
  readonly find: string;
  readonly findAll: readonly string[] | null;
  readonly findAll2: readonly string[] | null;
  readonly submatch: readonly string[] | null;
  readonly index: readonly (readonly number[])[] | null;
  readonly replace?: readonly (readonly [string, string, string])[];
  readonly split: readonly string[] | null;
  readonly split2: readonly string[] | null;
  readonly names?: readonly string[];
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

testVectors<RegexpCase>("gofmt/regexp.json", {
  name: (item) => JSON.stringify([item.pattern, item.input, item.replace?.[0]]),
  run(item) {
    if (item.error !== undefined) return void throws(() => compileRegexp(item.pattern), FormatError);
    const expression = compileRegexp(item.pattern);
    const text = item.input;
    const texts = (limit: number) => {
      const found = expression.matchAll(text, limit).map(([start, end]) => text.slice(start, end));
      return found.length === 0 ? null : found;
    };
    equal(expression.test(text), item.match);
    const first = expression.match(text);
    equal(first === undefined ? "" : text.slice(first[0], first[1]), item.find);
    deepEqual(texts(-1), item.findAll);
    deepEqual(texts(2), item.findAll2);
    const groups = first === undefined
      ? null
      : expression.groupNames.map((_, index) =>
        (first[2 * index] ?? -1) < 0 ? "" : text.slice(first[2 * index], first[2 * index + 1])
      );
    deepEqual(groups, item.submatch);
    const offsets = expression.matchAll(text).map((
      [start, end],
    ) => [bytes(text.slice(0, start)), bytes(text.slice(0, end))]);
    deepEqual(offsets.length === 0 ? null : offsets, item.index);
    for (const [template, replaced, literal] of item.replace ?? []) {
      equal(expression.replaceAll(text, template), replaced);
      equal(expression.replaceAllLiteral(text, template), literal);
    }
    deepEqual(expression.split(text), item.split);
    deepEqual(expression.split(text, 2), item.split2);
    if (item.names !== undefined) deepEqual(expression.groupNames, item.names);
  },
});
