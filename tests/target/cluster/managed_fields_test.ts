import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { JsonObject } from "../../../src/core/json.ts";
import {
  fieldPointers,
  hasField,
  joinFields,
  subtractFields,
  valuesAt,
} from "../../../src/target/cluster/managed_fields.ts";
import { earlierManagers, foreignTraces, takeOverPatch } from "../../../src/target/cluster/take_over.ts";
import { isOlder, lostFields, seenOf } from "../../../src/target/cluster/seen.ts";
import { fieldsSet, parseFields, printFields } from "../../support/fake_schema.ts";

const web = 'k:{"name":"web"}';
const fields: JsonObject = {
  "f:metadata": { "f:labels": { ".": {}, "f:app.kubernetes.io/name": {} } },
  "f:spec": { "f:containers": { [web]: { ".": {}, "f:name": {}, "f:image": {} } } },
};

Deno.test("fieldPointers() shows leaves, list items by their keys", () => {
  deepEqual(fieldPointers(fields), [
    "/metadata/labels/app.kubernetes.io~1name",
    "/spec/containers/name=web/image",
    "/spec/containers/name=web/name",
  ]);
});

Deno.test("subtractFields() keeps what only the first has", () => {
  const now: JsonObject = {
    "f:metadata": fields["f:metadata"] ?? {},
    "f:spec": { "f:containers": { [web]: { ".": {}, "f:name": {} } } },
  };

  deepEqual(fieldPointers(subtractFields(fields, now)), ["/spec/containers/name=web/image"]);
  deepEqual(subtractFields(fields, fields), {});
  deepEqual(lostFields(JSON.stringify(fields), ""), fieldPointers(fields));
});

Deno.test("joinFields() and subtractFields() undo each other on sets that share nothing", () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  const tree = fc.letrec<{ node: JsonObject }>((tie) => ({
    node: fc.dictionary(name.map((text) => `f:${text}`), fc.oneof({ maxDepth: 3 }, fc.constant({}), tie("node"))),
  })).node;
  fc.assert(fc.property(tree, tree, (a, b) => {
    const joined = joinFields(a, b);
    deepEqual(subtractFields(a, joined), {});
    deepEqual(subtractFields(b, joined), {});
  }));
});

Deno.test("hasField() finds fields, also inside of what is owned as one", () => {
  ok(hasField(fields, ["f:spec", "f:containers", web, "f:image"]));
  ok(!hasField(fields, ["f:spec", "f:replicas"]));
  ok(hasField({ "f:spec": { "f:selector": {} } }, ["f:spec", "f:selector", "f:app"]));
});

Deno.test("valuesAt() reads items by keys and by values", () => {
  const object = {
    spec: { containers: [{ name: "other", image: "o" }, { name: "web", image: "w" }] },
    list: ["x", "y"],
  };

  deepEqual(valuesAt(object, { "f:spec": { "f:containers": { [web]: { "f:image": {} } } } }), ["w"]);
  deepEqual(valuesAt(object, { "f:list": { 'v:"y"': {}, 'v:"z"': {} } }), ["y", null]);
});

function live(rows: readonly JsonObject[], metadata: JsonObject = {}): JsonObject {
  return { kind: "ConfigMap", metadata: { name: "a", resourceVersion: "5", managedFields: rows, ...metadata } };
}

Deno.test("takeOverPatch() joins the rows of earlier managers into ours and leaves the others", () => {
  const patch = takeOverPatch(
    live([
      {
        manager: "kubectl-client-side-apply",
        operation: "Update",
        apiVersion: "v1",
        fieldsV1: { "f:data": { "f:a": {} } },
      },
      { manager: "ours", operation: "Apply", apiVersion: "v1", fieldsV1: { "f:data": { "f:b": {} } } },
      { manager: "kubectl", operation: "Update", subresource: "status", fieldsV1: { "f:status": {} } },
      { manager: "autoscaler", operation: "Update", fieldsV1: { "f:spec": {} } },
    ]),
    "ours",
    earlierManagers,
  );

  deepEqual(patch[0], { op: "test", path: "/metadata/resourceVersion", value: "5" });
  const rows = patch[1]?.value as readonly JsonObject[];
  deepEqual(rows.map((row) => row.manager), ["kubectl", "autoscaler", "ours"]);
  deepEqual(rows[2]?.fieldsV1, { "f:data": { "f:a": {}, "f:b": {} } });
});

Deno.test("takeOverPatch() does nothing where nothing is to be taken, or the object says Merge", () => {
  const ours = { manager: "ours", operation: "Apply", fieldsV1: {} };
  const kubectl = { manager: "kubectl", operation: "Apply", fieldsV1: {} };

  deepEqual(takeOverPatch(live([ours]), "ours", earlierManagers), []);
  const merge = { annotations: { "kustomize.toolkit.fluxcd.io/ssa": "Merge" } };
  deepEqual(takeOverPatch(live([ours, kubectl], merge), "ours", earlierManagers), []);
  equal(foreignTraces(live([ours]), "ours", earlierManagers), "");
  equal(foreignTraces(live([ours, kubectl]), "ours", earlierManagers), '["kubectl/Apply"]');
});

Deno.test("seenOf() changes with our fields, their values and foreign traces, and with nothing else", () => {
  const options = { manager: "ours", managers: earlierManagers, digestKey: "", now: 0 };
  const ours = { manager: "ours", operation: "Apply", fieldsV1: { "f:data": { "f:a": {} } } };
  const object = { ...live([ours]), data: { a: "1", foreign: "x" } };
  const base = seenOf(object, options).owned;

  equal(seenOf({ ...object, data: { a: "1", foreign: "y" } }, options).owned, base);
  ok(seenOf({ ...object, data: { a: "2", foreign: "x" } }, options).owned !== base);
  ok(
    seenOf({ ...live([ours, { manager: "kubectl", operation: "Update", fieldsV1: {} }]), data: object.data }, options)
      .owned !== base,
  );
  equal(seenOf(live([]), options).owned, "");
});

Deno.test("isOlder() compares versions of any length as numbers", () => {
  ok(isOlder("9", "10"));
  ok(!isOlder("10", "9"));
  ok(!isOlder("10", "10"));
  ok(!isOlder("abc", "10"));
});

Deno.test("the fake's fields survive their text form", () => {
  const object = {
    metadata: { labels: { a: "b" }, finalizers: ["x"] },
    spec: { containers: [{ name: "web", image: "x", ports: [{ containerPort: 80 }] }], empty: {} },
  };
  const set = fieldsSet(object);

  deepEqual([...parseFields(printFields(set))].sort(), [...set].sort());
});
