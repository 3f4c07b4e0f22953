/**
 * Every field of HelmRelease, with what it does in a run over a folder, or the refusal that names it. What only a cluster
 * shows is held by the unit tests that a row names. A field without a row here fails the last test.
 */
import assert from "node:assert/strict";
import { helmRelease as helmReleaseKind } from "../../src/config/kinds/helm_release.ts";
import type { Fields } from "../../src/config/schema.ts";
import { mediaTypes } from "../../src/core/descriptor.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { configMap, ociRepository, secret, yamlOf } from "../support/documents.ts";
import { World } from "./world.ts";

const release = "HelmRelease/default/web";

interface Row {
  /** One field, or several that go together. */
  readonly field: string | readonly string[];
  readonly spec?: Readonly<Record<string, unknown>>;
  /** `chart` instead of `chartRef`: what its spec says beside chart, version and source. */
  readonly chart?: Readonly<Record<string, unknown>>;
  readonly documents?: readonly JsonObject[];
  /** Words of the target's files. */
  readonly shows?: RegExp;
  readonly hides?: RegExp;
  /** The fault that names the field; nothing is applied then. */
  readonly fails?: RegExp;
  /** A warning of the documents that names the field. */
  readonly warns?: RegExp;
  /** Tests that hold it over a cluster. */
  readonly heldBy?: "release_fields_test" | "release_removal_test" | "helm_release_test";
  readonly check?: (world: World) => void | Promise<void>;
}

const chartFiles = {
  "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.5.0\n",
  "web/values.yaml": "text: preset\ncount: 1\n",
  "web/other.yaml": "text: of-other-file\n",
  "web/values.schema.json": '{"properties": {"count": {"type": "integer"}}}',
  "web/crds/crd.yaml": yamlOf({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "rockets.acme.io" },
    spec: { group: "acme.io", names: { kind: "Rocket" }, scope: "Cluster" },
  }),
  "web/templates/map.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-map
data:
  text: {{ .Values.text | quote }}
  count: {{ .Values.count | quote }}
`,
  "web/templates/hook.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: hook
  annotations: {helm.sh/hook: pre-install}
`,
};

const refused = (field: string, spec: Row["spec"], more: Partial<Row> = {}): Row => ({
  field,
  spec: spec ?? {},
  fails: new RegExp(`Cannot act on spec\\.${field.replaceAll(".", "\\.")}`),
  ...more,
});
/** Fields that change nothing that a folder shows: the release is as it is without them. */
const quiet = (fields: readonly string[], spec: Row["spec"], heldBy?: Row["heldBy"]): Row => ({
  field: fields,
  spec: spec ?? {},
  shows: /text: preset/,
  ...(heldBy === undefined ? {} : { heldBy }),
});
const action = (name: string, fields: Readonly<Record<string, unknown>>, heldBy: Row["heldBy"]) =>
  Object.entries(fields).map(([field, value]) => quiet([`${name}.${field}`], { [name]: { [field]: value } }, heldBy));
const unknownSource = (kind: string): Row => ({
  field: "chart.spec.sourceRef.kind",
  chart: { sourceRef: { kind, name: "charts" } },
  fails: new RegExp(`Cannot use a source of kind "${kind}"`),
});
const remediation = { retries: 2, ignoreTestFailures: true, remediateLastFailure: true };

const rows: readonly Row[] = [
  { field: ["chart.metadata.labels", "chart.metadata.annotations"], ...metadataRow() },
  { field: ["chart.spec.chart", "chart.spec.version"], chart: {}, shows: /text: preset/ },
  { field: "chart.spec.version", chart: { version: "9.x" }, fails: /9\.x/ },
  {
    field: ["chart.spec.sourceRef.apiVersion", "chart.spec.sourceRef.name", "chart.spec.sourceRef.namespace"],
    chart: {
      sourceRef: {
        apiVersion: "source.toolkit.fluxcd.io/v1",
        kind: "HelmRepository",
        name: "charts",
        namespace: "default",
      },
    },
    shows: /text: preset/,
  },
  unknownSource("GitRepository"),
  unknownSource("Bucket"),
  { field: "chart.spec.interval", chart: { interval: "1h" }, warns: /chart\.spec\.interval/, shows: /text: preset/ },
  { field: "chart.spec.reconcileStrategy", chart: { reconcileStrategy: "Revision" }, shows: /text: preset/ },
  { field: "chart.spec.valuesFiles", chart: { valuesFiles: ["values.yaml", "other.yaml"] }, shows: /of-other-file/ },
  { field: "chart.spec.valuesFiles", chart: { valuesFiles: ["none.yaml"] }, fails: /none\.yaml/ },
  {
    field: "chart.spec.ignoreMissingValuesFiles",
    chart: { valuesFiles: ["values.yaml", "none.yaml"], ignoreMissingValuesFiles: true },
    shows: /text: preset/,
  },
  {
    field: ["provider", "secretRef.name", "matchOIDCIdentity", "trustedRootSecretRef.name"].map((name) =>
      `chart.spec.verify.${name}`
    ),
    chart: { verify: { provider: "cosign", secretRef: { name: "keys" } } },
    fails: /spec\.chart\.spec\.verify/,
  },
  {
    field: ["chartRef.apiVersion", "chartRef.name", "chartRef.namespace"],
    spec: {
      chartRef: {
        apiVersion: "source.toolkit.fluxcd.io/v1",
        kind: "OCIRepository",
        name: "chart",
        namespace: "default",
      },
    },
    shows: /text: preset/,
  },
  ...["HelmChart", "ExternalArtifact"].map((kind): Row => ({
    field: "chartRef.kind",
    spec: { chartRef: { kind, name: "chart" } },
    fails: new RegExp(`${kind}`),
  })),
  {
    field: "chartRef.version",
    spec: { chartRef: { kind: "OCIRepository", name: "chart", version: "2.x" } },
    fails: /not in the range "2\.x"/,
  },
  quiet(["interval", "timeout"], { interval: "3m", timeout: "10s" }, "release_fields_test"),
  { field: "releaseName", spec: { releaseName: "other" }, shows: /name: other-map/ },
  { field: "targetNamespace", spec: { targetNamespace: "shop" }, shows: /shop\/configmap-shop-web-map/ },
  quiet(["storageNamespace"], { storageNamespace: "records" }, "release_removal_test"),
  quiet(["maxHistory"], { maxHistory: 2 }),
  {
    field: "serviceAccountName",
    spec: { serviceAccountName: "sa" },
    fails: /spec\.serviceAccountName with a directory/,
  },
  {
    field: ["kubeConfig.secretRef.name", "kubeConfig.secretRef.key"],
    spec: { kubeConfig: { secretRef: { name: "remote", key: "config" } } },
    documents: [secret("remote", { config: "apiVersion: v1\nkind: Config\n" })],
    fails: /spec\.kubeConfig with a directory/,
  },
  {
    field: "kubeConfig.configMapRef.name",
    spec: { kubeConfig: { configMapRef: { name: "remote" } } },
    fails: /kubeConfig/,
  },
  { field: "persistentClient", spec: { persistentClient: false }, warns: /persistentClient/, shows: /text: preset/ },
  { field: "dependsOn", spec: { dependsOn: [{ name: "nobody" }] }, fails: /nobody/ },
  {
    field: "dependsOn",
    spec: { dependsOn: [{ kind: "OCIRepository", name: "chart", readyExpr: "dep.spec.interval == '7m'" }] },
    fails: /not ready according to readyExpr/,
  },
  {
    field: "dependsOn",
    spec: { dependsOn: [{ kind: "OCIRepository", name: "chart", readyExpr: "dep.spec.interval == '1m'" }] },
    shows: /text: preset/,
  },
  { field: "values", spec: { values: { text: "inline" } }, shows: /text: inline/ },
  ...valuesRows(),
  ...action("install", {
    timeout: "10s",
    disableWait: true,
    disableWaitForJobs: true,
    disableHooks: true,
    disableTakeOwnership: true,
    strategy: { name: "RetryOnFailure" },
  }, "helm_release_test").map((row) => named(row, "install.strategy", "install.strategy.name")),
  ...action("install", { replace: true, disableOpenAPIValidation: true }, "release_fields_test"),
  quiet(["install.strategy.retryInterval"], {
    install: { strategy: { name: "RetryOnFailure", retryInterval: "1m" } },
  }, "release_fields_test"),
  { field: "install.disableSchemaValidation", spec: { values: { count: "many" } }, fails: /count/ },
  {
    field: "install.disableSchemaValidation",
    spec: { values: { count: "many" }, install: { disableSchemaValidation: true } },
    shows: /count: many/,
  },
  {
    field: "install.createNamespace",
    spec: { targetNamespace: "shop", install: { createNamespace: true } },
    shows: /_cluster\/namespace-shop/,
  },
  { field: "install.createNamespace", spec: { targetNamespace: "shop" }, hides: /namespace-shop/ },
  { field: "install.crds", spec: {}, shows: /customresourcedefinition-rockets/ },
  { field: "install.crds", spec: { install: { crds: "Skip" } }, hides: /customresourcedefinition/ },
  { field: "install.skipCRDs", spec: { install: { skipCRDs: true } }, hides: /customresourcedefinition/ },
  refused("install.serverSideApply", { install: { serverSideApply: false } }),
  quiet(
    Object.keys(remediation).map((name) => `install.remediation.${name}`),
    { install: { remediation } },
    "release_fields_test",
  ),
  ...action("upgrade", {
    timeout: "10s",
    disableWait: true,
    disableWaitForJobs: true,
    disableHooks: true,
    disableSchemaValidation: true,
    disableTakeOwnership: true,
    disableOpenAPIValidation: true,
    force: true,
    cleanupOnFail: true,
    skipCRDs: true,
    crds: "Skip",
  }, "release_fields_test"),
  quiet(["upgrade.chartNameChangeStrategy"], {
    upgrade: { chartNameChangeStrategy: "InPlaceUpdate" },
  }, "release_removal_test"),
  quiet(["upgrade.strategy.name", "upgrade.strategy.retryInterval"], {
    upgrade: { strategy: { name: "RetryOnFailure", retryInterval: "1m" } },
  }, "release_fields_test"),
  quiet(
    [...Object.keys(remediation), "strategy"].map((name) => `upgrade.remediation.${name}`),
    { upgrade: { remediation: { ...remediation, strategy: "uninstall" } } },
    "release_fields_test",
  ),
  refused("upgrade.serverSideApply", { upgrade: { serverSideApply: "disabled" } }),
  refused("upgrade.preserveValues", { upgrade: { preserveValues: true } }),
  quiet(
    ["timeout", "disableWait", "disableWaitForJobs", "disableHooks", "force", "cleanupOnFail", "serverSideApply"].map((
      name,
    ) => `rollback.${name}`),
    {
      rollback: {
        timeout: "10s",
        disableWait: true,
        disableWaitForJobs: true,
        disableHooks: true,
        force: true,
        cleanupOnFail: true,
        serverSideApply: "auto",
      },
    },
    "release_fields_test",
  ),
  { field: "rollback.recreate", spec: { rollback: { recreate: true } }, warns: /recreate/, shows: /text: preset/ },
  ...action("uninstall", {
    timeout: "10s",
    disableHooks: true,
    disableWait: true,
    deletionPropagation: "foreground",
  }, "release_removal_test"),
  refused("uninstall.keepHistory", { uninstall: { keepHistory: true } }),
  refused("test.enable", { test: { enable: true } }),
  quiet(["test.timeout", "test.ignoreFailures", "test.filters"], {
    test: { timeout: "10s", ignoreFailures: true, filters: [{ name: "smoke" }] },
  }),
  quiet(["driftDetection.mode"], { driftDetection: { mode: "warn" } }, "release_fields_test"),
  {
    field: "driftDetection.ignore",
    spec: { driftDetection: { mode: "enabled", ignore: [{ paths: ["/data"] }] } },
    fails: /spec\.driftDetection\.ignore with a directory/,
  },
  { field: "commonMetadata.labels", spec: { commonMetadata: { labels: { team: "blue" } } }, shows: /team: blue/ },
  {
    field: "commonMetadata.annotations",
    spec: { commonMetadata: { annotations: { note: "seen" } } },
    shows: /note: seen/,
  },
  {
    field: "postRenderers",
    spec: {
      postRenderers: [{
        kustomize: {
          patches: [{
            target: { kind: "ConfigMap", name: "web-map" },
            patch: "- {op: replace, path: /data/text, value: patched}",
          }],
        },
      }],
    },
    shows: /text: patched/,
  },
  quiet(["postRenderStrategy"], { postRenderStrategy: "nohooks" }),
  { field: "waitStrategy.name", spec: { waitStrategy: { name: "legacy" } }, fails: /spec\.waitStrategy\.name: legacy/ },
  quiet(["waitStrategy.name"], { waitStrategy: { name: "poller" } }),
  {
    field: "healthCheckExprs",
    spec: { healthCheckExprs: [{ apiVersion: "v1", kind: "ConfigMap", current: "true" }] },
    check: (world) => assert.match(world.ready(release).message, /spec\.healthCheckExprs with a directory/),
  },
  {
    field: "suspend",
    spec: { suspend: true },
    check: async (world) => {
      assert.equal(world.status(release).isSuspended, true);
      assert.deepEqual(await world.files(), {});
    },
  },
];

function metadataRow(): Omit<Row, "field"> {
  return { chart: {}, spec: { metadata: { labels: { a: "b" } } }, warns: /chart\.metadata/, shows: /text: preset/ };
}

function valuesRows(): readonly Row[] {
  const row = (from: Readonly<Record<string, unknown>>, more: Partial<Row>): Row => ({
    field: "valuesFrom",
    spec: { valuesFrom: [from] },
    documents: [
      configMap("given", { "values.yaml": "text: of-map", key: "text: of-key", one: "just, this=one" }),
      secret("given", { key: "text: of-secret" }),
    ],
    ...more,
  });
  const map = { kind: "ConfigMap", name: "given" };
  return [
    row(map, { shows: /text: of-map/ }),
    row({ ...map, valuesKey: "key" }, { shows: /text: of-key/ }),
    row({ kind: "Secret", name: "given", valuesKey: "key" }, { shows: /text: of-secret/ }),
    row({ ...map, valuesKey: "one", targetPath: "text", literal: true }, { shows: /text: just, this=one/ }),
    row({ kind: "Secret", name: "none", optional: true }, { shows: /text: preset/ }),
    row({ kind: "Secret", name: "none" }, {
      fails: /'default\/none' with key 'values\.yaml': secrets "none" not found/,
    }),
    row({ ...map, valuesKey: "none" }, { fails: /with key 'none': key not found/ }),
  ];
}

/** A row under another name of its field. */
function named(row: Row, from: string, to: string): Row {
  return [row.field].flat()[0] === from ? { ...row, field: to } : row;
}

function documentsOf(row: Row): readonly JsonObject[] {
  const { metadata, ...spec } = row.spec ?? {};
  const chart = row.chart === undefined ? { chartRef: { kind: "OCIRepository", name: "chart" } } : {
    chart: {
      ...(metadata === undefined ? {} : { metadata }),
      spec: { chart: "web", version: "1.x", sourceRef: { kind: "HelmRepository", name: "charts" }, ...row.chart },
    },
  };
  return [
    ociRepository("chart", "charts/web", {
      ref: { semver: "1.x" },
      layerSelector: { mediaType: mediaTypes.helmChart, operation: "copy" },
    }),
    {
      apiVersion: "source.toolkit.fluxcd.io/v1",
      kind: "HelmRepository",
      metadata: { name: "charts", namespace: "default" },
      spec: { type: "oci", url: "oci://registry.example.com/charts", interval: "5m" },
    },
    {
      apiVersion: "helm.toolkit.fluxcd.io/v2",
      kind: "HelmRelease",
      metadata: { name: "web", namespace: "default" },
      spec: { interval: "10m", ...chart, ...spec },
    } as JsonObject,
    ...row.documents ?? [],
  ];
}

async function runRow(row: Row): Promise<void> {
  await using world = new World();
  world.registry.put({
    repository: "charts/web",
    tag: "1.5.0",
    config: { mediaType: mediaTypes.helmConfig, bytes: new TextEncoder().encode('{"name":"web","version":"1.5.0"}') },
    mediaType: mediaTypes.helmChart,
    files: chartFiles,
  });
  await world.write("all.yaml", ...documentsOf(row));
  await world.run();
  const shown = JSON.stringify(await world.files());
  if (row.warns !== undefined) assert.match(world.problems.join("\n"), row.warns);
  if (row.fails !== undefined) {
    const isThere = world.board.statuses().some((one) => one.key.kind === "HelmRelease");
    const ready = isThere ? world.ready(release) : undefined;
    const told = [...world.problems, ready?.status === "False" ? ready.message : ""].join("\n");
    assert.match(told, row.fails, told);
    assert.doesNotMatch(shown, /web-map/, "nothing is applied");
  } else if (row.check === undefined) world.expectReady(release);
  if (row.shows !== undefined) assert.match(shown, row.shows);
  if (row.hides !== undefined) assert.doesNotMatch(shown, row.hides);
  await row.check?.(world);
}

Deno.test("every field of HelmRelease does what it says, or is refused by name", async (context) => {
  for (const row of rows) {
    const held = row.heldBy === undefined ? "" : ` (over a cluster: tests/reconcile/${row.heldBy}.ts)`;
    await context.step({ name: `${[row.field].flat().join(", ")}${held}`, fn: () => runRow(row), sanitizeOps: false });
  }
});

Deno.test("no field of HelmRelease is without a row here", () => {
  const namesOf = (fields: Fields, prefix = ""): readonly string[] =>
    Object.entries(fields).flatMap(([name, { schema }]) =>
      schema.fields === undefined || schema.type.startsWith("list")
        ? [`${prefix}${name}`]
        : namesOf(schema.fields, `${prefix}${name}.`)
    );
  const covered = [...new Set(rows.flatMap((row) => row.field))].sort();
  assert.deepEqual(covered, [...namesOf(helmReleaseKind.schema.fields ?? {})].sort());
});
