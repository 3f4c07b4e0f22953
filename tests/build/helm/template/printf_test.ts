import assert from "node:assert/strict";
import fc from "fast-check";
import { fromBytes } from "../../../../src/build/helm/template/go_string.ts";
import { goTypes } from "../../../../src/build/helm/template/go_type.ts";
import { sprint, sprintf, sprintln } from "../../../../src/build/helm/template/printf.ts";
import {
  fromJson,
  GoBytes,
  goDict,
  goInt,
  goInt64,
  goInteger,
  goList,
  goStringMap,
  goStrings,
} from "../../../../src/build/helm/template/value.ts";
import type { Value } from "../../../../src/build/helm/template/value.ts";
import { callContext } from "../../../support/call_context.ts";
import { vectorsFolder } from "../../../support/paths.ts";

type Argument = { readonly t: string; readonly v: never };

function valueOf({ t, v }: Argument): Value {
  switch (t) {
    case "nil":
      return null;
    case "int":
      return goInt(BigInt(v));
    case "int64":
      return goInt64(BigInt(v));
    case "uint64":
      return goInteger(goTypes.uint64, BigInt(v));
    case "float64":
      return v === "+Inf" ? Infinity : v === "-Inf" ? -Infinity : Number(v);
    case "list":
      return goList((v as Argument[]).map(valueOf));
    case "map":
      return goDict(Object.entries(v as Record<string, Argument>).map(([key, item]) => [key, valueOf(item)]));
    case "strings":
      return goStrings(v);
    case "stringmap":
      return goStringMap(Object.entries(v as Record<string, string>));
    case "bytes":
      return new GoBytes(Uint8Array.from(atob(v), (character) => character.charCodeAt(0)));
  }
  return v;
}

const folder = vectorsFolder();

const note = folder === undefined ? " (skipped: no shared vectors)" : "";

Deno.test({ name: `sprintf() prints the vectors of gofmt/printf${note}`, ignore: folder === undefined }, () => {
  const { cases } = JSON.parse(Deno.readTextFileSync(`${folder}/gofmt/printf.json`));
  const failed: string[] = [];
  for (const row of cases) {
    // Three rows had bytes that JSON could not carry: their arguments are lost.
    if (JSON.stringify(row.args).includes("\ufffd")) continue;
    const args = row.args.map(valueOf);
    const context = callContext();
    const text = row.call === "Sprintf"
      ? sprintf(context, row.format ?? "", args)
      : row.call === "Sprint"
      ? sprint(context, args)
      : sprintln(context, args);
    const expected = row.output ??
      fromBytes(Uint8Array.from(atob(row.outputBase64), (character) => character.charCodeAt(0)));
    if (text !== expected) failed.push(`${JSON.stringify(row)}\n  got ${JSON.stringify(text)}`);
  }
  assert.equal(failed.length, 0, `${failed.length} of ${cases.length}:\n${failed.slice(0, 30).join("\n")}`);
});

Deno.test("sprintf() never throws on any format and value", () => {
  // Random letters seldom make a directive: flags, widths, indexes and verbs in random orders do.
  const pieces = "% # + - 0 . * [1] [3] [ ] 5 12 9 v T t d s q x X o O b c U e E f F g G p w z é \n".split(" ");
  const directives = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), directives),
      fc.array(fc.oneof(fc.jsonValue(), fc.maxSafeInteger(), fc.double()), { maxLength: 4 }),
      (format, values) => {
        const context = callContext();
        const given = values.map((value) => typeof value === "number" ? value : fromJson(value as never));
        assert.equal(typeof sprintf(context, `%${format}`, given), "string");
        const whole = values.map((value) => Number.isSafeInteger(value) ? goInt(value as number) : "text");
        assert.equal(typeof sprintf(context, `%${format}`, whole), "string");
      },
    ),
    { numRuns: 2000 },
  );
});
