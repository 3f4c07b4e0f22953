import { deepEqual, equal, rejects } from "node:assert/strict";
import type { FileSystem } from "../../../src/core/file_system.ts";
import { mediaTypes } from "../../../src/core/descriptor.ts";
import { digestOf } from "../../../src/core/digest.ts";
import { readAll } from "../../../src/core/read_all.ts";
import { openLayout } from "../../../src/source/layout/layout_source.ts";
import { isMissing } from "../../../src/source/oci_source.ts";
import { FaultyDisk } from "../../support/faulty_file_system.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function setUp() {
  const disk = new FaultyDisk();
  return { disk, layout: openLayout("/layout", { fileSystem: disk.fileSystem }) };
}

async function push(layout: ReturnType<typeof setUp>["layout"], content: string, tag?: string, subject?: string) {
  const blob = encode(content);
  const descriptor = { mediaType: "text/plain", digest: digestOf(blob), size: blob.length };
  await layout.pushBlob(descriptor, () => new Blob([blob]).stream());
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor,
    layers: [descriptor],
    ...(subject === undefined
      ? {}
      : { artifactType: "test/sig", subject: { mediaType: mediaTypes.manifest, digest: subject, size: 1 } }),
  };
  return {
    blob: descriptor,
    manifest: await layout.pushManifest(
      { mediaType: mediaTypes.manifest, bytes: encode(JSON.stringify(manifest)) },
      tag === undefined ? {} : { tag },
    ),
  };
}

Deno.test("what is pushed can be resolved, read and listed", async () => {
  const { layout } = setUp();
  const { blob, manifest } = await push(layout, "hello", "v1");
  await layout.tag(manifest.digest, "stable");

  const found = await layout.resolve("stable");
  const content = await readAll(await layout.blob(blob), 100);

  deepEqual(found.kind === "found" ? found.descriptor.digest : "", manifest.digest);
  equal(new TextDecoder().decode(content), "hello");
  deepEqual(await layout.tags(), ["stable", "v1"]);
  equal((await layout.resolve("v1", { ifNoneMatch: { digest: manifest.digest } })).kind, "unchanged");
});

Deno.test("a tag moves, and the old content stays under its digest", async () => {
  const { layout } = setUp();
  const one = await push(layout, "one", "v1");
  const two = await push(layout, "two", "v1");

  const moved = await layout.resolve("v1");
  const old = await layout.resolve(one.manifest.digest);

  equal(moved.kind === "found" && moved.descriptor.digest, two.manifest.digest);
  equal(old.kind === "found" && old.descriptor.digest, one.manifest.digest);
});

Deno.test("a damaged blob is refused at its end, a missing one is told from other faults", async () => {
  const { disk, layout } = setUp();
  const { blob } = await push(layout, "hello", "v1");
  disk.damage(`/layout/blobs/sha256/${blob.digest.slice(7)}`, 0);

  await rejects(async () => readAll(await layout.blob(blob), 100), /its digest is/);
  await rejects(layout.resolve("nowhere"), (error) => isMissing(error));
  await rejects(
    openLayout("/empty", { fileSystem: disk.fileSystem }).tags(),
    /Cannot read oci-layout:\/\/\/empty: it has no index.json/,
  );
});

Deno.test("content that does not match its descriptor never gets into the layout", async () => {
  const { disk, layout } = setUp();
  const descriptor = { mediaType: "text/plain", digest: digestOf("right"), size: 5 };

  await rejects(layout.pushBlob(descriptor, () => new Blob(["wrong"]).stream()), /digest/);

  equal(await layout.hasBlob(descriptor), false);
  deepEqual(disk.paths().filter((path) => path.includes("tmp")), []);
});

Deno.test("referrers are found by their subject", async () => {
  const { layout } = setUp();
  const subject = await push(layout, "app", "v1");
  const signature = await push(layout, "signature", undefined, subject.manifest.digest);
  await push(layout, "other", undefined, digestOf("else"));

  const referrers = await layout.referrers(subject.manifest.digest);

  deepEqual(referrers.map((one) => [one.digest, one.artifactType]), [[signature.manifest.digest, "test/sig"]]);
  deepEqual(await layout.referrers(subject.manifest.digest, { artifactType: "none" }), []);
});

Deno.test("entries of other tools stay as they are", async () => {
  const { disk, layout } = setUp();
  const { manifest } = await push(layout, "one", "v1");
  const index = JSON.parse(await disk.fileSystem.readText("/layout/index.json") ?? "");
  index.manifests[0].annotations["com.example.mine"] = "kept";
  await disk.fileSystem.writeAtomic("/layout/index.json", JSON.stringify(index));

  await push(layout, "two", "v2");

  const after = JSON.parse(await disk.fileSystem.readText("/layout/index.json") ?? "");
  equal(after.manifests[0].digest, manifest.digest);
  equal(after.manifests[0].annotations["com.example.mine"], "kept");
});

Deno.test("a folder that cannot be written is told by its name", async () => {
  const { disk, layout } = setUp();
  disk.arm({ at: 1, kind: "EROFS", stays: true });
  await rejects(
    push(layout, "a", "v1"),
    (error: Error & { reason: string; hint: string }) =>
      error.reason === "StorageOperationFailed" && /^Cannot write to oci-layout:\/\/\/layout: /.test(error.message) &&
      /you may write there/.test(error.hint),
  );
});

Deno.test("a read that is aborted or that finds the file cut short leaves no file open", async () => {
  const { disk } = setUp();
  let openFiles = 0;
  const fileSystem: FileSystem = {
    ...disk.fileSystem,
    open(path) {
      const file = disk.fileSystem.open(path);
      if (file === undefined) return undefined;
      openFiles++;
      return {
        sizeBytes: file.sizeBytes + (path.endsWith(cut) ? 1 : 0),
        readAt: (...args) => file.readAt(...args),
        [Symbol.dispose]: () => void openFiles--,
      };
    },
  };
  const layout = openLayout("/layout", { fileSystem });
  const { blob } = await push(layout, "hello", "v1");
  const cut = blob.digest.slice("sha256:".length);
  const abort = new AbortController();

  const stream = await layout.blob(blob, { signal: abort.signal });
  abort.abort(new Error("enough"));
  await rejects(readAll(stream, 100), /enough/);
  await rejects(layout.blob(blob).then((short) => readAll(short, 100)), /Cannot read/);

  equal(openFiles, 0);
});
