/** The reference page, and the samples on it. */
import { deepEqual, ok } from "node:assert/strict";
import { kinds } from "../../src/config/kinds.ts";
import { kindReference } from "../../src/config/reference.ts";
import type { Fields } from "../../src/config/schema.ts";
import { check } from "./memory_files.ts";

Deno.test("kindReference() has a row for every field and a doc sentence in each", () => {
  const page = kindReference();
  const walk = (fields: Fields, prefix: string) => {
    for (const [name, field] of Object.entries(fields)) {
      const path = `${prefix}${name}${field.schema.type.startsWith("list") ? "[]" : ""}`;
      ok(page.includes(`| \`${path}\` |`), path);
      ok(field.doc.length >= 3 && !field.doc.endsWith("."), path);
      walk(field.schema.fields ?? {}, `${path}.`);
    }
  };
  for (const kind of kinds) {
    ok(page.includes(`## ${kind.kind}\n`));
    walk(kind.schema.fields ?? {}, kind.body === "spec" ? "spec." : "");
  }
});

for (const kind of kinds) {
  Deno.test(`the sample of ${kind.kind} is right`, async () => {
    const { problems } = await check(kind.example);

    deepEqual(
      problems.filter((problem) => !problem.message.startsWith("Cannot find") && problem.severity === "error"),
      [],
    );
  });
}
