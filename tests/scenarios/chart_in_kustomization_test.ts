import assert from "node:assert/strict";
import { kustomization, ociRepository } from "../support/documents.ts";
import { World } from "./world.ts";

function put(world: World, chart: string): void {
  world.registry.put({
    repository: "org/app",
    tag: "latest",
    files: {
      "kustomization.yaml": `namePrefix: p-\nhelmCharts: [{name: web, releaseName: r, ${chart}}]\n`,
      "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
      "charts/web/values.yaml": "text: preset\n",
      "charts/web/templates/map.yaml":
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n" +
        "  text: {{ .Values.text }}\n  chance: {{ randAlphaNum 12 | quote }}\n",
    },
  });
}

async function textOf(world: World): Promise<string> {
  return Object.values(await world.files()).join("");
}

Deno.test("charts that came with an artifact are rendered, the same at each build", async () => {
  await using world = new World();
  put(world, "valuesInline: {text: given}");
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app"));
  await world.run();
  world.expectReady("Kustomization/default/app");
  const text = await textOf(world);
  assert.match(text, /name: p-r/);
  assert.match(text, /text: given/);
  put(world, "valuesInline: {text: other}");
  await world.advance(20 * 60_000);
  assert.equal(await textOf(world), text.replace("text: given", "text: other"), "chance does not move by itself");
});

Deno.test("charts outside of the artifact are not pulled: the object says so and keeps what stands", async () => {
  await using world = new World();
  put(world, "valuesInline: {text: given}");
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app"));
  await world.run();
  const before = await textOf(world);
  put(world, "version: 9.0.0, repo: 'oci://registry.example.com/charts'");
  await world.advance(20 * 60_000);
  const ready = world.ready("Kustomization/default/app");
  assert.equal(ready.reason, "BuildFailed");
  assert.match(ready.message, /charts are not pulled here; put the chart into "charts\/web-9\.0\.0\/web"/);
  assert.equal(await textOf(world), before);
});
