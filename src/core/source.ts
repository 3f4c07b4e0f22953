import type { Artifact } from "./artifact.ts";

/** What a look at the source gave. */
export interface PullResult {
  readonly artifact: Artifact;
  /** Whether `artifact` differs from the previous one in revision or content. */
  readonly changed: boolean;
  /** How a verified artifact was verified, for condition `SourceVerified`; absent when the document asks for none. */
  readonly verified?: string;
  /** What a person should know: a tag inside the URL, a registry's warning header. */
  readonly warnings: readonly string[];
}

/** One source of artifacts, made from one document. */
export interface Source {
  /**
   * Looks whether there is something new and brings it into the store, verified. A look that finds nothing new is one
   * request and no write. The previous artifact stays usable whatever happens.
   *
   * @throws {StageError} URLInvalid, AuthenticationFailed, OCIArtifactPullFailed, OCIArtifactLayerOperationFailed,
   *   VerificationError, StorageOperationFailed
   */
  pull(previous: Artifact | undefined, signal: AbortSignal): Promise<PullResult>;
}
