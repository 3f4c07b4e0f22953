import assert from "node:assert/strict";

import fc from "fast-check";

import type { JsonValue } from "../../../src/core/json.ts";
import { jsonEqual } from "../../../src/core/json.ts";
import { emitNode } from "../../../src/format/yaml_node/emitter.ts";
import type { YamlNode } from "../../../src/format/yaml_node/node.ts";
import { nodeFromJson, nodeToJson, NodeValueError } from "../../../src/format/yaml_node/node_json.ts";
import { readYaml } from "../../../src/format/yaml_node/reader.ts";
import { YamlSyntaxError } from "../../../src/format/yaml_node/syntax_error.ts";
import { vectorsFolder } from "../../support/paths.ts";
import { skippedTexts } from "./skip.ts";

const folder = vectorsFolder();
const note = folder === undefined ? " (shared vectors are not there)" : "";

/** JSON with whole numbers in full, as Go's decoders in the vectors have them; other numbers are floats. */
function exactJson(text: string): { readonly value: JsonValue; readonly hasWholeFloats: boolean } {
  let hasWholeFloats = false;
  const revive = (_: string, value: unknown, context: { readonly source?: string }) => {
    if (typeof value !== "number" || context.source === undefined) return value;
    if (/^-?\d+$/.test(context.source)) {
      const whole = BigInt(context.source);
      return Number.isSafeInteger(value) || whole >= 2n ** 64n || whole < -(2n ** 63n) ? value : whole;
    }
    if (Number.isInteger(value)) hasWholeFloats = true;
    return value;
  };
  const value = JSON.parse(text, revive as unknown as (key: string, value: unknown) => unknown);
  return { value, hasWholeFloats };
}

interface EmitCase {
  readonly json: string;
  readonly compact: string;
}

function emitCases(file: string): readonly EmitCase[] {
  return JSON.parse(Deno.readTextFileSync(`${folder}/yaml/${file}`)).cases;
}

/** Node of a text that go-yaml printed; it prints a few that neither it nor we can read (a tab that opens a block). */
function tryRead(text: string): YamlNode | undefined {
  try {
    return readYaml(text);
  } catch {
    return undefined;
  }
}

/** Puts keys into the order of another node: nodes keep theirs, and Go sorts. */
function orderLike(node: YamlNode, like: YamlNode | undefined): void {
  if (node.kind === "list" && like?.kind === "list") node.items.forEach((item, at) => orderLike(item, like.items[at]));
  if (node.kind !== "map" || like?.kind !== "map") return;
  const rank = new Map(like.keys.map((key, at) => [key.text, at]));
  const pairs = node.keys.map((key, at) => ({ key, value: node.values[at] as YamlNode }));
  pairs.sort((a, b) => (rank.get(a.key.text) ?? 0) - (rank.get(b.key.text) ?? 0));
  node.keys = pairs.map((pair) => pair.key);
  node.values = pairs.map((pair) => pair.value);
  pairs.forEach((pair) => orderLike(pair.value, like.values[rank.get(pair.key.text) ?? -1]));
}

Deno.test({
  name: `emitNode() prints as go-yaml v3 with lists at the level of their key${note}`,
  ignore: folder === undefined,
  fn: () => {
    const failures: string[] = [];
    let passed = 0, left = 0;
    for (const row of emitCases("emit_v3.json")) {
      const { value, hasWholeFloats } = exactJson(row.json);
      // A float that is whole cannot be told from an integer in a JSON value.
      if (hasWholeFloats) {
        left++;
        continue;
      }
      const node = nodeFromJson(value);
      orderLike(node, tryRead(row.compact));
      if (emitNode(node) === row.compact) passed++;
      else failures.push(row.json);
    }
    console.log(`    emit_v3: ${passed} passed, ${left} skipped (whole floats)`);
    assert.deepEqual(failures, []);
  },
});

interface ReadCase {
  readonly yaml?: string;
  readonly ok: boolean;
  readonly json?: string;
}

Deno.test({
  name: `readYaml() reads documents as go-yaml v2 does${note}`,
  ignore: folder === undefined,
  fn: () => {
    const failures: string[] = [];
    for (const file of ["documents.json", "scalars.json"]) {
      let passed = 0, left = 0;
      const rows: readonly ReadCase[] = JSON.parse(Deno.readTextFileSync(`${folder}/yaml/${file}`)).cases;
      for (const row of rows) {
        // Keys that are floats are printed in single precision there; resources have none.
        if (row.yaml === undefined || /^\S+: v$/.test(row.yaml) || skippedTexts.has(row.yaml)) {
          left++;
          continue;
        }
        let value: JsonValue | undefined;
        try {
          const node = readYaml(row.yaml, { dialect: "v2" });
          value = node === undefined ? null : nodeToJson(node, { dialect: "v2", keys: "lenient" });
        } catch (error) {
          assert.ok(error instanceof YamlSyntaxError || error instanceof NodeValueError, String(error));
        }
        const good = row.ok
          ? value !== undefined && jsonEqual(value, exactJson(row.json ?? "null").value)
          : value === undefined;
        if (good) passed++;
        else failures.push(`${file} ${JSON.stringify(row.yaml)}`);
      }
      console.log(`    ${file}: ${passed} passed, ${left} skipped`);
    }
    assert.deepEqual(failures, []);
  },
});

Deno.test("readYaml() keeps styles, comments, lines and order", () => {
  const text = "# head\nb: 'x' # line\na:\n- \"80\"\n- {k: v}\n- |\n  two\n  lines\n";
  const node = readYaml(text, { comments: true });
  assert.ok(node?.kind === "map");
  assert.deepEqual(node.keys.map((key) => key.text), ["b", "a"]);
  const list = node.values[1];
  assert.ok(list?.kind === "list");
  assert.deepEqual(list.items.map((item) => [item.kind, item.line]), [["scalar", 4], ["map", 5], ["scalar", 6]]);
  assert.equal(emitNode(node), text);
});

Deno.test("readYaml() expands aliases and merge keys", () => {
  const node = readYaml("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: *a\n");
  assert.ok(node !== undefined);
  assert.deepEqual(nodeToJson(node), { a: { x: 1, y: 2 }, b: { x: 1, y: 3 }, c: { x: 1, y: 2 } });
});

Deno.test("readYaml() names line and column of a fault", () => {
  for (
    const [text, line] of [["a: b: c", 1], ["a:\n - b\n c", 3], ["a: [1,\n", 2], ["x: *no", 1], ['a: "\\q"', 1], [
      "a: |\n\tb",
      2,
    ]] as const
  ) {
    assert.throws(() => readYaml(text), (error) => error instanceof YamlSyntaxError && error.line === line, text);
  }
});

const value: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: "binary" }).map((text) => text.replace(/[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe]/g, "?")),
    fc.constantFrom("yes", "0x1", "1:30", "a: b", "- x", " pad ", "two\nlines\n", "\n", "~", "#", "long ".repeat(30)),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    // A float that is whole and large reads back as an integer with other last digits.
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Number.isInteger(number)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 8 }).map((key) => key.replace(/[^\x20-\x7e]/g, "?")), tie("value"), {
      maxKeys: 4,
    }),
  ),
})).value;

Deno.test("emitNode() and readYaml() are a round trip", () => {
  fc.assert(
    fc.property(value, (input) => {
      const read = readYaml(emitNode(nodeFromJson(input)));
      assert.ok(jsonEqual(read === undefined ? null : nodeToJson(read), input));
    }),
    { numRuns: 300 },
  );
});

Deno.test("readYaml() answers any text, or with a coded error", () => {
  const pieces = fc.constantFrom(
    "a",
    ":",
    " ",
    "\n",
    "- ",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&x",
    "*x",
    "!!str",
    "|",
    ">",
    "'",
    '"',
    "#",
    "?",
    "---\n",
    "...\n",
    "\\",
    "%",
    "<<",
    "1",
    "\t",
    "é",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      try {
        const node = readYaml(parts.join(""), { comments: true });
        if (node !== undefined) {
          emitNode(node);
          nodeToJson(node);
        }
      } catch (error) {
        assert.ok(error instanceof YamlSyntaxError || error instanceof NodeValueError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
