import { strict as assert } from "node:assert";
import type { FileTree } from "../../../src/core/file_tree.ts";
import { treeOf } from "../../../src/core/file_tree.ts";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import type { Random } from "../../../src/core/random.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import { HelmReleaseBuilder, renderRelease } from "../../../src/build/helm/helm.ts";
import { loadChart } from "../../../src/build/helm/loaded_chart.ts";
import type { HelmBuildRequest, HelmTools } from "../../../src/build/helm/helm.ts";
import { seededRandom } from "../../../src/build/helm/release/seeded_random.ts";

const chartFile = "apiVersion: v2\nname: app\nversion: 1.2.3\nappVersion: '4'\n";

function chart(files: Readonly<Record<string, string>>): FileTree {
  return treeOf({ "Chart.yaml": chartFile, ...files });
}

const counter = (): Random => seededRandom("test");
const tools = (): HelmTools => ({ nowMs: Date.UTC(2026, 0, 2), random: counter() });

const request: HelmBuildRequest = {
  release: { name: "rel", namespace: "ns", revision: 1, isUpgrade: false },
  values: {},
  marksOwnership: false,
};

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n";

async function build(files: Readonly<Record<string, string>>, extra: Partial<HelmBuildRequest> = {}) {
  return await new HelmReleaseBuilder(tools).build({ ...request, ...extra }, chart(files));
}

Deno.test("HelmReleaseBuilder makes resources, hooks, CRDs and notes of a chart", async () => {
  const result = await build({
    "values.yaml": "a: 1\n",
    "templates/cm.yaml": `${configMap}  a: {{ .Values.a | quote }}\n`,
    "templates/job.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: job\n  annotations:\n" +
      "    helm.sh/hook: pre-install,post-upgrade\n    helm.sh/hook-weight: '-2'\n    helm.sh/hook-delete-policy: hook-succeeded\n",
    "templates/NOTES.txt": "Hello {{ .Release.Name }}",
    "crds/x.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\n" +
      "---\napiVersion: v1\nkind: Secret\nmetadata: {name: no}\n",
  }, { marksOwnership: true });
  assert.deepEqual(result.resources, [{
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "rel",
      labels: { "app.kubernetes.io/managed-by": "Helm" },
      annotations: { "meta.helm.sh/release-name": "rel", "meta.helm.sh/release-namespace": "ns" },
    },
    data: { a: "1" },
  }]);
  const [hook] = result.hooks;
  assert.deepEqual([hook?.events, hook?.weight, hook?.deletePolicies, hook?.path], [
    ["pre-install", "post-upgrade"],
    -2,
    ["hook-succeeded"],
    "app/templates/job.yaml",
  ]);
  assert.deepEqual(result.crds.map((crd) => crd.metadata.name), ["x"]);
  assert.deepEqual(result.warnings, [
    '"app/crds/x.yaml" holds Secret, which is no CustomResourceDefinition: it is left out',
  ]);
  assert.equal(result.notes, "Hello rel");
  assert.equal(result.isRepeatable, true);
  assert.deepEqual(result.chart, { name: "app", version: "1.2.3", appVersion: "4" });
  structuredClone(result);
});

Deno.test("HelmReleaseBuilder merges valuesFrom as documented and keeps secrets out of messages", async () => {
  const files = { "templates/cm.yaml": `${configMap}  v: {{ .Values | toJson | quote }}\n` };
  const result = await build(files, {
    values: { a: "inline", m: { x: 1 } },
    valuesFrom: [
      { source: "ConfigMap/one/values.yaml", text: "a: one\nb: one\nm: {w: 2}\n" },
      { source: "Secret/two/key", text: "'007'", targetPath: "m.z" },
      { source: "Secret/two/raw", text: "{x,y", targetPath: "m.raw", literal: true },
    ],
  });
  const data = result.resources[0]?.data as { readonly v: string };
  assert.deepEqual(JSON.parse(data.v), { a: "inline", b: "one", m: { w: 2, x: 1, z: "007", raw: "{x,y" } });
  await assert.rejects(
    build(files, { valuesFrom: [{ source: "Secret/two/key", text: "hunter2: [", targetPath: "a[x]" }] }),
    (error) => error instanceof StageError && error.reason === "ValuesError" && !error.message.includes("hunter2"),
  );
});

Deno.test("renderRelease() fetches what lookup asks for and starts again", async () => {
  const files = {
    "templates/cm.yaml": `${configMap}  v: {{ (lookup "v1" "Secret" "ns" "s").data.k }}\n  r: {{ randAlpha 8 }}\n`,
  };
  const asked: JsonValue[] = [];
  const result = await renderRelease(loadChart(chart(files)), request, {
    ...tools(),
    lookup: (each) => {
      asked.push({ ...each });
      return Promise.resolve({ data: { k: "found" } });
    },
  });
  assert.equal((result.resources[0]?.data as { readonly v: string }).v, "found");
  assert.equal(asked.length, 1);
  assert.equal(result.isRepeatable, false);
});

Deno.test("renderRelease() repeats itself in deterministic mode, and differs by release", async () => {
  const loaded = loadChart(
    chart({ "templates/cm.yaml": `${configMap}  r: {{ randAlphaNum 16 }}-{{ now | unixEpoch }}\n` }),
  );
  const run = async (name: string, isDeterministic: boolean) => {
    const release = { ...request.release, name };
    const world = {
      nowMs: 1000,
      random: { ...counter(), bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) },
    };
    return await renderRelease(loaded, { ...request, release, isDeterministic }, world);
  };
  const first = await run("a", true);
  const dataOf = ({ resources }: { readonly resources: readonly JsonObject[] }) => resources[0]?.data;
  assert.deepEqual(dataOf(first), dataOf(await run("a", true)));
  assert.notDeepEqual(dataOf(first), dataOf(await run("b", true)));
  assert.equal(first.isRepeatable, true);
  const wild = await run("a", false);
  assert.notDeepEqual(dataOf(wild), dataOf(await run("a", false)));
  assert.equal(wild.isRepeatable, false);
});

Deno.test("renderRelease() applies post-renderers, common metadata and origin in Flux's order", async () => {
  const files = { "templates/cm.yaml": `${configMap}  a: b\n` };
  const extra: Partial<HelmBuildRequest> = {
    commonMetadata: { labels: { team: "x", "helm.toolkit.fluxcd.io/name": "no" } },
    origin: { name: "hr", namespace: "flux" },
    postRenderers: [{ patches: [], images: [] }],
  };
  await assert.rejects(build(files, extra), /no kustomize engine was handed to the build/);
  const result = await renderRelease(loadChart(chart(files)), { ...request, ...extra }, {
    ...tools(),
    postRender: (documents) => documents.map((document) => ({ ...document, data: { a: "patched" } })),
  });
  assert.deepEqual(result.resources[0]?.metadata, {
    name: "rel",
    labels: { team: "x", "helm.toolkit.fluxcd.io/name": "hr", "helm.toolkit.fluxcd.io/namespace": "flux" },
  });
  assert.deepEqual(result.resources[0]?.data, { a: "patched" });
});

Deno.test("loadChart() finds a chart at the root, in one folder, or says that there is none", () => {
  assert.equal(loadChart(treeOf({ "app/Chart.yaml": chartFile })).chart.metadata.name, "app");
  assert.throws(() => loadChart(treeOf({ "a/x": "", "b/y": "" })), /Chart.yaml file is missing/);
});

Deno.test("HelmReleaseBuilder takes values files of the chart and build metadata for its version", async () => {
  const files = {
    "values.yaml": "a: default\n",
    "values-prod.yaml": "a: prod\n",
    "templates/cm.yaml": `${configMap}  a: {{ .Values.a }}\n  v: {{ .Chart.Version | quote }}\n`,
  };
  const result = await build(files, { valuesFiles: ["values.yaml", "values-prod.yaml"], versionMetadata: "abc" });
  assert.deepEqual(result.resources[0]?.data, { a: "prod", v: "1.2.3+abc" });
  await assert.rejects(build(files, { valuesFiles: ["no.yaml"] }), /no values file found at path 'no.yaml'/);
});
