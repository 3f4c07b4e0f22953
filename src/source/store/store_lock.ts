import type { FileSystem } from "../../core/file_system.ts";
import type { Log } from "../../core/log.ts";
import { StageError } from "../../core/stage_error.ts";
import { prepareStore, type StorePaths } from "./store_files.ts";

/** The lock of a store: one process at a time writes it. Given back when disposed of, or when the process ends. */
export interface StoreLock extends Disposable {
  /**
   * Does work that writes, again when the store's folders were removed under us: they are made and locked anew first.
   *
   * @throws {StageError} StorageOperationFailed when another process has taken the store since; whatever the work throws
   */
  write<Value>(work: () => Promise<Value>): Promise<Value>;
}

/** Takes the lock of a store whose folder is there. @throws {StageError} StorageOperationFailed when another process has it */
export async function lockStore(
  paths: StorePaths,
  { fileSystem, log }: { readonly fileSystem: FileSystem; readonly log: Log },
): Promise<StoreLock> {
  const take = async () => {
    const taken = await fileSystem.lock(paths.lock);
    if (taken === undefined) throw await lockedError(fileSystem, paths);
    return taken;
  };
  let held = await take();
  /** Whether the lock's file was removed: what we hold then guards nothing, and nothing is written until it is taken anew. */
  let isLost = false;
  const takeAnew = async () => {
    isLost ||= await fileSystem.stat(paths.lock) === undefined;
    if (!isLost) return;
    held[Symbol.dispose]();
    held = await take();
    isLost = false;
  };
  return {
    async write(work) {
      try {
        if (isLost) await takeAnew();
        return await work();
      } catch (error) {
        if ((error as { readonly code?: unknown } | null)?.code !== "ENOENT") throw error;
        log.warn("The store's folders are gone; they are made anew", { path: paths.root });
        await prepareStore(fileSystem, paths);
        await takeAnew();
        return await work();
      }
    },
    [Symbol.dispose]: () => held[Symbol.dispose](),
  };
}

async function lockedError(fileSystem: FileSystem, paths: StorePaths): Promise<StageError> {
  const holder = (await fileSystem.readText(paths.lock))?.trim() ?? "";
  const who = /^[0-9]+$/.test(holder) ? `process ${holder}` : "another process";
  return new StageError("StorageOperationFailed", `Cannot open store "${paths.root}": ${who} is using it`, {
    hint: "Stop the other process, or give this one a store folder of its own",
  });
}
