import { equal, throws } from "node:assert/strict";
import fc from "fast-check";
import type { JsonObject } from "../../src/core/json.ts";
import { compileCel, evaluateCel, evaluateCelBoolean, parseCel } from "../../src/format/cel.ts";
import { evaluateHealth, parseHealth } from "../../src/format/cel_health.ts";
import { FormatError } from "../../src/format/format_error.ts";
import { testVectors } from "../support/vectors.ts";
import { jsonNumbers } from "./go_json.ts";
import { celSkips } from "./cel_skip.ts";

function run(text: string, variables: JsonObject = {}) {
  return evaluateCel(parseCel(text), variables);
}

Deno.test("evaluateCel() counts numbers by value and faults only where they decide", () => {
  equal(run("[1, 2u] == [1.0, 2]"), true);
  equal(run("nope.x == 1 || true"), true);
  throws(() => run("nope.x == 1 || false"), FormatError);
  equal(run("a.?b.?c.orValue('d')", { a: {} }), "d");
  equal(run("has(a.b) && !has(a.c)", { a: { b: null } }), true);
});

Deno.test("evaluateCel() is bounded in work and size", () => {
  const list = Array.from({ length: 300 }, (_, index) => index);
  const isLimit = (error: unknown) => error instanceof FormatError && error.code === "limit";
  throws(() => run("l.all(a, l.all(b, l.all(c, true)))", { l: list }), isLimit);
  throws(() => run("l.map(a, s.replace('', s)).size() > 0 || true", { l: list, s: "x".repeat(2000) }), isLimit);
  const large = { s: "a".repeat(500_000), l: list, m: Object.fromEntries(list.map((at) => [`k${at}`, at])) };
  for (
    const text of [
      "l.all(a, l.all(b, m == m))",
      "l.all(a, !s.contains('ab'))",
      "l.all(a, sets.contains(l, l))",
      "s.replace('a', s) == ''",
      "l.map(a, s).join('') == ''",
      "'%s'.format([l.map(a, s)]) == ''",
      "optional.of(bytes(s)).optMap(x, x + x).optMap(x, x + x).optMap(x, x + x).hasValue()",
      `optional.of([1])${".optMap(x, [x, x])".repeat(40)} != optional.of([1])`,
    ]
  ) {
    throws(() => run(text, large), isLimit, text);
  }
  equal(run("(bytes(s) + bytes(s)).size()", { s: "a".repeat(300_000) }), 600_000n);
  equal(run("s.matches('^(a+)+$')", { s: `${"a".repeat(20_000)}b` }), false);
});

Deno.test("compileCel() refuses what cannot be a boolean", () => {
  throws(() => compileCel("self.spec", ["self"]), FormatError);
  throws(() => compileCel("other.x == 1", ["self"]), FormatError);
  equal(evaluateCelBoolean(compileCel("self.a == dep.a", ["self", "dep"]), { self: { a: 1 }, dep: { a: 1.0 } }), true);
});

Deno.test("evaluateHealth() asks inProgress, failed, current in that order", () => {
  const all = parseHealth({ current: "true", inProgress: "status.p == 1", failed: "status.p == 2" });
  equal(evaluateHealth(all, { status: { p: 1 } }), "InProgress");
  equal(evaluateHealth(all, { status: { p: 2 } }), "Failed");
  equal(evaluateHealth(all, { status: { p: 3 } }), "Current");
  equal(evaluateHealth(all, { metadata: { generation: 2 }, status: { p: 3, observedGeneration: 1 } }), "InProgress");
  throws(() => parseHealth({ current: "a b" }), /"current"/);
});

Deno.test("parseCel() and evaluateCel() answer any text with a value or a FormatError", () => {
  const signs = fc.array(
    fc.constantFrom(
      "a",
      "1",
      "'s'",
      "(",
      ")",
      "[",
      "]",
      "{",
      "}",
      ".",
      "?",
      ":",
      "==",
      "&&",
      "!",
      "-",
      "+",
      ",",
      "in",
      ".size()",
      ".map(x, x)",
      "1.5",
      "1u",
      "b'x'",
      "has(a.b)",
      "duration('1s')",
    ),
  ).map((parts) => parts.join(" "));
  fc.assert(
    fc.property(signs, (text) => {
      try {
        run(text, { a: { b: [1, "x"] } });
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});

interface BooleanCase {
  readonly expr: string;
  readonly data: JsonObject;
  readonly result?: boolean;
  readonly errorStage?: "parse" | "evaluate" | "not boolean";
}

function check(item: BooleanCase, parse: (text: string) => ReturnType<typeof parseCel>): void {
  let expression: ReturnType<typeof parseCel>;
  try {
    expression = parse(item.expr);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (item.errorStage !== "parse") throw error;
    return;
  }
  equal(item.errorStage === "parse", false, "is not refused when parsed");
  if (item.errorStage === undefined) equal(evaluateCelBoolean(expression, item.data), item.result);
  else throws(() => evaluateCelBoolean(expression, item.data), FormatError);
  if (item.errorStage === "not boolean") evaluateCel(expression, item.data);
}

testVectors<BooleanCase>("cel/boolean.json", {
  name: (item) => `${item.expr} ${Object.keys(item.data).join(" ").slice(0, 40)}`,
  parse: jsonNumbers,
  run: (item) => check(item, parseCel),
  skip: celSkips["boolean"] ?? {},
});

testVectors<BooleanCase>("cel/compiled.json", {
  name: (item) => `${item.expr} ${JSON.stringify(item.data).length}`,
  run: (item) => check(item, (text) => compileCel(text, ["self", "dep"])),
  skip: celSkips["compiled"] ?? {},
});

interface HealthCase {
  readonly current: string;
  readonly inProgress?: string;
  readonly failed?: string;
  readonly object: JsonObject;
  readonly status?: string;
}

testVectors<HealthCase>("cel/health.json", {
  name: (item, index) => `${index} ${item.current}`,
  run(item) {
    const evaluate = () => evaluateHealth(parseHealth(item), item.object);
    if (item.status === undefined) throws(evaluate, FormatError);
    else equal(evaluate(), item.status);
  },
});
