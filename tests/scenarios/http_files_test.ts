import assert from "node:assert/strict";
import { sha256Hex } from "../../src/core/sha256.ts";
import { configMap, kustomization, ociRepository, yamlOf } from "../support/documents.ts";
import { archiveOf, ScriptedRegistry } from "../support/scripted_registry.ts";
import { World } from "./world.ts";

const app = "Kustomization/default/app";
const host = "https://files.example.com";
const intervalMs = 20 * 60_000;

/** A registry, and a host of files beside it. */
function network() {
  const registry = new ScriptedRegistry();
  const inner = registry.send;
  const web = { files: new Map<string, BodyInit>(), asked: [] as string[], isDown: false };
  const send: typeof inner = (request) => {
    if (!request.url.startsWith(`${host}/`)) return inner(request);
    web.asked.push(request.url);
    if (web.isDown) return Promise.reject(new TypeError("error sending request: connection refused"));
    const body = web.files.get(new URL(request.url).pathname);
    return Promise.resolve(body === undefined ? new Response("", { status: 404 }) : new Response(body));
  };
  return { registry: Object.assign(registry, { send }), web };
}

async function put(world: World, kustomizationText: string): Promise<void> {
  world.registry.put({ repository: "org/app", tag: "latest", files: { "kustomization.yaml": kustomizationText } });
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app"));
}

async function textOf(world: World): Promise<string> {
  return Object.values(await world.files()).join("");
}

Deno.test("files of http(s) addresses are refused, unless the settings allow them", async () => {
  const { registry, web } = network();
  await using world = new World({ registry });
  await put(world, `resources: ["${host}/map.yaml"]\n`);
  await world.run();
  const { reason, message } = world.ready(app);
  assert.equal(reason, "BuildFailed");
  assert.match(message, /Refusing to read "https:\/\/files\.example\.com\/map\.yaml".*\(--allow-http allows them\)/);
  assert.deepEqual(web.asked, []);
});

Deno.test("files of http(s) addresses are read again at each interval, and what stands stays while their host is away", async () => {
  const { registry, web } = network();
  await using world = new World({ registry, env: { PILOTFISH_ALLOW_HTTP: "true" } });
  web.files.set("/map.yaml", yamlOf(configMap("map", { text: "first" })));
  await put(world, `namePrefix: p-\nresources: ["${host}/map.yaml"]\n`);
  await world.run();
  world.expectReady(app);
  assert.match(await textOf(world), /name: p-map/);
  assert.match(await textOf(world), /text: first/);

  web.files.set("/map.yaml", yamlOf(configMap("map", { text: "second" })));
  await world.advance(intervalMs);
  assert.match(await textOf(world), /text: second/, "nothing but the host's file has changed");

  web.isDown = true;
  await world.stop();
  await world.run();
  const { reason, message } = world.ready(app);
  assert.equal(reason, "BuildFailed");
  assert.match(message, /connection refused/);
  assert.match(world.lines.join("\n"), /A copy in the tree needs no network/);
  assert.match(await textOf(world), /text: second/);

  web.isDown = false;
  await world.advance(intervalMs);
  world.expectReady(app);

  // A kustomization that names none is left alone again.
  await put(world, "namePrefix: p-\nconfigMapGenerator: [{name: map, literals: [a=b]}]\n");
  await world.advance(intervalMs);
  world.expectReady(app);
  const { length } = web.asked;
  await world.advance(2 * intervalMs);
  assert.equal(web.asked.length, length);
});

Deno.test("charts of https repositories are pulled where the settings allow it, and held to the index's digest", async () => {
  const { registry, web } = network();
  await using world = new World({ registry, env: { PILOTFISH_ALLOW_HTTP: "true" } });
  const chart = new Uint8Array(archiveOf({
    "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "web/values.yaml": "text: preset\n",
    "web/templates/map.yaml":
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {text: {{ .Values.text }}}\n",
  }));
  const index = (digest: string) => `entries: {web: [{version: 1.0.0, urls: [web.tgz], digest: "${digest}"}]}\n`;
  web.files.set("/index.yaml", index(sha256Hex(chart)));
  web.files.set("/web.tgz", chart);
  await put(world, `helmCharts: [{name: web, releaseName: r, version: 1.0.0, repo: "${host}"}]\n`);
  await world.run();
  world.expectReady(app);
  assert.match(await textOf(world), /text: preset/);

  web.files.set("/index.yaml", index("00"));
  await world.advance(intervalMs);
  assert.match(world.ready(app).message, /digest of chart "web" differs/);
  assert.match(await textOf(world), /text: preset/);
});
