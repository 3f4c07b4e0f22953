import { equal, throws } from "node:assert/strict";
import { UsageError } from "../../src/cli/command.ts";
import { shortRevision } from "../../src/cli/get.ts";
import { outputForm, printValue, sizeText, table } from "../../src/cli/output.ts";

Deno.test("outputForm() is a table unless told, and refuses other words", () => {
  equal(outputForm(undefined), "table");
  equal(outputForm("yaml"), "yaml");
  throws(() => outputForm("xml"), (error) => error instanceof UsageError);
});

Deno.test("table() keeps columns three blanks apart and ends lines with text", () => {
  equal(table(["A", "LONG"], [["wide cell", "x"], ["", ""]]), "A           LONG\nwide cell   x\n\n");
});

Deno.test("printValue() prints JSON and YAML with an end of line", () => {
  equal(printValue({ a: [1] }, "json"), '{\n  "a": [\n    1\n  ]\n}\n');
  equal(printValue({ a: [1] }, "yaml"), "a:\n- 1\n");
});

Deno.test("sizes and revisions are short", () => {
  for (
    const [bytes, text] of [[0, "0 B"], [1023, "1023 B"], [1536, "1.5 KiB"], [20 * 1024 ** 2, "20.0 MiB"]] as const
  ) equal(sizeText(bytes), text);
  equal(shortRevision(`v1@sha256:${"a".repeat(64)}`), "v1@sha256:aaaaaaaa");
});
