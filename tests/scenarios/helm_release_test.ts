import assert from "node:assert/strict";
import { mediaTypes } from "../../src/core/descriptor.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { configMap, kustomization, ociRepository, secret, yamlOf } from "../support/documents.ts";
import * as faults from "../support/registry_faults.ts";
import { putWebChart } from "./web_chart.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const release = "HelmRelease/default/web";

function putChart(world: World, version: string, template = "text: {{ .Values.text | quote }}"): void {
  putWebChart(
    world,
    version,
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-map\ndata:\n  version: {{ .Chart.Version }}\n  ${template}\n`,
  );
}

function helmRelease(spec: Record<string, unknown>): JsonObject {
  return {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    metadata: { name: "web", namespace: "default" },
    spec: { interval: "10m", ...spec },
  } as JsonObject;
}

function ofRepository(version: string, spec: Record<string, unknown> = {}): readonly JsonObject[] {
  const repository: JsonObject = {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "HelmRepository",
    metadata: { name: "charts", namespace: "default" },
    spec: { type: "oci", url: "oci://registry.example.com/charts", interval: "5m" },
  };
  const chart = {
    spec: { chart: "web", version, sourceRef: { kind: "HelmRepository", name: "charts" }, interval: "1m" },
  };
  return [repository, helmRelease({ chart, ...spec })];
}

async function textOf(world: World): Promise<string> {
  return Object.values(await world.files()).join("");
}

Deno.test("a release of a chart from a HelmRepository follows its range, and goes with its document", async () => {
  await using world = new World();
  putChart(world, "1.0.0");
  await world.write("web.yaml", ...ofRepository("1.x", { values: { text: "given" } }));
  await world.run();
  world.expectReady(release);
  assert.match(await textOf(world), /text: given/);
  assert.match(await textOf(world), /version: 1\.0\.0/);
  putChart(world, "1.1.0");
  await world.advance(12 * minuteMs);
  assert.match(await textOf(world), /version: 1\.1\.0/);
  await world.fileSystem.remove("/config/web.yaml");
  await world.write("other.yaml", configMap("other", {}), ociRepository("other", "org/other", { suspend: true }));
  await world.reload();
  assert.deepEqual(await world.files(), {});
});

Deno.test("a release of a chart in an OCIRepository takes values from Secrets and ConfigMaps as they change", async () => {
  await using world = new World();
  putChart(world, "2.0.0");
  const chart = ociRepository("chart", "charts/web", {
    ref: { semver: ">=1.0.0" },
    layerSelector: { mediaType: mediaTypes.helmChart, operation: "copy" },
  });
  const write = (text: string) =>
    world.write(
      "web.yaml",
      chart,
      configMap("values", { "values.yaml": `text: ${text}\n` }),
      secret("more", { text: "secret-override-value" }),
      helmRelease({
        chartRef: { kind: "OCIRepository", name: "chart" },
        valuesFrom: [{ kind: "ConfigMap", name: "values" }],
      }),
    );
  await write("first");
  await world.run();
  world.expectReady(release);
  assert.match(await textOf(world), /text: first/);
  await write("second");
  await world.reload();
  assert.match(await textOf(world), /text: second/);
  putChart(world, "2.1.0");
  await world.advance(2 * minuteMs);
  assert.match(await textOf(world), /version: 2\.1\.0/);
});

Deno.test("a chart that cannot be rendered keeps the release that stands, and says where", async () => {
  await using world = new World();
  putChart(world, "1.0.0");
  await world.write("web.yaml", ...ofRepository("1.x"));
  await world.run();
  const before = await world.files();
  putChart(world, "1.1.0", 'text: {{ required "text is required" .Values.nothing }}');
  await world.advance(30 * minuteMs);
  assert.deepEqual(await world.files(), before);
  assert.equal(world.ready(release).status, "False");
  assert.match(world.ready(release).message, /text is required/);
  putChart(world, "1.2.0");
  await world.advance(30 * minuteMs);
  world.expectReady(release);
  assert.match(await textOf(world), /version: 1\.2\.0/);
});

Deno.test("a release starts offline from the store, and others wait for it", async () => {
  await using world = new World();
  putChart(world, "1.0.0");
  world.registry.put({ repository: "org/app", tag: "latest", files: { "map.yaml": yamlOf(configMap("app", {})) } });
  await world.write(
    "web.yaml",
    ...ofRepository("1.x"),
    ociRepository("app", "org/app"),
    kustomization("app", "app", { dependsOn: [{ kind: "HelmRelease", name: "web" }] }),
  );
  world.registry.fault({ path: /charts/, times: Infinity }, faults.status(503));
  await world.run();
  assert.equal(world.ready("Kustomization/default/app").reason, "DependencyNotReady");
  assert.deepEqual(await world.files(), {});
  world.registry.heal();
  await world.advance(6 * minuteMs);
  world.expectReady(release, "Kustomization/default/app");
  const before = await world.files();
  assert.equal(Object.keys(before).length, 2);
  await world.stop();
  for (const name of Object.keys(before)) await world.fileSystem.remove(`/out/${name}`);
  world.registry.isDown = true;
  await world.run();
  await world.advance(12 * minuteMs);
  assert.deepEqual(await world.files(), before);
});

Deno.test("a release of a chart in an OCIRepository is told with its digest, and its tries with their chart", async () => {
  await using world = new World();
  putChart(world, "2.0.0");
  const chart = ociRepository("chart", "charts/web", {
    ref: { semver: ">=1.0.0" },
    layerSelector: { mediaType: mediaTypes.helmChart, operation: "copy" },
  });
  await world.write("web.yaml", chart, helmRelease({ chartRef: { kind: "OCIRepository", name: "chart" } }));
  await world.run();
  const { message } = world.ready(release);
  assert.match(message, /^Helm install succeeded for release default\/web\.v1 with chart web@2\.0\.0\+[0-9a-f]{12}$/);
  const { lastAppliedRevision, lastAttemptedRevision } = world.status(release);
  assert.match(lastAppliedRevision ?? "", /^2\.0\.0\+[0-9a-f]{12}$/);
  assert.equal(lastAttemptedRevision, lastAppliedRevision);
  await world.advance(12 * minuteMs);
  assert.equal(world.ready(release).message, message);
  putChart(world, "2.1.0", 'text: {{ required "text is required" .Values.nothing }}');
  await world.advance(2 * minuteMs);
  assert.match(
    world.ready(release).message,
    /^Helm upgrade failed for release default\/web with chart web@2\.1\.0\+[0-9a-f]{12}: .*text is required/s,
  );
  assert.equal(world.status(release).lastAppliedRevision, lastAppliedRevision);
  assert.match(world.status(release).lastAttemptedRevision ?? "", /^2\.1\.0\+/);
});

Deno.test("two releases of one source that wait for each other's turn follow its revisions in that order", async () => {
  await using world = new World();
  putChart(world, "2.0.0");
  const chart = ociRepository("chart", "charts/web", {
    ref: { semver: ">=1.0.0" },
    layerSelector: { mediaType: mediaTypes.helmChart, operation: "copy" },
  });
  const chartRef = { kind: "OCIRepository", name: "chart" };
  const second = {
    ...helmRelease({ chartRef, dependsOn: [{ name: "web" }] }),
    metadata: { name: "b", namespace: "default" },
  };
  await world.write("web.yaml", chart, helmRelease({ chartRef }), second);
  await world.run();
  world.expectReady(release, "HelmRelease/default/b");
  putChart(world, "2.1.0");
  await world.advance(2 * minuteMs);
  world.expectReady(release, "HelmRelease/default/b");
  assert.match(world.ready("HelmRelease/default/b").message, /web@2\.1\.0/);
});
