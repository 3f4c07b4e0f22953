import assert from "node:assert/strict";
import { configMap, kustomization, ociRepository, secret, yamlOf } from "../support/documents.ts";
import * as faults from "../support/registry_faults.ts";
import { ScriptedRegistry } from "../support/scripted_registry.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;

/** A fleet: the document names one artifact, and that holds the objects of the applications. */
async function fleetWorld(names: readonly string[], registry = new ScriptedRegistry()): Promise<World> {
  const world = new World({ registry });
  for (const name of ["one", "two", "three"]) {
    registry.put({
      repository: `org/${name}`,
      tag: "latest",
      files: { "map.yaml": yamlOf(configMap(name, { name })) },
    });
  }
  putFleet(world, names);
  await world.write("fleet.yaml", ociRepository("fleet", "org/fleet"), kustomization("fleet", "fleet"));
  return world;
}

function putFleet(world: World, names: readonly string[], spec: Record<string, unknown> = {}): void {
  const files = Object.fromEntries(names.map((name) => [
    `${name}.yaml`,
    yamlOf(ociRepository(name, `org/${name}`, spec), kustomization(name, name), configMap(`${name}-own`, {})),
  ]));
  world.registry.put({ repository: "org/fleet", tag: "latest", files });
}

async function standing(world: World): Promise<readonly string[]> {
  return Object.values(await world.files()).map((text) => /^ {2}name: (\S+)/m.exec(text)?.[1] ?? text).sort();
}

Deno.test("objects in an artifact are reconciled, and removed with it", async () => {
  await using world = await fleetWorld(["one", "two"]);
  await world.run();
  assert.deepEqual(await standing(world), ["one", "one-own", "two", "two-own"]);
  world.expectReady("Kustomization/default/fleet", "Kustomization/default/one", "OCIRepository/default/two");
  assert.deepEqual(world.status("Kustomization/default/one").parent?.name, "fleet");
  putFleet(world, ["two", "three"]);
  await world.advance(3 * minuteMs);
  assert.deepEqual(await standing(world), ["three", "three-own", "two", "two-own"]);
  assert.throws(() => world.status("OCIRepository/default/one"));
  await world.write("fleet.yaml", ociRepository("fleet", "org/fleet"));
  await world.reload();
  assert.deepEqual(await standing(world), []);
  assert.deepEqual(world.board.statuses().map((status) => status.key.name), ["fleet"]);
});

Deno.test("children live on through an offline restart", async () => {
  await using world = await fleetWorld(["one", "two"]);
  await world.run();
  const before = await world.files();
  await world.stop();
  world.registry.isDown = true;
  for (const name of Object.keys(before)) await world.fileSystem.remove(`/out/${name}`);
  await world.run();
  assert.deepEqual(await world.files(), before);
});

Deno.test("children whose parent cannot be built at the start are not removed", async () => {
  await using world = await fleetWorld(["one", "two"]);
  await world.run();
  const before = await world.files();
  await world.stop();
  world.registry.put({
    repository: "org/fleet",
    tag: "latest",
    files: { "kustomization.yaml": "resources: [gone.yaml]\n" },
  });
  await world.run();
  await world.advance(30 * minuteMs);
  assert.equal(world.ready("Kustomization/default/fleet").status, "False");
  assert.deepEqual(await world.files(), before);
});

Deno.test("an artifact brings the login of its own sources", async () => {
  const registry = new ScriptedRegistry({
    login: {
      kind: "bearer",
      users: [{ name: "ann", password: "child-password" }],
      anonymous: { "org/fleet": ["pull"] },
    },
  });
  await using world = await fleetWorld([], registry);
  const auths = { "registry.example.com": { username: "ann", password: "child-password" } };
  const login = secret("login", { ".dockerconfigjson": JSON.stringify({ auths }) }, "kubernetes.io/dockerconfigjson");
  registry.put({
    repository: "org/fleet",
    tag: "latest",
    files: {
      "one.yaml": yamlOf(
        ociRepository("one", "org/one", { secretRef: { name: "login" } }),
        kustomization("one", "one"),
        login,
      ),
    },
  });
  await world.run();
  world.expectReady("OCIRepository/default/one", "Kustomization/default/one");
  const told = JSON.stringify([world.board.statuses(), world.board.events(), world.lines]);
  assert.doesNotMatch(told, /child-password/);
});

Deno.test("a child with a wrong spec is told with its parent, and its siblings run", async () => {
  await using world = await fleetWorld(["one"]);
  world.registry.put({
    repository: "org/fleet",
    tag: "latest",
    files: {
      "one.yaml": yamlOf(ociRepository("one", "org/one"), kustomization("one", "one")),
      "bad.yaml": yamlOf(kustomization("bad", "one", { intervall: "1m" })),
    },
  });
  await world.run();
  world.expectReady("Kustomization/default/one");
  assert.match(world.status("Kustomization/default/fleet").warnings.join("\n"), /intervall/);
});

Deno.test("a child in trouble does not hold up its parent or siblings", async () => {
  await using world = await fleetWorld(["one", "two"]);
  world.registry.fault({ path: /org\/one/, times: Infinity }, faults.status(500));
  await world.run();
  world.expectReady("Kustomization/default/fleet", "Kustomization/default/two");
  assert.equal(world.ready("OCIRepository/default/one").status, "False");
  world.registry.heal();
  await world.advance(6 * minuteMs);
  world.expectReady("OCIRepository/default/one", "Kustomization/default/one");
});

Deno.test("an artifact cannot take over an object of the documents", async () => {
  await using world = await fleetWorld(["one"]);
  await world.write("mine.yaml", ociRepository("one", "org/two"), kustomization("mine", "one"));
  await world.run();
  assert.match(world.status("OCIRepository/default/one").artifact?.url ?? "", /org\/two/);
  assert.match(
    world.status("Kustomization/default/fleet").warnings.join("\n"),
    /Left out "OCIRepository\/default\/one"/,
  );
});

Deno.test("an object whose name a document held is taken from the artifact once the document goes", async () => {
  await using world = await fleetWorld(["one"]);
  await world.write("mine.yaml", ociRepository("one", "org/two"));
  await world.run();
  await world.stop();
  await world.run();
  assert.match(world.status("OCIRepository/default/one").artifact?.url ?? "", /org\/two/);
  await world.fileSystem.remove("/config/mine.yaml");
  await world.reload();
  await world.advance(1_000);
  assert.match(world.status("OCIRepository/default/one").artifact?.url ?? "", /org\/one/);
  assert.equal(world.status("OCIRepository/default/one").parent?.name, "fleet");
  assert.deepEqual(world.status("Kustomization/default/fleet").warnings, []);
  assert.deepEqual(await standing(world), ["one", "one-own"]);
});

Deno.test("an object that a document takes over for a while goes back to the artifact", async () => {
  await using world = await fleetWorld(["one"]);
  await world.run();
  await world.write("mine.yaml", ociRepository("one", "org/two"));
  await world.reload();
  assert.match(world.status("OCIRepository/default/one").artifact?.url ?? "", /org\/two/);
  await world.fileSystem.remove("/config/mine.yaml");
  await world.reload();
  await world.advance(1_000);
  assert.match(world.status("OCIRepository/default/one").artifact?.url ?? "", /org\/one/);
  assert.deepEqual(await standing(world), ["one", "one-own"]);
});

Deno.test("an object that another artifact held is taken once that one lets it go", async () => {
  await using world = await fleetWorld(["one"]);
  await world.run();
  const putSecond = (files: Record<string, string>) =>
    world.registry.put({
      repository: "org/second",
      tag: "latest",
      files: { "z.yaml": yamlOf(configMap("z", {})), ...files },
    });
  putSecond({ "one.yaml": yamlOf(ociRepository("one", "org/two")) });
  await world.write("second.yaml", ociRepository("second", "org/second"), kustomization("second", "second"));
  await world.reload();
  assert.match(
    world.status("Kustomization/default/second").warnings.join(),
    /Kustomization\/default\/fleet has an object/,
  );
  const { nextRunAt } = world.status("Kustomization/default/second");
  await world.fileSystem.remove("/config/fleet.yaml");
  await world.reload();
  await world.advance(1_000);
  assert.ok(nextRunAt !== undefined && world.clock.now() < Date.parse(nextRunAt));
  assert.equal(world.status("OCIRepository/default/one").parent?.name, "second");
  assert.deepEqual(await standing(world), ["z"]);
});

Deno.test("objects that are kept though they left the artifact run on after a restart", async () => {
  await using world = await fleetWorld(["one", "two"]);
  await world.run();
  await world.stop();
  world.registry.put({
    repository: "org/fleet",
    tag: "latest",
    files: {
      "one.yaml": yamlOf(ociRepository("one", "org/one"), kustomization("one", "one"), configMap("one-own", {})),
      "bad.yaml": yamlOf(kustomization("two", "two", { intervall: "1m" })),
    },
  });
  for (let start = 1; start <= 3; start++) {
    await world.run();
    await world.advance(3 * minuteMs);
    world.expectReady("Kustomization/default/one", "Kustomization/default/two", "OCIRepository/default/two");
    world.registry.put({
      repository: "org/two",
      tag: "latest",
      files: { "map.yaml": yamlOf(configMap(`two-${start}`, {})) },
    });
    await world.advance(12 * minuteMs);
    assert.ok((await standing(world)).includes(`two-${start}`), `start ${start}: ${await standing(world)}`);
    if (start < 3) await world.stop();
  }
  putFleet(world, ["one"]);
  await world.advance(12 * minuteMs);
  assert.deepEqual(await standing(world), ["one", "one-own"]);
});

Deno.test("objects that are kept of several artifacts run on after a restart", async () => {
  await using world = await fleetWorld(["one", "two"]);
  await world.run();
  /** An artifact of which one object cannot be read: all that it lacks stays. */
  const putBroken = (names: readonly string[]) => {
    const files = Object.fromEntries(names.map((name) => [
      `${name}.yaml`,
      yamlOf(ociRepository(name, `org/${name}`), kustomization(name, name)),
    ]));
    const bad = yamlOf(kustomization("bad", "two", { intervall: "1m" }));
    world.registry.put({ repository: "org/fleet", tag: "latest", files: { ...files, "bad.yaml": bad } });
  };
  putBroken(["two", "three"]);
  await world.advance(3 * minuteMs);
  putBroken(["two"]);
  await world.advance(3 * minuteMs);
  const all = ["one", "two", "three"].map((name) => `Kustomization/default/${name}`);
  world.expectReady(...all);
  await world.stop();
  await world.run();
  await world.advance(3 * minuteMs);
  world.expectReady(...all);
  putFleet(world, ["two"]);
  await world.advance(12 * minuteMs);
  assert.deepEqual(await standing(world), ["two", "two-own"]);
});

Deno.test("of two artifacts that bring an object the first one keeps it over restarts, and the other says so", async () => {
  await using world = await fleetWorld(["one"]);
  await world.run();
  const { registry } = world;
  // Its name comes first in every order.
  registry.put({
    repository: "org/another",
    tag: "latest",
    files: { "z.yaml": yamlOf(configMap("z", {}), ociRepository("one", "org/two")) },
  });
  await world.write("another.yaml", ociRepository("another", "org/another"), kustomization("another", "another"));
  await world.reload();
  const expectKept = () => {
    assert.equal(world.status("OCIRepository/default/one").parent?.name, "fleet");
    assert.match(world.status("OCIRepository/default/one").artifact?.url ?? "", /org\/one/);
    assert.match(
      world.status("Kustomization/default/another").warnings.join(),
      /Left out "OCIRepository\/default\/one" of the artifact: Kustomization\/default\/fleet has an object/,
    );
  };
  expectKept();
  await world.advance(30 * minuteMs);
  expectKept();
  await world.stop();
  // The one that has it comes late.
  registry.fault({ path: /org\/fleet/, times: 3 }, faults.status(500));
  await world.run();
  expectKept();
  await world.advance(30 * minuteMs);
  expectKept();
  putFleet(world, ["two"]);
  await world.advance(12 * minuteMs);
  assert.equal(world.status("OCIRepository/default/one").parent?.name, "another");
  assert.match(world.status("OCIRepository/default/one").artifact?.url ?? "", /org\/two/);
  assert.deepEqual(world.status("Kustomization/default/another").warnings, []);
});
