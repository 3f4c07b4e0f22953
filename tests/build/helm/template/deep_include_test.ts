import assert from "node:assert/strict";
import config from "../../../../deno.json" with { type: "json" };
import type { DeepAnswer, DeepCase } from "../../../support/deep_include.ts";
import { fromFileUrl } from "../../../support/paths.ts";

const program = fromFileUrl(new URL("../../../support/deep_include.ts", import.meta.url));

/** Answers of the program under flags of the runtime. */
async function answersOf(flags: string, cases: readonly DeepCase[]): Promise<DeepAnswer> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", flags, program, JSON.stringify(cases)],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)) as DeepAnswer;
}

Deno.test("executeTemplates() nests as deep as Helm under the flags that the program is started with", async () => {
  const flags = /--v8-flags=\S+/.exec(config.tasks.compile)?.[0] ?? "";
  assert.match(config.tasks.start, new RegExp(`${flags} `), "both tasks have the same flags");
  const { main, worker } = await answersOf(flags, [["include", 1_000], ["include", 1_001], ["tpl", 1_000], [
    "tpl",
    1_001,
  ]]);
  for (const answers of [main, worker]) {
    const refused = /rendering template has a nested reference name: walk: unable to execute template$/;
    assert.equal(answers[0], "end");
    assert.match(answers[1] ?? "", refused);
    assert.equal(answers[2], "end");
    assert.match(answers[3] ?? "", refused);
  }
});

Deno.test("executeTemplates() says so where the stack ends first", async () => {
  const { main, worker } = await answersOf("--v8-flags=--stack-size=500", [["include", 1_000]]);
  assert.match(main[0] ?? "", /its templates are nested too deep$/);
  assert.match(worker[0] ?? "", /its templates are nested too deep$/);
});
