import assert from "node:assert/strict";
import { checkout, configMap, kustomization, ociRepository, secret, yamlOf } from "../support/documents.ts";
import * as faults from "../support/registry_faults.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;

/** A world where each name has a repository, a source and a Kustomization, in a file of its own. */
async function worldOf(...names: readonly string[]): Promise<World> {
  const world = new World();
  for (const name of names) {
    world.registry.put({
      repository: `org/${name}`,
      tag: "latest",
      files: { "map.yaml": yamlOf(configMap(name, { name })) },
    });
    await world.write(`${name}.yaml`, ociRepository(name, `org/${name}`), kustomization(name, name));
  }
  return world;
}

async function standing(world: World): Promise<readonly string[]> {
  return Object.values(await world.files()).map((text) => /^ {2}name: (\S+)/m.exec(text)?.[1] ?? text).sort();
}

Deno.test("objects wait for what they depend on, across kinds, and go on at once", async () => {
  await using world = await worldOf("base", "app");
  await world.write(
    "app.yaml",
    ociRepository("app", "org/app"),
    kustomization("app", "app", { dependsOn: [{ name: "base" }] }),
    checkout("site", "app", "/srv/site", { dependsOn: [{ kind: "Kustomization", name: "app" }] }),
  );
  world.registry.fault({ path: /org\/base/, times: Infinity }, faults.status(404));
  await world.run();
  assert.deepEqual(await standing(world), []);
  assert.equal(world.ready("Kustomization/default/app").reason, "DependencyNotReady");
  assert.equal(world.ready("Checkout/default/site").reason, "DependencyNotReady");
  assert.match(world.ready("Checkout/default/site").message, /app/);
  world.registry.heal();
  await world.reconcile("OCIRepository/default/base");
  world.expectReady("Kustomization/default/base", "Kustomization/default/app", "Checkout/default/site");
  assert.deepEqual(await standing(world), ["app", "base"]);
  assert.equal(Object.keys(await world.files("/srv/site")).length, 1);
});

Deno.test("a circle of dependencies is said, and the others run", async () => {
  await using world = await worldOf("one", "two", "other");
  for (const [name, other] of [["one", "two"], ["two", "one"]] as const) {
    await world.write(
      `${name}.yaml`,
      ociRepository(name, `org/${name}`),
      kustomization(name, name, { dependsOn: [{ name: other }] }),
    );
  }
  await world.run();
  world.expectReady("Kustomization/default/other");
  assert.match(world.problems.join("\n"), /one.*two/s);
  assert.deepEqual(await standing(world), ["other"]);
});

Deno.test("a broken document beside good ones stops only itself, and removes nothing", async () => {
  await using world = await worldOf("app", "other");
  await world.run();
  assert.deepEqual(await standing(world), ["app", "other"]);
  const good = await world.fileSystem.readText("/config/app.yaml") ?? "";
  for (
    const text of [good.replace("./", "/../.."), good.replaceAll("interval", "intervall"), `${good}\n---\n{`, "}{", ""]
  ) {
    await world.writeText("app.yaml", text);
    await world.reload();
    assert.deepEqual(await standing(world), ["app", "other"], text);
    world.expectReady("Kustomization/default/other");
  }
});

Deno.test("a start with a broken document removes nothing that an earlier start applied", async () => {
  await using world = await worldOf("app", "other");
  await world.run();
  await world.stop();
  await world.writeText("app.yaml", "}{");
  await world.run();
  assert.deepEqual(await standing(world), ["app", "other"]);
  await world.advance(20 * minuteMs);
  assert.deepEqual(await standing(world), ["app", "other"]);
  await world.fileSystem.remove("/config/app.yaml");
  await world.reload();
  assert.deepEqual(await standing(world), ["other"], "once everything can be read, what is missing is removed");
});

Deno.test("a removed document takes its resources along, while the daemon runs and while it does not", async () => {
  await using world = await worldOf("app", "other", "third");
  await world.run();
  await world.fileSystem.remove("/config/app.yaml");
  await world.reload();
  assert.deepEqual(await standing(world), ["other", "third"]);
  assert.throws(() => world.status("Kustomization/default/app"));
  await world.stop();
  await world.fileSystem.remove("/config/other.yaml");
  await world.run();
  assert.deepEqual(await standing(world), ["third"]);
});

Deno.test("a removed document without prune, or suspended, leaves its resources", async () => {
  await using world = await worldOf("app", "rest", "last");
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app", { prune: false }));
  await world.run();
  await world.write("rest.yaml", ociRepository("rest", "org/rest"), kustomization("rest", "rest", { suspend: true }));
  await world.reload();
  for (const name of ["app", "rest"]) await world.fileSystem.remove(`/config/${name}.yaml`);
  await world.reload();
  assert.deepEqual(await standing(world), ["app", "last", "rest"]);
});

Deno.test("a document that was removed and comes back takes over what stands", async () => {
  await using world = await worldOf("app", "other");
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app", { prune: false }));
  await world.run();
  const text = await world.fileSystem.readText("/config/app.yaml") ?? "";
  await world.fileSystem.remove("/config/app.yaml");
  await world.reload();
  await world.writeText("app.yaml", text.replace('"prune": false', '"prune": true'));
  await world.reload();
  world.expectReady("Kustomization/default/app");
  await world.fileSystem.remove("/config/app.yaml");
  await world.reload();
  assert.deepEqual(await standing(world), ["other"]);
});

Deno.test("suspended objects rest over restarts, and catch up when they are resumed", async () => {
  await using world = await worldOf("app");
  await world.run();
  const key = world.status("Kustomization/default/app").key;
  await world.loop.engine.suspend(key);
  world.registry.put({ repository: "org/app", tag: "latest", files: { "new.yaml": yamlOf(configMap("new", {})) } });
  await world.advance(30 * minuteMs);
  assert.deepEqual(await standing(world), ["app"]);
  await world.stop();
  await world.run();
  await world.advance(30 * minuteMs);
  assert.deepEqual(await standing(world), ["app"]);
  assert.ok(world.status("Kustomization/default/app").isSuspended);
  await world.loop.engine.resume(key);
  await world.settle();
  assert.deepEqual(await standing(world), ["new"]);
  world.expectReady("Kustomization/default/app");
});

Deno.test("a source is suspended by its document and looks again when that ends", async () => {
  await using world = await worldOf("app");
  await world.write("app.yaml", ociRepository("app", "org/app", { suspend: true }), kustomization("app", "app"));
  await world.run();
  await world.advance(10 * minuteMs);
  assert.equal(world.registry.requests.length, 0);
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app"));
  await world.reload();
  world.expectReady("OCIRepository/default/app", "Kustomization/default/app");
});

Deno.test("a changed path, name prefix or substitution is applied at once, and the old names are pruned", async () => {
  await using world = new World();
  const map = yamlOf(configMap("map", { text: "${colour}" }));
  world.registry.put({ repository: "org/app", tag: "latest", files: { "a/map.yaml": map, "b/map.yaml": map } });
  const write = (spec: Record<string, unknown>) =>
    world.write(
      "app.yaml",
      ociRepository("app", "org/app"),
      kustomization("app", "app", spec),
      configMap("colours", { colour: "red" }),
      secret("more", { colour: "green" }),
    );
  const substitute = (kind: string, name: string) => ({ substituteFrom: [{ kind, name }] });
  await write({ path: "./a", postBuild: substitute("ConfigMap", "colours") });
  await world.run();
  assert.match(Object.values(await world.files()).join(""), /text: red/);
  await write({ path: "./b", namePrefix: "x-", postBuild: substitute("Secret", "more") });
  await world.reload();
  assert.deepEqual(await standing(world), ["x-map"]);
  assert.match(Object.values(await world.files()).join(""), /text: green/);
});

Deno.test("a changed ConfigMap among the documents runs those who use it", async () => {
  await using world = new World();
  world.registry.put({
    repository: "org/app",
    tag: "latest",
    files: { "map.yaml": yamlOf(configMap("map", { text: "${colour}" })) },
  });
  const postBuild = { substituteFrom: [{ kind: "ConfigMap", name: "colours" }] };
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app", { postBuild }));
  await world.write("colours.yaml", configMap("colours", { colour: "red" }));
  await world.run();
  await world.write("colours.yaml", configMap("colours", { colour: "blue" }));
  await world.reload();
  assert.match(Object.values(await world.files()).join(""), /text: blue/);
});

Deno.test("two owners of one resource do not fight: the second is told, the first keeps it", async () => {
  await using world = await worldOf("app", "copy");
  world.registry.put({
    repository: "org/copy",
    tag: "latest",
    files: { "map.yaml": yamlOf(configMap("app", { name: "copy" })) },
  });
  await world.run();
  const ready = ["app", "copy"].filter((name) => world.ready(`Kustomization/default/${name}`).status === "True");
  assert.equal(ready.length, 1);
  const before = await world.files();
  await world.advance(60 * minuteMs);
  assert.deepEqual(await world.files(), before);
});

Deno.test("readyExpr is checked before it is evaluated, as Flux does: a fault that would not be reached is one", async () => {
  await using world = await worldOf("base", "good", "wrong");
  const dependOnBase = (name: string, readyExpr: string) =>
    world.write(
      `${name}.yaml`,
      ociRepository(name, `org/${name}`),
      kustomization(name, name, { dependsOn: [{ name: "base", readyExpr }] }),
    );
  await dependOnBase("good", "dep.metadata.name == 'base' && self.metadata.name == 'good'");
  await dependOnBase("wrong", "true || other.x == 1");
  await world.run();
  world.expectReady("Kustomization/default/good");
  assert.equal(world.ready("Kustomization/default/wrong").reason, "InvalidCELExpression");
});
