import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import type { JsonObject } from "../../../src/core/json.ts";
import { KubeError } from "../../../src/core/kube_api.ts";
import type { Resource } from "../../../src/core/resource.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import { driftedFields, withValueAt } from "../../../src/target/cluster/compare.ts";
import { ignoreRules, respectIgnored } from "../../../src/target/cluster/ignore.ts";
import { parseInventory, printInventory } from "../../../src/target/cluster/inventory_store.ts";
import { inventoryName } from "../../../src/target/cluster/inventory_store.ts";
import { namesImmutableField } from "../../../src/target/cluster/refusal.ts";
import { parseLabelSelector } from "../../../src/target/cluster/label_selector.ts";
import { isLeftAlone, markOf } from "../../../src/target/cluster/marks.ts";
import { normalise, refuseEncrypted } from "../../../src/target/cluster/normalise.ts";
import { compareApply, compareDelete, rankGroups, stageOf } from "../../../src/target/cluster/order.ts";
import { shareReason } from "../../../src/target/cluster/prune_guard.ts";

function ref(kind: string, name = "a", group = "") {
  return { group, version: "v1", kind, namespace: "d", name };
}

Deno.test("resources are applied by kind and deleted the other way round", () => {
  const kinds = [
    "ValidatingWebhookConfiguration",
    "Widget",
    "Deployment",
    "Secret",
    "Role",
    "StorageClass",
    "Namespace",
  ];
  const refs = kinds.map((kind) => ref(kind));
  const sorted = [...refs].sort(compareApply).map(({ kind }) => kind);

  deepEqual(sorted, [
    "Namespace",
    "StorageClass",
    "Role",
    "Secret",
    "Deployment",
    "Widget",
    "ValidatingWebhookConfiguration",
  ]);
  deepEqual([...refs].sort(compareDelete).map(({ kind }) => kind), [...sorted].reverse());
  deepEqual(["ClusterRole", "IngressClass", "Deployment"].map((kind) => stageOf(ref(kind))), [
    "definitions",
    "classes",
    "rest",
  ]);
  const groups = rankGroups([ref("Alpha", "a", "x"), ref("Alpha", "b", "x"), ref("Beta", "a", "x")], (item) => item);
  deepEqual(groups.map((group) => group.length), [2, 1]);
});

Deno.test("driftedFields() ignores status, what is empty and foreign metadata", () => {
  const live: JsonObject = {
    metadata: { name: "a", labels: { a: "1" }, uid: "x", annotations: {} },
    spec: { list: [], a: { b: 1 }, ports: [{ port: 80 }] },
    status: { x: 1 },
  };

  deepEqual(driftedFields(live, { ...live, metadata: { labels: { a: "1" } }, status: {} }), []);
  deepEqual(
    driftedFields(live, {
      ...live,
      metadata: { labels: { "x/y": "1" } },
      spec: { a: { b: 2 }, ports: [{ port: 81 }] },
    }),
    ["/metadata/labels/a", "/metadata/labels/x~1y", "/spec/a/b", "/spec/ports/0/port"],
  );
});

Deno.test("driftedFields() counts metrics once that an autoscaler has twice", () => {
  const metric = (name: string, averageUtilization: number) => ({
    type: "Resource",
    resource: { name, target: { type: "Utilization", averageUtilization } },
  });
  const scaler = (...metrics: readonly JsonObject[]): JsonObject => ({
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    spec: { maxReplicas: 3, metrics },
  });
  const [cpu, memory] = [metric("cpu", 80), metric("memory", 70)];
  deepEqual(driftedFields(scaler(cpu, memory), scaler(cpu, memory, cpu, memory)), []);
  deepEqual(driftedFields(scaler(cpu, memory), scaler(metric("cpu", 90), memory)), [
    "/spec/metrics/0/resource/target/averageUtilization",
  ]);
  deepEqual(driftedFields(scaler(cpu), scaler(cpu, memory)), ["/spec/metrics"]);
});

Deno.test("withValueAt() changes one place and copies only what is on the way", () => {
  const value = { a: { b: [1, 2, 3] }, c: {} };

  deepEqual(withValueAt(value, ["a", "b", "1"], undefined), { a: { b: [1, 3] }, c: {} });
  deepEqual(withValueAt(value, ["x", "y"], 1), { ...value, x: { y: 1 } });
  equal((withValueAt(value, ["a", "b", "0"], 9) as JsonObject).c, value.c);
  equal(withValueAt(value, ["x", "y"], undefined), value);
});

Deno.test("parseLabelSelector() reads every form and refuses the rest with a coded error", () => {
  const labels = { app: "web", tier: "front" };
  const yes = [
    "",
    "app=web",
    "app == web",
    "tier!=back",
    "app in (web, api)",
    "tier notin (back)",
    "app",
    "!none",
    "app=web,tier=front",
  ];
  for (const text of yes) ok(parseLabelSelector(text)(labels), text);
  for (const text of ["app=api", "app!=web", "none", "!app", "app in (api)", "tier notin (front)"]) {
    ok(!parseLabelSelector(text)(labels), text);
  }
  throws(() => parseLabelSelector("a=b=c"), StageError);
  fc.assert(fc.property(fc.string(), (text) => {
    try {
      parseLabelSelector(text)(labels);
    } catch (error) {
      ok(error instanceof StageError);
    }
  }));
});

Deno.test("ignoreRules() picks by anchored expressions and refuses what it cannot read", () => {
  const resource: Resource = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", labels: { a: "b" } },
  };
  const paths = (target: Parameters<typeof ignoreRules>[0]) => ignoreRules(target)(resource).length;

  equal(paths([{ paths: ["/spec/replicas"] }]), 1);
  equal(paths([{ paths: ["/a"], target: { kind: "Deploy" } }]), 0);
  equal(paths([{ paths: ["/a"], target: { kind: "Deploy.*", name: "w.b", group: "apps", labelSelector: "a=b" } }]), 1);
  equal(paths([{ paths: ["/a"], target: { annotationSelector: "x" } }]), 0);
  throws(() => ignoreRules([{ paths: ["spec"] }]), /must start with "\/"/);
  throws(() => ignoreRules([{ paths: ["/a"], target: { name: "(" } }]), /Cannot read regular expression/);
});

Deno.test("respectIgnored() leaves a field to the manager that applies it, else takes the live value", () => {
  const body: Resource = { apiVersion: "v1", kind: "X", metadata: { name: "a" }, spec: { replicas: 1, image: "x" } };
  const live = (operation: string): JsonObject => ({
    metadata: { managedFields: [{ manager: "other", operation, fieldsV1: { "f:spec": { "f:replicas": {} } } }] },
    spec: { replicas: 5, image: "x" },
  });
  const options = { paths: [["spec", "replicas"]], manager: "ours", managers: [] };

  deepEqual(respectIgnored(body, live("Apply"), options).spec, { image: "x" });
  deepEqual(respectIgnored(body, live("Update"), options).spec, { replicas: 5, image: "x" });
  deepEqual(respectIgnored(body, { metadata: {}, spec: {} }, options).spec, body.spec);
  const takenOver = { ...options, managers: [{ name: "other" }] };
  deepEqual(respectIgnored(body, live("Apply"), takenOver).spec, { replicas: 5, image: "x" }, "its row becomes ours");
});

Deno.test("normalise() sends what only people write", () => {
  const cronJob = normalise({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: {
      name: "a",
      namespace: "old",
      uid: "u",
      creationTimestamp: null,
      managedFields: [],
      resourceVersion: "1",
    },
    spec: {
      jobTemplate: { spec: { template: { spec: { containers: [{ name: "c", ports: [{ containerPort: 1 }] }] } } } },
    },
    status: { active: 1 },
  }, "new");
  deepEqual(cronJob.metadata, { name: "a", namespace: "new" });
  equal("status" in cronJob, false);
  match(JSON.stringify(cronJob), /"containerPort":1,"protocol":"TCP"/);

  const custom = normalise({ apiVersion: "example.com/v1", kind: "W", metadata: { name: "a" }, spec: { x: null } }, "");
  deepEqual(custom.spec, { x: null }, "nulls of kinds that are not known stay");
  equal("namespace" in custom.metadata, false);
  const known = normalise(
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { x: null } } as Resource,
    "",
  );
  deepEqual(known.data, {});
  const crd = normalise({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "a" },
    spec: { conversion: { webhook: { clientConfig: { caBundle: "Cg==", url: "https://x" } } } },
  }, "");
  deepEqual(crd.spec, { conversion: { webhook: { clientConfig: { url: "https://x" } } } });
});

Deno.test("refuseEncrypted() stops a Secret that nobody decrypted", () => {
  const secret: Resource = { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, sops: {} };

  throws(() => refuseEncrypted(secret, ""), /SOPS encrypted/);
  refuseEncrypted(secret, "disabled");
});

Deno.test("marks stand among labels or annotations, in any case", () => {
  const object = { metadata: { labels: { "kustomize.toolkit.fluxcd.io/ssa": "IGNORE" } } };

  equal(markOf(object, "ssa"), "ignore");
  ok(isLeftAlone(object));
  ok(!isLeftAlone(undefined));
});

Deno.test("namesImmutableField() needs every cause to be about what cannot change", () => {
  const error = (messages: readonly string[]) =>
    new KubeError("is invalid", {
      code: 422,
      reason: "Invalid",
      causes: messages.map((message) => ({ reason: "FieldValueInvalid", field: "spec", message })),
    });

  ok(namesImmutableField(error(["Invalid value: {}: field is immutable"])));
  ok(namesImmutableField(error(["Invalid value: null: may not change once set"])));
  ok(
    namesImmutableField(
      error(["Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden"]),
    ),
  );
  ok(!namesImmutableField(error(["field is immutable", "Required value"])));
  ok(!namesImmutableField(error(["Required value"])));
});

Deno.test("the share of what goes is guarded from more than ten on, above one half", () => {
  equal(shareReason(10, 10), undefined);
  equal(shareReason(5, 11), undefined);
  ok(shareReason(6, 11) !== undefined);
  equal(shareReason(6, 12), undefined);
});

Deno.test("an inventory survives its text; other lines are left out", () => {
  const inventory = {
    inputs: "sha256:x",
    cluster: "https://other",
    entries: [
      { id: "d_a__ConfigMap", v: "v1", desired: "1", owned: "2" },
      { id: "d_b_apps_Deployment", v: "v1", desired: "", owned: "" },
    ],
  };

  deepEqual(parseInventory(printInventory(inventory)), inventory);
  deepEqual(parseInventory("in\n\nnonsense\n\nd_a__ConfigMap v1\n").entries.length, 1);
  fc.assert(fc.property(fc.string(), (text) => void parseInventory(text)));
  ok(inventoryName({ kind: "Kustomization", namespace: "a".repeat(63), name: "b".repeat(253) }).length <= 253);
});
