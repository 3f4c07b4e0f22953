import { deepEqual, equal } from "node:assert/strict";
import { BundleReferences, firstOf } from "../../src/app/references.ts";
import type { References } from "../../src/core/references.ts";
import type { Resource } from "../../src/core/resource.ts";

const parent = { kind: "Kustomization", namespace: "default", name: "bundle" };
const text = (bytes: Uint8Array | undefined) => bytes === undefined ? undefined : new TextDecoder().decode(bytes);

function lookup(values: Record<string, string>): References {
  const find = (name: string) => {
    const value = values[name];
    return Promise.resolve(
      value === undefined ? undefined : { type: "", data: new Map([["v", new TextEncoder().encode(value)]]) },
    );
  };
  return {
    secret: (namespace, name) => find(`${namespace}/${name}`),
    configMap: (namespace, name) => find(`cm:${namespace}/${name}`),
    imagePullSecrets: (_namespace, name) => Promise.resolve(values[`sa:${name}`]?.split(",")),
  };
}

Deno.test("firstOf() asks one after the other, and each time who is there now", async () => {
  const layers = [lookup({ "a/x": "first" })];
  const references = firstOf(() => layers);

  equal(await references.secret("a", "y"), undefined);
  layers.push(lookup({ "a/x": "second", "a/y": "late", "cm:a/c": "map", "sa:robot": "one,two" }));
  equal(text((await references.secret("a", "x"))?.data.get("v")), "first");
  equal(text((await references.secret("a", "y"))?.data.get("v")), "late");
  equal(text((await references.configMap("a", "c"))?.data.get("v")), "map");
  deepEqual(await references.imagePullSecrets("a", "robot"), ["one", "two"]);
});

Deno.test("BundleReferences finds what came beside objects of ours, and forgets it with them", async () => {
  const bundles = new BundleReferences();
  const resources: Resource[] = [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "login" },
      type: "Opaque",
      data: { a: "b25l", both: "b2xk" },
      stringData: { both: "new", n: 1 },
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "vars", namespace: "web" },
      data: { k: "v" },
      binaryData: { b: "AAE=" },
    },
    { apiVersion: "example.org/v1", kind: "Secret", metadata: { name: "other" }, data: { a: "b25l" } },
  ];
  bundles.keep(parent, resources, true);

  const secret = await bundles.of(parent).secret("default", "login");
  deepEqual([secret?.type, text(secret?.data.get("a")), text(secret?.data.get("both"))], ["Opaque", "one", "new"]);
  equal(secret?.data.size, 2);
  const map = await bundles.of(parent).configMap("web", "vars");
  deepEqual([text(map?.data.get("k")), [...map?.data.get("b") ?? []]], ["v", [0, 1]]);
  equal(await bundles.of(parent).secret("default", "other"), undefined);
  equal(await bundles.of({ ...parent, name: "stranger" }).secret("default", "login"), undefined);
  bundles.keep(parent, resources, false);
  equal(await bundles.of(parent).secret("default", "login"), undefined);
});

Deno.test("BundleReferences tells what is new, changed or gone", () => {
  const told: string[] = [];
  const bundles = new BundleReferences((kind, namespace, name) => told.push(`${kind}/${namespace}/${name}`));
  const secret = (name: string, value: string): Resource => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    stringData: { value },
  });
  bundles.keep(parent, [secret("a", "1"), secret("b", "1")], true);
  deepEqual(told.splice(0), ["Secret/default/a", "Secret/default/b"]);
  bundles.keep(parent, [secret("a", "1"), secret("b", "2")], true);
  deepEqual(told.splice(0), ["Secret/default/b"]);
  bundles.keep(parent, [secret("b", "2")], true);
  deepEqual(told.splice(0), ["Secret/default/a"]);
});
