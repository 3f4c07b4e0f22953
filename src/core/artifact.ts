import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import type { OpenFileTree } from "./file_tree.ts";

/** What an artifact unpacks to. */
export type ArtifactContent =
  /** Files (layer operation `extract`): open with {@linkcode ArtifactStore.openTree}. The digest covers paths, bytes and executable bits after ignore rules. */
  | { readonly kind: "tree"; readonly digest: Digest; readonly fileCount: number }
  /** One layer byte for byte (layer operation `copy`): read with {@linkcode ArtifactStore.readBlob}. */
  | { readonly kind: "blob"; readonly descriptor: Descriptor; readonly fileName: string };

/** How content was made of a layer: what the store needs to make it again, and a source to see whether it still is what is wanted. */
export interface ArtifactRecipe {
  readonly layer: Descriptor;
  readonly operation: "extract" | "copy";
  /** Media type by which the layer was chosen; absent: the first layer. */
  readonly selector?: string;
  /** `none`: every file stays (charts); else `.sourceignore` files and this `spec.ignore` text, "" where unset. */
  readonly ignore: { readonly kind: "none" } | { readonly kind: "apply"; readonly extra: string };
}

/** How an artifact was verified. */
export interface ArtifactVerification {
  /** For condition `SourceVerified`. */
  readonly message: string;
  /** Digest of the policy and trust material that it was verified with: another one means that it must be verified again. */
  readonly trust: string;
}

/** What a source yields: verified content, kept in the store under its digest. */
export interface Artifact {
  /** `tag@sha256:…`, or the bare digest for a digest reference (Flux RFC-0005). */
  readonly revision: string;
  /** Digest of the manifest that the reference resolved to (of the index, where it is one). */
  readonly digest: Digest;
  readonly content: ArtifactContent;
  /** The manifest's annotations. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes of the layer as it was pulled. */
  readonly sizeBytes: number;
  /** RFC 3339. */
  readonly lastUpdateTime: string;
  /** `<registry>/<repository>` or the layout's path, without credentials: for people. */
  readonly url: string;
  /** Digests in the store that this artifact needs (manifest, index, layer, signatures): what a pin holds. */
  readonly blobs: readonly Digest[];
  /** How `content` was made; absent where a store cannot make it again. */
  readonly recipe?: ArtifactRecipe;
  /** Absent where the document asks for no verification. */
  readonly verification?: ArtifactVerification;
}

/** The content store, as rooms other than `source` see it. Everything read is checked against its digest. */
export interface ArtifactStore {
  /** Opens an artifact's files. @throws {StageError} StorageOperationFailed when it is not there or damaged */
  openTree(artifact: Artifact): Promise<OpenFileTree>;
  /** Bytes of a blob. @throws {StageError} StorageOperationFailed when it is not there or damaged */
  readBlob(digest: Digest): Promise<Uint8Array>;
  /** Whether everything that an artifact needs is there (sizes are looked at, bytes are not read). */
  has(artifact: Artifact): Promise<boolean>;
  /** Says which artifacts `owner` needs from now on (the last good one first); replaces what it said before. Kept over restarts. */
  pin(owner: string, artifacts: readonly Artifact[]): Promise<void>;
  /** Forgets an owner. */
  unpin(owner: string): Promise<void>;
  /** Removes what nobody pins and the history does not keep. */
  collect(): Promise<{ readonly removed: number; readonly freedBytes: number }>;
}
