import { Buffer } from "node:buffer";
import type { Artifact, ArtifactRecipe } from "../../core/artifact.ts";
import type { Descriptor } from "../../core/descriptor.ts";
import { mediaTypes } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import { digestOf, digestStream, shortDigest, splitDigest } from "../../core/digest.ts";
import type { FileSystem, PendingFile } from "../../core/file_system.ts";
import type { OpenFileTree } from "../../core/file_tree.ts";
import type { JsonObject } from "../../core/json.ts";
import { canonicalJson, isJsonObject } from "../../core/json.ts";
import { StageError } from "../../core/stage_error.ts";
import { unpackLayer } from "../unpack.ts";
import { giveWayEvery } from "../give_way.ts";
import { parseLayoutIndex, printLayoutIndex } from "./layout_index.ts";
import { type NeededFiles, neededFiles, type PinRecord, withLessHistory, withPins } from "./pins.ts";
import type { PendingBlob, ScrubResult, Store, StoreOptions } from "./store.ts";
import {
  checkFormat,
  listStored,
  prepareStore,
  storageError,
  type StoredFile,
  type StorePaths,
  storePaths,
  sweepTemporaries,
} from "./store_files.ts";
import { checkPack, openPack, type PackListing, packWriter, readListing } from "./tree_pack.ts";

/** Codes that say that the disk does not take what is written. */
const writeFaults = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM"]);
/** How long a file that was touched is safe from collection without a pin. */
const graceMs = 10 * 60_000;
/** Pieces in which blobs are read. */
const chunkBytes = 256 * 1024;
/** Bytes that are read before others get a turn. */
const turnBytes = 1024 * 1024;
/** Files looked at together. */
const lookTogether = 32;
/** A pack is written again without what is ignored when that is more than this many bytes, and more than a quarter. */
const wasteBytes = 1024 * 1024;

/**
 * Opens the store in a folder, and makes it where there is none. Files that a crash left unfinished are removed, sizes of
 * all that is pinned are looked at, and what has the wrong size is dropped, so that it is pulled again.
 *
 * @throws {StageError} StorageOperationFailed when another process has it open, a newer version wrote it, or the disk fails
 */
export async function openStore(path: string, options: StoreOptions): Promise<Store> {
  const root = path.replace(/(?<=.)\/+$/, "");
  const paths = storePaths(root);
  const { fileSystem, log } = options;
  let lock: Disposable | undefined;
  try {
    if (options.access !== "read") {
      await fileSystem.makeFolder(root, { mode: 0o700 });
      lock = await fileSystem.lock(paths.lock);
      if (lock === undefined) throw await lockedError(fileSystem, paths);
    }
    await checkFormat(fileSystem, paths);
    if (options.access !== "read") {
      await sweepTemporaries(fileSystem, paths, log);
      await prepareStore(fileSystem, paths);
    }
    const text = await fileSystem.readText(paths.index);
    const store = new ContentStore(paths, options, lock, text);
    await store.lookAtPins();
    return store;
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw storageError(error, "open what is kept", root);
  }
}

async function lockedError(fileSystem: FileSystem, paths: StorePaths): Promise<StageError> {
  const holder = (await fileSystem.readText(paths.lock))?.trim() ?? "";
  const who = /^[0-9]+$/.test(holder) ? `process ${holder}` : "another process";
  return new StageError("StorageOperationFailed", `Cannot open store "${paths.root}": ${who} is using it`, {
    hint: "Stop the other process, or give this one a store folder of its own",
  });
}

class ContentStore implements Store {
  readonly path: string;
  readonly #paths: StorePaths;
  readonly #options: StoreOptions;
  readonly #fileSystem: FileSystem;
  #lock: Disposable | undefined;
  /** Whether the lock's file was removed and another process has taken the store since: nothing is written then. */
  #isLockLost = false;
  #records: readonly PinRecord[];
  /** What `index.json` on disk says: never collected, even while a save fails. */
  #saved: readonly PinRecord[];
  readonly #foreign: readonly JsonObject[];
  readonly #isIndexDamaged: boolean;
  #queuedSave: Promise<void> | undefined;
  #runningSave: Promise<void> = Promise.resolve();
  readonly #sizes = new Map<Digest, number>();
  /** When a file was last touched, by its path, on the monotonic clock. */
  readonly #touched = new Map<string, number>();
  /** Trees of blob artifacts that were opened, by layer. */
  readonly #treesOfBlobs = new Map<Digest, Digest>();
  /** Listing of the tree that was opened last: one that is wanted is mostly wanted several times in a row. */
  #lastListing: { readonly digest: Digest; readonly listing: WeakRef<PackListing> } | undefined;
  /** Trees being made, by recipe: two consumers make one. */
  readonly #making = new Map<string, Promise<{ readonly digest: Digest; readonly fileCount: number }>>();
  /** Bytes in the store, as last counted plus what was added. */
  #usedBytes: number | undefined;
  /** Text of each record in the index, so that a new pin prints one. */
  readonly #entryTexts = new WeakMap<PinRecord, string>();
  #needsRoom = false;
  #fault: string | undefined;
  readonly #needed = new WeakMap<readonly PinRecord[], NeededFiles>();

  constructor(paths: StorePaths, options: StoreOptions, lock: Disposable | undefined, index: string | undefined) {
    const parsed = index === undefined ? { records: [], foreign: [], isDamaged: false } : parseLayoutIndex(index);
    this.path = paths.root;
    this.#paths = paths;
    this.#options = options;
    this.#fileSystem = options.fileSystem;
    this.#lock = lock;
    this.#records = this.#saved = parsed.records;
    this.#foreign = parsed.foreign;
    this.#isIndexDamaged = parsed.isDamaged;
    if (parsed.isDamaged) {
      options.log.warn("The store's index is damaged; nothing is collected until the next start", {
        path: paths.index,
      });
    }
    this.#learnSizes(parsed.records);
  }

  /** Looks at the size of everything pinned and drops what is damaged. */
  async lookAtPins(): Promise<void> {
    const digests = [...neededFiles(this.#records).blobs].filter((digest) => this.#sizes.has(digest));
    await inGroups(digests, async (digest) => {
      const info = await this.#fileSystem.stat(this.#paths.blob(digest));
      if (info === undefined || info.sizeBytes === this.#sizes.get(digest)) return;
      await this.#dropDamaged(this.#paths.blob(digest));
    });
  }

  get usedBytes(): number | undefined {
    return this.#usedBytes;
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  // Reading

  async openTree(artifact: Artifact): Promise<OpenFileTree> {
    return await this.#guard("open a tree", async () => {
      const { content } = artifact;
      const digest = content.kind === "tree" ? content.digest : await this.#treeOfBlob(content.descriptor);
      const tree = await this.#openPack(digest);
      if (tree !== undefined) return tree;
      if (artifact.recipe === undefined) throw this.#lost(`tree ${digest}`);
      const made = await this.makeTree(artifact.recipe);
      if (made.digest !== digest) {
        throw new StageError(
          "StorageOperationFailed",
          `Cannot open tree ${digest}: made again from its layer it is ${made.digest}`,
          { hint: "Reconcile its source, which then pulls it anew" },
        );
      }
      const again = await this.#openPack(digest);
      if (again === undefined) throw this.#lost(`tree ${digest}`);
      return again;
    });
  }

  /** The archive in a blob (a chart that was pulled with `copy`) as a tree; the pack is kept as long as it is in use. */
  async #treeOfBlob(layer: Descriptor): Promise<Digest> {
    const known = this.#treesOfBlobs.get(layer.digest);
    if (known !== undefined) return known;
    const made = await this.makeTree({ layer, operation: "extract", ignore: { kind: "none" } });
    this.#treesOfBlobs.set(layer.digest, made.digest);
    return made.digest;
  }

  async #openPack(digest: Digest): Promise<OpenFileTree | undefined> {
    const path = this.#paths.tree(digest);
    const file = this.#fileSystem.open(path);
    if (file === undefined) return undefined;
    let listing = this.#lastListing?.digest === digest ? this.#lastListing.listing.deref() : undefined;
    try {
      listing ??= readListing(file, digest);
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
    if (listing !== undefined) {
      this.#lastListing = { digest, listing: new WeakRef(listing) };
      this.#touch(path);
      return openPack(file, listing, () => void this.#dropDamaged(path).catch(() => {}));
    }
    file[Symbol.dispose]();
    await this.#dropDamaged(path);
    return undefined;
  }

  async readBlob(digest: Digest): Promise<Uint8Array> {
    return await this.#guard("read a blob", async () => {
      const path = this.#paths.blob(digest);
      const bytes = await this.#fileSystem.read(path);
      if (bytes === undefined) throw this.#lost(`blob ${digest}`);
      const check = digestStream(splitDigest(digest).algorithm);
      check.update(bytes);
      if (check.digest() === digest) {
        this.#touch(path);
        return bytes;
      }
      await this.#dropDamaged(path);
      throw this.#lost(`blob ${digest}`);
    });
  }

  async *blobChunks(digest: Digest): AsyncGenerator<Uint8Array> {
    const path = this.#paths.blob(digest);
    try {
      using file = this.#fileSystem.open(path);
      if (file === undefined) throw this.#lost(`blob ${digest}`);
      this.#touch(path);
      const check = digestStream(splitDigest(digest).algorithm);
      const takeTurns = giveWayEvery(turnBytes);
      for (let at = 0; at < file.sizeBytes;) {
        const chunk = file.readAt(at, Math.min(chunkBytes, file.sizeBytes - at));
        check.update(chunk);
        at += chunk.length;
        if (at < file.sizeBytes) {
          yield chunk;
          await takeTurns(chunk.length);
        } else if (check.digest() === digest) return yield chunk;
      }
      if (file.sizeBytes === 0 && check.digest() === digest) return;
      await this.#dropDamaged(path);
      throw this.#lost(`blob ${digest}`);
    } catch (error) {
      throw storageError(error, "read a blob", this.path);
    }
  }

  async hasBlob(descriptor: Descriptor): Promise<boolean> {
    return await this.#guard("look at a blob", async () => {
      const path = this.#paths.blob(descriptor.digest);
      const info = await this.#fileSystem.stat(path);
      if (info?.kind !== "file" || info.sizeBytes !== descriptor.size) return false;
      this.#sizes.set(descriptor.digest, descriptor.size);
      this.#touch(path);
      return true;
    });
  }

  async has(artifact: Artifact): Promise<boolean> {
    return await this.#guard("look at an artifact", async () => {
      const { content, recipe } = artifact;
      const digests = new Set([artifact.digest, ...artifact.blobs]);
      if (content.kind === "blob") digests.add(content.descriptor.digest);
      if (recipe !== undefined) digests.add(recipe.layer.digest);
      for (const digest of digests) {
        const info = await this.#fileSystem.stat(this.#paths.blob(digest));
        const size = recipe?.layer.digest === digest ? recipe.layer.size : this.#sizes.get(digest);
        if (info?.kind !== "file" || (size !== undefined && info.sizeBytes !== size)) return false;
        this.#touch(this.#paths.blob(digest));
      }
      if (content.kind === "blob" || recipe !== undefined) return true;
      return await this.#fileSystem.stat(this.#paths.tree(content.digest)) !== undefined;
    });
  }

  kept(owner: string): readonly Artifact[] {
    return this.#records.filter((record) => record.owner === owner).map((record) => record.artifact);
  }

  // Writing

  async createBlob(descriptor: Descriptor): Promise<PendingBlob> {
    return await this.#guard("keep a blob", async () => {
      this.#mustWrite();
      await this.#makeRoom(descriptor);
      const file = await this.#create(this.#paths.blob(descriptor.digest));
      return this.#pendingBlob(descriptor, file);
    });
  }

  #pendingBlob(descriptor: Descriptor, file: PendingFile): PendingBlob {
    const check = digestStream(splitDigest(descriptor.digest).algorithm);
    return {
      get sizeBytes() {
        return file.sizeBytes;
      },
      write: (chunk) => {
        if (file.sizeBytes + chunk.length > descriptor.size) {
          throw mismatch(descriptor, `there are more than ${descriptor.size} bytes`);
        }
        check.update(chunk);
        try {
          file.write(chunk);
        } catch (error) {
          throw this.#failed(error, "keep a blob");
        }
      },
      commit: async () => {
        if (file.sizeBytes !== descriptor.size) {
          throw mismatch(descriptor, `there are ${file.sizeBytes} bytes, wanted are ${descriptor.size}`);
        }
        const found = check.digest();
        if (found !== descriptor.digest) throw mismatch(descriptor, `its digest is ${found}`);
        await this.#guard("keep a blob", () => file.commit());
        this.#fault = undefined;
        this.#sizes.set(descriptor.digest, descriptor.size);
        this.#touch(this.#paths.blob(descriptor.digest));
        if (this.#usedBytes !== undefined) this.#usedBytes += descriptor.size;
      },
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    };
  }

  async putBlob(bytes: Uint8Array, expected?: Digest): Promise<Digest> {
    const digest = expected ?? digestOf(bytes);
    const descriptor = { mediaType: "", digest, size: bytes.length };
    if (await this.hasBlob(descriptor)) return digest;
    await using blob = await this.createBlob(descriptor);
    blob.write(bytes);
    await blob.commit();
    return digest;
  }

  async makeTree(
    recipe: ArtifactRecipe,
    signal?: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly fileCount: number }> {
    const key = `${recipe.layer.digest} ${canonicalJson({ ...recipe.ignore })}`;
    const running = this.#making.get(key);
    if (running !== undefined && signal === undefined) return await running;
    const making = this.#guard("make a tree", () => this.#makeTree(recipe, signal));
    this.#making.set(key, making);
    try {
      return await making;
    } finally {
      if (this.#making.get(key) === making) this.#making.delete(key);
    }
  }

  async #makeTree(recipe: ArtifactRecipe, signal: AbortSignal | undefined) {
    this.#mustWrite();
    const pass = async (only?: ReadonlySet<string>) => {
      // Its digest, and so its name, is known at the end only.
      await using file = await this.#create(`${this.#paths.trees}/unnamed`);
      const writer = packWriter(file);
      const unpacked = await unpackLayer(this.blobChunks(recipe.layer.digest), writer, {
        ignore: recipe.ignore,
        ...(this.#options.unpackLimits === undefined ? {} : { limits: this.#options.unpackLimits }),
        ...(signal === undefined ? {} : { signal }),
        ...(only === undefined ? {} : { only }),
      });
      const isWasteful = unpacked.wastedBytes > wasteBytes && unpacked.wastedBytes * 4 > writer.contentBytes;
      if (only === undefined && isWasteful) return unpacked.contentPaths;
      const digest = await writer.finish(unpacked.files);
      const path = this.#paths.tree(digest);
      this.#touch(path);
      await file.commit(path);
      if (this.#usedBytes !== undefined) this.#usedBytes += file.sizeBytes;
      if (unpacked.skippedLinks > 0) {
        this.#options.log.debug("Passed over symbolic links of a layer", {
          layer: recipe.layer.digest,
          count: unpacked.skippedLinks,
        });
      }
      return { digest, fileCount: unpacked.files.length };
    };
    try {
      const first = await pass();
      if ("digest" in first) return first;
      const second = await pass(first);
      if ("digest" in second) return second;
    } catch (error) {
      // An archive that reads badly may be one that rotted on our disk.
      if (!(error instanceof StageError) || error.reason !== "OCIArtifactLayerOperationFailed") throw error;
      const path = this.#paths.blob(recipe.layer.digest);
      const state = await this.#isGood({ kind: "blob", digest: recipe.layer.digest, path }, signal);
      if (state === undefined || state.matches) throw error;
      await this.#dropDamaged(path);
    }
    throw this.#lost(`blob ${recipe.layer.digest}`);
  }

  // Pins

  async pin(owner: string, artifacts: readonly Artifact[]): Promise<void> {
    await this.#guard("pin an artifact", async () => {
      this.#mustWrite();
      const pinned: PinRecord[] = [];
      for (const artifact of artifacts) pinned.push(await this.#recordOf(owner, artifact));
      await this.#keep(withPins(this.#records, owner, pinned, this.#options.history), owner);
    });
  }

  async unpin(owner: string): Promise<void> {
    await this.#guard("forget an owner", async () => {
      this.#mustWrite();
      if (this.kept(owner).length === 0 && this.#saved === this.#records) return;
      await this.#keep(this.#records.filter((record) => record.owner !== owner), owner);
    });
  }

  async #keep(next: readonly PinRecord[], owner: string): Promise<void> {
    const text = (records: readonly PinRecord[]) => JSON.stringify(records.filter((record) => record.owner === owner));
    const isSame = text(next) === text(this.#records);
    if (isSame && this.#saved === this.#records) return;
    if (!isSame) this.#records = next;
    this.#learnSizes(this.#records);
    await this.#save();
  }

  async #recordOf(owner: string, artifact: Artifact): Promise<PinRecord> {
    if (!await this.has(artifact)) throw this.#lost(`artifact ${artifact.revision} of ${artifact.url}`);
    const sizes: Record<Digest, number> = {};
    for (
      const digest of neededFiles([{ owner, isPinned: true, artifact, manifest: noManifest(artifact), sizes }]).blobs
    ) {
      const info = await this.#fileSystem.stat(this.#paths.blob(digest));
      if (info !== undefined) sizes[digest] = info.sizeBytes;
    }
    const bytes = await this.readBlob(artifact.digest);
    const manifest = { mediaType: mediaTypeOf(bytes), digest: artifact.digest, size: bytes.length };
    return { owner, isPinned: true, artifact, manifest, sizes };
  }

  /** Saves pins; calls that come while a save runs share the next one. */
  #save(): Promise<void> {
    this.#queuedSave ??= this.#runningSave.catch(() => {}).then(() => {
      this.#queuedSave = undefined;
      this.#runningSave = this.#writeIndex();
      return this.#runningSave;
    });
    return this.#queuedSave;
  }

  async #writeIndex(): Promise<void> {
    const records = this.#records;
    const text = printLayoutIndex({ records, foreign: this.#foreign }, this.#entryTexts);
    await this.#again(() => this.#fileSystem.writeAtomic(this.#paths.index, text));
    this.#saved = records;
    this.#fault = undefined;
  }

  // Collection

  async collect(): Promise<{ readonly removed: number; readonly freedBytes: number }> {
    return await this.#guard("collect what nobody needs", async () => {
      this.#mustWrite();
      if (this.#isIndexDamaged) return { removed: 0, freedBytes: 0 };
      return await this.#collect(0);
    });
  }

  /** Removes what is not needed, and history until `wantedBytes` more fit. */
  async #collect(wantedBytes: number): Promise<{ readonly removed: number; readonly freedBytes: number }> {
    const stored = await listStored(this.#fileSystem, this.#paths);
    const sizes = new Map<StoredFile, number>();
    await inGroups(stored, async (file) => {
      const info = await this.#fileSystem.stat(file.path);
      if (info !== undefined) sizes.set(file, info.sizeBytes);
    });
    const sum = (files: Iterable<StoredFile>) => {
      let bytes = 0;
      for (const file of files) bytes += sizes.get(file) ?? 0;
      return bytes;
    };
    const foreign = await this.#foreignBlobs();
    const isNamedBy = (records: readonly PinRecord[]) => {
      const needed = this.#neededBy(records);
      return (file: StoredFile) => (file.kind === "blob" ? needed.blobs : needed.trees).has(file.digest);
    };
    // What was just pulled and is not pinned yet counts; history that was just replaced does not.
    const isNamed = isNamedBy(this.#records);
    const fixed = new Set(
      stored.filter((file) => foreign.has(file.digest) || (this.#isRecent(file.path) && !isNamed(file))),
    );
    const limit = this.#options.maxSizeBytes - wantedBytes;
    const trimmed = withLessHistory(this.#records, (records) => {
      const named = isNamedBy(records);
      return sum(stored.filter((file) => named(file) || fixed.has(file))) <= limit;
    });
    if (trimmed !== this.#records) {
      this.#records = trimmed;
      await this.#save();
    }
    const removed: StoredFile[] = [];
    for (const file of stored) {
      // Asked anew for each: somebody may pin or want it while others are removed.
      const kept = fixed.has(file) || this.#isRecent(file.path) || isNamedBy(this.#saved)(file);
      if (kept || isNamedBy(this.#records)(file)) continue;
      await this.#fileSystem.remove(file.path);
      removed.push(file);
    }
    for (const path of [...this.#touched.keys()]) this.#isRecent(path);
    for (const file of removed) this.#sizes.delete(file.digest);
    const freedBytes = sum(removed);
    this.#usedBytes = sum(stored) - freedBytes;
    if (removed.length > 0) {
      this.#fault = undefined;
      this.#options.log.info("Collected what nobody needs", { removed: removed.length, freedBytes });
    }
    if (this.#usedBytes > this.#options.maxSizeBytes) {
      this.#options.log.warn("The store is larger than allowed, and all of it is needed", {
        usedBytes: this.#usedBytes,
        maxSizeBytes: this.#options.maxSizeBytes,
      });
    }
    return { removed: removed.length, freedBytes };
  }

  /** {@linkcode neededFiles}, kept for as long as the records are the same. */
  #neededBy(records: readonly PinRecord[]): NeededFiles {
    const known = this.#needed.get(records) ?? neededFiles(records);
    this.#needed.set(records, known);
    return known;
  }

  /** Blobs that entries of other programs reach: manifests and, one level down, what they name. */
  async #foreignBlobs(): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    const queue = this.#foreign.map((entry) => entry.digest);
    for (let digest = queue.pop(); queue.length > 0 || digest !== undefined; digest = queue.pop()) {
      if (typeof digest !== "string" || found.has(digest)) continue;
      found.add(digest);
      const path = this.#paths.blob(digest as Digest);
      const info = await this.#fileSystem.stat(path);
      if (info === undefined || info.sizeBytes > 4 * 1024 ** 2) continue;
      queue.push(...digestsIn(await this.#fileSystem.readText(path) ?? ""));
    }
    return found;
  }

  async #makeRoom(descriptor: Descriptor): Promise<void> {
    const { maxSizeBytes } = this.#options;
    if (this.#usedBytes === undefined || this.#needsRoom || this.#usedBytes + descriptor.size > maxSizeBytes) {
      if (this.#isIndexDamaged) return;
      await this.#collect(descriptor.size);
      this.#needsRoom = false;
    }
    const used = this.#usedBytes ?? 0;
    if (used + descriptor.size <= maxSizeBytes) return;
    throw new StageError(
      "StorageOperationFailed",
      `Cannot keep blob ${
        shortDigest(descriptor.digest)
      }: store "${this.path}" has ${used} bytes in use, ${descriptor.size} more pass the ${maxSizeBytes} allowed`,
      { hint: "Raise spec.store.maxSize, or remove objects that are not needed" },
    );
  }

  // Checks

  async scrub(signal?: AbortSignal): Promise<ScrubResult> {
    return await this.#guard("scrub", async () => {
      let checkedFiles = 0;
      let checkedBytes = 0;
      const damaged: string[] = [];
      for (const stored of await listStored(this.#fileSystem, this.#paths)) {
        signal?.throwIfAborted();
        const isGood = await this.#isGood(stored, signal);
        if (isGood === undefined) continue;
        checkedFiles++;
        checkedBytes += isGood.sizeBytes;
        if (isGood.matches) continue;
        damaged.push(stored.path.slice(this.path.length + 1));
        if (this.#options.access !== "read") await this.#dropDamaged(stored.path);
      }
      return { checkedFiles, checkedBytes, damaged };
    });
  }

  async #isGood(stored: StoredFile, signal: AbortSignal | undefined) {
    using file = this.#fileSystem.open(stored.path);
    if (file === undefined) return undefined;
    const takeTurns = giveWayEvery(turnBytes);
    const pause = async (bytes: number) => {
      await takeTurns(bytes);
      signal?.throwIfAborted();
    };
    if (stored.kind === "tree") {
      return { sizeBytes: file.sizeBytes, matches: await checkPack(file, stored.digest, pause) };
    }
    const check = digestStream(splitDigest(stored.digest).algorithm);
    for (let at = 0; at < file.sizeBytes; at += chunkBytes) {
      check.update(file.readAt(at, Math.min(chunkBytes, file.sizeBytes - at)));
      await pause(chunkBytes);
    }
    return { sizeBytes: file.sizeBytes, matches: check.digest() === stored.digest };
  }

  /** Removes a damaged file, so that everybody sees that it is not there. */
  async #dropDamaged(path: string): Promise<void> {
    this.#options.log.warn("A file of the store is damaged", { path });
    if (this.#options.access !== "read") await this.#fileSystem.remove(path);
  }

  // Shared

  async close(): Promise<void> {
    await this.#queuedSave?.catch(() => {});
    await this.#runningSave.catch(() => {});
    this.#lock?.[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #mustWrite(): void {
    if (this.#options.access !== "read") return;
    throw new StageError("StorageOperationFailed", `Cannot change store "${this.path}": it is open for reading only`, {
      hint: "Let the daemon that runs on this store do it",
    });
  }

  #create(path: string): Promise<PendingFile> {
    return this.#again(() => this.#fileSystem.create(path, { mode: 0o444 }));
  }

  /** Does something again when the store's folders were removed under us: they are made anew. */
  async #again<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      if (this.#isLockLost) await this.#lockAnew();
      return await work();
    } catch (error) {
      if ((error as { readonly code?: unknown } | null)?.code !== "ENOENT") throw error;
      this.#options.log.warn("The store's folders are gone; they are made anew", { path: this.path });
      await prepareStore(this.#fileSystem, this.#paths);
      await this.#lockAnew();
      return await work();
    }
  }

  /** Takes the lock again when its file went with the folders: what we hold then guards nothing. @throws when another has it */
  async #lockAnew(): Promise<void> {
    this.#isLockLost ||= this.#lock !== undefined && await this.#fileSystem.stat(this.#paths.lock) === undefined;
    if (!this.#isLockLost) return;
    this.#lock?.[Symbol.dispose]();
    this.#lock = await this.#fileSystem.lock(this.#paths.lock);
    if (this.#lock === undefined) throw await lockedError(this.#fileSystem, this.#paths);
    this.#isLockLost = false;
  }

  async #guard<Value>(action: string, work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      throw this.#failed(error, action);
    }
  }

  #failed(error: unknown, action: string): unknown {
    const { code } = error as { readonly code?: unknown };
    if (code === "ENOSPC" || code === "EDQUOT") this.#needsRoom = true;
    const told = storageError(error, action, this.path);
    if (typeof code === "string" && writeFaults.has(code) && told instanceof StageError) this.#fault = told.message;
    return told;
  }

  #lost(what: string): StageError {
    return new StageError(
      "StorageOperationFailed",
      `Cannot read ${what}: store "${this.path}" does not have it undamaged`,
      {
        hint: "Reconcile its source, which then pulls it again",
      },
    );
  }

  #learnSizes(records: readonly PinRecord[]): void {
    for (const record of records) {
      for (const [digest, size] of Object.entries(record.sizes)) this.#sizes.set(digest as Digest, size);
    }
  }

  #touch(path: string): void {
    this.#touched.set(path, this.#options.clock.monotonic());
  }

  #isRecent(path: string): boolean {
    const at = this.#touched.get(path);
    if (at === undefined) return false;
    if (this.#options.clock.monotonic() - at < graceMs) return true;
    this.#touched.delete(path);
    return false;
  }
}

function mismatch(descriptor: Descriptor, why: string): StageError {
  return new StageError("OCIArtifactPullFailed", `Cannot keep blob ${descriptor.digest}: ${why}`, {
    hint: "The registry or a proxy before it changes content; push the artifact again or pull it from elsewhere",
  });
}

function noManifest(artifact: Artifact): Descriptor {
  return { mediaType: "", digest: artifact.digest, size: 0 };
}

/** Media type of a manifest's bytes, as it says itself or by its shape. */
function mediaTypeOf(bytes: Uint8Array): string {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
    if (!isJsonObject(value)) return mediaTypes.manifest;
    if (typeof value.mediaType === "string" && value.mediaType !== "") return value.mediaType;
    return value.manifests === undefined ? mediaTypes.manifest : mediaTypes.index;
  } catch {
    return mediaTypes.manifest;
  }
}

/** Digests that a text names, wherever. */
function digestsIn(text: string): readonly string[] {
  return text.match(/sha256:[0-9a-f]{64}/g) ?? [];
}

async function inGroups<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += lookTogether) {
    await Promise.all(items.slice(at, at + lookTogether).map(work));
  }
}
