import { deepEqual, equal, match } from "node:assert/strict";
import fc from "fast-check";
import { substitute } from "../../src/format/envsubst.ts";
import { readVectors, testVectors } from "../support/vectors.ts";

Deno.test("substitute() names every missing variable with its place", () => {
  deepEqual(substitute("a: ${a}\nb: ${b:=x} ${c:-${d}}\n  ${#e}", () => undefined, { strict: true }), {
    kind: "failed",
    problems: [
      { message: 'Variable "a" is not set', variable: "a", line: 1, column: 4 },
      { message: 'Variable "d" is not set', variable: "d", line: 2, column: 17 },
      { message: 'Variable "e" is not set', variable: "e", line: 3, column: 3 },
    ],
  });
});

Deno.test("substitute() takes values as they are", () => {
  deepEqual(substitute("${a} $${b} $c ${a//x/$&}", (name) => name === "a" ? "$$ ${x} \\" : undefined), {
    kind: "done",
    text: "$$ ${x} \\ ${b} $c $$ ${$&} \\",
  });
});

Deno.test("substitute() names the fault of a text that it cannot read", () => {
  const result = substitute("x\n${v-d}", () => "");
  equal(result.kind, "failed");
  deepEqual(result.kind === "failed" && result.problems.map(({ line, column }) => [line, column]), [[2, 1]]);
  equal(substitute("${a:-".repeat(5000), () => "").kind, "failed");
});

Deno.test("substitute() trims long values in time", () => {
  const value = "a".repeat(200_000);
  deepEqual(substitute("${v##*a*a*b}", () => value), { kind: "done", text: value });
});

Deno.test("substitute() is bounded in faults, work and size", () => {
  const missing = substitute("${a}".repeat(200_000), () => undefined, { strict: true });
  equal(missing.kind === "failed" && missing.problems.length, 100);
  const value = "v".repeat(1_000_000);
  for (const text of ["${v}", "${#v}", "${v:0:1}", "${v#x}", "${v:-d}", "${w:-${v}}"]) {
    const result = substitute(text.repeat(10_000), (name) => name === "v" ? value : undefined);
    match(result.kind === "failed" && result.problems[0]?.message || "", /more than 67,108,864 characters$/);
  }
  for (const text of ["${v//v/${v}}", "${v//${w}/${v}}"]) {
    equal(substitute(text, (name) => name === "v" ? value : "").kind, "failed");
  }
  equal(substitute("${v}".repeat(50), () => value).kind, "done");
});

Deno.test("substitute() answers any text", () => {
  const signs = fc.string({
    unit: fc.constantFrom(
      "$",
      "{",
      "}",
      "${",
      "a",
      "b",
      ":",
      "-",
      "=",
      "#",
      "%",
      "/",
      "\\",
      "^",
      ",",
      "*",
      "[",
      "]",
      "1",
      "é",
      "\0",
    ),
  });
  fc.assert(
    fc.property(signs, fc.string(), (text, value) => {
      const result = substitute(text, (name) => name === "a" ? value : undefined);
      return result.kind === "done" || result.problems.length > 0;
    }),
    { numRuns: 5000 },
  );
});

interface EvalCase {
  readonly input: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly strict: boolean;
  readonly output?: string;
  readonly error?: string;
}

testVectors<EvalCase>("envsubst/eval.json", {
  name: (item) => JSON.stringify([item.input, item.vars, item.strict]),
  run(item) {
    const result = substitute(item.input, (name) => Object.hasOwn(item.vars, name) ? item.vars[name] : undefined, {
      strict: item.strict,
    });
    if (item.error === undefined) deepEqual(result, { kind: "done", text: item.output ?? "" });
    else equal(result.kind, "failed");
  },
});

interface FluxCase {
  readonly params: Readonly<Record<string, string>>;
  readonly input: string;
  readonly output: string;
  readonly wantErr?: { readonly opaque?: boolean } | null;
}

const flux = readVectors<{ readonly cases: readonly FluxCase[] }>("flux/envsubst.json");
Deno.test({
  name: flux === undefined
    ? "vectors flux/envsubst.json (folder of shared vectors not found)"
    : "vectors flux/envsubst.json",
  ignore: flux === undefined,
  fn() {
    for (const item of flux?.cases ?? []) {
      // Rows with wantErr were run strictly.
      const result = substitute(item.input, (name) => item.params[name], { strict: item.wantErr !== undefined });
      if (item.wantErr?.opaque !== true) deepEqual(result, { kind: "done", text: item.output }, item.input);
      else equal(result.kind, "failed", item.input);
    }
  },
});
