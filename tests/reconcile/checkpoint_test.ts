import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { FileSystem } from "../../src/core/file_system.ts";
import type { DesiredObject } from "../../src/core/object.ts";
import { StageError } from "../../src/core/stage_error.ts";
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
