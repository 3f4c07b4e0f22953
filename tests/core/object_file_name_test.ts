import { equal, notEqual, ok } from "node:assert/strict";
import { objectFileName } from "../../src/core/object_file_name.ts";

const key = { kind: "Kustomization", namespace: "default", name: "apps" };

Deno.test("objectFileName() is what a person looks for", () => {
  equal(objectFileName(key), "kustomization_default_apps");
});

Deno.test("objectFileName() of a long name fits into a file's name, and is that of one object only", () => {
  const long = { ...key, namespace: "n".repeat(63), name: "a".repeat(253) };
  const name = objectFileName(long);

  equal(name.length, 239);
  ok(name.startsWith(`kustomization_${"n".repeat(63)}_aaa`));
  notEqual(name, objectFileName({ ...long, name: `${"a".repeat(252)}b` }));
  equal(name, objectFileName({ ...long }));
});
