import { deepEqual, equal, notEqual } from "node:assert/strict";
import type { DesiredObject, ObjectKey } from "../../src/core/object.ts";
import { Slots } from "../../src/reconcile/slots.ts";

const keyOf = (name: string): ObjectKey => ({ kind: "App", namespace: "default", name });

function objectOf(name: string, spec: Record<string, unknown> = {}, parent?: ObjectKey): DesiredObject {
  return {
    key: keyOf(name),
    apiVersion: "test/v1",
    labels: {},
    annotations: {},
    spec,
    generation: 1,
    document: { spec: spec as never },
    ...(parent === undefined ? {} : { parent }),
  };
}

Deno.test("put() says what changed: a new object, another document, another parent", () => {
  const slots = new Slots();
  const first = slots.put(objectOf("a"));
  deepEqual([first.isChanged, first.before], [true, undefined]);
  equal(slots.put(objectOf("a")).isChanged, false);
  const digest = first.slot.specDigest;
  equal(slots.put(objectOf("a", { x: 1 })).isChanged, true);
  notEqual(first.slot.specDigest, digest);
  equal(slots.put(objectOf("a", { x: 1 }, keyOf("p"))).isChanged, true);
  equal(slots.get(keyOf("a")), first.slot, "it is one slot all the time");
});

Deno.test("the graph is made anew after a change, and only then", () => {
  const slots = new Slots();
  slots.put(objectOf("a"));
  const { graph } = slots;
  slots.put(objectOf("a"));
  equal(slots.graph, graph);
  slots.put(objectOf("b", { dependsOn: [keyOf("a")] }));
  deepEqual(slots.graph.dependentsOf(keyOf("a")), [keyOf("b")]);
  slots.delete(keyOf("b"));
  deepEqual(slots.graph.dependentsOf(keyOf("a")), []);
});

Deno.test("a slot that was taken out and put in again is another one, and has not run", () => {
  const slots = new Slots();
  const { slot } = slots.put(objectOf("a"));
  equal(slots.markRun(slot), true);
  equal(slots.markRun(slot), false);
  deepEqual([...slots.unrun()], []);
  slots.delete(keyOf("a"));
  const { slot: again } = slots.put(objectOf("a"));
  deepEqual([slots.holds(slot), slots.holds(again), [...slots.unrun()].length], [false, true, 1]);
});
