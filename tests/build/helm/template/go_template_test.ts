import assert from "node:assert/strict";
import { method } from "../../../../src/build/helm/functions/registry.ts";
import { goTypes, mapType, sliceType } from "../../../../src/build/helm/template/go_type.ts";
import type { GoType } from "../../../../src/build/helm/template/go_type.ts";
import { Lexer } from "../../../../src/build/helm/template/lexer.ts";
import { executeTemplates, parseTemplates } from "../../../../src/build/helm/template/template_set.ts";
import {
  GoComplex,
  goDict,
  goInt,
  goInteger,
  GoMap,
  GoSlice,
  GoStruct,
} from "../../../../src/build/helm/template/value.ts";
import type { GoInt, Value } from "../../../../src/build/helm/template/value.ts";
import type { TokenType } from "../../../../src/build/helm/template/token.ts";
import { callContext } from "../../../support/call_context.ts";
import { renderFiles } from "../../../support/template_harness.ts";
import { vectorsFolder } from "../../../support/paths.ts";
import { foreignParts, skippedRows } from "./go_template_skip.ts";

const folder = vectorsFolder();
const ignore = folder === undefined;
const decode = (text: string) => new TextDecoder().decode(Uint8Array.fromBase64(text));

function rows(name: string): readonly (readonly string[])[] {
  const text = Deno.readTextFileSync(`${folder}/go-template/${name}.tsv`);
  return text.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
}

/** Text that a template gives on some data, which stands in `.Values.data` and is made dot. */
function render(template: string, data: unknown): string {
  const result = renderFiles({
    files: {
      "Chart.yaml": "apiVersion: v2\nname: chart\nversion: 0.1.0\n",
      "templates/t.yaml": `{{ define "row" }}${template}{{ end }}{{ include "row" .Values.data }}`,
    },
    values: { data } as never,
    dialect: "helm3",
  });
  return result.error === undefined ? result.outputs.get("chart/templates/t.yaml") ?? "" : `error: ${result.error}`;
}

function check(
  name: string,
  all: readonly { readonly template: string; readonly data: unknown; readonly wanted: string }[],
) {
  const failed: string[] = [];
  let skipped = 0;
  for (const { template, data, wanted } of all) {
    if (skippedRows.some((row) => row.template === template)) {
      skipped++;
      continue;
    }
    const got = render(template, data);
    // Helm drops what Go writes for nothing.
    if (got !== wanted.replaceAll("<no value>", "")) {
      failed.push(`${template}\n  wanted ${JSON.stringify(wanted)}\n     got ${JSON.stringify(got)}`);
    }
  }
  if (skipped > 0) console.log(`${name}: ${skipped} of ${all.length} skipped`);
  assert.deepEqual(failed, []);
}

/** Data of a row: `nil`, a number, a bool or a text. */
function dataOf(text: string): unknown {
  if (text === "nil") return null;
  if (text === "true" || text === "false") return text === "true";
  return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
}

Deno.test({ name: "go-template/core/text_cases render as in Go", ignore }, () => {
  check(
    "text_cases",
    rows("core/text_cases").map(([, data = "", template = "", wanted = ""]) => ({
      template: decode(template),
      data: dataOf(data),
      wanted: decode(wanted),
    })),
  );
});

Deno.test({ name: "go-template/core/gotmpl_exec_cases render as in Go", ignore }, () => {
  check(
    "gotmpl_exec_cases",
    rows("core/gotmpl_exec_cases").map(([template = "", wanted = "", data = ""]) => ({
      template: decode(template),
      data: JSON.parse(decode(data)),
      wanted: decode(wanted),
    })),
  );
});

const names: Readonly<Partial<Record<TokenType, string>>> = {
  ":=": "DECLARE",
  "=": "ASSIGN",
  "|": "PIPE",
  "(": "LEFT_PAREN",
  ")": "RIGHT_PAREN",
  left: "LEFT_DELIM",
  right: "RIGHT_DELIM",
  character: "CHAR_CONSTANT",
  rawString: "RAW_STRING",
};

Deno.test({ name: "go-template/core/lex_cases are cut as in Go", ignore }, () => {
  const failed: string[] = [];
  let skipped = 0;
  for (const [name = "", source = "", wanted = ""] of rows("core/lex_cases")) {
    const expected = wanted.split(" ").map((token) => {
      const [kind = "", text = ""] = token.split(",");
      return `${kind} ${decode(text)}`.trim();
    }).filter((token) => !token.startsWith("COMMENT"));
    const lexer = new Lexer(decode(source));
    const tokens: string[] = [];
    while (true) {
      const token = lexer.next();
      const kind = names[token.type] ?? token.type.toUpperCase();
      // The rows do not tell the text of an error.
      tokens.push(token.type === "eof" || token.type === "error" ? kind : `${kind} ${token.text}`.trim());
      if (token.type === "eof" || token.type === "error") break;
    }
    if (skippedRows.some((row) => row.template === decode(source))) {
      skipped++;
    } else if (tokens.join("\n") !== expected.join("\n")) {
      failed.push(`${name}: ${tokens.join(" ")} | ${expected.join(" ")}`);
    }
  }
  if (skipped > 0) console.log(`lex_cases: ${skipped} skipped`);
  assert.deepEqual(failed, []);
});

const { any, bool, complex128, float64, int, string } = goTypes;
const uint16: GoType = goTypes.uint16;
const ints = sliceType(int);

const uType: GoType = {
  kind: "struct",
  name: "*template.U",
  fields: [{ name: "V", type: string }],
  methods: { TrueFalse: method([bool], string, (_, __: GoStruct, yes) => yes ? "true" : "") },
};
const vType = (name: string, text: (value: Value) => string): GoType => ({
  kind: "struct",
  name,
  fields: [{ name: "j", type: int, isPrivate: true }],
  methods: {
    [name === "template.V" ? "String" : "Error"]: method([], string, (_, it: GoStruct) => text(it.fields?.j)),
  },
});
const u = new GoStruct(uType, { V: "v" });
const intOf = (value: Value) => (value as GoInt).value;

/** Twin of `tVal` of Go's exec_test.go, as far as charts have such values. */
const tValType: GoType = {
  kind: "struct",
  name: "*template.T",
  fields: [
    ...["X", "S", "Str", "Err"].map((name) => ({ name, type: string })),
    ...["Empty0", "Empty1", "Empty2", "Empty3", "Empty4"].map((name) => ({ name, type: any })),
    ...["True", "False"].map((name) => ({ name, type: bool })),
    { name: "I", type: int },
    { name: "U16", type: uint16 },
    { name: "U", type: uType },
    { name: "SI", type: ints },
    { name: "SIEmpty", type: ints },
    { name: "SB", type: sliceType(bool) },
    { name: "AI", type: ints },
    { name: "MSI", type: mapType(int) },
    { name: "MSIone", type: mapType(int) },
    { name: "MSIEmpty", type: mapType(int) },
    { name: "MXI", type: goTypes.dict },
    { name: "SMSI", type: sliceType(mapType(int)) },
    { name: "V0", type: any },
    { name: "V1", type: any },
    { name: "W0", type: any },
    { name: "W1", type: any },
    { name: "FloatZero", type: float64 },
    { name: "ComplexZero", type: complex128 },
  ],
  methods: {
    Method0: method([], string, () => "M0"),
    Method1: method([int], int, (_, __: GoStruct, value) => goInt(value)),
    Method2: method([uint16, string], string, (_, __: GoStruct, a, b) => `Method2: ${a} ${b}`),
    Method3: method([any], string, (_, __: GoStruct, value) => `Method3: ${value === null ? "<nil>" : value}`),
    MAdd: method(
      [int, ints],
      ints,
      (_, __: GoStruct, add, list) =>
        new GoSlice((list as GoSlice).items?.map((item) => goInt(Number(intOf(item)) + Number(add))) ?? [], ints),
    ),
    GetU: method([], uType, () => u),
    Copy: method([], any, (_, it: GoStruct) => it),
    MyError: method([bool], bool, () => false),
  },
};
const intMap = (entries: readonly (readonly [string, number])[]) =>
  new GoMap(new Map(entries.map(([key, value]) => [key, goInt(value)])), mapType(int));
const intList = (items: readonly number[]) => new GoSlice(items.map(goInt), ints);
const vText = vType("template.V", (j) => `<${intOf(j)}>`);
const wText = vType("template.W", (j) => `[${intOf(j)}]`);
const tVal = new GoStruct(tValType, {
  True: true,
  False: false,
  I: goInt(17),
  U16: goInteger(uint16, 16),
  X: "x",
  S: "xyz",
  U: u,
  V0: new GoStruct(vText, { j: goInt(6666) }),
  V1: new GoStruct(vText, { j: goInt(7777) }),
  W0: new GoStruct(wText, { j: goInt(888) }),
  W1: new GoStruct(wText, { j: goInt(999) }),
  SI: intList([3, 4, 5]),
  SIEmpty: intList([]),
  AI: intList([3, 4, 5]),
  SB: new GoSlice([true, false], sliceType(bool)),
  MSI: intMap([["one", 1], ["two", 2], ["three", 3]]),
  MSIone: intMap([["one", 1]]),
  MSIEmpty: intMap([]),
  MXI: goDict([["one", goInt(1)]]),
  SMSI: new GoSlice([intMap([["one", 1], ["two", 2]]), intMap([["eleven", 11], ["twelve", 12]])]),
  Empty0: null,
  Empty1: goInt(3),
  Empty2: "empty2",
  Empty3: intList([7, 8]),
  Empty4: new GoStruct({ ...uType, name: "template.U" }, { V: "UinEmpty" }),
  Str: "foozle",
  Err: "erroozle",
  FloatZero: 0,
  ComplexZero: new GoComplex(0, 0),
});

Deno.test({ name: "go-template/core/tval_cases render as in Go", ignore }, () => {
  const failed: string[] = [];
  let skipped = 0;
  const all = rows("core/tval_cases");
  for (const [name = "", source = "", wanted = ""] of all) {
    const template = decode(source);
    if (foreignParts.some(({ part }) => part.test(template))) {
      skipped++;
      continue;
    }
    let got: string;
    try {
      const set = parseTemplates([{
        name: "t",
        text: `{{ template "row" .It }}{{ define "row" }}${template}{{ end }}`,
      }], "helm3");
      const scope = { scope: goDict([["It", tVal]]), basePath: "" };
      got = executeTemplates(set, () => scope, { tools: callContext().tools, isStrict: false }).get("t") ?? "";
    } catch (error) {
      got = `error: ${(error as Error).message}`;
    }
    if (got !== decode(wanted).replaceAll("<no value>", "")) {
      failed.push(`${name}: ${template}\n  wanted ${JSON.stringify(decode(wanted))}\n     got ${JSON.stringify(got)}`);
    }
  }
  console.log(`tval_cases: ${skipped} of ${all.length} skipped, see go_template_skip.ts`);
  assert.deepEqual(failed, []);
});

for (const table of ["crypto", "date", "defaults", "dict", "list", "numeric", "semver", "strings", "url"]) {
  Deno.test({ name: `go-template/sprig ${table} rows render as with Sprig`, ignore }, () => {
    check(
      table,
      rows(`sprig/sprig_${table}_cases`).map(([template = "", wanted = ""]) => ({
        template: decode(template),
        data: {},
        wanted: decode(wanted),
      })),
    );
  });
}

for (const table of ["crypto", "date", "defaults", "dict", "list", "numeric", "strings"]) {
  Deno.test({ name: `go-template/sprig ${table} rows with data render as with Sprig`, ignore }, () => {
    check(
      table,
      rows(`sprig/sprig_${table}_runtv_cases`).map(([template = "", wanted = "", data = ""]) => ({
        template: decode(template),
        data: JSON.parse(decode(data)),
        wanted: decode(wanted),
      })),
    );
  });
}
