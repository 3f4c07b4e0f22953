import assert from "node:assert/strict";
import { configMap, kustomization, ociRepository, yamlOf } from "../support/documents.ts";
import * as faults from "../support/registry_faults.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;

/** A world with one application of two ConfigMaps, not started. */
async function applicationWorld(world = new World()): Promise<World> {
  world.registry.put({ repository: "org/app", tag: "latest", files: filesOf("one") });
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app"));
  return world;
}

function filesOf(text: string): Record<string, string> {
  return { "first.yaml": yamlOf(configMap("first", { text })), "second.yaml": yamlOf(configMap("second", { text })) };
}

Deno.test("a first start pulls, builds and applies, and says so", async () => {
  await using world = await applicationWorld();
  await world.run();
  world.expectReady("OCIRepository/default/app", "Kustomization/default/app");
  const files = await world.files();
  assert.equal(Object.keys(files).length, 2);
  assert.match(Object.values(files).join(""), /text: one/);
  const digest = world.registry.tags("org/app").get("latest");
  assert.equal(world.status("Kustomization/default/app").lastAppliedRevision, `latest@${digest}`);
  const told = world.board.events().map(({ severity, reason, object }) => `${object.kind} ${severity} ${reason}`);
  assert.deepEqual(told, [
    "OCIRepository info NewArtifact",
    "Kustomization info ReconciliationSucceeded",
  ]);
  assert.ok(world.loop.engine.firstPassDone);
  assert.deepEqual(world.lines.filter((line) => /"level":"(?:warn|error)"/.test(line)), []);
});

Deno.test("a first start without a registry tells that the consumers wait, once, after the source's own fault", async () => {
  await using world = await applicationWorld();
  world.registry.isDown = true;
  await world.run();
  await world.advance(10 * minuteMs);
  const told = () => world.board.events().map(({ severity, reason, object }) => `${object.kind} ${severity} ${reason}`);
  assert.deepEqual(told(), [
    "OCIRepository error OCIArtifactPullFailed",
    "Kustomization info ArtifactFailed",
  ]);
  assert.equal(world.ready("Kustomization/default/app").reason, "ArtifactFailed");
  world.registry.heal();
  await world.advance(10 * minuteMs);
  assert.deepEqual(told().slice(2), ["OCIRepository info NewArtifact", "Kustomization info ReconciliationSucceeded"]);
});

Deno.test("a moved tag arrives with the next look, and only then", async () => {
  await using world = await applicationWorld();
  await world.run();
  world.registry.put({ repository: "org/app", tag: "latest", files: filesOf("two") });
  await world.advance(30_000);
  assert.match(Object.values(await world.files()).join(""), /text: one/);
  await world.advance(minuteMs);
  assert.match(Object.values(await world.files()).join(""), /text: two/);
  world.expectReady("OCIRepository/default/app", "Kustomization/default/app");
  const { history } = world.status("Kustomization/default/app");
  assert.equal(history.length, 2);
});

Deno.test("a resource that is gone from the artifact is pruned", async () => {
  await using world = await applicationWorld();
  await world.run();
  const { "first.yaml": first = "" } = filesOf("one");
  world.registry.put({ repository: "org/app", tag: "latest", files: { "first.yaml": first } });
  await world.advance(2 * minuteMs);
  const files = await world.files();
  assert.equal(Object.keys(files).length, 1);
  assert.match(Object.keys(files).join(""), /first/);
  assert.equal(world.status("Kustomization/default/app").inventory?.entries.length, 1);
});

Deno.test("without prune what is gone from the artifact stays", async () => {
  await using world = await applicationWorld();
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app", { prune: false }));
  await world.run();
  const { "first.yaml": first = "" } = filesOf("one");
  world.registry.put({ repository: "org/app", tag: "latest", files: { "first.yaml": first } });
  await world.advance(2 * minuteMs);
  assert.equal(Object.keys(await world.files()).length, 2);
});

Deno.test("a day with nothing to do makes one small request per look, pulls nothing and writes nothing", async () => {
  await using world = await applicationWorld();
  await world.run();
  world.registry.clearLog();
  world.disk.arm();
  const events = world.board.events().length;
  const lines = world.lines.length;
  await world.advance(60 * minuteMs);
  const looks = world.registry.requests;
  assert.ok(looks.length >= 57 && looks.length <= 64, `${looks.length} requests in an hour of looks every minute`);
  assert.equal(world.registry.count("GET", /blobs/), 0);
  assert.ok(looks.every((seen) => seen.method === "HEAD" || seen.status === 304));
  assert.equal(world.disk.steps, 0);
  assert.equal(world.board.events().length, events);
  assert.equal(world.lines.length, lines, world.lines.slice(lines).join("\n"));
});

Deno.test("the same content under a new digest is noticed, and nothing is applied again", async () => {
  await using world = await applicationWorld();
  await world.run();
  world.registry.put({
    repository: "org/app",
    tag: "latest",
    files: filesOf("one"),
    manifestAnnotations: { "org.opencontainers.image.revision": "main@sha1:abc" },
  });
  await world.advance(2 * minuteMs);
  const digest = world.registry.tags("org/app").get("latest");
  assert.equal(world.status("OCIRepository/default/app").artifact?.revision, `latest@${digest}`);
  assert.equal(world.status("Kustomization/default/app").lastAppliedRevision, `latest@${digest}`);
  assert.equal(world.registry.count("GET", /blobs/), 1);
});

Deno.test("a semver range follows the newest tag", async () => {
  await using world = new World();
  for (const tag of ["1.0.0", "1.2.0", "2.0.0", "1.3.0-rc.1"]) {
    world.registry.put({ repository: "org/app", tag, files: filesOf(tag) });
  }
  await world.write(
    "app.yaml",
    ociRepository("app", "org/app", { ref: { semver: "1.x" } }),
    kustomization("app", "app"),
  );
  await world.run();
  assert.match(Object.values(await world.files()).join(""), /text: 1.2.0/);
  world.registry.put({ repository: "org/app", tag: "1.4.0", files: filesOf("1.4.0") });
  await world.advance(2 * minuteMs);
  assert.match(Object.values(await world.files()).join(""), /text: 1.4.0/);
});

Deno.test("what somebody changes or deletes in the target is put back", async () => {
  await using world = await applicationWorld();
  await world.run();
  const before = await world.files();
  const [name = ""] = Object.keys(before);
  await world.fileSystem.remove(`/out/${name}`);
  await world.advance(11 * minuteMs);
  assert.deepEqual(await world.files(), before);
  await world.fileSystem.writeAtomic(`/out/${name}`, "somebody else's\n");
  await world.reconcile("Kustomization/default/app");
  assert.deepEqual(await world.files(), before);
});

Deno.test("a change in the registry in the middle of a pull gives the old or the new artifact, whole", async () => {
  await using world = await applicationWorld();
  world.registry.fault(
    { method: "GET", path: /blobs/ },
    faults.meanwhile(() => {
      world.registry.put({ repository: "org/app", tag: "latest", files: filesOf("two") });
    }),
  );
  await world.run();
  const first = Object.values(await world.files()).join("");
  assert.ok(/text: one/.test(first) !== /text: two/.test(first));
  await world.advance(2 * minuteMs);
  assert.doesNotMatch(Object.values(await world.files()).join(""), /text: one/);
});
