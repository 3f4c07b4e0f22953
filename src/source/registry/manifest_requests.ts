import type { Descriptor } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import { digestStream, isDigest, splitDigest } from "../../core/digest.ts";
import { messageOf, StageError } from "../../core/stage_error.ts";
import { isTag } from "../../format/image_reference.ts";
import { bareMediaType, manifestAccept, manifestLimitBytes, parseManifestDocument } from "../manifest_document.ts";
import type { CallOptions, KnownContent, ManifestContent, Resolved } from "../oci_source.ts";
import { numberHeader } from "./answer_headers.ts";
import { redactedError } from "./redact.ts";
import { answerError, dropBody, readInTime, registryMessage } from "./registry_answer.ts";
import type { RegistrySession } from "./registry_session.ts";
import type { WireAnswer } from "./wire.ts";

/**
 * `HEAD` of a manifest, and `GET` where the answer leaves something open: no `Docker-Content-Digest`, no size, no HEAD at
 * all, or an error, whose words only a GET brings.
 */
export async function resolveManifest(
  session: RegistrySession,
  reference: string,
  options: CallOptions & { readonly ifNoneMatch?: KnownContent; readonly name: string },
): Promise<Resolved> {
  const action = `Cannot resolve "${nameOf(options.name, reference)}"`;
  checkReference(reference, action);
  const known = options.ifNoneMatch;
  const { response } = await session.send({
    method: "HEAD",
    path: `manifests/${reference}`,
    headers: { accept: manifestAccept, ...(known?.etag === undefined ? {} : { "if-none-match": known.etag }) },
    signal: options.signal,
    action,
  });
  await dropBody(response);
  if (response.status === 304 && known?.etag !== undefined) return { kind: "unchanged" };
  const digest = response.headers.get("docker-content-digest") ?? "";
  const size = numberHeader(response.headers.get("content-length"));
  const mediaType = bareMediaType(response.headers.get("content-type") ?? "");
  if (response.status !== 200 || !isDigest(digest)) return await resolveWithGet(session, reference, options, action);
  if (isDigest(reference) && reference !== digest && sameAlgorithm(reference, digest)) {
    throw new StageError("OCIArtifactPullFailed", `${action}: registry names digest ${digest} for it`);
  }
  const wanted = isDigest(reference) ? reference : digest;
  if (known?.digest === wanted) return { kind: "unchanged" };
  if (size === undefined || size === 0 || mediaType === "") {
    return await resolveWithGet(session, reference, options, action);
  }
  return { kind: "found", descriptor: { mediaType, digest: wanted, size }, ...etagOf(response) };
}

async function resolveWithGet(
  session: RegistrySession,
  reference: string,
  options: CallOptions & { readonly ifNoneMatch?: KnownContent },
  action: string,
): Promise<Resolved> {
  const content = await getManifest(session, reference, { ...options, action });
  if (options.ifNoneMatch?.digest === content.descriptor.digest) return { kind: "unchanged" };
  return { kind: "found", descriptor: content.descriptor, content: content.bytes, ...content.etag };
}

/** A manifest by its digest, checked. */
export async function fetchManifest(
  session: RegistrySession,
  digest: Digest,
  options: CallOptions & { readonly name: string },
): Promise<ManifestContent> {
  const action = `Cannot pull manifest "${nameOf(options.name, digest)}"`;
  const { descriptor, bytes } = await getManifest(session, digest, { ...options, action });
  return { descriptor, bytes };
}

async function getManifest(
  session: RegistrySession,
  reference: string,
  options: CallOptions & { readonly action: string },
): Promise<ManifestContent & { readonly etag: { readonly etag?: string } }> {
  const { action } = options;
  const answer = await session.send({
    method: "GET",
    path: `manifests/${reference}`,
    headers: { accept: manifestAccept },
    signal: options.signal,
    action,
  });
  const { response } = answer;
  if (response.status !== 200) {
    throw answerError(response, action, await registryMessage(response, session.wire.limits.errorBytes));
  }
  const bytes = await readBody(session, answer, { action, signal: options.signal });
  const descriptor = checkManifest(bytes, reference, response, action);
  return { descriptor, bytes, etag: etagOf(response) };
}

/** Digest, header and media type of a manifest against each other. */
function checkManifest(bytes: Uint8Array, reference: string, response: Response, action: string): Descriptor {
  const header = response.headers.get("docker-content-digest") ?? "";
  const algorithm = isDigest(reference)
    ? splitDigest(reference).algorithm
    : isDigest(header)
    ? splitDigest(header).algorithm
    : "sha256";
  const hash = digestStream(algorithm);
  hash.update(bytes);
  const digest = hash.digest();
  for (const [expected, who] of [[reference, "the reference"], [header, "the registry"]] as const) {
    if (isDigest(expected) && sameAlgorithm(expected, digest) && expected !== digest) {
      throw new StageError("OCIArtifactPullFailed", `${action}: its digest is ${digest}, ${who} says ${expected}`, {
        hint: "The registry or a proxy before it changes content; push the artifact again or pull it from elsewhere",
      });
    }
  }
  const contentType = response.headers.get("content-type") ?? "";
  try {
    const { mediaType } = parseManifestDocument(bytes, contentType);
    return { mediaType, digest, size: bytes.length };
  } catch (cause) {
    throw new StageError("OCIArtifactPullFailed", `${action}: ${messageOf(cause)}`, {
      cause,
      hint: /html/i.test(contentType)
        ? "What answers is a web page: check the registry's address and any proxy before it"
        : "Push the artifact again; what is there is malformed, or not of a registry",
    });
  }
}

/** A body within the limits for manifests. A connection that breaks off here is told as such. */
async function readBody(
  { wire }: RegistrySession,
  { response }: WireAnswer,
  { action, signal }: { readonly action: string; readonly signal: AbortSignal | undefined },
): Promise<Uint8Array> {
  try {
    return await readInTime(response, manifestLimitBytes, wire);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new StageError("OCIArtifactPullFailed", action, {
      cause: redactedError(error),
      ...(error instanceof RangeError ? { hint: "What is there is no manifest: one has 4 MiB at the most" } : {}),
    });
  }
}

/** `name:tag` or `name@digest`. */
export function nameOf(name: string, reference: string): string {
  return isDigest(reference) ? `${name}@${reference}` : `${name}:${reference}`;
}

/** Refuses what must not get into a path. @throws {StageError} URLInvalid */
export function checkReference(reference: string, action: string): void {
  if (!isDigest(reference) && !isTag(reference)) {
    throw new StageError("URLInvalid", `${action}: it is neither a tag nor a digest`);
  }
}

function sameAlgorithm(a: Digest, b: Digest): boolean {
  return splitDigest(a).algorithm === splitDigest(b).algorithm;
}

function etagOf(response: Response): { readonly etag?: string } {
  const etag = response.headers.get("etag");
  return etag === null || etag === "" || etag.length > 1024 ? {} : { etag };
}
