import assert from "node:assert/strict";
import { mediaTypes } from "../../src/core/descriptor.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { configMap, kustomization, ociRepository, secret, yamlOf } from "../support/documents.ts";
import { putWebChart } from "./web_chart.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;

const mapTemplate = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-map
  namespace: {{ .Release.Namespace }}
data:
  version: {{ .Chart.Version }}
  revision: {{ .Release.Revision | quote }}
  text: {{ .Values.text | quote }}
`;

function putChart(world: World, version: string, template = mapTemplate): void {
  putWebChart(world, version, template);
}

function helmRelease(spec: Record<string, unknown>): JsonObject {
  return {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    metadata: { name: "web", namespace: "shop" },
    spec: { interval: "10m", chartRef: { kind: "OCIRepository", name: "web" }, ...spec },
  } as JsonObject;
}

const namespace: JsonObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const chart = ociRepository("shop/web", "charts/web", {
  ref: { semver: "1.x" },
  layerSelector: { mediaType: mediaTypes.helmChart, operation: "copy" },
});

function putBundle(world: World, ...more: readonly JsonObject[]): void {
  world.registry.put({
    repository: "org/bundle",
    tag: "latest",
    files: { "all.yaml": yamlOf(namespace, chart, ...more) },
  });
}

async function bundleWorld(spec: Record<string, unknown> = {}, ...more: readonly JsonObject[]): Promise<World> {
  const world = new World();
  putChart(world, "1.0.0");
  putBundle(world, helmRelease(spec), ...more);
  await writeBundle(world);
  return world;
}

async function writeBundle(world: World, spec: Record<string, unknown> = {}): Promise<void> {
  await world.write("bundle.yaml", ociRepository("bundle", "org/bundle"), kustomization("bundle", "bundle", spec));
}

const release = "HelmRelease/shop/web";
const mapFile = "shop/configmap-web-map.yaml";

Deno.test("one artifact brings a namespace, a chart and its release; they follow the chart and go with the artifact", async () => {
  await using world = await bundleWorld({ values: { text: "given" } });
  await world.run();
  world.expectReady("Kustomization/default/bundle", "OCIRepository/shop/web", release);
  assert.deepEqual(Object.keys(await world.files()).sort(), ["_cluster/namespace-shop.yaml", mapFile]);
  assert.match((await world.files())[mapFile] ?? "", /revision: "1"\n {2}text: given/);

  putChart(world, "1.1.0");
  await world.advance(2 * minuteMs);
  assert.match((await world.files())[mapFile] ?? "", /revision: "2"[\s\S]*version: 1\.1\.0/);
  assert.match(
    world.ready(release).message,
    /^Helm upgrade succeeded for release shop\/web\.v2 with chart web@1\.1\.0\+[0-9a-f]{12}$/,
  );

  await world.fileSystem.remove("/config/bundle.yaml");
  await world.write("other.yaml", configMap("other", {}), ociRepository("other", "org/other", { suspend: true }));
  await world.reload();
  assert.deepEqual(await world.files(), {});
});

Deno.test("a Secret that changes inside the artifact wakes the release and the Kustomization that refer to it", async () => {
  const spec = { valuesFrom: [{ kind: "Secret", name: "login", valuesKey: "text", targetPath: "text" }] };
  const others = (text: string) => [
    secret("shop/login", { text }),
    ociRepository("shop/app", "org/app"),
    kustomization("shop/app", "app", { postBuild: { substituteFrom: [{ kind: "Secret", name: "login" }] } }),
  ];
  await using world = await bundleWorld(spec, ...others("first-secret"));
  const app = configMap("shop/app", { text: "${text}" });
  world.registry.put({ repository: "org/app", tag: "latest", files: { "map.yaml": yamlOf(app) } });
  await world.run();
  world.expectReady(release, "Kustomization/shop/app");
  assert.match((await world.files())[mapFile] ?? "", /text: first-secret/);

  putBundle(world, helmRelease(spec), ...others("second-secret"));
  // Less than the interval of the children: only the change can have woken them.
  await world.advance(2 * minuteMs);
  const files = await world.files();
  assert.match(files[mapFile] ?? "", /text: second-secret/);
  assert.match(files["shop/configmap-app.yaml"] ?? "", /text: second-secret/);
});

for (
  const [name, spoil] of [
    ["suspended", (world: World) => writeBundle(world, { suspend: true })],
    ["unbuildable", (world: World) => {
      const files = { "kustomization.yaml": "resources: [gone.yaml]\n" };
      world.registry.put({ repository: "org/bundle", tag: "latest", files });
      return Promise.resolve();
    }],
    ["blocked", (world: World) => writeBundle(world, { dependsOn: [{ name: "nobody" }] })],
  ] as const
) {
  Deno.test(`children go on after a restart while their parent is ${name}`, async () => {
    await using world = await bundleWorld(
      { valuesFrom: [{ kind: "Secret", name: "login" }] },
      secret("shop/login", {
        "values.yaml": "text: from-the-bundle",
      }),
    );
    await world.run();
    world.expectReady(release);
    const before = await world.files();
    await spoil(world);
    await world.stop();
    await world.fileSystem.remove(`/out/${mapFile}`);
    await world.run();
    world.expectReady(release, "OCIRepository/shop/web");
    assert.deepEqual(await world.files(), before, "drift is corrected");

    putChart(world, "1.1.0");
    await world.advance(12 * minuteMs);
    assert.match((await world.files())[mapFile] ?? "", /text: from-the-bundle[\s\S]*version: 1\.1\.0/);
    // Again, and offline.
    const upgraded = await world.files();
    await world.stop();
    world.registry.isDown = true;
    await world.fileSystem.remove(`/out/${mapFile}`);
    await world.run();
    assert.deepEqual(await world.files(), upgraded);
    const states = JSON.stringify(await world.files("/var/state"));
    assert.doesNotMatch(states, /from-the-bundle/);
  });
}

Deno.test("a parent that is resumed takes its children over as they are, and drops what left its artifact", async () => {
  await using world = await bundleWorld();
  await world.run();
  await writeBundle(world, { suspend: true });
  await world.stop();
  putBundle(world, configMap("shop/instead", {}));
  await world.run();
  world.expectReady(release);
  await writeBundle(world);
  await world.reload();
  await world.advance(2 * minuteMs);
  assert.deepEqual(Object.keys(await world.files()).sort(), [
    "_cluster/namespace-shop.yaml",
    "shop/configmap-instead.yaml",
  ]);
  assert.throws(() => world.status(release));
});

Deno.test("a chart that takes over its own Secret keeps the password over upgrades in a directory", async () => {
  const template = `{{- $old := lookup "v1" "Secret" .Release.Namespace "web" }}
apiVersion: v1
kind: Secret
metadata:
  name: web
  namespace: {{ .Release.Namespace }}
data:
  password: {{ if $old }}{{ index $old.data "password" }}{{ else }}{{ randAlphaNum 24 | b64enc }}{{ end }}
stringData:
  version: {{ .Chart.Version }}
`;
  await using world = new World();
  putChart(world, "1.0.0", template);
  putBundle(world, helmRelease({}));
  await writeBundle(world);
  await world.run();
  world.expectReady(release);
  const password = async () => /password: (\S+)/.exec((await world.files())["shop/secret-web.yaml"] ?? "")?.[1];
  const first = await password();
  assert.equal(first?.length, 32);
  putChart(world, "1.1.0", template);
  await world.advance(2 * minuteMs);
  assert.match((await world.files())["shop/secret-web.yaml"] ?? "", /version: 1\.1\.0/);
  assert.equal(await password(), first);
});
