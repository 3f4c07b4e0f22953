import { equal } from "node:assert/strict";
import { FirstPass } from "../../src/app/first_pass.ts";

Deno.test("FirstPass is done once every object of the start has run, and stays done when others come", () => {
  const engine = { firstPassDone: true };
  const pass = new FirstPass(engine);
  equal(pass.check(), "objects wait for their first run", "a loop without objects yet");
  engine.firstPassDone = false;
  pass.begin();
  equal(pass.check(), "objects wait for their first run");
  engine.firstPassDone = true;
  equal(pass.check(), undefined);
  engine.firstPassDone = false;
  equal(pass.check(), undefined, "a new document");
});
