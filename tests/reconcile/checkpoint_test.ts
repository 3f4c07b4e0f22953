import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { FileSystem } from "../../src/core/file_system.ts";
import type { DesiredObject } from "../../src/core/object.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { denoFileSystem } from "../../src/platform/deno_file_system.ts";
import { openCheckpoints } from "../../src/reconcile/checkpoint.ts";
import { newRecord, type ObjectRecord } from "../../src/reconcile/record.ts";
import { FaultyDisk } from "../support/faulty_file_system.ts";

const folder = "/state";
const key = { kind: "Kustomization", namespace: "default", name: "apps" };
const file = `${folder}/kustomization_default_apps.json`;
const record: ObjectRecord = newRecord({ key, apiVersion: "v1" } as DesiredObject);

async function open(fileSystem: FileSystem, options: { readonly isReadOnly?: boolean } = {}) {
  const damaged: string[] = [];
  const checkpoints = await openCheckpoints(folder, {
    fileSystem,
    onDamaged: (path, error) => damaged.push(`${path}: ${error instanceof Error ? error.message : error}`),
    ...options,
  });
  return { checkpoints, damaged };
}

Deno.test("records come back with the next start", async () => {
  const { fileSystem } = new FaultyDisk();
  const { checkpoints } = await open(fileSystem);
  await checkpoints.save({ ...record, inputs: "sha256:1" });

  const again = (await open(fileSystem)).checkpoints;

  equal(again.get(key)?.inputs, "sha256:1");
  deepEqual([...again.all()].length, 1);
  await again.forget(key);
  equal((await open(fileSystem)).checkpoints.get(key), undefined);
});

Deno.test("an idle run writes nothing", async () => {
  const disk = new FaultyDisk();
  const { checkpoints } = await open(disk.fileSystem);
  const row = {
    digest: "sha256:1",
    status: "Succeeded",
    revision: "v1",
    firstReconciled: "a",
    lastReconciled: "a",
    lastDurationMs: 1,
    totalReconciliations: 1,
  };
  await checkpoints.save({ ...record, history: [row] });
  disk.arm();

  await checkpoints.save({
    ...record,
    history: [{ ...row, lastReconciled: "b", lastDurationMs: 9, totalReconciliations: 2 }],
  });
  equal(disk.steps, 0);
  equal(checkpoints.get(key)?.history[0]?.totalReconciliations, 2);
  await checkpoints.save({ ...record, failures: 1, history: [row] });
  ok(disk.steps > 0);
});

for (
  const [name, text] of [
    ["cut off", '{"version":1,"record":{"key":{"kind":"Kustomization"'],
    ["empty", ""],
    ["null", "null"],
    ["a record without its lists", JSON.stringify({ version: 1, record: { key } })],
    ["of a newer version", JSON.stringify({ version: 2, record })],
  ] as const
) {
  Deno.test(`a state file that is ${name} is set aside, and the start goes on`, async () => {
    const { fileSystem } = new FaultyDisk();
    await fileSystem.makeFolder(folder);
    await fileSystem.writeAtomic(file, text);

    const { checkpoints, damaged } = await open(fileSystem);

    equal(checkpoints.get(key), undefined);
    equal(damaged.length, 1);
    if (name === "of a newer version") match(damaged[0] ?? "", /version 2: this program knows versions up to 1/);
    equal(await fileSystem.readText(`${file}.damaged`), text);
    equal(await fileSystem.readText(file), undefined);
    deepEqual((await open(fileSystem)).damaged, []);
  });
}

Deno.test("read only, nothing on the disk changes", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder(folder);
  await disk.fileSystem.writeAtomic(file, "{");
  await disk.fileSystem.writeAtomic(`${folder}/.pilotfish-tmp-1`, "unfinished");
  const before = disk.paths();
  disk.arm();

  equal((await open(disk.fileSystem, { isReadOnly: true })).damaged.length, 1);
  equal(disk.steps, 0);
  deepEqual(disk.paths(), before);
  await open(disk.fileSystem);
  equal(await disk.fileSystem.readText(`${folder}/.pilotfish-tmp-1`), undefined);
});

Deno.test("when two saves overlap, the later one stays", async () => {
  const disk = new FaultyDisk();
  const slow = Promise.withResolvers<void>();
  let writes = 0;
  const fileSystem: FileSystem = {
    ...disk.fileSystem,
    writeAtomic: async (...args) => {
      if (++writes === 1) await slow.promise;
      await disk.fileSystem.writeAtomic(...args);
    },
  };
  const { checkpoints } = await open(fileSystem);

  const first = checkpoints.save({ ...record, failures: 1 });
  while (writes === 0) await Promise.resolve();
  const saves = [first, ...[2, 3].map((failures) => checkpoints.save({ ...record, failures }))];
  slow.resolve();
  await Promise.all(saves);

  equal((await open(disk.fileSystem)).checkpoints.get(key)?.failures, 3);
  equal(writes, 2, "what came in while the first was written is written once");
});

Deno.test("a record that is forgotten while it is written does not come back", async () => {
  const disk = new FaultyDisk();
  const { checkpoints } = await open(disk.fileSystem);

  const saving = checkpoints.save(record);
  await checkpoints.forget(key);
  await saving;

  equal((await open(disk.fileSystem)).checkpoints.get(key), undefined);
});

Deno.test("a disk that refuses a save is said, and the record is written with the next one", async () => {
  const disk = new FaultyDisk();
  const { checkpoints } = await open(disk.fileSystem);
  let isFull = true;
  const { checkpoints: full } = await open({
    ...disk.fileSystem,
    writeAtomic: (...args) => isFull ? Promise.reject(new Error("ENOSPC")) : disk.fileSystem.writeAtomic(...args),
  });

  await rejects(
    full.save({ ...record, failures: 7 }),
    (error) => error instanceof StageError && error.reason === "StorageOperationFailed",
  );
  equal(full.get(key)?.failures, 7);
  isFull = false;
  await full.save({ ...record, failures: 7 });
  equal((await open(disk.fileSystem)).checkpoints.get(key)?.failures, 7);
  equal(checkpoints.get(key), undefined);
});

Deno.test("a record whose object has the longest name that Kubernetes takes is kept", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const long = { kind: "Kustomization", namespace: "n".repeat(63), name: "a".repeat(253) };
    const tools = { fileSystem: denoFileSystem, onDamaged: () => {} };
    const checkpoints = await openCheckpoints(folder, tools);
    const other = { ...long, name: `${"a".repeat(252)}b` };
    await checkpoints.save({ ...record, key: long, inputs: "1" });
    await checkpoints.save({ ...record, key: other, inputs: "2" });

    const again = await openCheckpoints(folder, tools);
    equal(again.get(long)?.inputs, "1");
    equal(again.get(other)?.inputs, "2");
    await again.forget(long);
    equal((await openCheckpoints(folder, tools)).get(long), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a disk that refuses to forget is asked again", async () => {
  const disk = new FaultyDisk();
  let isReadOnly = false;
  const { checkpoints } = await open({
    ...disk.fileSystem,
    remove: (...args) => isReadOnly ? Promise.reject(new Error("EROFS")) : disk.fileSystem.remove(...args),
  });
  await checkpoints.save(record);
  isReadOnly = true;

  await rejects(
    checkpoints.forget(key),
    (error) => error instanceof StageError && error.reason === "StorageOperationFailed",
  );
  ok(checkpoints.get(key) !== undefined, "who tries again must find it");
  isReadOnly = false;
  await checkpoints.forget(key);
  equal(await disk.fileSystem.stat(file), undefined);
});

Deno.test("a folder that was removed under two writers has what both wrote last", async () => {
  const disk = new FaultyDisk();
  const other = { ...key, name: "other" };
  const held: (() => void)[] = [];
  let holds = false;
  const { checkpoints } = await open({
    ...disk.fileSystem,
    // The old record of the other one is the slowest to arrive.
    writeAtomic: async (path, data, options) => {
      if (holds && path.includes("other") && String(data).includes('"failures":1')) {
        await new Promise<void>((resolve) => held.push(resolve));
      }
      await disk.fileSystem.writeAtomic(path, data, options);
    },
  });
  await checkpoints.save(record);
  await checkpoints.save({ ...record, key: other, failures: 1 });
  await disk.fileSystem.remove(folder, { recursive: true });
  holds = true;

  const first = checkpoints.save({ ...record, failures: 2 });
  for (let turn = 0; turn < 50 && held.length === 0; turn++) await Promise.resolve();
  const second = checkpoints.save({ ...record, key: other, failures: 3 });
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  for (const go of held) go();
  await Promise.all([first, second]);

  const again = (await open(disk.fileSystem)).checkpoints;
  equal(again.get(key)?.failures, 2);
  equal(again.get(other)?.failures, 3);
});
