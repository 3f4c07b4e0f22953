/** Objects found in artifacts. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { parseChild } from "../../src/config/check.ts";
import { isChildKind } from "../../src/config/kinds.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { DesiredObject } from "../../src/core/object.ts";
import type { Resource } from "../../src/core/resource.ts";

const parent: DesiredObject = {
  key: { kind: "Kustomization", namespace: "flux-system", name: "root" },
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  labels: {},
  annotations: {},
  spec: {},
  generation: 1,
  document: {},
};

function resource(kind: string, spec: JsonObject, metadata: JsonObject = {}): Resource {
  const group = { OCIRepository: "source", Kustomization: "kustomize", HelmRelease: "helm" }[kind];
  const apiVersion = group === undefined
    ? "pilotfish.dev/v1alpha1"
    : `${group}.toolkit.fluxcd.io/${kind === "HelmRelease" ? "v2beta2" : "v1"}`;
  return { apiVersion, kind, metadata: { name: "app", ...metadata }, spec };
}

Deno.test("parseChild() gives a checked object with its parent, in the parent's namespace", () => {
  const { child, problems } = parseChild(
    resource("HelmRelease", { interval: "5m", chartRef: { kind: "OCIRepository", name: "app" } }),
    parent,
  );

  deepEqual(child?.key, { kind: "HelmRelease", namespace: "flux-system", name: "app" });
  deepEqual(child?.parent, parent.key);
  equal(child?.apiVersion, "helm.toolkit.fluxcd.io/v2");
  equal(child?.place, undefined);
  deepEqual(problems.map((problem) => problem.severity), ["warning"]);
});

Deno.test("parseChild() lets an artifact name no folder or program of this machine", () => {
  const source = { interval: "5m", url: "oci://ghcr.io/a/b" };
  const refused = [
    resource("Checkout", { sourceRef: { kind: "OCIRepository", name: "app" }, path: "/etc" }),
    resource("Settings", {}),
    resource("OCIRepository", { ...source, url: "oci-layout:///etc" }),
    resource("OCIRepository", source, { annotations: { "pilotfish.dev/target": "directory:/etc" } }),
  ];

  for (const one of refused) {
    const { child, problems } = parseChild(one, parent);
    equal(child, undefined, one.kind);
    ok(problems.some((problem) => problem.severity === "error" && problem.object?.name === "app"), one.kind);
  }
});

Deno.test("parseChild() holds to namespaces where told, and refuses what could never run", () => {
  const spec = { interval: "5m", prune: true, sourceRef: { kind: "OCIRepository", name: "app", namespace: "other" } };
  const self = {
    interval: "5m",
    prune: true,
    sourceRef: { kind: "OCIRepository", name: "app" },
    dependsOn: [{ name: "app" }],
  };

  ok(parseChild(resource("Kustomization", spec), parent).child !== undefined);
  ok(parseChild(resource("Kustomization", spec), parent, { noCrossNamespaceRefs: true }).child === undefined);
  ok(parseChild(resource("Kustomization", self), parent).child === undefined);
});

Deno.test("isChildKind() knows Flux's kinds of ours in any version, and nothing else", () => {
  ok(isChildKind("helm.toolkit.fluxcd.io/v2beta1", "HelmRelease"));
  ok(isChildKind("source.toolkit.fluxcd.io/v1", "OCIRepository"));
  for (
    const [apiVersion, kind] of [
      ["kustomize.config.k8s.io/v1beta1", "Kustomization"],
      ["source.toolkit.fluxcd.io/v1", "GitRepository"],
      ["pilotfish.dev/v1alpha1", "Checkout"],
      ["v1", "Secret"],
    ] as const
  ) ok(!isChildKind(apiVersion, kind));
});
