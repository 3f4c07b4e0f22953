/**
 * Unpacks layers into packs on the real disk: `deno run -A --v8-flags=--expose-gc tests/bench/unpack_bench.ts`.
 * Wanted: peak within 40 MB of idle, no pause over 50 ms.
 */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { denoFileSystem } from "../../src/platform/deno_file_system.ts";
import { packWriter } from "../../src/source/store/tree_pack.ts";
import { unpackLayer } from "../../src/source/unpack.ts";
import { giveWay } from "../../src/source/give_way.ts";
import { tarOf } from "../support/tar_of.ts";
import { costOf, costText } from "./loop_watch.ts";

/** An archive of `count` files of `size` bytes of text that does not repeat. */
function layerOf(count: number, size: number): Uint8Array {
  let seed = 1;
  const line = () => `key-${(seed = seed * 1103515245 + 12345 & 0x7fffffff).toString(36)}: ${seed}\n`;
  const parts = Array.from({ length: count }, (_, index) => {
    let content = "";
    while (content.length < size) content += line();
    return { path: `apps/team-${index % 100}/resource-${index}.yaml`, content: content.slice(0, size) };
  });
  return tarOf(parts);
}

const cases = [["10,000 files", 10_000, 5_000], ["50 files", 50, 1_000_000]] as const;
const kinds = ["gzip", "zstd", "none"] as const;
const [command, folder = "", name = ""] = Deno.args;
if (command === "make") makeLayers(folder);
else if (command === "measure") await measure(folder, name);
else {
  // Each case runs in a process of its own: memory of one must not hide that of another.
  const place = await Deno.makeTempDir({ prefix: "pilotfish-bench-" });
  try {
    await again("make", place);
    for (const [index] of cases.entries()) for (const kind of kinds) await again("measure", place, `${index}-${kind}`);
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

async function again(...args: readonly string[]): Promise<void> {
  const script = new URL(import.meta.url).pathname;
  await new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--v8-flags=--expose-gc", script, ...args] }).spawn()
    .status;
}

function makeLayers(place: string): void {
  for (const [index, [, count, size]] of cases.entries()) {
    const tar = layerOf(count, size);
    Deno.writeFileSync(`${place}/${index}-none`, tar);
    Deno.writeFileSync(`${place}/${index}-gzip`, gzipSync(tar));
    Deno.writeFileSync(`${place}/${index}-zstd`, zstdCompressSync(tar));
  }
}

async function measure(place: string, layer: string): Promise<void> {
  const [index = "", kind] = layer.split("-");
  const label = cases[Number(index)]?.[0];
  const unpackedBytes = (await Deno.stat(`${place}/${index}-none`)).size;
  for (let run = 1; run <= 3; run++) {
    const cost = await costOf(async () => {
      await using file = await denoFileSystem.create(`${place}/pack`);
      const writer = packWriter(file);
      const ignore = { kind: "apply", extra: "" } as const;
      const { files } = await unpackLayer(chunksOf(`${place}/${layer}`), writer, { ignore });
      await writer.finish(files);
      await file.commit();
    });
    console.log(costText(`unpack ${label}, ${kind}, run ${run}`, cost, unpackedBytes));
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  using file = denoFileSystem.open(path);
  if (file === undefined) return;
  for (let at = 0; at < file.sizeBytes; at += 256 * 1024) {
    yield file.readAt(at, Math.min(256 * 1024, file.sizeBytes - at));
    await giveWay();
  }
}
