/** Rows of the fault matrix that no other suite has: orderly stops at any moment, lists of tags that shrink, state of a later version. */
import assert from "node:assert/strict";
import { checkout, configMap, kustomization, ociRepository, yamlOf } from "../support/documents.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FaultyDisk } from "../support/faulty_file_system.ts";
import { ScriptedRegistry } from "../support/scripted_registry.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;

function put(registry: ScriptedRegistry, version: string, tag = "latest"): void {
  registry.put({ repository: "org/app", tag, files: { [`${version}.yaml`]: yamlOf(configMap(version, {})) } });
}

async function write(world: World, ref: Record<string, string> = { tag: "latest" }): Promise<void> {
  await world.write(
    "app.yaml",
    ociRepository("app", "org/app", { ref }),
    kustomization("app", "app"),
    checkout("site", "app", "/srv/site"),
  );
}

Deno.test("a stop at any moment of an upgrade is orderly, and the next start goes on from it", async () => {
  for (let turns = 0; turns < 120; turns += 3) {
    const disk = new FaultyDisk();
    const registry = new ScriptedRegistry();
    put(registry, "old");
    const first = new World({ disk, registry });
    await write(first);
    await first.run();
    await first.stop();
    put(registry, "new");

    const second = new World({ disk, registry, clock: new FakeClock(first.clock.now() + minuteMs) });
    await second.start();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    if (turns % 2 === 1) await new Promise<void>((resolve) => setImmediate(resolve));
    await second.stop();
    const between = Object.keys(await second.files()).join();
    assert.match(between, /^default\/configmap-(?:old|new)\.yaml(?:,default\/configmap-old\.yaml)?$/, `after ${turns}`);

    const third = new World({ disk, registry, clock: new FakeClock(second.clock.now() + minuteMs) });
    await third.run();
    await third.advance(2 * minuteMs);
    assert.deepEqual(Object.keys(await third.files()), ["default/configmap-new.yaml"], `after ${turns}`);
    assert.deepEqual(Object.keys(await third.files("/srv/site")), ["new.yaml"], `after ${turns}`);
    third.expectReady("Kustomization/default/app", "Checkout/default/site");
    await third.stop();
  }
});

Deno.test("a list of tags that becomes empty, or loses all in the range, takes nothing away", async () => {
  await using world = new World();
  put(world.registry, "one", "1.0.0");
  put(world.registry, "other", "not-a-version");
  await write(world, { semver: ">=1.0.0" });
  await world.run();
  const before = await world.files();
  for (const tags of [["1.0.0"], ["not-a-version"]]) {
    for (const tag of tags) world.registry.setTag("org/app", tag, undefined);
    await world.advance(10 * minuteMs);
    assert.deepEqual(await world.files(), before);
    const { status, message } = world.ready("OCIRepository/default/app");
    assert.equal(status, "False", message);
    world.expectReady("Kustomization/default/app");
  }
  put(world.registry, "two", "1.1.0");
  await world.advance(10 * minuteMs);
  assert.deepEqual(Object.keys(await world.files()), ["default/configmap-two.yaml"]);
});

Deno.test("state of a later version is set aside: nothing is lost or pruned by it, and the object goes on", async () => {
  const disk = new FaultyDisk();
  const registry = new ScriptedRegistry();
  put(registry, "old");
  const first = new World({ disk, registry });
  await write(first);
  await first.run();
  await first.stop();
  const path = "/var/state/kustomization_default_app.json";
  const text = await disk.fileSystem.readText(path) ?? "";
  await disk.fileSystem.writeAtomic(path, text.replace(/^\{"version":1/, '{"version":99'));

  const second = new World({ disk, registry, clock: new FakeClock(first.clock.now() + minuteMs) });
  await second.run();
  assert.deepEqual(Object.keys(await second.files()), ["default/configmap-old.yaml"]);
  second.expectReady("Kustomization/default/app");
  assert.ok(second.lines.some((line) => /state file set aside/.test(line)));
  assert.notEqual(await disk.fileSystem.stat(`${path}.damaged`), undefined);
  put(registry, "new");
  await second.advance(2 * minuteMs);
  assert.deepEqual(
    Object.keys(await second.files()),
    ["default/configmap-new.yaml"],
    "what the lost state held is pruned",
  );
  await second.stop();
});
