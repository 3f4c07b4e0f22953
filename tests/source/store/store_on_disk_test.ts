/** The store on the real disk: read by another tool, and by ourselves after kills. */
import { equal, ok } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { digestOf } from "../../../src/core/digest.ts";
import { silentLog } from "../../../src/core/log.ts";
import { denoFileSystem } from "../../../src/platform/deno_file_system.ts";
import { openStore } from "../../../src/source/store/open_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { bring, remoteOf, textIn } from "./store_fixture.ts";

const options = {
  fileSystem: denoFileSystem,
  clock: new FakeClock(),
  log: silentLog,
  maxSizeBytes: 2 ** 30,
  history: 3,
};

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "pilotfish-store-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a store on the real disk keeps a tree over a restart, read-only files and private folders", () =>
  inFolder(async (folder) => {
    const remote = remoteOf("1.0.0", [{ path: "a.yaml", content: "a: 1" }]);
    const first = await openStore(`${folder}/store`, options);
    const artifact = await bring(first, remote);
    await first.pin("a", [artifact]);
    await first.close();
    await using store = await openStore(`${folder}/store`, options);

    equal(await textIn(store, artifact, "a.yaml"), "a: 1");
    const blob = `${folder}/store/blobs/sha256/${digestOf(remote.layer).slice(7)}`;
    equal((await denoFileSystem.stat(blob))?.mode, 0o444);
    equal((await denoFileSystem.stat(`${folder}/store`))?.mode, 0o700);
  }));

const crane = await hasTool("crane");

Deno.test({
  name: crane
    ? "crane reads the store as a layout"
    : "crane reads the store as a layout (skipped: crane is not on PATH)",
  ignore: !crane,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/store`;
      const store = await openStore(path, options);
      const config = new TextEncoder().encode(
        '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}',
      );
      const layer = new Uint8Array(gzipSync(new Uint8Array(1024)));
      const described = (bytes: Uint8Array, mediaType: string) => ({
        mediaType,
        digest: digestOf(bytes),
        size: bytes.length,
      });
      const manifest = new TextEncoder().encode(JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        config: described(config, "application/vnd.oci.image.config.v1+json"),
        layers: [described(layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
      }));
      for (const bytes of [config, layer, manifest]) await store.putBlob(bytes);
      const digest = digestOf(manifest);
      await store.pin("a", [{
        revision: `1@${digest}`,
        digest,
        content: { kind: "blob", descriptor: described(layer, ""), fileName: "x" },
        metadata: {},
        sizeBytes: layer.length,
        lastUpdateTime: "2026-01-01T00:00:00Z",
        url: "ghcr.io/org/app",
        blobs: [digest, digestOf(config), digestOf(layer)],
      }]);
      await store.close();
      const server = new Deno.Command("crane", {
        args: ["registry", "serve", "--address", "127.0.0.1:0"],
        stderr: "piped",
        stdout: "null",
      }).spawn();
      const reader = server.stderr.getReader();
      try {
        const port = await portIn(reader);
        const name = `127.0.0.1:${port}/app:1`;
        const pushed = await new Deno.Command("crane", { args: ["push", path, name], stderr: "piped" }).output();
        ok(pushed.success, new TextDecoder().decode(pushed.stderr));
        ok(new TextDecoder().decode(pushed.stdout).includes(digest));
      } finally {
        server.kill();
        await reader.cancel();
        await server.status;
      }
    }),
});

async function portIn(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  let text = "";
  while (true) {
    const { value, done } = await reader.read();
    text += new TextDecoder().decode(value);
    const port = /serving on .*?(\d+)\s*$/m.exec(text)?.[1];
    if (port !== undefined) return port;
    if (done) throw new Error(`The registry did not start: ${text}`);
  }
}

async function hasTool(name: string): Promise<boolean> {
  try {
    await new Deno.Command(name, { args: ["version"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch {
    return false;
  }
}
