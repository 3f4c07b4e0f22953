/** An OCIRepository on a layout folder, through the real layout and the real store. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { mediaTypes } from "../../src/core/descriptor.ts";
import { digestOf } from "../../src/core/digest.ts";
import { openLayout } from "../../src/source/layout/layout_source.ts";
import { openSource } from "../../src/source/kinds.ts";
import { FaultyDisk } from "../support/faulty_file_system.ts";
import { archiveOf, ociRepository, openBench } from "./source_fixture.ts";

const quiet = new AbortController().signal;

Deno.test("an artifact in a layout folder is pulled, found unchanged, and moved on with its tag", async () => {
  const disk = new FaultyDisk();
  const layout = openLayout("/usb/layout", { fileSystem: disk.fileSystem });
  const push = async (content: string) => {
    const blobs = [new TextEncoder().encode("{}"), archiveOf({ "a.yaml": content })].map((bytes) => ({
      bytes,
      descriptor: { mediaType: mediaTypes.fluxContent, digest: digestOf(bytes), size: bytes.length },
    }));
    for (const { bytes, descriptor } of blobs) {
      await layout.pushBlob(
        descriptor,
        (offset) => new Blob([bytes.slice(offset)]).stream() as ReadableStream<Uint8Array>,
      );
    }
    const [config, layer] = blobs.map((blob) => blob.descriptor);
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] };
    const bytes = new TextEncoder().encode(JSON.stringify(manifest));
    return await layout.pushManifest({ mediaType: mediaTypes.manifest, bytes }, { tag: "1.0.0" });
  };
  const first = await push("a: 1");
  await using bench = await openBench(layout);
  const source = openSource(ociRepository({ url: "oci-layout:///usb/layout", ref: { semver: "1.x" } }), bench.tools);
  const pulled = await source.pull(undefined, quiet);
  const again = await source.pull(pulled.artifact, quiet);
  const second = await push("a: 2");
  const moved = await source.pull(pulled.artifact, quiet);

  equal(pulled.artifact.revision, `1.0.0@${first.digest}`);
  equal(pulled.artifact.url, "oci-layout:///usb/layout");
  deepEqual(again, { artifact: pulled.artifact, changed: false, warnings: [] });
  ok(moved.changed);
  equal(moved.artifact.revision, `1.0.0@${second.digest}`);
  using tree = await bench.store.openTree(moved.artifact);
  equal(new TextDecoder().decode(tree.read("a.yaml")), "a: 2");
});
