/**
 * The store: everything that was pulled, by digest, in an ordinary OCI image layout.
 * In: blobs as they arrive, recipes for trees, and who needs what. Out: bytes and trees that were checked. May fail:
 * StageError StorageOperationFailed (the disk, a damaged or missing file), ReadOperationFailed (a file of a tree).
 * Opened by `app` with `openStore`; written by sources, read by `reconcile`.
 *
 * @module
 */
import type { Artifact, ArtifactRecipe, ArtifactStore } from "../../core/artifact.ts";
import type { Clock } from "../../core/clock.ts";
import type { Descriptor } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import type { FileSystem } from "../../core/file_system.ts";
import type { Log } from "../../core/log.ts";
import type { UnpackLimits } from "../unpack.ts";

/** What a store is opened with. */
export interface StoreOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes that blobs and trees may have together. History goes first; what is pinned is never removed. */
  readonly maxSizeBytes: number;
  /** Artifacts kept for each owner, the pinned ones counted. At least 1. */
  readonly history: number;
  /** `read`: beside a running daemon; takes no lock, changes nothing. Default `write`. */
  readonly access?: "read" | "write";
  /** Bounds of layers that are unpacked. */
  readonly unpackLimits?: Partial<UnpackLimits>;
}

/** A blob that is being written. Given up unless it is committed. */
export interface PendingBlob extends AsyncDisposable {
  /** Bytes written so far. */
  readonly sizeBytes: number;
  /** @throws {StageError} OCIArtifactPullFailed when there are more bytes than the descriptor says; StorageOperationFailed */
  write(chunk: Uint8Array): void;
  /** Puts the blob in its place. @throws {StageError} OCIArtifactPullFailed when size or digest differ; StorageOperationFailed */
  commit(): Promise<void>;
}

/** What a scrub found. */
export interface ScrubResult {
  readonly checkedFiles: number;
  readonly checkedBytes: number;
  /** Damaged files, relative to the store; they are removed, so that they are pulled or made again. */
  readonly damaged: readonly string[];
}

/**
 * The store with its side for sources. What was written, found or opened in the last ten minutes is not collected, so
 * that nothing vanishes between a pull and its pin.
 */
export interface Store extends ArtifactStore, AsyncDisposable {
  /** Folder of the store. */
  readonly path: string;
  /** Bytes of blobs and trees; `undefined` until they were counted first (by a pull or a collection). */
  readonly usedBytes: number | undefined;
  /** Why the last write failed; `undefined` once a write has worked again. */
  readonly fault: string | undefined;
  /** Whether a blob is there with the right size. */
  hasBlob(descriptor: Descriptor): Promise<boolean>;
  /** Starts a blob. @throws {StageError} StorageOperationFailed when it cannot fit into `maxSizeBytes` */
  createBlob(descriptor: Descriptor): Promise<PendingBlob>;
  /** Keeps a small blob, for example a manifest. @returns its digest; with `expected` it must be that one */
  putBlob(bytes: Uint8Array, expected?: Digest): Promise<Digest>;
  /** A blob in pieces; the last one comes only after the whole was checked. @throws {StageError} StorageOperationFailed */
  blobChunks(digest: Digest): AsyncIterable<Uint8Array>;
  /** Makes the tree of a layer that is in the store. @throws {StageError} OCIArtifactLayerOperationFailed, StorageOperationFailed */
  makeTree(
    recipe: ArtifactRecipe,
    signal?: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly fileCount: number }>;
  /** What is kept for an owner: what it pinned, then history, newest first. */
  kept(owner: string): readonly Artifact[];
  /** Reads every byte. Takes its time and gives way to other work. */
  scrub(signal?: AbortSignal): Promise<ScrubResult>;
  /** Waits for what is being written and gives the lock back. */
  close(): Promise<void>;
}
