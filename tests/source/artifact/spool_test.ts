import { deepEqual, equal } from "node:assert/strict";
import { digestOf } from "../../../src/core/digest.ts";
import { Spool } from "../../../src/source/artifact/spool.ts";
import { seededRandom } from "../../support/call_context.ts";
import { FaultyDisk } from "../../support/faulty_file_system.ts";
import { bytesOf } from "../registry/registry_fixture.ts";

for (const memoryBytes of [1_000_000, 4_000]) {
  Deno.test(`a Spool of at most ${memoryBytes} bytes in memory gives back what was written, from any offset`, async () => {
    const disk = new FaultyDisk();
    await disk.fileSystem.makeFolder("/tmp");
    const all = new Uint8Array(700_000).map((_, index) => index % 251);
    await using spool = new Spool({
      fileSystem: disk.fileSystem,
      folder: "/tmp",
      random: seededRandom(1),
      memoryBytes,
    });
    for (let at = 0; at < all.length; at += 1_000) await spool.write(all.slice(at, at + 1_000));

    const { digest, size, content } = await spool.finish();

    deepEqual([digest, size], [digestOf(all), all.length]);
    for (const offset of [0, 1, 300_000, all.length]) {
      deepEqual(await bytesOf(await content(offset)), all.slice(offset));
    }
    deepEqual(disk.paths(), [], "the file has no name any more");
  });
}

Deno.test("a Spool that is given up leaves no file", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/tmp");
  {
    await using spool = new Spool({
      fileSystem: disk.fileSystem,
      folder: "/tmp",
      random: seededRandom(1),
      memoryBytes: 10,
    });
    await spool.write(new Uint8Array(100));
    equal(disk.paths().length, 1);
  }
  deepEqual(disk.paths(), []);
});
