import assert from "node:assert/strict";
import { mediaTypes } from "../../src/core/descriptor.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { definition, ociRepository, secret } from "../support/documents.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeCluster } from "../support/fake_cluster.ts";
import { World } from "./world.ts";

const release = "HelmRelease/default/web";
const kubeconfig = "login-of-the-other-cluster";
const template = `apiVersion: v1
kind: ConfigMap
metadata:
  name: seen
data:
  given: {{ (lookup "v1" "ConfigMap" "default" "given").data | toJson | quote }}
  none: {{ lookup "v1" "ConfigMap" "default" "none" | toJson | quote }}
  hasRocket: {{ .Capabilities.APIVersions.Has "acme.io/v1" | quote }}
`;

function map(text: string): JsonObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "given", namespace: "default" }, data: { text } };
}

const rockets = definition("rockets.acme.io", "Rocket", "Cluster");

function helmRelease(spec: Record<string, unknown>): JsonObject {
  return {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    metadata: { name: "web", namespace: "default" },
    spec: { interval: "10m", chartRef: { kind: "OCIRepository", name: "chart" }, ...spec },
  } as JsonObject;
}

function seen(cluster: FakeCluster): unknown {
  return cluster.object("/api/v1/namespaces/default/configmaps/seen")?.data;
}

for (const isAs of [false, true]) {
  Deno.test(`templates learn of the cluster of spec.kubeConfig, not of ours${isAs ? ", as the account named" : ""}`, async () => {
    const clock = new FakeClock();
    const [here, there] = [new FakeCluster(clock, "here"), new FakeCluster(clock, "there")];
    await using world = new World({ clock, cluster: here, foreign: { [kubeconfig]: there } });
    here.put("/api/v1/namespaces/default/configmaps/given", map("here"));
    there.put("/api/v1/namespaces/default/configmaps/given", map("there"));
    there.put("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/rockets.acme.io", rockets);
    if (isAs) {
      there.put("/api/v1/namespaces/default/serviceaccounts/tenant", {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "tenant", namespace: "default" },
      });
    }
    world.registry.put({
      repository: "charts/web",
      tag: "1.0.0",
      config: { mediaType: mediaTypes.helmConfig, bytes: new TextEncoder().encode("{}") },
      mediaType: mediaTypes.helmChart,
      files: {
        "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        "web/templates/map.yaml": template,
      },
    });
    const chart = ociRepository("chart", "charts/web", {
      ref: { tag: "1.0.0" },
      layerSelector: { mediaType: mediaTypes.helmChart, operation: "copy" },
    });
    const account = isAs ? { serviceAccountName: "tenant" } : {};
    await world.write(
      "web.yaml",
      chart,
      secret("remote", { value: kubeconfig }),
      helmRelease({ kubeConfig: { secretRef: { name: "remote" } }, ...account }),
    );
    await world.run();

    world.expectReady(release);
    assert.deepEqual(seen(there), { given: '{"text":"there"}', none: "{}", hasRocket: "true" });
    assert.equal(seen(here), undefined);
    const asked = there.requests.filter(({ path }) => path.endsWith("/configmaps/given"));
    assert.ok(asked.length > 0);
    if (isAs) assert.ok(asked.every(({ user }) => user === "system:serviceaccount:default:tenant"));
    assert.doesNotMatch(world.lines.join(), new RegExp(kubeconfig));
    assert.doesNotMatch(JSON.stringify(world.status(release)), new RegExp(kubeconfig));

    await world.write(
      "web.yaml",
      chart,
      secret("remote", { other: kubeconfig }),
      helmRelease({
        kubeConfig: { secretRef: { name: "remote" } },
        values: { changed: true },
        ...account,
      }),
    );
    await world.reload();
    assert.match(world.ready(release).message, /Secret 'default\/remote' has no key 'value'/);
  });
}
