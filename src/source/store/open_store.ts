import { Buffer } from "node:buffer";
import type { Artifact, ArtifactRecipe } from "../../core/artifact.ts";
import type { Descriptor } from "../../core/descriptor.ts";
import { mediaTypes } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import { digestOf, digestStream, shortDigest, splitDigest } from "../../core/digest.ts";
import type { FileSystem, PendingFile } from "../../core/file_system.ts";
import type { OpenFileTree } from "../../core/file_tree.ts";
import { canonicalJson, isJsonObject } from "../../core/json.ts";
import { StageError } from "../../core/stage_error.ts";
import { giveWayEvery } from "../give_way.ts";
import { SharedWork } from "../shared_work.ts";
import { unpackLayer } from "../unpack.ts";
import { checkedBlob } from "./checked_blob.ts";
import { checkStored } from "./check_stored.ts";
import { collectFiles } from "./collect_files.ts";
import { PinIndex } from "./pin_index.ts";
import { neededFiles, type PinRecord, withPins } from "./pins.ts";
import { RecentFiles } from "./recent_files.ts";
import type { PendingBlob, ScrubResult, Store, StoreOptions } from "./store.ts";
import {
  checkFormat,
  listStored,
  prepareStore,
  sizesOf,
  storageError,
  type StorePaths,
  storePaths,
  sweepTemporaries,
} from "./store_files.ts";
import { lockStore, type StoreLock } from "./store_lock.ts";
import { openPack, type PackListing, packWriter, readListing } from "./tree_pack.ts";

/** Codes that say that the disk does not take what is written. */
const writeFaults = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM"]);
/** Pieces in which blobs are read. */
const chunkBytes = 256 * 1024;
/** Bytes that are read before others get a turn. */
const turnBytes = 1024 * 1024;
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
  let lock: StoreLock | undefined;
  try {
    if (options.access !== "read") {
      await fileSystem.makeFolder(root, { mode: 0o700 });
      lock = await lockStore(paths, options);
    }
    await checkFormat(fileSystem, paths);
    if (options.access !== "read") {
      await sweepTemporaries(fileSystem, paths, log);
      await prepareStore(fileSystem, paths);
    }
    const text = await fileSystem.readText(paths.index);
    const store = new ContentStore(paths, options, { lock, index: text });
    await store.lookAtPins();
    return store;
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw storageError(error, "open what is kept", root);
  }
}

class ContentStore implements Store {
  readonly path: string;
  readonly #paths: StorePaths;
  readonly #options: StoreOptions;
  readonly #fileSystem: FileSystem;
  /** Absent in a store that is open for reading. */
  readonly #lock: StoreLock | undefined;
  readonly #index: PinIndex;
  readonly #recent: RecentFiles;
  readonly #sizes = new Map<Digest, number>();
  /** Trees of blob artifacts that were opened, by layer. */
  readonly #treesOfBlobs = new Map<Digest, Digest>();
  /** Listing of the tree that was opened last: one that is wanted is mostly wanted several times in a row. */
  #lastListing: { readonly digest: Digest; readonly listing: WeakRef<PackListing> } | undefined;
  /** Trees being made, by recipe: all who want one at the same time make one. */
  readonly #making = new SharedWork<{ readonly digest: Digest; readonly fileCount: number }>();
  /** Bytes in the store, as last counted plus what was added. */
  #usedBytes: number | undefined;
  #needsRoom = false;
  #fault: string | undefined;

  constructor(
    paths: StorePaths,
    options: StoreOptions,
    opened: { readonly lock: StoreLock | undefined; readonly index: string | undefined },
  ) {
    this.path = paths.root;
    this.#paths = paths;
    this.#options = options;
    this.#fileSystem = options.fileSystem;
    this.#lock = opened.lock;
    this.#recent = new RecentFiles(options.clock);
    this.#index = new PinIndex(opened.index, async (text) => {
      await this.#write(() => this.#fileSystem.writeAtomic(paths.index, text));
      this.#fault = undefined;
    });
    if (this.#index.isDamaged) {
      options.log.warn("The store's index is damaged; nothing is collected until the next start", {
        path: paths.index,
      });
    }
    this.#learnSizes(this.#index.records);
  }

  /** Looks at the size of everything pinned and drops what is damaged. */
  async lookAtPins(): Promise<void> {
    const wanted = new Map<string, number>();
    for (const digest of neededFiles(this.#index.records).blobs) {
      const size = this.#sizes.get(digest);
      if (size !== undefined) wanted.set(this.#paths.blob(digest), size);
    }
    for (const [path, size] of await sizesOf(this.#fileSystem, [...wanted.keys()])) {
      if (size !== wanted.get(path)) await this.#dropDamaged(path);
    }
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
      this.#recent.touch(path);
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
        this.#recent.touch(path);
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
      this.#recent.touch(path);
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
      this.#recent.touch(path);
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
        this.#recent.touch(this.#paths.blob(digest));
      }
      if (content.kind === "blob" || recipe !== undefined) return true;
      return await this.#fileSystem.stat(this.#paths.tree(content.digest)) !== undefined;
    });
  }

  kept(owner: string): readonly Artifact[] {
    return this.#index.of(owner).map((record) => record.artifact);
  }

  // Writing

  async createBlob(descriptor: Descriptor): Promise<PendingBlob> {
    return await this.#guard("keep a blob", async () => {
      this.#mustWrite();
      await this.#makeRoom(descriptor);
      const file = await this.#create(this.#paths.blob(descriptor.digest));
      return checkedBlob(descriptor, file, {
        failed: (error) => this.#failed(error, "keep a blob"),
        kept: () => {
          this.#fault = undefined;
          this.#sizes.set(descriptor.digest, descriptor.size);
          this.#recent.touch(this.#paths.blob(descriptor.digest));
          if (this.#usedBytes !== undefined) this.#usedBytes += descriptor.size;
        },
      });
    });
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
    signal: AbortSignal = new AbortController().signal,
  ): Promise<{ readonly digest: Digest; readonly fileCount: number }> {
    const key = `${recipe.layer.digest} ${canonicalJson({ ...recipe.ignore })}`;
    const make = (shared: AbortSignal) => this.#makeTree(recipe, shared);
    return await this.#guard("make a tree", () => this.#making.run(key, signal, make));
  }

  async #makeTree(recipe: ArtifactRecipe, signal: AbortSignal) {
    this.#mustWrite();
    const pass = async (only?: ReadonlySet<string>) => {
      // Its digest, and so its name, is known at the end only.
      await using file = await this.#create(`${this.#paths.trees}/unnamed`);
      const writer = packWriter(file);
      const unpacked = await unpackLayer(this.blobChunks(recipe.layer.digest), writer, {
        ignore: recipe.ignore,
        ...(this.#options.unpackLimits === undefined ? {} : { limits: this.#options.unpackLimits }),
        signal,
        ...(only === undefined ? {} : { only }),
      });
      const isWasteful = unpacked.wastedBytes > wasteBytes && unpacked.wastedBytes * 4 > writer.contentBytes;
      if (only === undefined && isWasteful) return unpacked.contentPaths;
      const digest = await writer.finish(unpacked.files);
      const path = this.#paths.tree(digest);
      this.#recent.touch(path);
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
      const state = await checkStored(this.#fileSystem, { kind: "blob", digest: recipe.layer.digest, path }, signal);
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
      this.#learnSizes(pinned);
      await this.#index.keepOf(owner, withPins(this.#index.records, owner, pinned, this.#options.history));
    });
  }

  async unpin(owner: string): Promise<void> {
    await this.#guard("forget an owner", async () => {
      this.#mustWrite();
      await this.#index.keepOf(owner, this.#index.records.filter((record) => record.owner !== owner));
    });
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

  // Collection

  async collect(): Promise<{ readonly removed: number; readonly freedBytes: number }> {
    return await this.#guard("collect what nobody needs", async () => {
      this.#mustWrite();
      return await this.#collect(0);
    });
  }

  /** Removes what is not needed, and history until `wantedBytes` more fit. Of a damaged index nothing may be concluded. */
  async #collect(wantedBytes: number): Promise<{ readonly removed: number; readonly freedBytes: number }> {
    if (this.#index.isDamaged) return { removed: 0, freedBytes: 0 };
    const { removed, freedBytes, usedBytes } = await collectFiles({
      fileSystem: this.#fileSystem,
      log: this.#options.log,
      paths: this.#paths,
      index: this.#index,
      recent: this.#recent,
      maxSizeBytes: this.#options.maxSizeBytes,
    }, wantedBytes);
    for (const file of removed) this.#sizes.delete(file.digest);
    this.#usedBytes = usedBytes;
    if (removed.length > 0) this.#fault = undefined;
    return { removed: removed.length, freedBytes };
  }

  async #makeRoom(descriptor: Descriptor): Promise<void> {
    const { maxSizeBytes } = this.#options;
    if (this.#usedBytes === undefined || this.#needsRoom || this.#usedBytes + descriptor.size > maxSizeBytes) {
      if (this.#index.isDamaged) return;
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
        const isGood = await checkStored(this.#fileSystem, stored, signal);
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

  /** Removes a damaged file, so that everybody sees that it is not there. */
  async #dropDamaged(path: string): Promise<void> {
    this.#options.log.warn("A file of the store is damaged", { path });
    if (this.#options.access !== "read") await this.#fileSystem.remove(path);
  }

  // Shared

  async close(): Promise<void> {
    await this.#index.settle();
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
    return this.#write(() => this.#fileSystem.create(path, { mode: 0o444 }));
  }

  #write<Value>(work: () => Promise<Value>): Promise<Value> {
    return this.#lock === undefined ? work() : this.#lock.write(work);
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
