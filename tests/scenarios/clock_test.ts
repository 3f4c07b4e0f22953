import assert from "node:assert/strict";
import { configMap, kustomization, ociRepository, yamlOf } from "../support/documents.ts";
import { ScriptedRegistry } from "../support/scripted_registry.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

async function clockWorld(): Promise<World> {
  const world: World = new World({
    registry: new ScriptedRegistry({
      now: () => world.clock.now(),
      login: { kind: "bearer", users: [], anonymous: { "org/app": ["pull"] } },
    }),
  });
  put(world, "one");
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app"));
  await world.run();
  world.expectReady("OCIRepository/default/app", "Kustomization/default/app");
  return world;
}

function put(world: World, text: string): void {
  world.registry.put({
    repository: "org/app",
    tag: "latest",
    files: { "map.yaml": yamlOf(configMap("map", { text })) },
  });
}

for (const [name, jumpMs] of [["a day ahead", dayMs], ["a day back", -dayMs], ["to 1970", -Infinity]] as const) {
  Deno.test(`a clock that jumps ${name} neither stops the loop nor makes it run wild`, async () => {
    await using world = await clockWorld();
    world.clock.jump(jumpMs === -Infinity ? -world.clock.now() : jumpMs);
    world.registry.clearLog();
    await world.advance(10 * minuteMs);
    const looks = world.registry.count("HEAD", /manifests/) + world.registry.count("GET", /manifests/);
    assert.ok(looks >= 8 && looks <= 22, `${looks} looks in ten minutes`);
    world.expectReady("OCIRepository/default/app", "Kustomization/default/app");
    put(world, "two");
    await world.advance(2 * minuteMs);
    assert.match(Object.values(await world.files()).join(""), /text: two/);
    await world.stop();
    await world.run();
    world.expectReady("OCIRepository/default/app", "Kustomization/default/app");
    assert.ok(world.loop.engine.isAlive);
  });
}

Deno.test("a start whose clock is behind the state on disk goes on", async () => {
  await using world = await clockWorld();
  await world.stop();
  world.clock.jump(-365 * dayMs);
  put(world, "two");
  await world.run();
  assert.match(Object.values(await world.files()).join(""), /text: two/);
  await world.advance(5 * minuteMs);
  world.expectReady("OCIRepository/default/app", "Kustomization/default/app");
});
