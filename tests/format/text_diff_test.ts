import { equal, match } from "node:assert/strict";
import { unifiedDiff } from "../../src/format/text_diff.ts";

const names = { before: "old", after: "new" };

Deno.test("unifiedDiff() prints what diff -u prints", () => {
  const before = "a\nb\nc\nd\ne\n";
  const after = "a\nb\nX\nd\ne\n";

  equal(unifiedDiff(before, after, names), "--- old\n+++ new\n@@ -1,5 +1,5 @@\n a\n b\n-c\n+X\n d\n e\n");
});

Deno.test("unifiedDiff() of the same texts is empty, and colours only when asked", () => {
  equal(unifiedDiff("a\n", "a\n", names), "");
  match(unifiedDiff("a\n", "b\n", { ...names, colour: true }), /\x1b\[32m\+b\x1b\[0m/);
});
