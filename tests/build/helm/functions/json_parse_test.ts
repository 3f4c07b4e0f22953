import assert from "node:assert/strict";
import fc from "fast-check";
import { parseJson } from "../../../../src/build/helm/functions/json_parse.ts";
import { jsonText } from "../../../../src/build/helm/functions/json_text.ts";
import { GoError } from "../../../../src/build/helm/template/go_error.ts";
import { callContext } from "../../../support/call_context.ts";

Deno.test("parseJson() and jsonText() give back every JSON value", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = jsonText(callContext(), parseJson(JSON.stringify(value)), { escapesHtml: false });
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
  }));
});

Deno.test("parseJson() refuses what JSON.parse() refuses, with a Go error", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "a",
    "1",
    "-",
    ".",
    "e",
    "true",
    "nul",
    "\\",
    "u00",
    " ",
    "\n",
    "é",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join("")), (text) => {
      let isGood = true;
      try {
        JSON.parse(text);
      } catch {
        isGood = false;
      }
      if (isGood) parseJson(text);
      else assert.throws(() => parseJson(text), GoError);
    }),
    { numRuns: 3000 },
  );
});
