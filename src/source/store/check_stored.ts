import { digestStream, splitDigest } from "../../core/digest.ts";
import type { FileSystem } from "../../core/file_system.ts";
import { giveWayEvery } from "../give_way.ts";
import type { StoredFile } from "./store_files.ts";
import { checkPack } from "./tree_pack.ts";

/** Pieces in which files are read. */
const pieceBytes = 256 * 1024;
/** Bytes that are read before others get a turn. */
const turnBytes = 1024 * 1024;

/**
 * Reads a file of the store whole, giving way to other work, and says whether it is what its name says.
 *
 * @returns `undefined` when it is not there
 * @throws the signal's reason when it is aborted; whatever the disk throws
 */
export async function checkStored(
  fileSystem: FileSystem,
  stored: StoredFile,
  signal?: AbortSignal,
): Promise<{ readonly sizeBytes: number; readonly matches: boolean } | undefined> {
  using file = fileSystem.open(stored.path);
  if (file === undefined) return undefined;
  const { sizeBytes } = file;
  const takeTurns = giveWayEvery(turnBytes);
  const pause = async (bytes: number) => {
    await takeTurns(bytes);
    signal?.throwIfAborted();
  };
  if (stored.kind === "tree") return { sizeBytes, matches: await checkPack(file, stored.digest, pause) };
  const check = digestStream(splitDigest(stored.digest).algorithm);
  for (let at = 0; at < sizeBytes; at += pieceBytes) {
    check.update(file.readAt(at, Math.min(pieceBytes, sizeBytes - at)));
    await pause(pieceBytes);
  }
  return { sizeBytes, matches: check.digest() === stored.digest };
}
