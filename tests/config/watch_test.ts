/** Reloading: bursts, half-written files, vanished folders, bad documents. */
import { deepEqual, equal } from "node:assert/strict";
import { loadConfig } from "../../src/config/load.ts";
import { type Reload, watchConfig } from "../../src/config/watch.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { MemoryFiles } from "./memory_files.ts";

const source = (name: string, interval = "5m") =>
  `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: ${name}}
spec: {interval: ${interval}, url: "oci://ghcr.io/example/app"}
`;

async function start(files: Record<string, string>) {
  const disk = new MemoryFiles(files);
  const clock = new FakeClock();
  const abort = new AbortController();
  const reloads: Reload[] = [];
  let loads = 0;
  const load = () => {
    loads++;
    return loadConfig(["conf"], { fileSystem: disk.fileSystem, baseFolderOf: () => "/conf" });
  };
  const { desired } = await load();
  loads = 0;
  const reloadNow = watchConfig({
    paths: ["conf"],
    current: desired,
    load,
    fileSystem: disk.fileSystem,
    clock,
    onReload: (reload) => void reloads.push(reload),
    onError: (error) => {
      throw error;
    },
  }, abort.signal);
  const touch = () => disk.watchers.forEach((tell) => tell());
  return { disk, clock, abort, reloads, reloadNow, touch, loads: () => loads };
}

const names = (reload: Reload | undefined) => reload?.desired.objects.map((object) => object.key.name);

Deno.test("watchConfig() joins a burst of changes into one reload", async () => {
  const { disk, clock, reloads, touch, loads } = await start({ "conf/a.yaml": source("a") });
  disk.files["conf/b.yaml"] = source("b");
  touch();
  await clock.advance(200);
  touch();
  await clock.advance(299);
  equal(loads(), 0);
  await clock.advance(1);

  equal(loads(), 1);
  deepEqual(names(reloads[0]), ["a", "b"]);
  equal(reloads[0]?.isGood, true);
});

Deno.test("watchConfig() reads a half-written file a second time before it counts", async () => {
  const { disk, clock, reloads, touch, loads } = await start({ "conf/a.yaml": source("a") });
  disk.files["conf/a.yaml"] = source("a").slice(0, -9);
  touch();
  await clock.advance(300);
  equal(reloads.length, 0);
  disk.files["conf/a.yaml"] = source("a", "7m");
  await clock.advance(1_000);

  equal(loads(), 2);
  equal(reloads[0]?.isGood, true);
  equal(reloads[0]?.desired.objects[0]?.generation, 2);
});

Deno.test("watchConfig() keeps everything when the folder vanishes or is emptied", async () => {
  const { disk, clock, reloads, touch } = await start({ "conf/a.yaml": source("a") });
  disk.files = {};
  touch();
  await clock.advance(1_300);

  equal(reloads[0]?.isGood, false);
  deepEqual(names(reloads[0]), ["a"]);
  equal(reloads[0]?.desired.isComplete, true);
});

Deno.test("watchConfig() keeps the last good form of a broken document and takes up its correction", async () => {
  const { disk, clock, reloads, touch } = await start({ "conf/a.yaml": source("a"), "conf/b.yaml": source("b") });
  disk.files["conf/a.yaml"] = source("a", "soon");
  delete disk.files["conf/b.yaml"];
  touch();
  await clock.advance(300);
  disk.files["conf/a.yaml"] = source("a", "9m");
  touch();
  await clock.advance(300);

  deepEqual(names(reloads[0]), ["a"]);
  equal(reloads[0]?.isGood, false);
  equal(reloads[0]?.desired.objects[0]?.generation, 1);
  equal(reloads[1]?.isGood, true);
  equal(reloads[1]?.desired.objects[0]?.generation, 2);
});

Deno.test("watchConfig() reloads at once when told, and not after its end", async () => {
  const { clock, abort, reloads, reloadNow, touch } = await start({ "conf/a.yaml": source("a") });
  reloadNow();
  await clock.advance(0);
  touch();
  abort.abort();
  await clock.advance(5_000);

  equal(reloads.length, 1);
  equal(clock.pending, 0);
});

Deno.test("watchConfig() reloads for a change that came while a reload failed", async () => {
  const clock = new FakeClock();
  const disk = new MemoryFiles({ "conf/a.yaml": source("a") });
  const { desired } = await loadConfig(["conf"], { fileSystem: disk.fileSystem, baseFolderOf: () => "/conf" });
  const abort = new AbortController();
  const first = Promise.withResolvers<never>();
  const errors: unknown[] = [];
  let loads = 0;
  let reloads = 0;
  const reload = watchConfig({
    paths: ["conf"],
    current: desired,
    load: () => ++loads === 1 ? first.promise : Promise.resolve({ desired, problems: [] }),
    fileSystem: disk.fileSystem,
    clock,
    onReload: () => void reloads++,
    onError: (error) => errors.push(error),
  }, abort.signal);

  reload();
  reload();
  first.reject(new Error("a fault of the disk"));
  await clock.advance(0);

  equal(errors.length, 1);
  equal(reloads, 1);
  abort.abort();
});
