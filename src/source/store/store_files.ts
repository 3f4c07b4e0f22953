import type { Digest } from "../../core/digest.ts";
import { isDigest, splitDigest } from "../../core/digest.ts";
import type { FileSystem } from "../../core/file_system.ts";
import { temporaryPrefix } from "../../core/file_system.ts";
import type { Log } from "../../core/log.ts";
import { messageOf, StageError } from "../../core/stage_error.ts";

/** Version of what this program writes beside the OCI layout. */
const storeFormat = 1;

/** Where things stand in a store. */
export interface StorePaths {
  readonly root: string;
  readonly layout: string;
  readonly index: string;
  /** Our own format version. */
  readonly format: string;
  readonly lock: string;
  readonly trees: string;
  /** Folders that must be there. */
  readonly folders: readonly string[];
  blob(digest: Digest): string;
  tree(digest: Digest): string;
}

/** Paths of the store in a folder. */
export function storePaths(root: string): StorePaths {
  const trees = `${root}/trees`;
  return {
    root,
    layout: `${root}/oci-layout`,
    index: `${root}/index.json`,
    format: `${root}/pilotfish.json`,
    lock: `${root}/.lock`,
    trees,
    folders: [`${root}/blobs/sha256`, `${root}/blobs/sha512`, trees],
    blob: (digest) => {
      const { algorithm, hex } = splitDigest(digest);
      return `${root}/blobs/${algorithm}/${hex}`;
    },
    tree: (digest) => `${trees}/${splitDigest(digest).hex}.pack`,
  };
}

/** One file of the store whose name is a digest. */
export interface StoredFile {
  readonly kind: "blob" | "tree";
  readonly digest: Digest;
  readonly path: string;
}

/** Blobs and packs that stand in a store. Names that are no digest are foreign and left out. */
export async function listStored(fileSystem: FileSystem, paths: StorePaths): Promise<readonly StoredFile[]> {
  const found: StoredFile[] = [];
  for (const algorithm of ["sha256", "sha512"]) {
    for (const { name, kind } of await fileSystem.list(`${paths.root}/blobs/${algorithm}`) ?? []) {
      const digest = `${algorithm}:${name}`;
      if (kind === "file" && isDigest(digest)) found.push({ kind: "blob", digest, path: paths.blob(digest) });
    }
  }
  for (const { name, kind } of await fileSystem.list(paths.trees) ?? []) {
    const digest = name.endsWith(".pack") ? `sha256:${name.slice(0, -".pack".length)}` : "";
    if (kind === "file" && isDigest(digest)) found.push({ kind: "tree", digest, path: paths.tree(digest) });
  }
  return found;
}

/** Files looked at together. */
const lookTogether = 32;

/** Sizes of files in bytes, by path, of those that are there. */
export async function sizesOf(
  fileSystem: FileSystem,
  files: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (let at = 0; at < files.length; at += lookTogether) {
    await Promise.all(
      files.slice(at, at + lookTogether).map(async (path) => {
        const info = await fileSystem.stat(path);
        if (info !== undefined) sizes.set(path, info.sizeBytes);
      }),
    );
  }
  return sizes;
}

/** Makes the folders and fixed files of a store where they are missing. */
export async function prepareStore(fileSystem: FileSystem, paths: StorePaths): Promise<void> {
  for (const folder of paths.folders) {
    if (await fileSystem.stat(folder) === undefined) await fileSystem.makeFolder(folder, { mode: 0o700 });
  }
  // The layout file comes last: a folder that has it is complete.
  if (await fileSystem.stat(paths.format) === undefined) {
    await fileSystem.writeAtomic(paths.format, `${JSON.stringify({ format: storeFormat })}\n`);
  }
  if (await fileSystem.stat(paths.layout) === undefined) {
    await fileSystem.writeAtomic(paths.layout, `${JSON.stringify({ imageLayoutVersion: "1.0.0" })}\n`);
    await fileSystem.syncFolder(`${paths.root}/blobs`);
    await fileSystem.syncFolder(paths.root);
  }
}

/**
 * Refuses a store that a newer version wrote.
 *
 * @throws {StageError} StorageOperationFailed
 */
export async function checkFormat(fileSystem: FileSystem, paths: StorePaths): Promise<void> {
  for (
    const [path, field, known] of [[paths.format, "format", storeFormat], [
      paths.layout,
      "imageLayoutVersion",
      "1.0.0",
    ]] as const
  ) {
    const text = await fileSystem.readText(path);
    if (text === undefined) continue;
    let found: unknown;
    try {
      found = (JSON.parse(text) as { readonly [key: string]: unknown } | null)?.[field];
    } catch (cause) {
      throw new StageError("StorageOperationFailed", `Cannot open store "${paths.root}": "${path}" is damaged`, {
        cause,
        hint: "Remove this file; the store is checked and goes on",
      });
    }
    if (found !== known) {
      throw new StageError(
        "StorageOperationFailed",
        `Cannot open store "${paths.root}": its ${field} is ${JSON.stringify(found)}, this version knows ${
          JSON.stringify(known)
        }`,
        { hint: "Run the version that wrote it, or name another folder" },
      );
    }
  }
}

/** Removes what a crash left unfinished. Only for the holder of the lock. */
export async function sweepTemporaries(fileSystem: FileSystem, paths: StorePaths, log: Log): Promise<void> {
  for (const folder of [paths.root, ...paths.folders]) {
    for (const { name, kind } of await fileSystem.list(folder) ?? []) {
      if (!name.startsWith(temporaryPrefix) || kind === "folder") continue;
      await fileSystem.remove(`${folder}/${name}`);
      log.debug("Removed an unfinished file of the store", { path: `${folder}/${name}` });
    }
  }
}

/** An error of the disk as one of ours; errors of ours and a caller's abort stay as they are. */
export function storageError(error: unknown, action: string, root: string): unknown {
  if (error instanceof StageError) return error;
  if (error instanceof Error && error.name === "AbortError") return error;
  return new StageError("StorageOperationFailed", `Cannot ${action} in store "${root}": ${messageOf(error)}`, {
    cause: error,
    ...hintFor((error as { readonly code?: unknown } | null)?.code),
  });
}

function hintFor(code: unknown): { readonly hint?: string } {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return { hint: "The disk of the store is full: free space, or lower spec.store.maxSize" };
    case "EROFS":
      return { hint: "The disk of the store is mounted read-only: mount it writable" };
    case "EACCES":
    case "EPERM":
      return { hint: "Let the user that Pilotfish runs as write to the store folder" };
    default:
      return {};
  }
}
