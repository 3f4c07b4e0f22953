/**
 * Room `source`, door of what holds artifacts: one repository of a registry, or one OCI layout in a folder. Both answer
 * the same verbs, so everything above them (sources, copy, push, inspect) is written once.
 * In: a tag or digest. Out: descriptors, and bytes that are checked against their digest. May fail: StageError
 * AuthenticationFailed or OCIArtifactPullFailed (layouts: ReadOperationFailed, StorageOperationFailed).
 * Opened with `RegistryClient.repository` (registry/registry_client.ts) or `openLayout` (layout/layout_source.ts).
 *
 * @module
 */
import type { Descriptor } from "../core/descriptor.ts";
import type { Digest, DigestStream } from "../core/digest.ts";

/** What every long call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** What a caller knows already of a reference. */
export interface KnownContent {
  readonly digest: Digest;
  /** The opaque tag that came with it; absent when it was not kept. */
  readonly etag?: string;
}

/** Answer of a look at a reference. */
export type Resolved =
  | {
    readonly kind: "found";
    /** Of the manifest or index that the reference names. `mediaType` is never empty. */
    readonly descriptor: Descriptor;
    /** For the next look; opaque. */
    readonly etag?: string;
    /** The content, checked, when the look had to fetch it anyway (no `Docker-Content-Digest` in the answer). */
    readonly content?: Uint8Array;
  }
  | { readonly kind: "unchanged" };

/** A manifest or index, byte for byte, checked against its digest, its size limit and its own media type. */
export interface ManifestContent {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Options of {@linkcode OciSource.blob}. */
export interface BlobOptions extends CallOptions {
  /**
   * Go on after bytes that are already there. `digest` has been fed exactly the first `offset` bytes and goes on being
   * fed, so that the whole content is checked.
   */
  readonly resume?: { readonly offset: number; readonly digest: DigestStream };
}

/** Reads one repository. */
export interface OciSource {
  /** For people: `ghcr.io/org/app`, `oci-layout:///srv/app`; never with credentials. */
  readonly name: string;
  /**
   * What a tag or digest names. With `ifNoneMatch` the answer is `unchanged` when that is still the same content. One
   * request where nothing changed.
   *
   * @throws {StageError} OCIArtifactPullFailed when there is no such tag; {@linkcode isMissing} tells it from other faults
   */
  resolve(
    reference: string,
    options?: CallOptions & { readonly ifNoneMatch?: KnownContent },
  ): Promise<Resolved>;
  /**
   * A manifest by its digest: at most 4 MiB, hashed as received, refused when its `mediaType` is not the one announced or
   * when it has both `manifests` and `layers`.
   */
  manifest(digest: Digest, options?: CallOptions): Promise<ManifestContent>;
  /**
   * Content of a blob. Digest and size are checked while it streams: the stream fails as soon as it is longer than
   * `descriptor.size`, and at its end when it is shorter or has another digest. A cut transfer goes on where it stopped.
   * Bytes already read must not be used before the stream has ended well.
   */
  blob(descriptor: Descriptor, options?: BlobOptions): Promise<ReadableStream<Uint8Array>>;
  /** All tags, each once, sorted by code unit. A repository that is not there is an error; one without tags is empty. */
  tags(options?: CallOptions): Promise<readonly string[]>;
  /**
   * Manifests whose `subject` is `digest`, as the repository says: not authenticated, so look at the `subject` of each
   * before use. None is an empty list; an error is never "none".
   */
  referrers(
    digest: Digest,
    options?: CallOptions & { readonly artifactType?: string },
  ): Promise<readonly Descriptor[]>;
}

/** A blob's content, as often as it is asked for (a transfer may have to start again), from any offset. */
export type BlobContent = (offset: number) => ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>;

/** What became of a blob that was to be written. */
export type PushOutcome = "pushed" | "mounted" | "exists";

/** Options of {@linkcode OciDestination.pushBlob}. */
export interface PushBlobOptions extends CallOptions {
  /** Repository of the same registry that has the blob: it is mounted from there instead of sent, where that is possible. */
  readonly mountFrom?: OciSource;
  /** Bytes sent so far of this blob. */
  readonly onProgress?: (sentBytes: number) => void;
}

/** Reads and writes one repository. Nothing here deletes. */
export interface OciDestination extends OciSource {
  /** Whether a blob is there. */
  hasBlob(descriptor: Descriptor, options?: CallOptions): Promise<boolean>;
  /** Brings a blob in, unless it is there. @throws {StageError} when the content does not match `descriptor` */
  pushBlob(descriptor: Descriptor, content: BlobContent, options?: PushBlobOptions): Promise<PushOutcome>;
  /** Tries to take a blob over from another repository of the same registry without sending it; `false` when it could not. */
  mountBlob(descriptor: Descriptor, from: OciSource, options?: CallOptions): Promise<boolean>;
  /**
   * Writes a manifest or index, byte for byte, under its digest and, with `tag`, under that tag. One with a `subject` is
   * also put on the list of referrers, by ourselves where the registry does not do it.
   */
  pushManifest(
    manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
    options?: CallOptions & { readonly tag?: string },
  ): Promise<Descriptor>;
  /** Lets a tag name content that is there. */
  tag(digest: Digest, tag: string, options?: CallOptions): Promise<void>;
}

/** Cause of the error for content that is certainly not there (not: unreachable, or hidden by a login). */
export class ContentMissing extends Error {
  override readonly name = "ContentMissing";
}

/** Whether an error says that the tag, manifest, blob or repository is not there. */
export function isMissing(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof ContentMissing) return true;
  }
  return false;
}
