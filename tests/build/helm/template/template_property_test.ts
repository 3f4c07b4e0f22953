import assert from "node:assert/strict";
import fc from "fast-check";
import { StageError } from "../../../../src/core/stage_error.ts";
import { Lexer } from "../../../../src/build/helm/template/lexer.ts";
import { parseTemplate } from "../../../../src/build/helm/template/parser.ts";
import { ParseError } from "../../../../src/build/helm/template/template_error.ts";
import { renderFiles } from "../../../support/template_harness.ts";

const chart = "apiVersion: v2\nname: chart\nversion: 0.1.0\n";

/** Pieces that often stand together in templates: random orders of them reach more of the parser than random letters. */
const pieces = [
  "{{",
  "}}",
  "{{-",
  "-}}",
  " ",
  "\n",
  "if",
  "else",
  "else if",
  "end",
  "range",
  "with",
  "define",
  "block",
  "template",
  "break",
  "continue",
  '"a"',
  "`b`",
  "'c'",
  "1",
  "0x1F",
  "1.5e3",
  "1i",
  ".",
  ".Values",
  ".Values.a.b",
  "$",
  "$x",
  ":=",
  "=",
  ",",
  "|",
  "(",
  ")",
  "nil",
  "true",
  "/*",
  "*/",
  "include",
  "tpl",
  "dict",
  "list",
  "printf",
  "toString",
  "until",
  "index",
  "eq",
  "and",
  "text",
  "é",
];

const templates = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(" "));
const actions = fc.array(fc.constantFrom(...pieces.slice(4)), { maxLength: 10 })
  .map((parts) => `{{ ${parts.join(" ")} }}`);

Deno.test("Lexer.next() always comes to an end, and never goes back", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), templates, actions), (text) => {
      const lexer = new Lexer(text);
      let last = 0;
      for (let count = 0;; count++) {
        assert.ok(count <= text.length + 1, `more tokens than characters in ${JSON.stringify(text)}`);
        const { type, start } = lexer.next();
        if (type === "eof" || type === "error") break;
        assert.ok(start >= last && start < text.length);
        last = start;
      }
      assert.equal(lexer.next().type, "eof");
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseTemplate() throws nothing but coded errors", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), templates, actions), (text) => {
      try {
        parseTemplate("t", text, { hasFunction: () => true });
      } catch (error) {
        assert.ok(error instanceof ParseError || error instanceof StageError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("executeTemplates() throws nothing but coded errors", () => {
  fc.assert(
    fc.property(
      fc.oneof(templates, actions),
      fc.dictionary(fc.constantFrom("a", "b"), fc.jsonValue()),
      (text, values) => {
        renderFiles({
          files: { "Chart.yaml": chart, "templates/t.yaml": text },
          values: values as never,
          dialect: "helm4.2.4",
          limits: { steps: 20_000, outputLength: 100_000, madeLength: 1_000_000 },
        });
      },
    ),
    { numRuns: 500 },
  );
});

function errorOf(text: string): string {
  const result = renderFiles({ files: { "Chart.yaml": chart, "templates/t.yaml": text }, dialect: "helm3" });
  return result.error ?? "no error";
}

Deno.test("executeTemplates() ends what would not end, or would fill the memory", () => {
  assert.match(errorOf("{{ until 1000000000 }}"), /more than 50000000 steps/);
  assert.match(errorOf('{{ repeat 1000000000 "x" }}'), /Cannot call "repeat".* limit is 16777216/);
  assert.match(errorOf("{{ range 1000000000 }}{{ end }}"), /more than 50000000 steps/);
  assert.match(errorOf('{{ $x := "ab" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}'), /limit is 16777216/);
  assert.match(errorOf('{{ range 9999 }}{{ repeat 99999 "x" }}{{ end }}'), /more than 33554432 characters/);
  assert.match(errorOf("{{ $d := dict }}{{ $_ := set $d `d` $d }}{{ $d }}"), /nested too deep/);
});

Deno.test("executeTemplates() bounds work that reads the same long text or list again and again", () => {
  const loop = (body: string) =>
    `{{ $x := repeat 4000000 "x" }}{{ $l := until 100000 }}{{ range 9999 }}${body}{{ end }}`;
  for (const body of ["{{ $y := upper $x }}", '{{ $y := contains "y" $x }}', "{{ $y := has -1 $l }}"]) {
    assert.match(errorOf(loop(body)), /takes more than 50000000 steps|make more than \d+ characters/);
  }
});

Deno.test("executeTemplates() words endless templates as Helm does", () => {
  assert.match(
    errorOf('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}'),
    /rendering template has a nested reference name: a: unable to execute template$/,
  );
  assert.equal(
    errorOf('{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}'),
    'template: chart/templates/t.yaml:1:28: executing "a" at <{{template "a" .}}>: ' +
      "exceeded maximum template depth (100000)",
  );
});
