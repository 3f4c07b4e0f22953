import { equal } from "node:assert/strict";
import { textDiff } from "../../src/format/text_diff.ts";

Deno.test("textDiff() prints a unified diff", () => {
  const before = "a\nb\nc\nd\ne\nf\ng\nh\n";
  equal(
    textDiff(before, before.replace("d", "D"), { names: ["x", "y"], context: 1 }),
    "--- x\n+++ y\n@@ -3,3 +3,3 @@\n c\n-d\n+D\n e\n",
  );
  equal(textDiff("a\n", "a\n"), "");
  equal(textDiff("", "a\n"), "--- before\n+++ after\n@@ -0,0 +1 @@\n+a\n");
  equal(textDiff("a", "b\n").includes("\\ No newline at end of file"), true);
});

Deno.test("textDiff() colours lines when asked", () => {
  equal(textDiff("a\n", "b\n", { colors: true }).includes("\u001b[31m-a\u001b[0m\n\u001b[32m+b\u001b[0m"), true);
});

Deno.test("textDiff() answers two long texts without anything in common", () => {
  const long = (sign: string) => Array.from({ length: 30_000 }, (_, index) => `${sign}${index}\n`).join("");
  equal(textDiff(long("a"), long("b")).split("\n").length, 60_004);
});
