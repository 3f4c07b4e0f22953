import assert from "node:assert/strict";
import type { Dialect } from "../../../../src/build/helm/functions/registry.ts";
import { ownVectors, vectorsFolder } from "../../../support/paths.ts";
import { skippedSnippets } from "./skip.ts";
import { faultOf } from "./snippets.ts";
import type { Snippet, SnippetContext } from "./snippets.ts";

/** Runs a table of snippets in both dialects; what stands in skip.ts may fail, and must, so that the table stays true. */
function runTable(path: string, context: SnippetContext): void {
  const table = JSON.parse(Deno.readTextFileSync(path)) as {
    readonly cases: readonly Snippet[];
    /** Values of all cases that have none of their own. */
    readonly values?: never;
  };
  const cases = table.values === undefined
    ? table.cases
    : table.cases.map((snippet) => ({ values: table.values as never, ...snippet }));
  const failures: string[] = [];
  let skipped = 0;
  for (const dialect of ["helm4.2.4", "helm3"] as const satisfies readonly Dialect[]) {
    for (const snippet of cases) {
      // Keys and hashes cost seconds: what is the same in both is made once.
      if (dialect === "helm3" && snippet.helm3 === undefined && snippet.group.startsWith("crypto")) continue;
      const shown = JSON.stringify([snippet.template, snippet.values, snippet["helm4.2.4"]]);
      if (skippedSnippets.some((row) => row.group.test(snippet.group) && row.pattern.test(shown))) {
        skipped++;
        continue;
      }
      const fault = faultOf(snippet, context, dialect);
      if (fault !== undefined) {
        failures.push(`[${snippet.group}, ${dialect}] ${JSON.stringify(snippet.template)}\n  ${fault}`);
      }
    }
  }
  const summary = `${failures.length} of ${cases.length * 2} fail, ${skipped} skipped`;
  if (skipped > 0) console.log(summary);
  assert.equal(failures.length, 0, `${summary}\n${failures.slice(0, 20).join("\n")}`);
}

const folder = vectorsFolder();
const tables = "builtins crypto dates dicts errors formats fuzz idioms language lists matrix numbers objects strings";

for (const table of tables.split(" ")) {
  const name = `helm-snippets/${table} gives what Helm 4.2.4 and Helm 3 give`;
  if (folder === undefined) {
    Deno.test({ name: `${name} (skipped: the shared vectors are not there)`, ignore: true, fn: () => {} });
    continue;
  }
  Deno.test(name, () => {
    const context = JSON.parse(Deno.readTextFileSync(`${folder}/helm-snippets/context.json`)) as SnippetContext;
    runTable(`${folder}/helm-snippets/${table}.json`, context);
  });
}

const ownFolder = `${ownVectors}/helm_language`;
for (
  const entry of [...Deno.readDirSync(ownFolder)].map((item) => item.name).filter((name) => name !== "context.json")
) {
  Deno.test(`helm_language/${entry} gives what Helm 4.2.4 and Helm 3 give`, () => {
    runTable(`${ownFolder}/${entry}`, JSON.parse(Deno.readTextFileSync(`${ownFolder}/context.json`)));
  });
}
