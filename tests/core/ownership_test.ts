import { deepEqual, equal } from "node:assert/strict";
import { fieldManagerOf, ownerLabels, ownerSelector, withOwnerLabels } from "../../src/core/ownership.ts";

const owner = { kind: "Kustomization", namespace: "flux-system", name: "apps" };

Deno.test("ownerLabels() has Flux's names and our own, by kind of the owner", () => {
  deepEqual(ownerLabels(owner, "flux"), {
    "kustomize.toolkit.fluxcd.io/name": "apps",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
  });
  deepEqual(ownerLabels({ ...owner, kind: "HelmRelease" }, "pilotfish"), {
    "helm.pilotfish.dev/name": "apps",
    "helm.pilotfish.dev/namespace": "flux-system",
  });
  equal(ownerLabels({ ...owner, kind: "HelmReleaseKept" }, "pilotfish"), undefined);
  equal(ownerSelector("Kustomization", "pilotfish"), "kustomize.pilotfish.dev/name");
  deepEqual([fieldManagerOf("flux"), fieldManagerOf("pilotfish")], ["kustomize-controller", "pilotfish"]);
});

Deno.test("withOwnerLabels() names one owner, whatever the manifest brought along", () => {
  const metadata = {
    name: "a",
    labels: {
      app: "web",
      "kustomize.toolkit.fluxcd.io/name": "somebody",
      "kustomize.pilotfish.dev/namespace": "somewhere",
      "helm.toolkit.fluxcd.io/name": "release",
    },
  };
  deepEqual(withOwnerLabels({ metadata }, owner, "pilotfish").metadata, {
    name: "a",
    labels: {
      app: "web",
      "helm.toolkit.fluxcd.io/name": "release",
      "kustomize.pilotfish.dev/name": "apps",
      "kustomize.pilotfish.dev/namespace": "flux-system",
    },
  });
  deepEqual(withOwnerLabels({}, owner, "flux"), { metadata: { labels: ownerLabels(owner, "flux") } });
});
