import type { FileInfo, FileSystem, OpenFile, PendingFile, WriteOptions } from "../../src/core/file_system.ts";
import { temporaryPrefix } from "../../src/core/file_system.ts";

/** What survives a crash of {@linkcode FaultyDisk}. */
export type CrashMode =
  /** Everything reached the disk: a killed process. */
  | "kept"
  /** Only what was synced: a power cut. */
  | "lost"
  /** Names as they were, bytes only as synced: the reordering that leaves empty files behind a rename. */
  | "torn";

/** What goes wrong, counted from the first changing step after {@linkcode FaultyDisk.arm}. */
export interface Fault {
  /** Number of the step that fails, from 1. */
  readonly at: number;
  readonly kind: "crash" | "ENOSPC" | "EIO" | "EROFS";
  /** Whether later steps fail too (a full disk stays full). A crash always stays. Default `false`. */
  readonly stays?: boolean;
}

/** Thrown by every step of a process that was killed. */
export class Killed extends Error {
  override readonly name = "Killed";
}

interface Inode {
  kind: FileInfo["kind"];
  data: Uint8Array;
  synced: Uint8Array;
  mode: number;
  modifiedAt: number;
  /** Of a folder: what a program sees, and what would be there after a power cut. */
  entries: Map<string, Inode>;
  syncedEntries: Map<string, Inode>;
}

const messages = {
  ENOSPC: "No space left on device (os error 28)",
  EIO: "Input/output error (os error 5)",
  EROFS: "Read-only file system (os error 30)",
} as const;

/**
 * A disk in memory that knows what was synced and what was only written. Every changing system call (open for writing,
 * write, sync, rename, remove, link, make a folder) is a step; at step N it fails as told or the process dies. After a
 * crash {@linkcode FaultyDisk.reboot} says what is still there.
 */
export class FaultyDisk {
  #root = inode("folder");
  #steps = 0;
  #fault: Fault | undefined;
  #dead = false;
  #names = 0;
  #locks = new Set<string>();
  /** Time written to files; moves by one millisecond per step. */
  now = Date.UTC(2026, 0, 1);

  /** Plans a fault and counts steps from zero. */
  arm(fault?: Fault): void {
    this.#fault = fault;
    this.#steps = 0;
  }

  /** Changing steps since {@linkcode FaultyDisk.arm}. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether the planned crash took place. */
  get isDead(): boolean {
    return this.#dead;
  }

  /** The machine starts again: locks are free, and what did not survive is gone. */
  reboot(mode: CrashMode): void {
    this.#dead = false;
    this.#fault = undefined;
    this.#locks.clear();
    if (mode === "kept") settle(this.#root, (node) => (node.synced = node.data));
    else if (mode === "lost") cut(this.#root, false);
    else cut(this.#root, true);
  }

  /** Flips one bit of a file, as bad hardware does. */
  damage(path: string, offset: number): void {
    const node = this.#find(path);
    if (node === undefined || node.data.length === 0) return;
    const data = node.data.slice();
    const place = offset % data.length;
    data[place] = (data[place] ?? 0) ^ 1;
    node.data = node.synced = data;
  }

  /** Paths of all files and links, sorted. */
  paths(): readonly string[] {
    const found: string[] = [];
    const visit = (folder: Inode, path: string) => {
      for (const [name, node] of folder.entries) {
        if (node.kind === "folder") visit(node, `${path}/${name}`);
        else found.push(`${path}/${name}`);
      }
    };
    visit(this.#root, "");
    return found.sort();
  }

  #step(): void {
    if (this.#dead) throw new Killed("The process was killed");
    this.#steps++;
    this.now++;
    const fault = this.#fault;
    if (fault === undefined) return;
    if (this.#steps !== fault.at && !(fault.stays === true && this.#steps > fault.at)) return;
    if (fault.kind === "crash") {
      this.#dead = true;
      throw new Killed(`The process was killed at step ${fault.at}`);
    }
    throw failure(fault.kind, messages[fault.kind]);
  }

  #look(): void {
    if (this.#dead) throw new Killed("The process was killed");
  }

  #find(path: string, follow = true, hops = 0): Inode | undefined {
    let node: Inode | undefined = this.#root;
    const parts = partsOf(path);
    for (const [index, part] of parts.entries()) {
      if (node?.kind !== "folder") return undefined;
      node = node.entries.get(part);
      if (node?.kind !== "link" || (!follow && index === parts.length - 1)) continue;
      if (hops > 16) throw failure("ELOOP", "Too many levels of symbolic links (os error 40)");
      const target = new TextDecoder().decode(node.data);
      const base = target.startsWith("/") ? "" : `/${parts.slice(0, index).join("/")}`;
      return this.#find(`${base}/${[target, ...parts.slice(index + 1)].join("/")}`, follow, hops + 1);
    }
    return node;
  }

  #folder(path: string): { readonly folder: Inode; readonly name: string } {
    const parts = partsOf(path);
    const folder = this.#find(parts.slice(0, -1).join("/"));
    if (folder?.kind !== "folder") throw failure("ENOENT", `No such file or directory (os error 2): '${path}'`);
    return { folder, name: parts.at(-1) ?? "" };
  }

  #rename(from: string, to: string): void {
    this.#step();
    const source = this.#folder(from);
    const node = source.folder.entries.get(source.name);
    if (node === undefined) throw failure("ENOENT", `No such file or directory (os error 2): '${from}'`);
    const target = this.#folder(to);
    const old = target.folder.entries.get(target.name);
    if (old?.kind === "folder" && node.kind !== "folder") {
      throw failure("EISDIR", `Is a directory (os error 21): '${to}'`);
    }
    if (old?.kind === "folder" && old.entries.size > 0) throw failure("ENOTEMPTY", `Directory not empty: '${to}'`);
    if (old !== undefined && old.kind !== "folder" && node.kind === "folder") {
      throw failure("ENOTDIR", `Not a directory (os error 20): '${to}'`);
    }
    source.folder.entries.delete(source.name);
    target.folder.entries.set(target.name, node);
  }

  #create(path: string, options: WriteOptions): PendingFile {
    this.#step();
    const { folder } = this.#folder(path);
    const temporary = `${temporaryPrefix}${++this.#names}`;
    const place = `${partsOf(path).slice(0, -1).join("/")}/${temporary}`;
    const node = inode("file", options.mode ?? 0o644);
    folder.entries.set(temporary, node);
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    let isDone = false;
    return {
      get sizeBytes() {
        return sizeBytes;
      },
      write: (chunk) => {
        this.#step();
        chunks.push(chunk.slice());
        sizeBytes += chunk.length;
        node.modifiedAt = this.now;
      },
      commit: async (target = path) => {
        node.data = joined(chunks);
        if (options.durable !== false) {
          this.#step();
          node.synced = node.data;
        }
        this.#rename(place, target);
        isDone = true;
        if (options.durable !== false) this.#syncFolder(folder);
      },
      [Symbol.asyncDispose]: async () => {
        if (isDone || this.#dead) return;
        isDone = true;
        // A full or broken disk still lets names go.
        folder.entries.delete(temporary);
      },
    };
  }

  #syncFolder(folder: Inode): void {
    this.#step();
    folder.syncedEntries = new Map(folder.entries);
  }

  #open(path: string): OpenFile | undefined {
    this.#look();
    const node = this.#find(path);
    if (node === undefined || node.kind === "folder") return undefined;
    const data = node.data;
    return {
      sizeBytes: data.length,
      readAt: (offset, length) => {
        this.#look();
        if (offset + length > data.length) throw new RangeError(`Cannot read ${length} bytes at ${offset}`);
        return data.slice(offset, offset + length);
      },
      [Symbol.dispose]: () => {},
    };
  }

  /** The disk as the program sees it. */
  readonly fileSystem: FileSystem = {
    stat: async (path) => {
      this.#look();
      const node = this.#find(path, false);
      if (node === undefined) return undefined;
      return { kind: node.kind, sizeBytes: node.data.length, mode: node.mode, modifiedAt: node.modifiedAt };
    },
    read: async (path) => {
      this.#look();
      const node = this.#find(path);
      if (node?.kind === "folder") throw failure("EISDIR", `Is a directory (os error 21): '${path}'`);
      return node?.data.slice();
    },
    readText: async (path) => {
      const data = await this.fileSystem.read(path);
      return data === undefined ? undefined : new TextDecoder().decode(data);
    },
    list: async (path) => {
      this.#look();
      const node = this.#find(path);
      if (node?.kind !== "folder") return undefined;
      return [...node.entries].map(([name, entry]) => ({ name, kind: entry.kind }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    writeAtomic: async (path, data, options) => {
      await using pending = this.#create(path, options ?? {});
      pending.write(typeof data === "string" ? new TextEncoder().encode(data) : data);
      await pending.commit();
    },
    writeNew: async (path, data, options) => {
      this.#step();
      const { folder, name } = this.#folder(path);
      if (folder.entries.has(name)) throw failure("EEXIST", `File exists (os error 17): '${path}'`);
      const node = inode("file", options?.mode ?? 0o644);
      folder.entries.set(name, node);
      this.#step();
      node.data = data.slice();
      node.modifiedAt = this.now;
      if (options?.durable === false) return;
      // The disk takes its time, and others go on meanwhile.
      await Promise.resolve();
      this.#step();
      node.synced = node.data;
    },
    create: async (path, options) => this.#create(path, options ?? {}),
    open: (path) => this.#open(path),
    rename: async (from, to) => this.#rename(from, to),
    remove: async (path, options) => {
      this.#look();
      const node = this.#find(path, false);
      if (node === undefined) return;
      const { folder, name } = this.#folder(path);
      if ((folder.mode & 0o200) === 0) throw failure("EACCES", `Permission denied (os error 13): '${path}'`);
      if (node.kind === "folder" && node.entries.size > 0) {
        if (options?.recursive !== true) throw failure("ENOTEMPTY", `Directory not empty (os error 39): '${path}'`);
        for (const inner of [...node.entries.keys()]) await this.fileSystem.remove(`${path}/${inner}`, options);
      }
      this.#step();
      folder.entries.delete(name);
    },
    makeFolder: async (path) => {
      const parts = partsOf(path);
      for (let count = 1; count <= parts.length; count++) {
        const prefix = parts.slice(0, count).join("/");
        const known = this.#find(prefix);
        if (known?.kind === "folder") continue;
        if (known !== undefined) throw failure("EEXIST", `File exists (os error 17): '${prefix}'`);
        this.#step();
        const { folder, name } = this.#folder(prefix);
        folder.entries.set(name, inode("folder", 0o755));
      }
    },
    link: async (target, path) => {
      this.#step();
      const { folder } = this.#folder(path);
      const temporary = `${temporaryPrefix}${++this.#names}`;
      const node = inode("link", 0o777);
      node.data = node.synced = new TextEncoder().encode(target);
      folder.entries.set(temporary, node);
      try {
        this.#rename(`${partsOf(path).slice(0, -1).join("/")}/${temporary}`, path);
      } catch (error) {
        if (!this.#dead) folder.entries.delete(temporary);
        throw error;
      }
    },
    readLink: async (path) => {
      this.#look();
      const node = this.#find(path, false);
      return node?.kind === "link" ? new TextDecoder().decode(node.data) : undefined;
    },
    setMode: async (path, mode) => {
      this.#step();
      const node = this.#find(path);
      if (node !== undefined) node.mode = mode;
    },
    setOwner: async () => this.#step(),
    syncFolder: async (path) => {
      this.#look();
      const node = this.#find(path);
      if (node?.kind !== "folder") throw failure("ENOENT", `No such file or directory (os error 2): '${path}'`);
      this.#syncFolder(node);
    },
    lock: async (path) => {
      this.#look();
      if (this.#locks.has(path)) return undefined;
      if (this.#find(path) === undefined) {
        this.#step();
        const { folder, name } = this.#folder(path);
        folder.entries.set(name, inode("file", 0o600));
      }
      this.#locks.add(path);
      return { [Symbol.dispose]: () => void this.#locks.delete(path) };
    },
    watch: () => {},
  };
}

function inode(kind: FileInfo["kind"], mode = 0o755): Inode {
  const empty = new Uint8Array(0);
  return { kind, data: empty, synced: empty, mode, modifiedAt: 0, entries: new Map(), syncedEntries: new Map() };
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

function settle(node: Inode, action: (node: Inode) => void): void {
  action(node);
  node.syncedEntries = new Map(node.entries);
  for (const entry of node.entries.values()) settle(entry, action);
}

/** Drops what was not synced; with `keepNames` only bytes are dropped. Folders themselves are taken as journalled. */
function cut(node: Inode, keepNames: boolean): void {
  node.data = node.synced;
  if (!keepNames) {
    const kept = new Map(node.syncedEntries);
    // A new folder's name is journalled by every file system we run on; only files' names get lost.
    for (const [name, entry] of node.entries) if (entry.kind === "folder" && !kept.has(name)) kept.set(name, entry);
    node.entries = kept;
  }
  node.syncedEntries = new Map(node.entries);
  for (const entry of node.entries.values()) cut(entry, keepNames);
}
