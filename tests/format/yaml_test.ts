import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import type { JsonValue } from "../../src/core/json.ts";
import { canonicalJson } from "../../src/core/json.ts";
import { FormatError } from "../../src/format/format_error.ts";
import { parseYaml, parseYamlDocuments, printYaml, printYamlDocuments, yamlText } from "../../src/format/yaml.ts";

Deno.test("parseYaml() takes what Kubernetes tools take for booleans and numbers", () => {
  deepEqual(parseYaml("[yes, off, n, 0755, 0o14, 0x1F, 1_000, 08, 1e3, 1e400, 12:30, 2001-12-14, ~]"), [
    true,
    false,
    false,
    493,
    12,
    31,
    1000,
    8,
    1000,
    "1e400",
    "12:30",
    "2001-12-14",
    null,
  ]);
});

Deno.test("parseYaml() keeps every digit of a 64-bit number", () => {
  deepEqual(parseYaml("[9007199254740993, 18446744073709551615, -9223372036854775808, 18446744073709551616]"), [
    9007199254740993n,
    18446744073709551615n,
    -9223372036854775808n,
    18446744073709552000,
  ]);
  deepEqual(parseYaml('{"id": 9007199254740993}'), { id: 9007199254740993n });
});

Deno.test("parseYaml() merges in writing order", () => {
  deepEqual(parseYaml("a: &a {x: 1, z: 2}\nb: {x: 5, <<: *a}\nc: {<<: [{z: 7}, *a]}"), {
    a: { x: 1, z: 2 },
    b: { x: 1, z: 2 },
    c: { x: 1, z: 7 },
  });
  throws(() => parseYaml("a: {<<: 1}"), /map merge requires/);
});

Deno.test("parseYaml() takes the last of two equal keys unless it is strict", () => {
  deepEqual(parseYaml("a: 1\na: 2"), { a: 2 });
  throws(
    () => parseYaml("a: 1\na: 2", { strict: true, file: "x.yaml" }),
    (error) =>
      error instanceof FormatError &&
      error.message === 'x.yaml:2:1: Cannot read YAML: key "a" is already set in this map',
  );
  throws(() => parseYaml('{"a": 1, "a": 2}', { strict: true }), FormatError);
});

Deno.test("parseYaml() takes a __proto__ key as data", () => {
  for (const text of ["__proto__: {x: 1}", '{"__proto__": {"x": 1}}', "a: &a {__proto__: {x: 1}}\n<<: *a"]) {
    const value = parseYaml(text) as Record<string, JsonValue>;
    equal(Object.hasOwn(value, "__proto__"), true, text);
    equal((value as { x?: unknown }).x, undefined);
  }
});

Deno.test("parseYaml() reads flow lists and quoted texts that go on at the margin", () => {
  deepEqual(parseYaml("spec:\n  args: [\n'a',\n\"b\nc\",\n]\n  z: 'q'# note\n"), {
    spec: { args: ["a", "b c"], z: "q" },
  });
});

Deno.test("parseYaml() refuses alias bombs and deep nesting with the code limit", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 9; level++) {
    lines.push(`a${level}: &a${level} [${Array(10).fill(`*a${level - 1}`).join(", ")}]`);
  }
  const isLimit = (error: unknown) => error instanceof FormatError && error.code === "limit";
  throws(() => parseYaml(lines.join("\n")), isLimit);
  throws(() => parseYaml("[".repeat(101) + "]".repeat(101)), isLimit);
  throws(() => parseYaml("- ".repeat(101) + "x"), isLimit);
  throws(
    () =>
      parseYaml(Array.from({ length: 120 }, (_, n) => `a${n}: &a${n} [*a${n - 1}]`).join("\n").replace("*a-1", "1")),
    isLimit,
  );
});

Deno.test("parseYaml() names line and column and shows the line", () => {
  throws(() => parseYaml("a: 1\nb: [1, 2\nc: 3\n", { file: "f.yaml" }), (error) => {
    equal(error instanceof FormatError && error.file === "f.yaml" && error.line !== undefined, true);
    return /^\d+ \| /.test((error as FormatError).excerpt ?? "");
  });
});

Deno.test("parseYamlDocuments() gives each document its text and places of the whole file", () => {
  const text = '# head\na: 1\n---\n# only this\n---\nb:\n  - c: x\n    d: "y"\n--- {e: 2}\n';
  const documents = parseYamlDocuments(text, { file: "m.yaml" });
  deepEqual(documents.map((document) => document.value), [{ a: 1 }, { b: [{ c: "x", d: "y" }] }, { e: 2 }]);
  deepEqual(documents.map((document) => document.index), [0, 1, 2]);
  equal(documents[1]?.text, 'b:\n  - c: x\n    d: "y"\n');
  deepEqual(documents[1]?.placeOf(["b", 0, "d"]), { file: "m.yaml", line: 8, column: 8 });
  deepEqual(documents[1]?.placeOf(["b", 0, "d"], { key: true }), { file: "m.yaml", line: 8, column: 5 });
  deepEqual(documents[1]?.placeOf(["b", 0, "missing", 3]), { file: "m.yaml", line: 7, column: 5 });
  deepEqual(documents[1]?.placeOf([]), { file: "m.yaml", line: 6, column: 1 });
  deepEqual(documents[2]?.placeOf(["e"]), { file: "m.yaml", line: 9, column: 9 });
});

Deno.test("parseYamlDocuments() reads documents that end with three dots and directives", () => {
  deepEqual(parseYamlDocuments("%YAML 1.1\n---\na: 1\n---\nb: 2\n").map((document) => document.value), [{ a: 1 }, {
    b: 2,
  }]);
  deepEqual(parseYamlDocuments("a: 1\n...\n---\nb: 2\n...\n").map((document) => document.value), [{ a: 1 }, { b: 2 }]);
  deepEqual(parseYamlDocuments("--- |\n  --- no\n---\n- 1\n").map((document) => document.value), ["--- no\n", [1]]);
});

Deno.test("yamlText() reads UTF-16 by its mark and refuses other bytes", () => {
  equal(yamlText(Uint8Array.of(0xff, 0xfe, 0x61, 0)), "a");
  throws(() => yamlText(Uint8Array.of(0x61, 0xff)), FormatError);
});

Deno.test("printYaml() prints as kubectl and Flux do", () => {
  equal(
    printYaml({ kind: "A", a10: [1, { b: [], c: {} }], a2: "yes", text: "x\ny\n", "": null, s: " a", n: 1e21 }),
    '"": null\na2: "yes"\na10:\n- 1\n- b: []\n  c: {}\nkind: A\n"n": 1e+21\ns: \' a\'\ntext: |\n  x\n  y\n',
  );
  equal(printYamlDocuments([{ a: 1 }, { b: 2 }]), "a: 1\n---\nb: 2\n");
});

const text = fc.oneof(
  fc.string(),
  fc.string({
    unit: fc.constantFrom("a", "b", "\n", " ", "-", ":", "#", "'", '"', "\t", "é", "😀", "0", "1", ".", "~"),
  }),
);
const json = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value === 0 ? 0 : value),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(text, tie("value"), { maxKeys: 5 }),
  ),
})).value;

Deno.test("printYaml() prints what parseYaml() reads back", () => {
  fc.assert(
    fc.property(json, (value) => {
      let printed: string;
      try {
        printed = printYaml(value);
      } catch (error) {
        return error instanceof FormatError;
      }
      // Line separators and lone surrogates do not survive, in Go neither.
      return /[\ud800-\udfff\u0085\u2028\u2029]/.test(canonicalJson(value)) ||
        printYaml(parseYaml(printed)) === printed;
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseYaml() answers any text with a value or a FormatError", () => {
  const signs = fc.string({
    unit: fc.constantFrom(
      "a",
      "1",
      ":",
      " ",
      "\n",
      "-",
      "[",
      "]",
      "{",
      "}",
      ",",
      "&",
      "*",
      "!",
      "|",
      ">",
      "'",
      '"',
      "#",
      "?",
      "%",
      "\t",
      "<<",
      "---\n",
      "\r",
    ),
    maxLength: 60,
  });
  fc.assert(
    fc.property(signs, (text) => {
      try {
        parseYaml(text);
        parseYamlDocuments(text).forEach((document) => document.placeOf(["a", 0]));
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});
