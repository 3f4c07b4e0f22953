import type { Descriptor } from "../../core/descriptor.ts";
import { type Digest, splitDigest } from "../../core/digest.ts";
import { StageError } from "../../core/stage_error.ts";
import { parseManifestDocument } from "../manifest_document.ts";
import type { OciDestination, OciSource } from "../oci_source.ts";
import { isMissing } from "../oci_source.ts";
import type { OnTransfer } from "./progress.ts";

/** Options of {@linkcode copyArtifact}. */
export interface CopyOptions {
  /** Tag at the destination; absent: only the digest. */
  readonly tag?: string;
  /** Whether signatures, attestations and other referrers come along. Default `true`. */
  readonly withReferrers?: boolean;
  readonly onTransfer?: OnTransfer;
  readonly signal?: AbortSignal;
}

/** What a copy moved. */
export interface CopyResult {
  readonly descriptor: Descriptor;
  /** Manifests that came along because they refer to it: signatures, attestations, SBOMs. */
  readonly referrers: readonly Descriptor[];
  /** Those that did not come along, because they refer to one another deeper than is followed. */
  readonly leftOut: readonly Descriptor[];
}

/** Suffixes of the tags under which cosign's older form keeps what belongs to a manifest. */
const companionSuffixes = [".sig", ".att", ".sbom"];
/** How deep referrers of referrers are followed. */
const deepestReferrer = 8;

/**
 * Copies an artifact with everything that belongs to it between registries and layouts: all platforms of an index, their
 * blobs, and what refers to it. Bytes stay as they are, so every digest stays. What is there already is not sent.
 *
 * @throws {StageError} OCIArtifactPullFailed, AuthenticationFailed
 */
export async function copyArtifact(
  from: OciSource,
  reference: string,
  to: OciDestination,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const resolved = await from.resolve(reference, call);
  if (resolved.kind !== "found") {
    throw new StageError("OCIArtifactPullFailed", `Cannot find "${reference}" in ${from.name}`);
  }
  const { digest } = resolved.descriptor;
  const seen = new Set<Digest>();
  const descriptor = await copyManifest({ from, to, options, seen }, digest, options.tag);
  if (options.withReferrers === false) return { descriptor, referrers: [], leftOut: [] };
  const { copied, leftOut } = await copyReferrers({ from, to, options, seen }, [...seen]);
  const companions = await copyCompanions({ from, to, options, seen });
  return { descriptor, referrers: [...copied, ...companions], leftOut };
}

interface Copy {
  readonly from: OciSource;
  readonly to: OciDestination;
  readonly options: CopyOptions;
  /** Manifests that were copied. */
  readonly seen: Set<Digest>;
}

async function copyManifest(copy: Copy, digest: Digest, tag?: string): Promise<Descriptor> {
  const { from, to, options, seen } = copy;
  const call = options.signal === undefined ? {} : { signal: options.signal };
  seen.add(digest);
  const { bytes, descriptor } = await from.manifest(digest, call);
  const document = parseManifestDocument(bytes, descriptor.mediaType);
  if (document.kind === "index") {
    for (const child of document.index.manifests) if (!seen.has(child.digest)) await copyManifest(copy, child.digest);
  } else {
    const { config, layers } = document.manifest;
    for (const blob of [config, ...layers]) await copyBlob(copy, blob);
  }
  return await to.pushManifest({ mediaType: document.mediaType, bytes }, {
    ...call,
    ...(tag === undefined ? {} : { tag }),
  });
}

async function copyBlob({ from, to, options }: Copy, blob: Descriptor): Promise<void> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const tell = (doneBytes: number, state: "running" | "pushed" | "mounted" | "exists") =>
    options.onTransfer?.({ digest: blob.digest, mediaType: blob.mediaType, doneBytes, totalBytes: blob.size, state });
  const outcome = await to.pushBlob(
    blob,
    async (offset) => {
      const stream = await from.blob(blob, call);
      return offset === 0 ? stream : skip(stream, offset);
    },
    { ...call, mountFrom: from, onProgress: (sentBytes) => tell(sentBytes, "running") },
  );
  tell(blob.size, outcome);
}

/** A stream without its first bytes: they are read and checked all the same. */
function skip(stream: ReadableStream<Uint8Array>, offset: number): ReadableStream<Uint8Array> {
  let rest = offset;
  return stream.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        if (rest >= chunk.length) rest -= chunk.length;
        else {
          controller.enqueue(chunk.subarray(rest));
          rest = 0;
        }
      },
    }),
  );
}

/** Copies what refers to manifests, what refers to that, and so on; a registry that never ends is not followed. */
async function copyReferrers(
  copy: Copy,
  subjects: readonly Digest[],
): Promise<{ readonly copied: readonly Descriptor[]; readonly leftOut: readonly Descriptor[] }> {
  const copied: Descriptor[] = [];
  let level = subjects;
  for (let depth = 0;; depth++) {
    const found = await referrersOf(copy, level);
    if (found.length === 0 || depth > deepestReferrer) return { copied, leftOut: found };
    for (const { digest } of found) copied.push(await copyManifest(copy, digest));
    level = found.map(({ digest }) => digest);
  }
}

/** What refers to any of the manifests and was not copied yet, each once. */
async function referrersOf(copy: Copy, subjects: readonly Digest[]): Promise<readonly Descriptor[]> {
  const call = copy.options.signal === undefined ? {} : { signal: copy.options.signal };
  const found = new Map<Digest, Descriptor>();
  for (const subject of subjects) {
    for (const referrer of await copy.from.referrers(subject, call)) {
      if (!copy.seen.has(referrer.digest)) found.set(referrer.digest, referrer);
    }
  }
  return [...found.values()];
}

/** Copies what older signing tools put beside a manifest under a tag made of its digest. */
async function copyCompanions(copy: Copy): Promise<readonly Descriptor[]> {
  const call = copy.options.signal === undefined ? {} : { signal: copy.options.signal };
  const found: Descriptor[] = [];
  for (const digest of [...copy.seen]) {
    const { algorithm, hex } = splitDigest(digest);
    for (const suffix of companionSuffixes) {
      const tag = `${algorithm}-${hex}${suffix}`;
      try {
        const resolved = await copy.from.resolve(tag, call);
        if (resolved.kind === "found") found.push(await copyManifest(copy, resolved.descriptor.digest, tag));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
  }
  return found;
}
