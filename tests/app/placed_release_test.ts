import { deepEqual } from "node:assert/strict";
import { placedRelease } from "../../src/app/placed_release.ts";
import type { Resource } from "../../src/core/resource.ts";

function resource(apiVersion: string, kind: string, namespace?: string): Resource {
  return { apiVersion, kind, metadata: { name: "x", ...(namespace === undefined ? {} : { namespace }) } };
}

function definition(group: string, kind: string, scope: string): Resource {
  return {
    ...resource("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    spec: { group, names: { kind }, scope },
  };
}

Deno.test("placedRelease() names the namespace of what has one and names none", () => {
  const cases: readonly (readonly [Resource, string | undefined])[] = [
    [resource("v1", "ConfigMap"), "shop"],
    [resource("v1", "ConfigMap", ""), "shop"],
    [resource("v1", "ConfigMap", "other"), "other"],
    [resource("v1", "Namespace"), undefined],
    [resource("rbac.authorization.k8s.io/v1", "ClusterRole"), undefined],
    [resource("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"), undefined],
    [resource("flowcontrol.apiserver.k8s.io/v1", "FlowSchema"), undefined],
    [definition("a.example.com", "Wide", "Cluster"), undefined],
    [resource("a.example.com/v1", "Wide"), undefined],
    [resource("b.example.com/v1beta1", "Near"), "shop"],
    [resource("c.example.com/v1", "Unknown"), "shop"],
  ];
  const built = {
    resources: cases.map(([given]) => given),
    hooks: [{ resource: resource("batch/v1", "Job"), events: [], weight: 0, deletePolicies: [], path: "" }],
    crds: [definition("b.example.com", "Near", "Namespaced")],
    warnings: [],
    isRepeatable: true,
  };
  const placed = placedRelease(built, "shop");
  deepEqual(placed.resources.map((one) => one.metadata.namespace), cases.map(([, expected]) => expected));
  deepEqual(placed.hooks[0]?.resource.metadata.namespace, "shop");
});
