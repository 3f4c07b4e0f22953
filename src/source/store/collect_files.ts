import type { Digest } from "../../core/digest.ts";
import { isDigest } from "../../core/digest.ts";
import type { FileSystem } from "../../core/file_system.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Log } from "../../core/log.ts";
import { manifestLimitBytes } from "../manifest_document.ts";
import type { PinIndex } from "./pin_index.ts";
import { withLessHistory } from "./pins.ts";
import type { RecentFiles } from "./recent_files.ts";
import { listStored, sizesOf, type StoredFile, type StorePaths } from "./store_files.ts";

/** What a collection works on. */
export interface CollectedStore {
  readonly fileSystem: FileSystem;
  readonly log: Log;
  readonly paths: StorePaths;
  readonly index: PinIndex;
  readonly recent: RecentFiles;
  /** Bytes that blobs and trees may have together. */
  readonly maxSizeBytes: number;
}

/** What a collection did. */
export interface Collected {
  readonly removed: readonly StoredFile[];
  readonly freedBytes: number;
  /** Bytes of what stayed. */
  readonly usedBytes: number;
}

/**
 * Removes what nobody needs from a store, and history, oldest first, until `wantedBytes` more fit. Never removed: what is
 * pinned, what the index on disk names, what was just touched, and what entries of other programs reach.
 *
 * @throws whatever the disk throws
 */
export async function collectFiles(store: CollectedStore, wantedBytes: number): Promise<Collected> {
  const { fileSystem, index, recent, log, maxSizeBytes } = store;
  const stored = await listStored(fileSystem, store.paths);
  const sizes = await sizesOf(fileSystem, stored.map((file) => file.path));
  const sum = (files: readonly StoredFile[]) => files.reduce((bytes, file) => bytes + (sizes.get(file.path) ?? 0), 0);

  const foreign = await foreignBlobs(store);
  const isPinned = index.isNeededBy();
  // What was just pulled and is not pinned yet counts; history that was just replaced does not.
  const fixed = new Set(
    stored.filter((file) => foreign.has(file.digest) || (recent.has(file.path) && !isPinned(file))),
  );
  const trimmed = withLessHistory(index.records, (records) => {
    const isNeeded = index.isNeededBy(records);
    return sum(stored.filter((file) => isNeeded(file) || fixed.has(file))) <= maxSizeBytes - wantedBytes;
  });
  // A save that failed is not repeated here: a full disk would keep itself from being freed.
  if (trimmed !== index.records) await index.keep(trimmed);

  const removed: StoredFile[] = [];
  for (const file of stored) {
    // Asked anew for each: somebody may pin or want it while others are removed.
    if (fixed.has(file) || recent.has(file.path) || index.isNeeded(file)) continue;
    await fileSystem.remove(file.path);
    removed.push(file);
  }
  recent.forgetOld();
  const freedBytes = sum(removed);
  const usedBytes = sum(stored) - freedBytes;
  if (removed.length > 0) log.info("Collected what nobody needs", { removed: removed.length, freedBytes });
  if (usedBytes > maxSizeBytes) {
    log.warn("The store is larger than allowed, and all of it is needed", { usedBytes, maxSizeBytes });
  }
  return { removed, freedBytes, usedBytes };
}

/** Blobs that entries of other programs reach: what they name, what that names, and so on. */
async function foreignBlobs({ fileSystem, index, paths }: CollectedStore): Promise<ReadonlySet<Digest>> {
  const found = new Set<Digest>();
  const queue = index.foreign.flatMap(digestIn);
  for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
    if (found.has(digest)) continue;
    found.add(digest);
    const path = paths.blob(digest);
    const info = await fileSystem.stat(path);
    if (info === undefined || info.sizeBytes > manifestLimitBytes) continue;
    queue.push(...((await fileSystem.readText(path) ?? "").match(/sha256:[0-9a-f]{64}/g) ?? []) as Digest[]);
  }
  return found;
}

function digestIn({ digest }: JsonObject): readonly Digest[] {
  return typeof digest === "string" && isDigest(digest) ? [digest] : [];
}
