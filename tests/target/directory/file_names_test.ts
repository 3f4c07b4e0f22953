import { equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import type { ResourceRef } from "../../../src/core/resource.ts";
import { refKey } from "../../../src/core/resource.ts";
import { type DirectoryLayout, filePath } from "../../../src/target/directory/file_names.ts";

const refOf = (kind: string, namespace: string, name: string, group = ""): ResourceRef => ({
  group,
  version: "v1",
  kind,
  namespace,
  name,
});

Deno.test("filePath() puts a file where a person looks for it", () => {
  equal(filePath(refOf("ConfigMap", "web", "site"), "tree"), "web/configmap-site.yaml");
  equal(
    filePath(refOf("ClusterRole", "", "system:node", "rbac.authorization.k8s.io"), "tree"),
    "_cluster/clusterrole-system%3Anode.yaml",
  );
  equal(filePath(refOf("Widget", "web", "a", "my-shop.example.com"), "tree"), "web/widget.my-shop.example.com_a.yaml");
  match(filePath(refOf("ClusterRole", "", "Admin"), "tree"), /^_cluster\/clusterrole-Admin~[0-9a-f]{8}\.yaml$/);
  equal(filePath(refOf("Pod", "", "p"), "static-pods"), "default_p.yaml");
  match(
    filePath(refOf("ConfigMap", "web", "x".repeat(253)), "tree"),
    /^web\/configmap-x{180}~[0-9a-f]{8}\.yaml$|^.{1,220}$/,
  );
});

Deno.test("filePath() never gives k3s two files for one AddOn", () => {
  const addOnOf = (ref: ResourceRef) => filePath(ref, "k3s").split(".", 1)[0] ?? "";
  const crd = (name: string) => addOnOf(refOf("CustomResourceDefinition", "", name, "apiextensions.k8s.io"));
  ok(crd("shops.a.example.com") !== crd("shops.b.example.com"));
  for (
    const name of [crd("shops.a.example.com"), addOnOf(refOf("ClusterRole", "", "system:node")), crd("x".repeat(253))]
  ) {
    match(name, /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
    ok(name.length <= 63);
  }
});

Deno.test("two resources never have one file, also where case does not count", () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
  const name = fc.oneof(label, fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9:._-]{0,12}$/));
  const group = fc.oneof(
    fc.constantFrom("", "apps", "a-b.c", "b"),
    fc.stringMatching(/^[a-z][a-z-]{0,4}\.[a-z]{1,3}$/),
  );
  const kind = fc.constantFrom("Pod", "ConfigMap", "A", "Ab");
  const ref = fc.record({ group, kind, namespace: fc.oneof(fc.constant(""), label), name, version: fc.constant("v1") });
  for (const layout of ["tree", "k3s"] satisfies DirectoryLayout[]) {
    fc.assert(
      fc.property(ref, ref, (a, b) => {
        const isKnownTwice = a.kind === b.kind && a.name === b.name && a.namespace === b.namespace;
        // Groups that everybody knows share kinds only in theory: the target refuses the second by name.
        fc.pre(
          layout === "k3s"
            ? refKey(a) !== refKey(b)
            : !isKnownTwice || (a.group !== b.group && ![a.group, b.group].every((one) => ["", "apps"].includes(one))),
        );
        ok(filePath(a, layout).toLowerCase() !== filePath(b, layout).toLowerCase());
      }),
      { numRuns: 2000 },
    );
  }
});
