import { strict as assert } from "node:assert";
import fc from "fast-check";
import type { JsonValue } from "../../../../src/core/json.ts";
import { jsonEqual } from "../../../../src/core/json.ts";
import { printYaml } from "../../../../src/format/yaml.ts";
import { fromJson, GoInt, type GoMap } from "../../../../src/build/helm/template/value.ts";
import { assign, SetSyntaxError } from "../../../../src/build/helm/values/set_syntax.ts";
import type { SetMode } from "../../../../src/build/helm/values/set_syntax.ts";
import { newTable } from "../../../../src/build/helm/values/tables.ts";
import type { Table } from "../../../../src/build/helm/values/tables.ts";
import { jsonOf } from "../../../../src/build/helm/values/value_json.ts";
import { vectorsFolder } from "../../../support/paths.ts";
import { runCases } from "../vector_suite.ts";

function set(text: string, mode?: SetMode): JsonValue {
  const made = newTable();
  assign(text, made, mode);
  return jsonOf(made);
}

Deno.test("assign() reads types, lists, indexes and escapes", () => {
  assert.deepEqual(set("a=1,b.c=text,d={x,2,},e[1].f=true,g=null,h\\.i=a\\,b"), {
    a: 1,
    b: { c: "text" },
    d: ["x", 2, ""],
    e: [null, { f: true }],
    g: null,
    "h.i": "a,b",
  });
  assert.deepEqual(set("a=1,b=true", { kind: "string" }), { a: "1", b: "true" });
  assert.deepEqual(set('a={"x":[1,null]},b=', { kind: "json" }), { a: { x: [1, null] }, b: null });
  assert.deepEqual(set("a.b=x,y=\\{z", { kind: "literal" }), { a: { b: "x,y=\\{z" } });
  assert.deepEqual(set("a=path", { kind: "file", read: (path) => `<${path}>` }), { a: "<path>" });
});

Deno.test("assign() keeps whole numbers exact and leading zeros as text", () => {
  const made = newTable();
  assign("a=9007199254740993,b=007,c=1e3", made);
  const a = made.entries.get("a");
  assert.ok(a instanceof GoInt && a.value === 9007199254740993n);
  assert.equal(made.entries.get("b"), "007");
  assert.equal(made.entries.get("c"), "1e3");
});

Deno.test("assign() refuses what would make too much", () => {
  assert.throws(() => set("a[65537]=x"), /index of 65537 is greater than maximum supported index of 65536/);
  assert.throws(
    () => set(`${"a.".repeat(31)}b=x`),
    /nested level is greater than maximum supported nested level of 30/,
  );
  const many = Array.from({ length: 100 }, (_, index) => `k${index}[65536]=x`).join(",");
  assert.throws(() => set(many), /more than 4000000 places/);
});

Deno.test("assign() throws nothing but SetSyntaxError", () => {
  const letters = fc.constantFrom("a", "b", ".", "=", ",", "[", "]", "{", "}", "\\", "0", "1", "-", '"', " ", "é");
  const text = fc.array(letters, { maxLength: 30 }).map((parts) => parts.join(""));
  const kinds = fc.constantFrom<SetMode["kind"]>("typed", "string", "json", "literal", "file");
  fc.assert(
    fc.property(text, kinds, (source, kind) => {
      try {
        set(source, kind === "file" ? { kind, read: (path) => path } : { kind });
      } catch (error) {
        assert.ok(error instanceof SetSyntaxError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

interface StrvalsCase {
  readonly func: string;
  readonly input: string;
  readonly base?: string;
  readonly json?: string;
  readonly error?: string;
  readonly afterError?: string;
}

const modes: Readonly<Record<string, SetMode>> = {
  Parse: { kind: "typed" },
  ParseInto: { kind: "typed" },
  ToYAML: { kind: "typed" },
  ParseString: { kind: "string" },
  ParseIntoString: { kind: "string" },
  ParseLiteral: { kind: "literal" },
  ParseLiteralInto: { kind: "literal" },
  ParseJSON: { kind: "json" },
};

const fileMode: SetMode = {
  kind: "file",
  read(path) {
    if (path === "missing") throw new SetSyntaxError('no file "missing"');
    return `FILE(${path})`;
  },
};

function runStrvals(each: StrvalsCase): string | undefined {
  const target = each.base === undefined ? newTable() : fromJson(JSON.parse(each.base)) as GoMap as Table;
  let failure: string | undefined;
  try {
    assign(each.input, target, modes[each.func] ?? fileMode);
  } catch (error) {
    if (!(error instanceof SetSyntaxError)) throw error;
    failure = error.message;
  }
  if (failure !== each.error) return `error ${failure}, wanted ${each.error}`;
  const wanted = each.error === undefined ? each.json : each.afterError;
  if (wanted === undefined) return undefined;
  const got = each.func === "ToYAML" ? { yaml: printYaml(jsonOf(target)).replace(/\n$/, "") } : jsonOf(target);
  return jsonEqual(got, JSON.parse(wanted)) ? undefined : `got ${JSON.stringify(got)}, wanted ${wanted}`;
}

const folder = vectorsFolder();
Deno.test({
  name: folder === undefined ? "strvals vectors (skipped: no shared vectors)" : "assign() meets the strvals vectors",
  ignore: folder === undefined,
  async fn() {
    const { cases } = JSON.parse(Deno.readTextFileSync(`${folder}/strvals/parse.json`)) as { cases: StrvalsCase[] };
    await runCases(
      "strvals",
      cases.map((each, index) => ({ name: `${index} ${each.func} ${each.input}`, run: () => runStrvals(each) })),
    );
  },
});
