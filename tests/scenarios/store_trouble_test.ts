import assert from "node:assert/strict";
import { denoFileSystem } from "../../src/platform/deno_file_system.ts";
import { checkout, configMap, kustomization, ociRepository, yamlOf } from "../support/documents.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const source = "OCIRepository/default/app";
const consumer = "Kustomization/default/app";

function put(world: World, text: string): void {
  world.registry.put({
    repository: "org/app",
    tag: "latest",
    files: { "map.yaml": yamlOf(configMap("map", { text })), "index.html": text },
  });
}

async function textOf(world: World): Promise<string> {
  return Object.values(await world.files()).join("");
}

async function storeWorld(world = new World()): Promise<World> {
  put(world, "one");
  await world.write(
    "app.yaml",
    ociRepository("app", "org/app", { ignore: "*.html" }),
    kustomization("app", "app"),
    ociRepository("site", "org/app", { ignore: "*.yaml" }),
    checkout("site", "site", `${world.root}/srv/site`),
  );
  await world.run();
  world.expectReady(source, consumer, "Checkout/default/site");
  return world;
}

Deno.test("damage in the store is noticed and mended from the registry", async () => {
  for (const part of [/\/blobs\//, /\/trees\//]) {
    await using world = await storeWorld();
    await world.stop();
    for (const path of world.disk.paths().filter((path) => part.test(path))) world.disk.damage(path, 40);
    for (const name of Object.keys(await world.files())) await world.fileSystem.remove(`/out/${name}`);
    await world.run();
    await world.advance(12 * minuteMs);
    world.expectReady(source, consumer);
    assert.match(await textOf(world), /text: one/);
  }
});

Deno.test("damage in the store while offline keeps what stands, and never applies what is damaged", async () => {
  await using world = await storeWorld();
  const before = await world.files();
  await world.stop();
  for (const path of world.disk.paths().filter((path) => /\/(blobs|trees)\//.test(path))) world.disk.damage(path, 40);
  world.registry.isDown = true;
  await world.run();
  await world.advance(30 * minuteMs);
  assert.deepEqual(await world.files(), before);
  world.registry.heal();
  put(world, "two");
  await world.advance(12 * minuteMs);
  assert.match(await textOf(world), /text: two/);
});

Deno.test("a store that is lost is filled again, and what stands is not touched meanwhile", async () => {
  await using world = await storeWorld();
  const before = await world.files();
  await world.stop();
  await world.fileSystem.remove("/var", { recursive: true });
  world.registry.isDown = true;
  await world.run();
  await world.advance(10 * minuteMs);
  assert.deepEqual(await world.files(), before);
  world.registry.heal();
  world.registry.put({ repository: "org/app", tag: "latest", files: { "other.yaml": yamlOf(configMap("other", {})) } });
  await world.advance(10 * minuteMs);
  world.expectReady(source, consumer);
  assert.deepEqual(Object.keys(await world.files()).map((name) => /other/.test(name)), [true], "the old one is pruned");
});

Deno.test("a store that is removed below the running loop is made anew: pulled, locked, and with every state", async () => {
  await using world = await storeWorld();
  const before = await world.files();
  const states = (await world.fileSystem.list("/var/state"))?.map((entry) => entry.name);
  await world.fileSystem.remove("/var", { recursive: true });

  await world.advance(12 * minuteMs);

  assert.deepEqual(await world.files(), before);
  world.expectReady(source, consumer);
  assert.deepEqual((await world.fileSystem.list("/var/state"))?.map((entry) => entry.name), states);
  const second = new World({ disk: world.disk, registry: world.registry, clock: world.clock });
  await assert.rejects(second.start(), /is using it/);
  assert.equal(world.lines.some((line) => /could not be saved/.test(line)), false);
  // And the next start goes on from it without a registry.
  await world.stop();
  world.registry.isDown = true;
  await world.run();
  assert.deepEqual(await world.files(), before);
});

Deno.test("a hundred revisions leave a store of a few", async () => {
  await using world = await storeWorld();
  for (let count = 0; count < 100; count++) {
    put(world, `revision ${count}`);
    await world.reconcile(source);
    await world.advance(minuteMs);
    if (count % 10 === 9) await world.loop.tidy();
  }
  assert.match(await textOf(world), /revision 99/);
  await world.advance(20 * minuteMs);
  await world.loop.tidy();
  const left = world.disk.paths().filter((path) => /\/var\/store\/(blobs|trees)\//.test(path));
  assert.ok(left.length <= 40, `${left.length} files are left in the store`);
  await world.stop();
  world.registry.isDown = true;
  await world.run();
  assert.match(await textOf(world), /revision 99/);
});

Deno.test("on a real disk it goes as in memory", async () => {
  const root = await Deno.makeTempDir({ prefix: "pilotfish-scenario-" });
  try {
    await using world = await storeWorld(new World({ fileSystem: denoFileSystem, root }));
    assert.equal((await world.files("/srv/site"))["index.html"], "one");
    put(world, "two");
    await world.advance(2 * minuteMs);
    assert.match(await textOf(world), /text: two/);
    assert.equal((await world.files("/srv/site"))["index.html"], "two");
    await world.stop();
    world.registry.isDown = true;
    await world.run();
    world.expectReady(consumer, "Checkout/default/site");
    await world.fileSystem.remove(`${root}/config/app.yaml`);
    await world.write("other.yaml", ociRepository("app", "org/app"));
    await world.reload();
    assert.deepEqual(await world.files(), {});
    assert.deepEqual(await world.files("/srv"), {});
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a second daemon over the same store is refused and changes nothing", async () => {
  await using world = await storeWorld();
  const second = new World({ disk: world.disk, registry: world.registry });
  await assert.rejects(second.start(), /store/);
  await world.advance(5 * minuteMs);
  world.expectReady(source, consumer);
});

Deno.test("an artifact whose signature cannot be checked is never used", async () => {
  await using world = await storeWorld();
  put(world, "two");
  await world.write(
    "app.yaml",
    ociRepository("app", "org/app", {
      ignore: "*.html",
      verify: { provider: "cosign", secretRef: { name: "no-such-key" } },
    }),
    kustomization("app", "app"),
  );
  await world.reload();
  await world.advance(10 * minuteMs);
  assert.equal(world.ready(source).status, "False");
  assert.match(await textOf(world), /text: one/);
});
