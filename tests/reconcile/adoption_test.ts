import { deepEqual, equal, match } from "node:assert/strict";
import type { DesiredObject, ObjectKey } from "../../src/core/object.ts";
import { keyText } from "../../src/core/object.ts";
import { adoptionOf, type Holdings, mayTake, refusalTexts } from "../../src/reconcile/adoption.ts";
import { deepestChild } from "../../src/reconcile/lineage.ts";
import { newRecord, type ObjectRecord } from "../../src/reconcile/record.ts";
import { Slots } from "../../src/reconcile/slots.ts";

const keyOf = (name: string): ObjectKey => ({ kind: "App", namespace: "default", name });

function objectOf(name: string, parent?: string): DesiredObject {
  return {
    key: keyOf(name),
    apiVersion: "test/v1",
    labels: {},
    annotations: {},
    spec: {},
    generation: 1,
    document: { spec: {} },
    ...(parent === undefined ? {} : { parent: keyOf(parent) }),
  };
}

/** What is held, and what the last start remembers: `records` names the children of each parent. */
function holdingsOf(held: readonly DesiredObject[], records: Readonly<Record<string, readonly string[]>> = {}) {
  const slots = new Slots();
  for (const object of held) slots.put(object);
  const kept = new Map<string, ObjectRecord>();
  const put = (record: ObjectRecord) => kept.set(keyText(record.key), record);
  for (const [parent, children] of Object.entries(records)) {
    put({ ...newRecord(objectOf(parent)), children: children.map(keyOf) });
    for (const child of children) put(newRecord(objectOf(child, parent)));
  }
  const holdings: Holdings = {
    slots,
    records: { get: (key) => kept.get(keyText(key)), all: () => kept.values() },
  };
  return holdings;
}

const parent = objectOf("parent");
const names = (keys: readonly ObjectKey[]) => keys.map((key) => key.name);

Deno.test("adoptionOf() takes what was found and lets go what was not, held or only remembered", () => {
  const holdings = holdingsOf([parent, objectOf("old", "parent")], { parent: ["old", "older"] });
  const adoption = adoptionOf(
    { parent, found: [objectOf("new")], before: [keyOf("old"), keyOf("older")], keepsMissing: false },
    holdings,
  );

  deepEqual(adoption.taken.map((child) => [child.key.name, child.parent?.name]), [["new", "parent"]]);
  deepEqual(names(adoption.gone), ["older", "old"]);
  deepEqual(names(adoption.children), ["new"]);
});

Deno.test("adoptionOf() keeps what is missing where it is to be kept", () => {
  const holdings = holdingsOf([parent, objectOf("old", "parent")], { parent: ["old", "older"] });
  const adoption = adoptionOf(
    { parent, found: [objectOf("new")], before: [keyOf("old"), keyOf("older")], keepsMissing: true },
    holdings,
  );

  deepEqual(adoption.gone, []);
  deepEqual(names(adoption.children), ["new", "old", "older"]);
});

Deno.test("adoptionOf() leaves out what documents or another artifact hold, and says who does", () => {
  const holdings = holdingsOf([parent, objectOf("other"), objectOf("mine"), objectOf("theirs", "other")]);
  const found = [objectOf("mine"), objectOf("theirs"), objectOf("free")];
  const adoption = adoptionOf({ parent, found, before: [], keepsMissing: false }, holdings);

  deepEqual(names(adoption.refused), ["mine", "theirs"]);
  deepEqual(names(adoption.children), ["free"]);
  const [ofDocuments, ofOther] = refusalTexts(adoption.refused, holdings);
  match(ofDocuments ?? "", /Left out "App\/default\/mine" of the artifact: the documents have an object/);
  match(ofOther ?? "", /Left out "App\/default\/theirs" of the artifact: App\/default\/other has an object/);
});

Deno.test("mayTake() leaves an artifact what it brought before, until it lets it go or is gone", () => {
  const child = keyOf("child");
  const taker = keyOf("parent");
  equal(mayTake(taker, child, holdingsOf([parent, objectOf("other")], { other: ["child"] })), false);
  equal(mayTake(keyOf("other"), child, holdingsOf([parent, objectOf("other")], { other: ["child"] })), true);
  equal(mayTake(taker, child, holdingsOf([parent], { other: ["child"] })), true, "the other one is gone");
  const holdings = holdingsOf([parent, objectOf("other")], { other: ["child"] });
  const letGo: Holdings = {
    ...holdings,
    records: {
      ...holdings.records,
      get: (key) => {
        const record = holdings.records.get(key);
        return record === undefined ? undefined : { ...record, children: [] };
      },
    },
  };
  equal(mayTake(taker, child, letGo), true, "the other one does not bring it any more");
});

Deno.test("adoptionOf() takes no object that is nested too deep", () => {
  const chain = Array.from({ length: deepestChild + 1 }, (_, depth) => objectOf(`at${depth}`, `at${depth - 1}`));
  const holdings = holdingsOf([objectOf("at0"), ...chain.slice(1)]);
  const found = [objectOf("deeper")];
  const at = (depth: number) =>
    adoptionOf({ parent: chain[depth] ?? parent, found, before: [], keepsMissing: false }, holdings);

  deepEqual(names(at(deepestChild - 1).children), ["deeper"]);
  deepEqual(names(at(deepestChild).children), []);
  match(at(deepestChild).warnings.join(), /may nest 8 deep/);
});
