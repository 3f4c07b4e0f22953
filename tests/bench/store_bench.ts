/** The store on the real disk: `deno run -A --v8-flags=--expose-gc tests/bench/store_bench.ts`. */
import type { Artifact } from "../../src/core/artifact.ts";
import { silentLog } from "../../src/core/log.ts";
import { denoClock } from "../../src/platform/deno_clock.ts";
import { denoFileSystem } from "../../src/platform/deno_file_system.ts";
import { openStore } from "../../src/source/store/open_store.ts";
import { bring, remoteOf } from "../source/store/store_fixture.ts";
import { costOf, costText } from "./loop_watch.ts";

const count = 1000;
const options = { fileSystem: denoFileSystem, clock: denoClock, log: silentLog, maxSizeBytes: 2 ** 32, history: 3 };
const folder = await Deno.makeTempDir({ prefix: "pilotfish-bench-" });
try {
  const remotes = Array.from({ length: count }, (_, index) =>
    remoteOf(`1.0.${index}`, [
      { path: "app.yaml", content: `index: ${index}\n`.repeat(200) },
      { path: "kustomization.yaml", content: "resources: [app.yaml]\n" },
    ]));
  const big = remoteOf(
    "2.0.0",
    Array.from(
      { length: 10_000 },
      (_, index) => ({ path: `a/${index % 100}/${index}.yaml`, content: `${index}\n`.repeat(700) }),
    ),
  );
  const artifacts: Artifact[] = [];
  const store = await openStore(`${folder}/store`, options);
  console.log(costText(
    `bring ${count} small artifacts, one after the other`,
    await costOf(async () => {
      for (const remote of remotes) artifacts.push(await bring(store, remote));
    }),
  ));
  console.log(costText(
    `pin ${count} owners, 8 at a time`,
    await costOf(async () => {
      for (let at = 0; at < count; at += 8) {
        await Promise.all(artifacts.slice(at, at + 8).map((artifact) => store.pin(artifact.revision, [artifact])));
      }
    }),
  ));
  console.log(costText(
    `has ${count} artifacts`,
    await costOf(async () => {
      for (const artifact of artifacts) await store.has(artifact);
    }),
  ));
  console.log(costText(
    `open and read ${count} trees`,
    await costOf(async () => {
      for (const artifact of artifacts) {
        using tree = await store.openTree(artifact);
        for (const file of tree.files()) tree.read(file.path);
      }
    }),
  ));
  console.log(costText("collect, nothing to do", await costOf(async () => void await store.collect())));
  console.log(costText("scrub", await costOf(async () => void await store.scrub())));
  await store.close();
  console.log(costText(
    `open a store of ${count} pins`,
    await costOf(async () => {
      await (await openStore(`${folder}/store`, options)).close();
    }),
  ));
  await using again = await openStore(`${folder}/store`, options);
  let large: Artifact | undefined;
  console.log(costText("bring 10,000 files", await costOf(async () => void (large = await bring(again, big)))));
  console.log(costText(
    "open a tree of 10,000 files",
    await costOf(async () => {
      if (large !== undefined) (await again.openTree(large))[Symbol.dispose]();
    }),
  ));
  console.log(costText(
    "read all 10,000 files",
    await costOf(async () => {
      if (large === undefined) return;
      using tree = await again.openTree(large);
      for (const file of tree.files()) tree.read(file.path);
    }),
  ));
} finally {
  await Deno.remove(folder, { recursive: true });
}
