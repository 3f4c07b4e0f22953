/** Every changing step of the store is killed and failed once: what is left is the old or the new state. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { temporaryPrefix } from "../../../src/core/file_system.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import type { Store } from "../../../src/source/store/store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { type CrashMode, type Fault, FaultyDisk } from "../../support/faulty_file_system.ts";
import { bring, openAt, remoteOf, textIn } from "./store_fixture.ts";

const old = remoteOf("1.0.0", [{ path: "a.yaml", content: "a: 1" }, { path: "b.yaml", content: "b: 1" }]);
const next = remoteOf("2.0.0", [{ path: "a.yaml", content: "a: 2" }, { path: "b.yaml", content: "b: 1" }]);

/** A store with the old artifact pinned, on a disk of its own. */
async function prepared(): Promise<FaultyDisk> {
  const disk = new FaultyDisk();
  const store = await openAt(disk.fileSystem, { history: 1 });
  await store.pin("a", [await bring(store, old)]);
  await store.close();
  return disk;
}

/** Opens, pulls the new artifact, pins it and collects the old one. */
async function work(disk: FaultyDisk): Promise<void> {
  const clock = new FakeClock();
  const store = await openAt(disk.fileSystem, { clock, history: 1 });
  try {
    await store.pin("a", [await bring(store, next)]);
    await clock.advance(11 * 60_000);
    await store.collect();
  } finally {
    await store.close();
  }
}

/** The one artifact that the store keeps is whole: opened, every file read. */
async function checkWhole(store: Store): Promise<string> {
  const [artifact, ...others] = store.kept("a");
  equal(others.length, 0);
  ok(artifact !== undefined);
  ok(await store.has(artifact));
  const text = await textIn(store, artifact, "a.yaml");
  equal(text, artifact.revision.startsWith("1") ? "a: 1" : "a: 2");
  equal(await textIn(store, artifact, "b.yaml"), "b: 1");
  return artifact.revision.slice(0, 5);
}

async function checkAfter(disk: FaultyDisk): Promise<string> {
  await using store = await openAt(disk.fileSystem, { history: 1 });
  deepEqual(disk.paths().filter((path) => path.includes(temporaryPrefix)), []);
  const revision = await checkWhole(store);
  deepEqual((await store.scrub()).damaged, []);
  return revision;
}

async function stepsOfWork(): Promise<number> {
  const disk = await prepared();
  disk.arm();
  await work(disk);
  return disk.steps;
}

Deno.test("a kill or power cut at any step leaves the old or the new artifact, and no litter", async () => {
  const steps = await stepsOfWork();
  ok(steps > 15, `${steps} steps`);
  for (const mode of ["kept", "lost", "torn"] satisfies CrashMode[]) {
    const seen = new Set<string>();
    for (let at = 1; at <= steps; at++) {
      const disk = await prepared();
      disk.arm({ at, kind: "crash" });
      await work(disk).catch(() => {});
      ok(disk.isDead, `step ${at} was reached`);
      disk.reboot(mode);
      seen.add(await checkAfter(disk));
      await work(disk);
      equal(await checkAfter(disk), "2.0.0");
    }
    deepEqual([...seen], ["1.0.0", "2.0.0"], mode);
  }
});

Deno.test("a first start that is killed at any step can be repeated", async () => {
  const fresh = new FaultyDisk();
  fresh.arm();
  await work(fresh);
  for (const mode of ["kept", "lost", "torn"] satisfies CrashMode[]) {
    for (let at = 1; at <= fresh.steps; at++) {
      const disk = new FaultyDisk();
      disk.arm({ at, kind: "crash" });
      await work(disk).catch(() => {});
      disk.reboot(mode);
      await work(disk);
      equal(await checkAfter(disk), "2.0.0");
    }
  }
});

Deno.test("a fault of the disk at any step is told, loses nothing, and passes", async () => {
  const steps = await stepsOfWork();
  for (const kind of ["ENOSPC", "EIO", "EROFS"] satisfies Fault["kind"][]) {
    for (const stays of [false, true]) {
      for (let at = 1; at <= steps; at++) {
        const disk = await prepared();
        disk.arm({ at, kind, stays });
        try {
          await work(disk);
        } catch (error) {
          ok(error instanceof StageError, String(error));
          equal(error.reason, "StorageOperationFailed", error.message);
          ok(error.message.includes("(os error"), error.message);
        }
        disk.arm();
        await work(disk);
        equal(await checkAfter(disk), "2.0.0");
      }
    }
  }
});

Deno.test("a store that stays open goes on when the fault ends", async () => {
  const steps = await stepsOfWork();
  for (let at = 1; at <= steps; at++) {
    const disk = await prepared();
    const clock = new FakeClock();
    await using store = await openAt(disk.fileSystem, { clock, history: 1 });
    const turn = async () => {
      await store.pin("a", [await bring(store, next)]);
      await clock.advance(11 * 60_000);
      await store.collect();
    };
    disk.arm({ at, kind: "ENOSPC", stays: true });
    await turn().catch((error: unknown) => ok(error instanceof StageError, String(error)));
    await checkWhole(store);
    disk.arm();
    await turn();
    equal(await checkWhole(store), "2.0.0");
    equal(store.fault, undefined);
  }
});
