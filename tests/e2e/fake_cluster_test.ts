/** Holds the API server in memory against the real one: the same requests, the same answers. */
import { equal } from "node:assert/strict";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { canonicalJson, isJsonObject } from "../../src/core/json.ts";
import type { KubeApi, KubeRequest } from "../../src/core/kube_api.ts";
import { KubeError } from "../../src/core/kube_api.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeCluster } from "../support/fake_cluster.ts";
import { connectLab, labProgram, startCluster } from "../support/lab.ts";

const isHere = labProgram() !== undefined;
const maps = "/api/v1/namespaces/default/configmaps";
const deployments = "/apis/apps/v1/namespaces/default/deployments";

function apply(path: string, body: JsonObject, manager: string, query: Record<string, string> = {}): KubeRequest {
  return {
    method: "PATCH",
    path,
    contentType: "application/apply-patch+yaml",
    query: { fieldManager: manager, ...query },
    body,
  };
}

function map(name: string, data: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data };
}

function deployment(spec: JsonObject, container: JsonObject = {}): JsonObject {
  const labels = { app: "web" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "main", image: "x:1", ...container }] },
      },
      ...spec,
    },
  };
}

/** Requests in order; each sees what those before it left. */
const requests: readonly KubeRequest[] = [
  { method: "GET", path: `${maps}/none` },
  apply(`${maps}/a`, map("a", { k: "1", l: "2" }), "one", { dryRun: "All" }),
  { method: "GET", path: `${maps}/a` },
  apply(`${maps}/a`, map("a", { k: "1", l: "2" }, { labels: { x: "y" } }), "one"),
  apply(`${maps}/a`, map("a", { k: "1", l: "2" }, { labels: { x: "y" } }), "one"),
  apply(`${maps}/a`, map("a", { k: "2" }), "two"),
  apply(`${maps}/a`, map("a", { k: "1" }), "two"),
  apply(`${maps}/a`, map("a", { k: "2" }), "two", { force: "true" }),
  apply(`${maps}/a`, map("a", { l: "2" }), "one", { force: "true" }),
  {
    method: "PATCH",
    path: `${maps}/a`,
    contentType: "application/merge-patch+json",
    query: { fieldManager: "edit" },
    body: { data: { l: "3", m: "4" } },
  },
  apply(`${maps}/a`, map("a", { l: "2" }), "one", { force: "true" }),
  apply(`${maps}/a`, map("a", {}), "one", { force: "true" }),
  {
    method: "PATCH",
    path: `${maps}/a`,
    contentType: "application/json-patch+json",
    query: { fieldManager: "edit" },
    body: [{ op: "test", path: "/data/k", value: "wrong" }],
  },
  {
    method: "PATCH",
    path: `${maps}/a`,
    contentType: "application/json-patch+json",
    query: { fieldManager: "edit" },
    body: [{ op: "remove", path: "/data/k" }],
  },
  apply("/api/v1/namespaces/missing/configmaps/a", map("a", {}), "one"),
  apply(`${maps}/fixed`, { ...map("fixed", { a: "1" }), immutable: true }, "one"),
  apply(`${maps}/fixed`, { ...map("fixed", { a: "2" }), immutable: true }, "one"),
  apply(
    `${deployments}/web`,
    deployment({ replicas: 2 }, { ports: [{ containerPort: 80, protocol: "TCP" }], env: [{ name: "A", value: "1" }] }),
    "one",
  ),
  apply(`${deployments}/web`, deployment({ replicas: 3 }), "two"),
  apply(`${deployments}/web`, deployment({}, { env: [{ name: "B", value: "2" }] }), "one"),
  apply(`${deployments}/web`, deployment({ selector: { matchLabels: { app: "other" } } }), "one", { force: "true" }),
  apply(`${maps}/held`, map("held", {}, { finalizers: ["example.com/a", "example.com/b"] }), "one"),
  apply(`${maps}/held`, map("held", {}, { finalizers: ["example.com/a"] }), "one"),
  { method: "DELETE", path: `${maps}/held` },
  apply(`${maps}/held`, map("held", {}), "one"),
  { method: "GET", path: `${maps}/held` },
  {
    method: "DELETE",
    path: `${maps}/a`,
    body: { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid: "another" } },
  },
  { method: "DELETE", path: `${maps}/a` },
  { method: "GET", path: `${maps}/a` },
];

Deno.test({
  name: isHere ? "the fake cluster answers as the real one" : "the fake cluster (the lab is not here)",
  ignore: !isHere,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using lab = await startCluster({ isBare: true });
    using open = await connectLab(lab.kubeconfig);
    const fake = new FakeCluster(new FakeClock()).api();
    const wrong: string[] = [];
    for (const [index, request] of requests.entries()) {
      const [ours, real] = [await answer(fake, request), await answer(open.api, request)];
      if (canonicalJson(ours) === canonicalJson(real)) continue;
      wrong.push(
        `request ${index}: ${request.method} ${request.path}\n  fake ${canonicalJson(ours)}\n  real ${
          canonicalJson(real)
        }`,
      );
    }
    equal(wrong.length, 0, wrong.join("\n"));
  },
});

/** What of an answer both must have: code and reason of a refusal; data, our part of the spec and who owns what. */
async function answer(api: KubeApi, request: KubeRequest): Promise<JsonValue> {
  try {
    const object = await api.send(request);
    if (object.kind === "Status") return { status: object.status ?? "" };
    const metadata = object.metadata as JsonObject;
    const rows = (metadata.managedFields ?? []) as readonly JsonObject[];
    return {
      name: metadata.name ?? "",
      labels: metadata.labels ?? {},
      finalizers: metadata.finalizers ?? [],
      isGoing: metadata.deletionTimestamp !== undefined,
      data: object.data ?? {},
      spec: specOf(object.spec),
      rows: rows.map((row) => ({
        manager: row.manager ?? "",
        operation: row.operation ?? "",
        fields: row.fieldsV1 ?? {},
      })).sort((a, b) => (`${a.manager}${a.operation}` < `${b.manager}${b.operation}` ? -1 : 1)),
    };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return { code: error.code, reason: error.reason };
  }
}

function specOf(spec: JsonValue | undefined): JsonValue {
  if (!isJsonObject(spec)) return null;
  const template = isJsonObject(spec.template) && isJsonObject(spec.template.spec) ? spec.template.spec : {};
  const containers = (template.containers ?? []) as readonly JsonObject[];
  return {
    replicas: spec.replicas ?? null,
    containers: containers.map(({ name, image, env, ports }) => ({
      name: name ?? "",
      image: image ?? "",
      env: env ?? [],
      ports: ports ?? [],
    })),
  };
}
