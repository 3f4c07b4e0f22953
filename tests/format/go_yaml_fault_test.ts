import { strict as assert } from "node:assert";
import fc from "fast-check";
import { FormatError } from "../../src/format/format_error.ts";
import { goYamlFault } from "../../src/format/go_yaml_fault.ts";
import { parseYaml } from "../../src/format/yaml.ts";
import { vectorsFolder } from "../support/paths.ts";

function fault(text: string): string | undefined {
  try {
    parseYaml(text);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof FormatError);
    return goYamlFault(text, error);
  }
}

Deno.test("goYamlFault() says what go-yaml says", () => {
  assert.equal(fault("a: b: c\n"), "yaml: mapping values are not allowed in this context");
  assert.equal(fault("a: 1\n b: 2\n"), "yaml: line 2: mapping values are not allowed in this context");
  assert.equal(fault("a:\n  - b\n  c\n"), "yaml: line 4: could not find expected ':'");
  assert.equal(fault("a: [\n"), "yaml: line 1: did not find expected node content");
  assert.equal(fault("a: [b\nc: d\n"), "yaml: line 1: did not find expected ',' or ']'");
  assert.equal(fault("a: 'b\n"), "yaml: line 2: found unexpected end of stream");
  assert.equal(fault("- a\nb: c\n"), "yaml: line 1: did not find expected '-' indicator");
  assert.equal(fault("a: *b\n"), "yaml: unknown anchor 'b' referenced");
  assert.equal(fault("a: \u0001\n"), "yaml: control characters are not allowed");
  assert.equal(fault("a: 1\n\tb: 2\n"), "yaml: line 2: found a tab character that violates indentation");
});

Deno.test("goYamlFault() always answers", () => {
  const piece = fc.constantFrom(
    "a",
    ":",
    " ",
    "\n",
    "-",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    '"',
    "&x",
    "*x",
    "!t",
    "|",
    ">",
    "#",
    "%",
    "?",
    "\t",
    "---",
    "...",
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 25 }).map((parts) => parts.join("")), (text) => {
    const answer = goYamlFault(text, new FormatError("Cannot read YAML: test", { line: 1 }));
    assert.equal(typeof answer, "string");
  }));
});

const folder = vectorsFolder();
Deno.test({
  name: folder === undefined ? "yaml faults (skipped: no shared vectors)" : "goYamlFault() meets the yaml vectors",
  ignore: folder === undefined,
  fn() {
    const text = Deno.readTextFileSync(`${folder}/yaml/documents.json`);
    const { cases } = JSON.parse(text) as { cases: { yaml?: string; error?: string }[] };
    const wrong: string[] = [];
    let passed = 0;
    for (const { yaml, error } of cases) {
      if (yaml === undefined || error === undefined) continue;
      const got = fault(yaml);
      if (got === undefined) continue;
      if (got === error) passed++;
      else wrong.push(`${JSON.stringify(yaml)}\n  got    ${got}\n  wanted ${error}`);
    }
    console.log(`yaml faults: ${passed} passed, ${wrong.length} in other words`);
    for (const each of wrong.slice(0, Number(Deno.env.get("SHOWN_FAILURES") ?? 0))) console.log(each);
    assert.ok(passed > wrong.length * 10, wrong.slice(0, 5).join("\n"));
  },
});
