import assert from "node:assert/strict";
import type { JsonObject } from "../../src/core/json.ts";
import { configMap, kustomization, ociRepository, yamlOf } from "../support/documents.ts";
import * as faults from "../support/registry_faults.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;

Deno.test("a mirror is asked first, and the registry itself when the mirror fails", async () => {
  await using world = new World();
  world.registry.put({ repository: "org/app", tag: "latest", files: { "map.yaml": yamlOf(configMap("map", {})) } });
  const settings: JsonObject = {
    apiVersion: "pilotfish.dev/v1alpha1",
    kind: "Settings",
    metadata: { name: "pilotfish" },
    spec: { mirrors: [{ registry: "registry.example.com", endpoints: ["https://mirror.example.net"] }] },
  };
  await world.write("app.yaml", settings, ociRepository("app", "org/app"), kustomization("app", "app"));
  await world.run();
  world.expectReady("Kustomization/default/app");
  assert.deepEqual([...new Set(world.registry.requests.map((seen) => seen.host))], ["mirror.example.net"]);
  world.registry.fault({ host: "mirror.example.net", times: Infinity }, faults.unreachable());
  world.registry.put({ repository: "org/app", tag: "latest", files: { "two.yaml": yamlOf(configMap("two", {})) } });
  await world.advance(3 * minuteMs);
  world.expectReady("OCIRepository/default/app", "Kustomization/default/app");
  assert.match(Object.keys(await world.files()).join(), /two/);
});

Deno.test("fifty objects of one artifact pull it once, and look at it once", async () => {
  await using world = new World();
  const count = 50;
  const files = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${index}/map.yaml`, yamlOf(configMap(`map-${index}`, {}))]),
  );
  world.registry.put({ repository: "org/app", tag: "latest", files });
  await world.write(
    "all.yaml",
    ociRepository("app", "org/app"),
    ...Array.from({ length: count }, (_, index) => kustomization(`app-${index}`, "app", { path: `./${index}` })),
  );
  await world.run();
  assert.equal(Object.keys(await world.files()).length, count);
  assert.equal(world.registry.count("GET", /blobs/), 1);
  assert.ok(world.registry.requests.length <= 3, `${world.registry.requests.length} requests`);
});

Deno.test("two hundred sources of a registry do not storm it when it comes back", async () => {
  await using world = new World();
  const count = 200;
  const documents = Array.from({ length: count }, (_, index) => {
    world.registry.put({
      repository: `org/app-${index}`,
      tag: "latest",
      files: { "map.yaml": yamlOf(configMap("m", {})) },
    });
    return ociRepository(`app-${index}`, `org/app-${index}`, { interval: "5m" });
  });
  await world.write("all.yaml", ...documents);
  await world.run();
  assert.equal(world.board.statuses().filter((status) => status.artifact !== undefined).length, count);
  world.registry.fault({ times: Infinity }, faults.status(429, { retryAfter: "120" }));
  await world.advance(10 * minuteMs);
  const asked = world.registry.requests.filter((seen) => seen.status === 429).length;
  assert.ok(asked <= 150, `${asked} requests were refused in ten minutes, each asking for two minutes of rest`);
  world.registry.heal();
  await world.advance(12 * minuteMs);
  for (const status of world.board.statuses()) world.expectReady(`OCIRepository/default/${status.key.name}`);
});

Deno.test("the same layer in several repositories is kept once, and a source that goes takes its own along", async () => {
  await using world = new World();
  const map = { "map.yaml": yamlOf(configMap("map", {})) };
  world.registry.put({ repository: "org/one", tag: "latest", files: map });
  world.registry.put({ repository: "org/two", tag: "latest", files: map });
  await world.write("one.yaml", ociRepository("one", "org/one"), kustomization("one", "one", { namePrefix: "one-" }));
  await world.write("two.yaml", ociRepository("two", "org/two"), kustomization("two", "two", { namePrefix: "two-" }));
  await world.run();
  assert.equal(Object.keys(await world.files()).length, 2);
  const { digest } = [...world.registry.tags("org/one")].map(([, digest]) => ({ digest }))[0] ?? {};
  assert.equal(digest, world.registry.tags("org/two").get("latest"), "both have one manifest");
  await world.fileSystem.remove("/config/one.yaml");
  await world.reload();
  await world.advance(30 * minuteMs);
  await world.loop.tidy();
  await world.stop();
  for (const name of Object.keys(await world.files())) await world.fileSystem.remove(`/out/${name}`);
  world.registry.isDown = true;
  await world.run();
  assert.equal(Object.keys(await world.files()).length, 1);
});
