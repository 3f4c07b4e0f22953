import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { digestOf } from "../../../src/core/digest.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FaultyDisk } from "../../support/faulty_file_system.ts";
import { bring, openAt, remoteOf, textIn } from "./store_fixture.ts";

const one = remoteOf("1.0.0", [{ path: "a.yaml", content: "a: 1" }, { path: "run.sh", content: "#!", mode: 0o755 }]);
const two = remoteOf("2.0.0", [{ path: "a.yaml", content: "a: 2" }]);
const three = remoteOf("3.0.0", [{ path: "a.yaml", content: "a: 3" }]);

const failsWith = (reason: string, says: RegExp) => (error: unknown) => {
  ok(error instanceof StageError, String(error));
  equal(error.reason, reason);
  ok(says.test(error.message), error.message);
  return true;
};

Deno.test("a store is an OCI layout that other tools read", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const artifact = await bring(store, one);
  await store.pin("OCIRepository/default/app", [artifact]);

  equal(await disk.fileSystem.readText("/store/oci-layout"), '{"imageLayoutVersion":"1.0.0"}\n');
  const index = JSON.parse(await disk.fileSystem.readText("/store/index.json") ?? "");
  equal(index.schemaVersion, 2);
  equal(index.manifests.length, 1);
  equal(index.manifests[0].digest, digestOf(one.manifest));
  equal(index.manifests[0].size, one.manifest.length);
  equal(index.manifests[0].mediaType, "application/vnd.oci.image.manifest.v1+json");
  equal(index.manifests[0].annotations["org.opencontainers.image.ref.name"], "ghcr.io/org/app:1.0.0");
  deepEqual(await disk.fileSystem.read(`/store/blobs/sha256/${digestOf(one.layer).slice(7)}`), one.layer);
});

Deno.test("a tree comes back with its files, bytes and executable bits, over a restart too", async () => {
  const disk = new FaultyDisk();
  const first = await openAt(disk.fileSystem);
  const artifact = await bring(first, one);
  await first.pin("a", [artifact]);
  await first.close();
  await using store = await openAt(disk.fileSystem);
  using tree = await store.openTree(artifact);

  deepEqual([...tree.files()].map(({ path, sizeBytes, isExecutable }) => [path, sizeBytes, isExecutable]), [
    ["a.yaml", 4, false],
    ["run.sh", 2, true],
  ]);
  equal(new TextDecoder().decode(tree.read("a.yaml")), "a: 1");
  equal(tree.read("none"), undefined);
  ok(tree.has("run.sh"));
  ok(await store.has(artifact));
  deepEqual(store.kept("a"), [artifact]);
});

Deno.test("what is unchanged is not written again", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const artifact = await bring(store, one);
  await store.pin("a", [artifact]);
  disk.arm();
  await store.pin("a", [artifact]);
  await store.has(artifact);
  await store.unpin("nobody");
  await textIn(store, artifact, "a.yaml");

  equal(disk.steps, 0);
});

Deno.test("pins of many owners share writes of the index", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const artifact = await bring(store, one);
  disk.arm();
  await Promise.all(Array.from({ length: 200 }, (_, index) => store.pin(`owner-${index}`, [artifact])));

  ok(disk.steps < 60, `${disk.steps} steps`);
  const index = JSON.parse(await disk.fileSystem.readText("/store/index.json") ?? "");
  equal(index.manifests.length, 200);
});

Deno.test("a second process is told who has the store; a dead one's lock is taken over", async () => {
  const disk = new FaultyDisk();
  await openAt(disk.fileSystem);
  await disk.fileSystem.writeAtomic("/store/.lock", "4711\n");
  await rejects(openAt(disk.fileSystem), failsWith("StorageOperationFailed", /"\/store": process 4711 is using it/));
  await using reader = await openAt(disk.fileSystem, { access: "read" });
  await rejects(reader.pin("a", []), failsWith("StorageOperationFailed", /for reading only/));

  disk.reboot("kept");
  await (await openAt(disk.fileSystem)).close();
});

Deno.test("a store of a newer version is refused and left as it is", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/store");
  await disk.fileSystem.writeAtomic("/store/pilotfish.json", '{"format":2}');
  await rejects(openAt(disk.fileSystem), failsWith("StorageOperationFailed", /its format is 2, this version knows 1/));
  deepEqual(disk.paths(), ["/store/.lock", "/store/pilotfish.json"]);
  await disk.fileSystem.writeAtomic("/store/pilotfish.json", "{");
  await rejects(openAt(disk.fileSystem), failsWith("StorageOperationFailed", /"\/store\/pilotfish.json" is damaged/));
});

Deno.test("history keeps the last revisions of an owner; collect() removes what nobody needs", async () => {
  const disk = new FaultyDisk();
  const clock = new FakeClock();
  await using store = await openAt(disk.fileSystem, { clock, history: 2 });
  const artifacts = [];
  for (const remote of [one, two, three]) {
    artifacts.push(await bring(store, remote));
    await store.pin("a", artifacts.slice(-1));
  }
  deepEqual(await store.collect(), { removed: 0, freedBytes: 0 });
  await clock.advance(11 * 60_000);
  const { removed, freedBytes } = await store.collect();

  equal(removed, 3);
  ok(freedBytes > one.layer.length);
  deepEqual(store.kept("a").map((artifact) => artifact.revision.slice(0, 5)), ["3.0.0", "2.0.0"]);
  deepEqual(await Promise.all(artifacts.map((artifact) => store.has(artifact))), [false, true, true]);
  await store.unpin("a");
  await clock.advance(11 * 60_000);
  equal((await store.collect()).removed, 6);
  deepEqual(disk.paths().filter((path) => /blobs|trees/.test(path)), []);
});

Deno.test("collect() leaves what was just pulled and is not pinned yet", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const artifact = await bring(store, one);
  await store.collect();
  await store.pin("a", [artifact]);

  equal(await textIn(store, artifact, "a.yaml"), "a: 1");
});

Deno.test("the size limit takes history first, never a pin, and refuses what cannot fit", async () => {
  const disk = new FaultyDisk();
  const clock = new FakeClock();
  const big = (tag: string, letter: string) =>
    remoteOf(tag, [{
      path: letter,
      content: Array.from({ length: 3000 }, (_, index) => `${letter}${index * 7919 % 3001}`).join(),
    }]);
  await using store = await openAt(disk.fileSystem, { clock, maxSizeBytes: 60_000 });
  for (const [tag, letter] of [["1", "x"], ["2", "y"]] as const) {
    await store.pin("a", [await bring(store, big(tag, letter))]);
    await clock.advance(11 * 60_000);
  }
  equal(store.kept("a").length, 2);
  await store.pin("b", [await bring(store, big("3", "z"))]);
  await clock.advance(11 * 60_000);
  await store.collect();

  deepEqual(store.kept("a").map((artifact) => artifact.revision[0]), ["2"]);
  equal(store.kept("b").length, 1);
  await rejects(
    store.createBlob({ mediaType: "", digest: digestOf("x"), size: 55_000 }),
    failsWith("StorageOperationFailed", /55000 more pass the 60000 allowed/),
  );
  equal(store.kept("b").length, 1);
});

Deno.test("a damaged pack is made again from its layer", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const artifact = await bring(store, one);
  const pack = disk.paths().find((path) => path.endsWith(".pack")) ?? "";
  const size = (await disk.fileSystem.stat(pack))?.sizeBytes ?? 0;
  for (let offset = 0; offset < size; offset++) {
    disk.damage(pack, offset);
    for (let tries = 0; tries < 2; tries++) {
      try {
        equal(await textIn(store, artifact, "a.yaml"), "a: 1");
        equal(await textIn(store, artifact, "run.sh"), "#!");
        break;
      } catch (error) {
        failsWith("ReadOperationFailed", /its pack is damaged/)(error);
        equal(tries, 0);
      }
    }
  }
  await disk.fileSystem.remove(pack);
  ok(await store.has(artifact));
  equal(await textIn(store, artifact, "a.yaml"), "a: 1");
});

Deno.test("a damaged blob is dropped, so that it is pulled again", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const artifact = await bring(store, one);
  const path = `/store/blobs/sha256/${digestOf(one.layer).slice(7)}`;
  for (let offset = 0; offset < one.layer.length; offset += 7) {
    disk.damage(path, offset);
    await disk.fileSystem.remove(disk.paths().find((other) => other.endsWith(".pack")) ?? "/none");
    await rejects(store.openTree(artifact), failsWith("StorageOperationFailed", /does not have it undamaged/));
    equal(await store.has(artifact), false);
    await bring(store, one);
  }
  disk.damage(path, 3);
  await rejects(store.readBlob(digestOf(one.layer)), failsWith("StorageOperationFailed", /undamaged/));
  equal(await disk.fileSystem.stat(path), undefined);
});

Deno.test("a blob cut short is seen when the store is opened", async () => {
  const disk = new FaultyDisk();
  const store = await openAt(disk.fileSystem);
  const artifact = await bring(store, one);
  await store.pin("a", [artifact]);
  await store.close();
  const path = `/store/blobs/sha256/${digestOf(one.layer).slice(7)}`;
  await disk.fileSystem.writeAtomic(path, one.layer.subarray(0, 20));
  await using again = await openAt(disk.fileSystem);

  equal(await disk.fileSystem.stat(path), undefined);
  equal(await again.has(artifact), false);
});

Deno.test("scrub() finds every flipped bit", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  await store.pin("a", [await bring(store, one)]);
  equal((await store.scrub()).damaged.length, 0);
  for (const path of disk.paths().filter((other) => /blobs|trees/.test(other))) {
    disk.damage(path, 9);
    const { damaged, checkedFiles } = await store.scrub();
    equal(checkedFiles, 3);
    deepEqual(damaged, [path.slice("/store/".length)]);
    await bring(store, one);
  }
});

Deno.test("blobs that are not what was announced are refused and leave nothing", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const before = disk.paths();
  const wanted = { mediaType: "", digest: digestOf("hello"), size: 5 };
  const refused = async (text: string, says: RegExp) => {
    await rejects(async () => {
      await using blob = await store.createBlob(wanted);
      blob.write(new TextEncoder().encode(text));
      await blob.commit();
    }, failsWith("OCIArtifactPullFailed", says));
    deepEqual(disk.paths(), before);
  };
  await refused("hell", /there are 4 bytes, wanted are 5/);
  await refused("hello!", /more than 5 bytes/);
  await refused("hallo", /its digest is sha256:/);
});

Deno.test("files and index entries of others are left alone", async () => {
  const disk = new FaultyDisk();
  const clock = new FakeClock();
  const theirs = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: digestOf(two.manifest),
    size: two.manifest.length,
  };
  const store = await openAt(disk.fileSystem, { clock });
  await bring(store, two);
  await store.close();
  await disk.fileSystem.writeAtomic("/store/index.json", JSON.stringify({ schemaVersion: 2, manifests: [theirs] }));
  await disk.fileSystem.writeAtomic("/store/notes.txt", "x");
  await disk.fileSystem.writeAtomic("/store/blobs/sha256/readme", "x");
  await using again = await openAt(disk.fileSystem, { clock });
  await clock.advance(11 * 60_000);
  await again.pin("a", [await bring(again, one)]);
  await again.collect();

  const index = JSON.parse(await disk.fileSystem.readText("/store/index.json") ?? "");
  deepEqual(index.manifests[0], theirs);
  ok(await disk.fileSystem.stat("/store/notes.txt") !== undefined);
  ok(await disk.fileSystem.stat("/store/blobs/sha256/readme") !== undefined);
  ok(await disk.fileSystem.stat(`/store/blobs/sha256/${digestOf(two.layer).slice(7)}`) !== undefined);
});

Deno.test("a damaged index stops collection, not the store", async () => {
  const disk = new FaultyDisk();
  const store = await openAt(disk.fileSystem);
  const artifact = await bring(store, one);
  await store.pin("a", [artifact]);
  await store.close();
  await disk.fileSystem.writeAtomic("/store/index.json", "{");
  await using again = await openAt(disk.fileSystem);
  deepEqual(await again.collect(), { removed: 0, freedBytes: 0 });
  await again.pin("a", [artifact]);

  equal(await textIn(again, artifact, "a.yaml"), "a: 1");
});

Deno.test("a store that is removed under us says so, and takes new content at once", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const artifact = await bring(store, one);
  await store.pin("a", [artifact]);
  await disk.fileSystem.remove("/store", { recursive: true });

  equal(await store.has(artifact), false);
  await rejects(store.openTree(artifact), failsWith("StorageOperationFailed", /undamaged/));
  await store.pin("a", [await bring(store, one)]);
  equal(await textIn(store, artifact, "a.yaml"), "a: 1");
  await store.close();
  await using again = await openAt(disk.fileSystem);
  ok(await again.has(artifact));
});

Deno.test("a blob artifact opens as the archive that it is", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const chart = remoteOf("1.0.0", [{ path: "app/Chart.yaml", content: "name: app" }, {
    path: "app/logo.png",
    content: "x",
  }]);
  const artifact = await bring(store, chart);
  const blob = { ...artifact, content: { kind: "blob" as const, descriptor: chart.recipe.layer, fileName: "app.tgz" } };

  equal(await textIn(store, blob, "app/logo.png"), "x");
  equal(await textIn(store, artifact, "app/logo.png"), undefined);
});

Deno.test("much that is ignored is not kept in the pack", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const remote = remoteOf("1", [
    { path: "video.bin", content: "x".repeat(3 * 1024 ** 2) },
    { path: "a.yaml", content: "a: 1" },
    { path: ".sourceignore", content: "*.bin" },
  ]);
  const artifact = await bring(store, remote);
  const pack = disk.paths().find((path) => path.endsWith(".pack")) ?? "";

  ok((await disk.fileSystem.stat(pack))!.sizeBytes < 1000);
  equal(await textIn(store, artifact, "a.yaml"), "a: 1");
  equal(disk.paths().filter((path) => path.includes("tmp")).length, 0);
});

Deno.test("a full disk is told by the store until a write works again", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  equal(String(store.fault), "undefined");
  disk.arm({ at: 1, kind: "ENOSPC", stays: true });
  await rejects(bring(store, one), (error: unknown) => {
    failsWith("StorageOperationFailed", /Cannot keep a blob in store "\/store": No space left/)(error);
    ok(error instanceof StageError && /disk of the store is full/.test(error.hint));
    return true;
  });
  ok(/No space left/.test(String(store.fault)));
  disk.arm();
  await store.pin("a", [await bring(store, one)]);

  equal(store.fault, undefined);
  ok((store.usedBytes ?? 0) > one.layer.length);
});

Deno.test("who shares the making of a tree is not stopped with the one who began it", async () => {
  const disk = new FaultyDisk();
  await using store = await openAt(disk.fileSystem);
  const remote = remoteOf("1", [{ path: "a.yaml", content: "x".repeat(3 * 1024 ** 2) }]);
  const artifact = await bring(store, remote);
  await disk.fileSystem.remove("/store/trees", { recursive: true });
  const source = new AbortController();

  const begun = store.makeTree(remote.recipe, source.signal);
  const shared = textIn(store, artifact, "a.yaml");
  source.abort(new Error("A newer revision replaces this run"));

  await rejects(begun);
  equal((await shared)?.length, 3 * 1024 ** 2);
});
