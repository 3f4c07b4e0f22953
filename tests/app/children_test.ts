import { deepEqual, equal, match } from "node:assert/strict";
import { takeChildren } from "../../src/app/children.ts";
import type { DesiredObject } from "../../src/core/object.ts";
import type { Resource } from "../../src/core/resource.ts";

const parent = { key: { kind: "Kustomization", namespace: "flux", name: "all" } } as DesiredObject;

function source(name: string, spec: Record<string, unknown>): Resource {
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "OCIRepository",
    metadata: { name, namespace: "flux" },
    spec: spec as never,
  };
}

const options = { noCrossNamespaceRefs: false };

Deno.test("takeChildren() takes objects of ours and leaves the rest", () => {
  const map: Resource = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
  const foreign: Resource = { apiVersion: "example.org/v1", kind: "Kustomization", metadata: { name: "b" } };
  const taken = takeChildren(
    [map, source("src", { interval: "1m", url: "oci://example.org/a" }), foreign],
    parent,
    options,
  );

  deepEqual(taken.children.map((child) => child.key), [{ kind: "OCIRepository", namespace: "flux", name: "src" }]);
  deepEqual(taken.rest, [map, foreign]);
  deepEqual(taken.problems, []);
});

Deno.test("takeChildren() tells what is wrong with a child, and takes its siblings", () => {
  const taken = takeChildren(
    [source("bad", { interval: "1m" }), source("good", { interval: "1m", url: "oci://example.org/a" })],
    parent,
    options,
  );

  deepEqual(taken.children.map((child) => child.key.name), ["good"]);
  equal(taken.rest.length, 0);
  match(taken.problems.join("\n"), /url/);
});
