import type { FileSystem } from "../core/file_system.ts";
import { temporaryPrefix } from "../core/file_system.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { canonicalJson, jsonEqual } from "../core/json.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import { objectFileName } from "../core/object_file_name.ts";
import { StageError } from "../core/stage_error.ts";
import type { HistoryRow } from "../core/status.ts";
import type { ObjectRecord } from "./record.ts";

/** The records of all objects, kept in memory and on disk. */
export interface Checkpoints {
  get(key: ObjectKey): ObjectRecord | undefined;
  all(): Iterable<ObjectRecord>;
  /**
   * Keeps a record. The file is written only when something that counts changed: an idle run writes nothing.
   *
   * @throws {StageError} StorageOperationFailed; the record is then kept in memory and written with the next change
   */
  save(record: ObjectRecord): Promise<void>;
  /** Removes a record. @throws {StageError} StorageOperationFailed; it is then there still, to be forgotten once more */
  forget(key: ObjectKey): Promise<void>;
}

/** Version of the record files; a newer one is refused. */
const formatVersion = 1;

/** Reads all records of `folder` (made if missing) and removes what a crash left unfinished. A file that cannot be read is set aside, not deleted. */
export async function openCheckpoints(
  folder: string,
  tools: {
    readonly fileSystem: FileSystem;
    readonly onDamaged: (file: string, error: unknown) => void;
    /** Only look: another process writes here. Default `false`. */
    readonly isReadOnly?: boolean;
  },
): Promise<Checkpoints> {
  const { fileSystem, isReadOnly = false } = tools;
  if (!isReadOnly) await fileSystem.makeFolder(folder, { mode: 0o700 });
  const records = new Map<string, ObjectRecord>();
  /** Each record as it stands on the disk. */
  const saved = new Map<string, ObjectRecord>();

  for (const entry of await fileSystem.list(folder) ?? []) {
    const path = `${folder}/${entry.name}`;
    if (entry.name.startsWith(temporaryPrefix)) {
      if (!isReadOnly) await fileSystem.remove(path);
    } else if (entry.kind === "file" && entry.name.endsWith(".json")) {
      try {
        const file = JSON.parse(await fileSystem.readText(path) ?? "") as { version: number; record: ObjectRecord };
        if (file.version > formatVersion) {
          throw new RangeError(
            `Cannot read version ${file.version}: this program knows versions up to ${formatVersion}`,
          );
        }
        refuseIncomplete(file.record);
        const name = keyText(file.record.key);
        saved.set(name, file.record);
        records.set(name, file.record);
      } catch (error) {
        tools.onDamaged(path, error);
        if (!isReadOnly) await fileSystem.rename(path, `${path}.damaged`);
      }
    }
  }

  // One write at a time per object: of two that overlap, the older one could otherwise be the one that stays.
  const writes = new Map<string, Promise<void>>();
  const inTurn = async (name: string, work: () => Promise<void>): Promise<void> => {
    const earlier = writes.get(name);
    const mine = (async () => {
      await earlier?.catch(() => {});
      await work();
    })();
    writes.set(name, mine);
    try {
      await mine;
    } finally {
      if (writes.get(name) === mine) writes.delete(name);
    }
  };

  const writeFile = (record: ObjectRecord) =>
    fileSystem.writeAtomic(
      pathOf(folder, record.key),
      `{"version":${formatVersion},"record":${fullText(record)}}\n`,
      { mode: 0o600 },
    );

  /** Writes again what the disk had, when the folder was removed under us. */
  const restoreOthers = async (name: string): Promise<void> => {
    await fileSystem.makeFolder(folder, { mode: 0o700 });
    for (const [other, record] of saved) {
      // Whoever is being written is written anew by that; who comes later waits for this.
      if (other !== name && !writes.has(other)) await inTurn(other, () => writeFile(record));
    }
  };

  const write = async (name: string): Promise<void> => {
    // What came in while this waited is newer than what it was called with, and is written instead.
    const record = records.get(name);
    if (record === undefined) return;
    if (isDurablySame(saved.get(name), record)) return;
    try {
      try {
        await writeFile(record);
      } catch (error) {
        if ((error as { readonly code?: unknown } | null)?.code !== "ENOENT") throw error;
        await restoreOthers(name);
        await writeFile(record);
      }
    } catch (error) {
      throw new StageError("StorageOperationFailed", `Cannot save the state of "${name}"`, { cause: error });
    }
    saved.set(name, record);
  };

  return {
    get: (key) => records.get(keyText(key)),
    all: () => records.values(),
    async save(record) {
      const name = keyText(record.key);
      records.set(name, record);
      if (!writes.has(name) && isDurablySame(saved.get(name), record)) return;
      await inTurn(name, () => write(name));
    },
    async forget(key) {
      const name = keyText(key);
      const record = records.get(name);
      records.delete(name);
      try {
        await inTurn(name, async () => {
          if (!records.has(name)) await fileSystem.remove(pathOf(folder, key));
          saved.delete(name);
        });
      } catch (error) {
        if (record !== undefined && !records.has(name)) records.set(name, record);
        throw new StageError("StorageOperationFailed", `Cannot remove the state of "${name}"`, { cause: error });
      }
    },
  };
}

/** @throws {TypeError} for a file that is JSON and no record */
function refuseIncomplete(record: Partial<ObjectRecord> | undefined): void {
  const lists = [record?.conditions, record?.history, record?.children, record?.inventory?.entries];
  const texts = [record?.key?.kind, record?.key?.namespace, record?.key?.name];
  if (!lists.every(Array.isArray) || !texts.every((text) => typeof text === "string")) {
    throw new TypeError("Cannot read the record: fields are missing");
  }
}

function pathOf(folder: string, key: ObjectKey): string {
  return `${folder}/${objectFileName(key)}.json`;
}

function fullText(record: ObjectRecord): string {
  return canonicalJson(record as unknown as JsonValue);
}

/** Whether nothing that must not be lost differs: everything but the times and counters that move with each idle run. */
function isDurablySame(a: ObjectRecord | undefined, b: ObjectRecord): boolean {
  if (a === undefined || a.history.length !== b.history.length) return false;
  const { history, ...rest } = b;
  const { history: oldHistory, ...oldRest } = a;
  return jsonEqual(rest as unknown as JsonValue, oldRest as unknown as JsonValue) &&
    history.every((row, index) => jsonEqual(lasting(row), lasting(oldHistory[index])));
}

function lasting(row: HistoryRow | undefined): JsonObject | undefined {
  return row && { ...row, lastReconciled: "", lastDurationMs: 0, totalReconciliations: 0 };
}
