import assert from "node:assert/strict";
import { temporaryPrefix } from "../../src/core/file_system.ts";
import { checkout, configMap, kustomization, ociRepository, yamlOf } from "../support/documents.ts";
import { FakeClock } from "../support/fake_clock.ts";
import type { CrashMode } from "../support/faulty_file_system.ts";
import { FaultyDisk } from "../support/faulty_file_system.ts";
import { ScriptedRegistry } from "../support/scripted_registry.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const modes: readonly CrashMode[] = ["kept", "lost", "torn"];
/** Steps from one crash to the next; `PILOTFISH_SWEEP=1` tries each single one. */
const stride = Number(Deno.env.get("PILOTFISH_SWEEP") ?? "3");

/** What stands for people: files of the target and of the Checkout. */
interface Picture {
  readonly out: Readonly<Record<string, string>>;
  readonly site: Readonly<Record<string, string>>;
}

function putVersion(registry: ScriptedRegistry, version: "old" | "new"): void {
  const files = {
    "both.yaml": yamlOf(configMap("both", { version })),
    [`${version}.yaml`]: yamlOf(configMap(version, {})),
  };
  registry.put({ repository: "org/app", tag: "latest", files });
  const site = { "index.html": `${version} page`, [`${version}.css`]: "" };
  registry.put({ repository: "org/site", tag: "latest", files: site });
}

async function write(world: World): Promise<void> {
  await world.write(
    "all.yaml",
    ociRepository("app", "org/app"),
    kustomization("app", "app"),
    ociRepository("site", "org/site"),
    checkout("site", "site", "/srv/site"),
  );
}

async function pictureOf(world: World): Promise<Picture> {
  return { out: await world.files("/out"), site: await world.files("/srv/site") };
}

/** A machine on which the old version stands, and the registry has the new one. `isFresh`: nothing was ever run. */
async function machine(isFresh: boolean): Promise<{ disk: FaultyDisk; registry: ScriptedRegistry; clock: FakeClock }> {
  const disk = new FaultyDisk();
  const registry = new ScriptedRegistry();
  const clock = new FakeClock();
  putVersion(registry, "old");
  const world = new World({ disk, registry, clock });
  await write(world);
  if (!isFresh) {
    await world.run();
    await world.stop();
  }
  disk.reboot("kept");
  putVersion(registry, "new");
  return { disk, registry, clock: new FakeClock(clock.now() + minuteMs) };
}

function strayFiles(disk: FaultyDisk): readonly string[] {
  return disk.paths().filter((path) => path.includes(temporaryPrefix) || path.endsWith(".pilotfish/next"));
}

async function sweep(isFresh: boolean, mode: CrashMode): Promise<number> {
  const undisturbed = await machine(isFresh);
  undisturbed.disk.arm();
  const reference = new World(undisturbed);
  const before = await pictureOf(reference);
  await reference.run();
  const after = await pictureOf(reference);
  const steps = undisturbed.disk.steps;
  const paths = targetPaths(undisturbed.disk);
  await reference.stop();
  assert.notDeepEqual(before, after);

  // The modes start at different steps, so that together they meet all of them.
  for (let at = 1 + modes.indexOf(mode) % stride; at <= steps; at += stride) {
    const { disk, registry, clock } = await machine(isFresh);
    disk.arm({ at, kind: "crash" });
    const dying = new World({ disk, registry, clock });
    await dying.start().catch(() => {});
    await dying.quiet();
    assert.ok(disk.isDead, `step ${at} of ${steps} is reached`);
    await dying.abandon();
    disk.reboot(mode);
    const place = `after step ${at} of ${steps}, ${mode}`;

    const offline = new World({ disk, registry, clock: new FakeClock(clock.now() + minuteMs) });
    const torn = await pictureOf(offline);
    for (const [name, text] of Object.entries(torn.out)) {
      assert.ok([before.out[name], after.out[name]].includes(text), `${place}: "${name}" is half written: ${text}`);
    }
    const isWhole = [before.site, after.site, {}].some((site) => JSON.stringify(site) === JSON.stringify(torn.site));
    assert.ok(isWhole, `${place}: the site is ${JSON.stringify(torn.site)}`);
    registry.isDown = true;
    await offline.run();
    if (!isFresh) {
      const picture = await pictureOf(offline);
      for (const part of ["out", "site"] as const) {
        const isOne = [before[part], after[part]].some((one) => JSON.stringify(one) === JSON.stringify(picture[part]));
        assert.ok(isOne, `${place}, offline: ${JSON.stringify(picture[part])}`);
      }
    }
    registry.heal();
    await offline.advance(2 * minuteMs);
    assert.deepEqual(await pictureOf(offline), after, place);
    offline.expectReady("Kustomization/default/app", "Checkout/default/site");
    assert.deepEqual(strayFiles(disk), [], place);
    assert.deepEqual(targetPaths(disk), paths, place);
    await offline.stop();
  }
  return steps;
}

/** Paths in the folders that others look at. The version before, kept for those who still read it, does not count. */
function targetPaths(disk: FaultyDisk): readonly string[] {
  return disk.paths().filter((path) => /^\/(?:out|srv)\/(?!\.site\.pilotfish\/[0-9a-f]{32}\/)/.test(path));
}

for (const mode of modes) {
  Deno.test(`a first start that dies at any step (${mode}) ends as if it had not`, async () => {
    assert.ok(await sweep(true, mode) > 40);
  });
  Deno.test(`an upgrade that dies at any step (${mode}) leaves old or new, and ends as if it had not`, async () => {
    assert.ok(await sweep(false, mode) > 40);
  });
}

Deno.test("a full or broken disk keeps what stands, says so, and goes on when it is mended", async () => {
  for (const kind of ["ENOSPC", "EIO", "EROFS"] as const) {
    for (let at = 1; at < 60; at += 7) {
      const { disk, registry, clock } = await machine(false);
      const world = new World({ disk, registry, clock });
      const before = await pictureOf(world);
      disk.arm({ at, kind, stays: true });
      await world.start().catch(() => {});
      await world.quiet();
      disk.arm();
      const isOpen = world.board.statuses().length > 0;
      if (!isOpen) await world.run();
      await world.advance(15 * minuteMs);
      const picture = await pictureOf(world);
      assert.notDeepEqual(picture, before, `${kind} at ${at}`);
      assert.deepEqual(Object.keys(picture.site).sort(), ["index.html", "new.css"], `${kind} at ${at}`);
      world.expectReady("Kustomization/default/app", "Checkout/default/site");
      assert.deepEqual(strayFiles(disk), [], `${kind} at ${at}`);
      await world.stop();
    }
  }
});
