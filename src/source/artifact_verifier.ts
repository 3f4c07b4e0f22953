import type { ArtifactVerification } from "../core/artifact.ts";
import type { Descriptor } from "../core/descriptor.ts";
import type { Digest } from "../core/digest.ts";
import type { VerifySpec } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import type { OciSource } from "./oci_source.ts";

/** What is to be verified, and by which policy. */
export interface VerifyRequest {
  readonly spec: VerifySpec;
  /** Of the document: Secrets are looked up here. */
  readonly namespace: string;
  /** Where signatures are looked for. */
  readonly source: OciSource;
  /** The manifest or index that the reference named, never a child of it. */
  readonly descriptor: Descriptor;
}

/** Checks signatures of artifacts. Anything but a clear yes is an error. */
export interface ArtifactVerifier {
  /** Digest of policy and trust material as they are now: while it stays, a verified artifact stays verified. */
  trust(request: Pick<VerifyRequest, "spec" | "namespace">): Promise<string>;
  /**
   * @returns the condition's message, and digests of evidence that it put into the store
   * @throws {StageError} VerificationError
   */
  verify(
    request: VerifyRequest,
    signal: AbortSignal,
  ): Promise<{ readonly message: string; readonly blobs: readonly Digest[] }>;
}

/** Outcome for a look: keep what was verified, or verify anew. */
export type VerificationNeed =
  | { readonly kind: "none" }
  | { readonly kind: "verified"; readonly verification: ArtifactVerification }
  | { readonly kind: "verify"; readonly trust: string; readonly verifier: ArtifactVerifier; readonly spec: VerifySpec };

/**
 * Whether an artifact must be verified, given how it was verified before. Differs: Flux looks again only for a new
 * revision or spec; a rotated or withdrawn key counts here too.
 *
 * @throws {StageError} VerificationError when a document asks for a check and there is no verifier
 */
export async function verificationNeed(
  verifier: ArtifactVerifier | undefined,
  request: { readonly spec: VerifySpec | undefined; readonly namespace: string; readonly field: string },
  previous: ArtifactVerification | undefined,
): Promise<VerificationNeed> {
  const { spec, namespace, field } = request;
  if (spec === undefined) return { kind: "none" };
  if (verifier === undefined) {
    throw new StageError(
      "VerificationError",
      `Cannot verify the artifact: ${field} asks for ${spec.provider}, and verification is not built yet`,
      { hint: `Nothing unverified is used; remove ${field} only if the artifact may be used unverified` },
    );
  }
  const trust = await verifier.trust({ spec, namespace });
  if (previous !== undefined && previous.trust === trust) return { kind: "verified", verification: previous };
  return { kind: "verify", trust, verifier, spec };
}
