import { equal } from "node:assert/strict";
import { stronger, urgencyOf } from "../../src/reconcile/trigger.ts";

Deno.test("stronger() never loses a person's order, and takes the more urgent trigger else", () => {
  equal(stronger("request", "config"), "request");
  equal(stronger("revision", "request"), "request");
  equal(stronger("interval", "dependency"), "dependency");
  equal(stronger("start", "interval"), "start");
  equal(stronger("config", "revision"), "config", "of two alike the first one stays");
});

Deno.test("urgencyOf() lets changes pass those who wait for others, and these the timers", () => {
  equal(urgencyOf("revision") < urgencyOf("dependency"), true);
  equal(urgencyOf("dependency") < urgencyOf("retry"), true);
});
