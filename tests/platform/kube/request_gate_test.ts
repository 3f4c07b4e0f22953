import { deepEqual, equal, rejects } from "node:assert/strict";
import { RequestGate } from "../../../src/platform/kube/request_gate.ts";

const { signal } = new AbortController();

Deno.test("RequestGate lets so many in, halves on overload and grows again", async () => {
  const gate = new RequestGate(4);
  for (let count = 0; count < 4; count++) await gate.enter(signal);
  const order: string[] = [];
  const waiting = ["a", "b"].map((name) => gate.enter(signal).then(() => order.push(name)));
  await Promise.resolve();
  deepEqual(order, []);

  gate.leave("overloaded");
  equal(gate.width, 2);
  gate.leave("done");
  await Promise.resolve();
  deepEqual(order, [], "two are still under way");
  gate.leave("done");
  gate.leave("done");
  await Promise.all(waiting);
  deepEqual(order, ["a", "b"]);
  for (let count = 0; count < 20; count++) {
    gate.leave("done");
    await gate.enter(signal);
  }
  equal(gate.width, 4);
});

Deno.test("RequestGate lets those who give up go", async () => {
  const gate = new RequestGate(1);
  await gate.enter(signal);
  const stop = new AbortController();
  const waiting = gate.enter(stop.signal);
  stop.abort(new Error("stopped"));

  await rejects(waiting, /stopped/);
  gate.leave("done");
  await gate.enter(signal);
});
