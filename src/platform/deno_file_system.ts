import type { FileInfo, FileSystem, OpenFile, PendingFile, WriteOptions } from "../core/file_system.ts";
import { temporaryPrefix } from "../core/file_system.ts";
import { watchPaths } from "./watch_paths.ts";

/**
 * The host's disk. Errors are the runtime's own (`code` is `ENOSPC`, `EACCES`, …) and name the path; a missing path is
 * `undefined` or success wherever the contract says so. Nothing here follows a link that it removes or replaces.
 */
export const denoFileSystem: FileSystem = {
  // The kernel answers from memory: to ask on another thread costs twenty times the answer.
  stat: (path) => atOnce(() => infoOf(Deno.lstatSync(path))),
  read: (path) => orMissing(Deno.readFile(path)),
  readText: (path) => orMissing(Deno.readTextFile(path)),
  list: (path) => orMissing(listFolder(path)),
  writeAtomic: async (path, data, options) => {
    await using pending = openPending(path, options ?? {});
    pending.write(typeof data === "string" ? new TextEncoder().encode(data) : data);
    await pending.commit();
  },
  writeNew,
  create: async (path, options) => openPending(path, options ?? {}),
  open: openForReading,
  rename: (from, to) => Deno.rename(from, to),
  remove: async (path, options) => {
    await orMissing(Deno.remove(path, { recursive: options?.recursive === true }));
  },
  makeFolder: async (path, options) => {
    await Deno.mkdir(path, { recursive: true, ...(options?.mode === undefined ? {} : { mode: options.mode }) });
  },
  link: async (target, path) => {
    const temporary = temporaryName(path);
    await Deno.symlink(target, temporary);
    try {
      await Deno.rename(temporary, path);
    } catch (error) {
      await orMissing(Deno.remove(temporary));
      throw error;
    }
  },
  readLink: (path) => orMissing(readLink(path)),
  setMode: (path, mode) => Deno.chmod(path, mode),
  setOwner: async (path, owner) => {
    const { lchown } = await import("node:fs/promises");
    await lchown(path, owner.uid, owner.gid);
  },
  syncFolder,
  lock: takeLock,
  watch: watchPaths,
};

/**
 * The same disk for a command that has nothing else to do while it reads: files are read in place, which takes a tenth of
 * the time of another thread.
 */
export const waitingFileSystem: FileSystem = {
  ...denoFileSystem,
  read: (path) => atOnce(() => Deno.readFileSync(path)),
  readText: (path) => atOnce(() => Deno.readTextFileSync(path)),
  list: (path) => atOnce(() => sortedEntries([...Deno.readDirSync(path)])),
};

/** Bytes that are written before their buffers are given back: half a millisecond of collection for each. */
const relievedBytes = 4 * 1024 * 1024;

// A link that leads to itself and a name that no disk can hold lead to nothing either.
const missing = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"]);

function isMissing(error: unknown): boolean {
  return missing.has((error as { readonly code?: string }).code ?? "");
}

/** What was done already, as a promise; `undefined` as in {@linkcode orMissing}. */
function atOnce<Value>(work: () => Value): Promise<Value | undefined> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return isMissing(error) ? Promise.resolve(undefined) : Promise.reject(error);
  }
}

/** `undefined` where the error says that there is nothing at the path. */
async function orMissing<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function infoOf(info: Deno.FileInfo): FileInfo {
  return {
    kind: kindOf(info),
    sizeBytes: info.size,
    mode: (info.mode ?? 0) & 0o7777,
    modifiedAt: info.mtime?.getTime() ?? 0,
  };
}

function kindOf(entry: Pick<Deno.DirEntry, "isFile" | "isDirectory" | "isSymlink">): FileInfo["kind"] {
  return entry.isSymlink ? "link" : entry.isFile ? "file" : entry.isDirectory ? "folder" : "other";
}

type Entry = { readonly name: string; readonly kind: FileInfo["kind"] };

async function listFolder(path: string): Promise<readonly Entry[]> {
  const entries: Deno.DirEntry[] = [];
  for await (const entry of Deno.readDir(path)) entries.push(entry);
  return sortedEntries(entries);
}

function sortedEntries(entries: readonly Deno.DirEntry[]): readonly Entry[] {
  return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Target of a link; `undefined` also for what is no link, so that a caller need not look first. */
async function readLink(path: string): Promise<string | undefined> {
  try {
    return await Deno.readLink(path);
  } catch (error) {
    if ((error as { readonly code?: string }).code === "EINVAL") return undefined;
    throw error;
  }
}

let temporaryCount = 0;

/** A name beside `path` that no other write of this or another process uses. */
function temporaryName(path: string): string {
  const chance = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return `${folderOf(path)}/${temporaryPrefix}${Deno.pid}-${++temporaryCount}-${chance.toString(36)}`;
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/." : path.slice(0, slash);
}

/** Bytes written since the buffers that held them were last given back. */
let written = 0;

/**
 * Gives the buffers of a long write back now and then (with `--expose-gc`). They weigh nothing in the engine's heap, so by
 * itself it lets tens of megabytes of them gather while a layer streams to the disk.
 */
function relieve(bytes: number): void {
  written += bytes;
  if (written < relievedBytes) return;
  written = 0;
  const { gc } = globalThis as { gc?: (options: object) => void };
  gc?.({ type: "minor", execution: "sync" });
}

function openPending(path: string, options: WriteOptions): PendingFile {
  const temporary = temporaryName(path);
  const file = Deno.openSync(temporary, { write: true, createNew: true, mode: options.mode ?? 0o644 });
  let sizeBytes = 0;
  let state: "open" | "closed" | "committed" = "open";
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    write(chunk) {
      for (let done = 0; done < chunk.length;) done += file.writeSync(done === 0 ? chunk : chunk.subarray(done));
      sizeBytes += chunk.length;
      relieve(chunk.length);
    },
    async commit(place = path) {
      try {
        if (options.owner !== undefined) await Deno.chown(temporary, options.owner.uid, options.owner.gid);
        // The mode of the open call passes the process's umask: one that was asked for is set exactly.
        if (options.mode !== undefined) await Deno.chmod(temporary, options.mode);
        if (options.durable !== false) await file.sync();
      } finally {
        state = "closed";
        file.close();
      }
      await Deno.rename(temporary, place);
      state = "committed";
      if (options.durable !== false) await syncFolder(folderOf(place));
    },
    async [Symbol.asyncDispose]() {
      if (state === "open") file.close();
      if (state !== "committed") await orMissing(Deno.remove(temporary));
      state = "committed";
    },
  };
}

function writeNew(path: string, data: Uint8Array, options: WriteOptions = {}): Promise<void> {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { write: true, createNew: true, mode: options.mode ?? 0o644 });
  } catch (error) {
    return Promise.reject(error);
  }
  return fill(file, path, data, options);
}

/** Writes, owns, modes and syncs a new file, and closes it. */
async function fill(file: Deno.FsFile, path: string, data: Uint8Array, options: WriteOptions): Promise<void> {
  using _ = file;
  for (let rest = data; rest.length > 0;) rest = rest.subarray(file.writeSync(rest));
  if (options.owner !== undefined) await Deno.chown(path, options.owner.uid, options.owner.gid);
  if (options.mode !== undefined) await Deno.chmod(path, options.mode);
  if (options.durable !== false) await file.sync();
}

function openForReading(path: string): OpenFile | undefined {
  let file: Deno.FsFile;
  try {
    // To open a pipe waits for its writer, with everything else: what is no file is not opened at all.
    if (!Deno.statSync(path).isFile) return undefined;
    file = Deno.openSync(path, { read: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const sizeBytes = file.statSync().size;
  return {
    sizeBytes,
    readAt(offset, length) {
      const bytes = new Uint8Array(length);
      file.seekSync(offset, Deno.SeekMode.Start);
      for (let done = 0; done < length;) {
        const count = file.readSync(done === 0 ? bytes : bytes.subarray(done));
        if (count === null) {
          throw new RangeError(
            `Cannot read ${length} bytes at ${offset} of "${path}": the file ends at ${offset + done}`,
          );
        }
        done += count;
      }
      return bytes;
    },
    [Symbol.dispose]() {
      file.close();
    },
  };
}

async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path, { read: true });
  await folder.sync();
}

/**
 * An advisory lock of the whole file (flock): the system drops it with the process, so none is ever stale. The holder's
 * process id stands in the file, for people.
 */
async function takeLock(path: string): Promise<Disposable | undefined> {
  const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  try {
    if (!await file.tryLock(true)) {
      file.close();
      return undefined;
    }
    if ((await file.stat()).ino !== (await Deno.stat(path)).ino) {
      // Somebody removed the file between our open and our lock: what we hold guards nothing.
      file.close();
      return await takeLock(path);
    }
    await file.truncate();
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    [Symbol.dispose]() {
      file.close();
    },
  };
}
