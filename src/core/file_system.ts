/** What is known of a path without opening it. Links are not followed. */
export interface FileInfo {
  readonly kind: "file" | "folder" | "link" | "other";
  readonly sizeBytes: number;
  /** Permission bits, for example `0o644`. */
  readonly mode: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** A file open for reading at any offset. Synchronous: builds are pure functions over trees. */
export interface OpenFile extends Disposable {
  readonly sizeBytes: number;
  /** Bytes from `offset`, `length` of them. @throws {RangeError} when the file is shorter */
  readAt(offset: number, length: number): Uint8Array;
}

/** A file that is being written beside its final place and appears there whole or not at all. */
export interface PendingFile extends AsyncDisposable {
  /** Bytes written so far. */
  readonly sizeBytes: number;
  /** Appends. Synchronous on purpose: awaiting a write per chunk costs two thirds of the throughput. */
  write(chunk: Uint8Array): void;
  /**
   * Syncs, then renames to the final place (made read-only where `mode` says so), then syncs the folder. `path`: a final
   * place in the same folder that was not known at the start, for a name by digest.
   */
  commit(path?: string): Promise<void>;
}

/** Options of a write. */
export interface WriteOptions {
  /** Permission bits; default `0o644`. */
  readonly mode?: number;
  /** `uid:gid`; unchanged where absent. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** `false` skips the sync to disk: only for what can be made again. Default `true`. */
  readonly durable?: boolean;
}

/** The disk, as everything but `src/platform` sees it. Paths are absolute or relative to the working folder. A missing path is `undefined`, never an error, where a method can say so. */
export interface FileSystem {
  stat(path: string): Promise<FileInfo | undefined>;
  /** Bytes of a file (links followed); `undefined` when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  readText(path: string): Promise<string | undefined>;
  /** Names in a folder, sorted; `undefined` when there is none. */
  list(path: string): Promise<readonly { readonly name: string; readonly kind: FileInfo["kind"] }[] | undefined>;
  /** Writes a whole file: temporary file beside it, sync, rename, sync of the folder. */
  writeAtomic(path: string, data: Uint8Array | string, options?: WriteOptions): Promise<void>;
  /**
   * Writes a new file at its place itself and syncs its bytes; its name is durable with {@linkcode FileSystem.syncFolder}.
   * For files of a folder that nobody looks at before it is complete: a fraction of the syncs of `writeAtomic`.
   *
   * @throws when something is there
   */
  writeNew(path: string, data: Uint8Array, options?: WriteOptions): Promise<void>;
  /** Starts a file that arrives in pieces. Its temporary name starts with {@linkcode temporaryPrefix}. */
  create(path: string, options?: WriteOptions): Promise<PendingFile>;
  /** Opens for positional reading (links followed); `undefined` when there is no regular file. */
  open(path: string): OpenFile | undefined;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, link or empty folder; what is gone already is success. `recursive` for whole folders (links are removed, never followed). */
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<void>;
  /** Makes a folder and its parents. */
  makeFolder(path: string, options?: { readonly mode?: number }): Promise<void>;
  /** Makes or replaces a symbolic link atomically. */
  link(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string | undefined>;
  setMode(path: string, mode: number): Promise<void>;
  setOwner(path: string, owner: { readonly uid: number; readonly gid: number }): Promise<void>;
  /** Makes names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  /** Takes an exclusive lock on a file (made if missing) that dies with the process; `undefined` when somebody holds it. */
  lock(path: string): Promise<Disposable | undefined>;
  /** Calls back on any change at or below the paths until `signal` is aborted; changes may be joined. */
  watch(paths: readonly string[], onChange: () => void, signal: AbortSignal): void;
}

/** Start of the names of unfinished files, so that a start can remove what a crash left. */
export const temporaryPrefix = ".pilotfish-tmp-";
