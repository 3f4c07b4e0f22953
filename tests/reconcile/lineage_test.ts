import { deepEqual, equal } from "node:assert/strict";
import { type Log, silentLog } from "../../src/core/log.ts";
import type { ObjectKey } from "../../src/core/object.ts";
import { ancestorsOf, deepestChild, LeftObjects, strayRecords } from "../../src/reconcile/lineage.ts";
import { newRecord, type ObjectRecord } from "../../src/reconcile/record.ts";

const keyOf = (name: string): ObjectKey => ({ kind: "App", namespace: "default", name });

function recordsOf(parents: Readonly<Record<string, { readonly parent?: string; readonly origin?: string }>>) {
  const records = new Map<string, ObjectRecord>();
  for (const [name, { parent, origin }] of Object.entries(parents)) {
    const key = keyOf(name);
    const object = { key, apiVersion: "", labels: {}, annotations: {}, spec: {}, generation: 1, document: {} };
    records.set(name, {
      ...newRecord(object),
      ...(parent === undefined ? {} : { parent: keyOf(parent) }),
      ...(origin === undefined ? {} : { origin }),
    });
  }
  return records;
}

Deno.test("ancestorsOf() goes up, and a circle ends", () => {
  const records = recordsOf({ a: { parent: "b" }, b: { parent: "c" }, x: { parent: "y" }, y: { parent: "x" } });
  const of = (name: string) => ancestorsOf(records.get(name) ?? {}, (key) => records.get(key.name));

  deepEqual(of("a").map((key) => key.name), ["b", "c"]);
  deepEqual(of("c"), []);
  equal(of("x").length, deepestChild + 1);
});

Deno.test("strayRecords() gives what nobody holds, nor any ancestor of, with the file that it came from", () => {
  const records = recordsOf({
    held: {},
    child: { parent: "held" },
    grandchild: { parent: "child" },
    gone: { origin: "/config/gone.yaml" },
    goneChild: { parent: "gone" },
    orphan: { parent: "nobody" },
  });
  const strays = strayRecords(records.values(), {
    isHeld: (key) => key.name === "held",
    recordOf: (key) => records.get(key.name),
  });

  deepEqual(strays.map(({ record, origin }) => [record.key.name, origin]), [
    ["gone", "/config/gone.yaml"],
    ["goneChild", "/config/gone.yaml"],
    ["orphan", undefined],
  ]);
});

Deno.test("LeftObjects tells of each object once", () => {
  const told: unknown[] = [];
  const log: Log = { ...silentLog, warn: (_message, fields) => void told.push(fields?.objects) };
  const left = new LeftObjects(log);
  const stray = (name: string) => ({ record: [...recordsOf({ [name]: {} }).values()][0]!, origin: "/other.yaml" });

  left.tell([stray("one")]);
  left.tell([stray("one")]);
  left.tell([stray("one"), stray("two")]);
  deepEqual(told, ["App/default/one", "App/default/two"]);
});
