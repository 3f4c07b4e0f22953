import assert from "node:assert/strict";
import { func, joinFunctions } from "../../../../src/build/helm/functions/registry.ts";
import { helmFunctions } from "../../../../src/build/helm/functions/helm_functions.ts";
import { goTypes } from "../../../../src/build/helm/template/go_type.ts";
import { vectorsFolder } from "../../../support/paths.ts";

Deno.test("joinFunctions() refuses a name that is there twice", () => {
  const one = { a: func([], goTypes.string, () => "") };
  assert.throws(() => joinFunctions(one, one), /"a" is there twice/);
});

const folder = vectorsFolder();

const note = folder === undefined ? " (skipped: no shared vectors)" : "";

Deno.test({ name: `helmFunctions() has the functions of each Helm${note}`, ignore: folder === undefined }, () => {
  const { functions } = JSON.parse(Deno.readTextFileSync(`${folder}/helm-snippets/context.json`));
  for (const dialect of ["helm3", "helm4.2.4"] as const) {
    assert.deepEqual(Object.keys(helmFunctions(dialect)).sort(), [...functions[dialect]].sort());
  }
});
