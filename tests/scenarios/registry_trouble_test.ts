import assert from "node:assert/strict";
import type { RegistryFault } from "../support/registry_faults.ts";
import * as faults from "../support/registry_faults.ts";
import { configMap, kustomization, ociRepository, secret, yamlOf } from "../support/documents.ts";
import { ScriptedRegistry } from "../support/scripted_registry.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const source = "OCIRepository/default/app";
const consumer = "Kustomization/default/app";

function filesOf(text: string): Record<string, string> {
  return { "one.yaml": yamlOf(configMap("one", { text })) };
}

function put(world: World, text: string): void {
  world.registry.put({ repository: "org/app", tag: "latest", files: filesOf(text) });
}

async function textOf(world: World): Promise<string> {
  return Object.values(await world.files()).join("");
}

/** A world whose application stands with text "one". */
async function runningWorld(world = new World()): Promise<World> {
  put(world, "one");
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app"));
  await world.run();
  world.expectReady(source, consumer);
  return world;
}

Deno.test("an offline start runs from the store, and puts back what the target lost", async () => {
  await using world = await runningWorld();
  const before = await world.files();
  await world.stop();
  for (const name of Object.keys(before)) await world.fileSystem.remove(`/out/${name}`);
  world.registry.isDown = true;
  await world.run();
  assert.deepEqual(await world.files(), before);
  world.expectReady(consumer);
  assert.equal(world.ready(source).status, "False");
  assert.match(world.ready(source).message, /registry\.example\.com/);
  assert.ok(world.status(source).artifact, "the last good artifact is still named");
});

Deno.test("a registry that is down for hours is asked seldom, and the first change after it arrives", async () => {
  await using world = await runningWorld();
  world.registry.isDown = true;
  await world.advance(10 * minuteMs);
  assert.equal(world.ready(source).reason, "OCIArtifactPullFailed");
  assert.equal(world.ready(source).status, "False");
  assert.match(await textOf(world), /text: one/);
  world.registry.clearLog();
  await world.advance(6 * 60 * minuteMs);
  const perHour = world.registry.requests.length / 6;
  assert.ok(perHour <= 60 * 6, `${perHour} requests per hour`);
  assert.ok(perHour >= 12, `${perHour} requests per hour`);
  const errors = world.board.events().filter((event) => event.severity === "error");
  assert.ok(errors.length <= 3, `${errors.length} events of one fault`);
  put(world, "two");
  world.registry.heal();
  await world.advance(6 * minuteMs);
  assert.match(await textOf(world), /text: two/);
  world.expectReady(source, consumer);
  assert.equal(world.status(source).failures, 0);
});

Deno.test("429 with Retry-After is kept, and the last good revision stays", async () => {
  for (const form of ["seconds", "date"]) {
    await using world = await runningWorld();
    put(world, "two");
    const retryAfter = form === "seconds" ? "600" : new Date(world.clock.now() + 600_000 + 55_000).toUTCString();
    world.registry.fault({ times: Infinity }, faults.status(429, { retryAfter }));
    await world.advance(2 * minuteMs);
    assert.equal(world.ready(source).status, "False");
    assert.match(world.ready(source).message, /429/);
    assert.match(await textOf(world), /text: one/);
    world.registry.clearLog();
    await world.advance(8 * minuteMs);
    assert.equal(world.registry.requests.length, 0, form);
    world.registry.heal();
    await world.advance(5 * minuteMs);
    assert.match(await textOf(world), /text: two/);
  }
});

const broken: readonly (readonly [string, { path: RegExp; method?: string }, RegistryFault])[] = [
  ["a layer with a wrong byte", { path: /blobs/ }, faults.otherBytes(20)],
  ["a layer that ends early", { path: /blobs/ }, faults.cut(30, "end")],
  ["a layer that breaks off", { path: /blobs/ }, faults.cut(0)],
  ["a layer with more bytes than announced", { path: /blobs/ }, faults.moreBytes(5)],
  ["an endless layer", { path: /blobs/ }, faults.endless()],
  ["a compressed layer", { path: /blobs/ }, faults.compressed()],
  ["a layer that is not there", { path: /blobs/ }, faults.status(404)],
  ["a forbidden layer", { path: /blobs/ }, faults.status(403)],
  ["a layer behind the metadata server", { path: /blobs/ }, faults.redirect("http://169.254.169.254/latest/meta-data")],
  ["a layer behind plain http", { path: /blobs/ }, faults.redirect((url) => `http://${url.host}${url.pathname}`)],
  ["a layer behind a loop of redirects", { path: /blobs/ }, faults.redirect((url) => url.href)],
  ["a manifest with a wrong byte", { path: /manifests/, method: "GET" }, faults.otherBytes(5)],
  ["an endless manifest", { path: /manifests/, method: "GET" }, faults.endless()],
  [
    "a manifest that is HTML",
    { path: /manifests/, method: "GET" },
    faults.body("<html>Log in</html>", { contentType: "text/html" }),
  ],
  ["a registry with a fault of its own", { path: /./ }, faults.status(500)],
  ["a registry that does not answer", { path: /./ }, faults.silence()],
];

for (const [name, route, fault] of broken) {
  Deno.test(`${name} changes nothing, says why, and passes when it is mended`, async () => {
    await using world = await runningWorld();
    put(world, "two");
    world.registry.fault({ ...route, times: Infinity }, fault);
    await world.advance(4 * minuteMs);
    assert.match(await textOf(world), /text: one/);
    const { status, reason, message } = world.ready(source);
    assert.equal(status, "False");
    assert.match(reason, /^(OCIArtifactPullFailed|AuthenticationFailed)$/);
    assert.match(message, /registry\.example\.com/);
    world.expectReady(consumer);
    world.registry.heal();
    await world.advance(6 * minuteMs);
    assert.match(await textOf(world), /text: two/);
    world.expectReady(source, consumer);
    const left = world.disk.paths().filter((path) => path.includes(".pilotfish-tmp-"));
    assert.deepEqual(left, []);
  });
}

const harmless: readonly (readonly [string, { path: RegExp; method?: string }, RegistryFault])[] = [
  ["a layer that breaks off halfway once", { path: /blobs/ }, faults.cut(60)],
  ["a layer in pieces of 7 bytes", { path: /blobs/ }, faults.pieces(7)],
  ["a layer on another host", { path: /blobs/ }, faults.redirectToHost("blobs.example.net")],
  ["one 503", { path: /blobs/ }, faults.status(503)],
  ["one 429 of two seconds", { path: /manifests/ }, faults.status(429, { retryAfter: "2" })],
  [
    "a look without Docker-Content-Digest",
    { path: /manifests/ },
    faults.headers({ "docker-content-digest": undefined }),
  ],
  ["a layer of another Content-Type", { path: /blobs/ }, faults.headers({ "content-type": "text/html" })],
];

for (const [name, route, fault] of harmless) {
  Deno.test(`${name} does no harm`, async () => {
    await using world = await runningWorld();
    put(world, "two");
    world.registry.fault(route, fault);
    await world.advance(2 * minuteMs);
    assert.match(await textOf(world), /text: two/);
    world.expectReady(source, consumer);
  });
}

Deno.test("a deleted tag is an error, and what was applied stays", async () => {
  await using world = await runningWorld();
  world.registry.setTag("org/app", "latest", undefined);
  await world.advance(3 * minuteMs);
  assert.equal(world.ready(source).status, "False");
  assert.match(world.ready(source).message, /latest/);
  assert.match(await textOf(world), /text: one/);
  await world.stop();
  await world.run();
  assert.match(await textOf(world), /text: one/);
});

Deno.test("a rotated password in the Secret counts with the next look", async () => {
  const registry = (password: string) =>
    new ScriptedRegistry({ login: { kind: "basic", users: [{ name: "ann", password }] } });
  const dockerConfig = (password: string) =>
    secret("login", {
      ".dockerconfigjson": JSON.stringify({ auths: { "registry.example.com": { username: "ann", password } } }),
    }, "kubernetes.io/dockerconfigjson");
  await using world = new World({ registry: registry("new") });
  put(world, "one");
  const repository = ociRepository("app", "org/app", { secretRef: { name: "login" } });
  await world.write("app.yaml", repository, kustomization("app", "app"));
  await world.write("login.yaml", dockerConfig("old"));
  await world.run();
  assert.equal(world.ready(source).reason, "AuthenticationFailed");
  assert.equal(world.ready(consumer).status, "False");
  await world.write("login.yaml", dockerConfig("new"));
  await world.reload();
  world.expectReady(source);
  await world.settle();
  world.expectReady(consumer);
});

Deno.test("a token that ran out is renewed without anybody noticing", async () => {
  const world = new World({
    registry: new ScriptedRegistry({
      login: { kind: "bearer", users: [], anonymous: { "org/app": ["pull"] }, lifetimeSeconds: 90 },
    }),
  });
  await using running = await runningWorld(world);
  const events = running.board.events().length;
  await running.advance(30 * minuteMs);
  running.expectReady(source, consumer);
  assert.equal(running.board.events().length, events);
  running.registry.desk.revoke();
  await running.advance(2 * minuteMs);
  running.expectReady(source, consumer);
});
