import { deepEqual, equal } from "node:assert/strict";
import { withDefaultAccount } from "../../src/app/default_account.ts";
import type { DesiredObject } from "../../src/core/object.ts";

function object(kind: string, spec: Readonly<Record<string, unknown>>): DesiredObject {
  return {
    key: { kind, namespace: "team", name: "apps" },
    apiVersion: "v1",
    labels: {},
    annotations: {},
    spec,
    generation: 1,
    document: {},
  };
}

Deno.test("withDefaultAccount() fills in what acts on a cluster and names nobody", () => {
  deepEqual(withDefaultAccount(object("Kustomization", { path: "" }), "tenant").spec, {
    path: "",
    serviceAccountName: "tenant",
  });
  deepEqual(withDefaultAccount(object("HelmRelease", { serviceAccountName: "own" }), "tenant").spec, {
    serviceAccountName: "own",
  });
  const source = object("OCIRepository", {});
  equal(withDefaultAccount(source, "tenant"), source, "a source's account is one for registries");
  const alone = object("Kustomization", {});
  equal(withDefaultAccount(alone, undefined), alone);
});
