import type { Digest } from "../core/digest.ts";
import { isDigest } from "../core/digest.ts";
import type { OCIRepositoryRef } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import { FormatError } from "../format/format_error.ts";
import { isTag, parseImageReference, referenceText } from "../format/image_reference.ts";
import { newestTag } from "../format/newest_tag.ts";
import type { OciSource } from "./oci_source.ts";

/** What a document asks for. */
export type WantedReference =
  | { readonly kind: "digest"; readonly digest: Digest }
  | { readonly kind: "tag"; readonly tag: string }
  | { readonly kind: "semver"; readonly range: string; readonly filter?: string; readonly isHelmChart: boolean };

/** A repository's URL without tag or digest, and what it asks for beside `spec.ref`. */
export interface RepositoryUrl {
  /** `oci://host[:port]/repository`, or `oci-layout://…` as written. */
  readonly url: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/**
 * Reads `spec.url`. Differs: Flux refuses a tag or digest inside it; we take it where `spec.ref` names none, with a warning.
 *
 * @throws {StageError} URLInvalid
 */
export function parseRepositoryUrl(text: string): RepositoryUrl {
  if (text.startsWith("oci-layout://")) {
    if (text.length > "oci-layout://".length) return { url: text };
    throw new StageError("URLInvalid", `Cannot read URL "${text}": there is no path after "oci-layout://"`);
  }
  if (!text.startsWith("oci://")) {
    throw new StageError("URLInvalid", `Cannot read URL "${text.slice(0, 150)}": it must start with "oci://"`);
  }
  const { registry, repository, tag, digest } = parseImageReference(text);
  return {
    url: `oci://${referenceText({ registry, repository })}`,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/**
 * What an OCIRepository asks for: digest, else semver, else tag, else `latest` (source-controller 1.9 `getRevision`).
 * For charts a `+` in the tag is written `_`, as Helm pushes it.
 *
 * @throws {StageError} URLInvalid for a digest or tag that cannot be one
 */
export function wantedReference(ref: OCIRepositoryRef, url: RepositoryUrl, isHelmChart: boolean): WantedReference {
  const invalid = (field: string, value: string, must: string) =>
    new StageError("URLInvalid", `Cannot use spec.ref.${field} "${value.slice(0, 150)}": it must be ${must}`, {
      hint: `Correct spec.ref.${field}`,
    });
  if (given(ref.digest)) {
    if (!isDigest(ref.digest)) throw invalid("digest", ref.digest, '"sha256:" and 64 lower-case hex digits');
    return { kind: "digest", digest: ref.digest };
  }
  if (given(ref.semver)) {
    return {
      kind: "semver",
      range: ref.semver,
      isHelmChart,
      ...(given(ref.semverFilter) ? { filter: ref.semverFilter } : {}),
    };
  }
  if (given(ref.tag)) {
    const tag = isHelmChart ? ref.tag.replaceAll("+", "_") : ref.tag;
    if (!isTag(tag)) throw invalid("tag", ref.tag, '1 to 128 letters, digits, "_", "." or "-"');
    return { kind: "tag", tag };
  }
  if (url.digest !== undefined) return { kind: "digest", digest: url.digest };
  return { kind: "tag", tag: url.tag ?? "latest" };
}

function given(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}

/**
 * The tag or digest to look at: for a range all tags are listed and the newest that fits is taken.
 *
 * @throws {StageError} OCIArtifactPullFailed when no tag fits or the range is none
 */
export async function chooseReference(
  source: OciSource,
  wanted: WantedReference,
  signal: AbortSignal,
): Promise<{ readonly tag?: string; readonly reference: string }> {
  if (wanted.kind === "digest") return { reference: wanted.digest };
  if (wanted.kind === "tag") return { tag: wanted.tag, reference: wanted.tag };
  const tags = await source.tags({ signal });
  let tag: string | undefined;
  try {
    tag = newestTag(tags, wanted.range, {
      isHelmChart: wanted.isHelmChart,
      ...(wanted.filter === undefined ? {} : { filter: wanted.filter }),
    });
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new StageError("OCIArtifactPullFailed", `Cannot choose a tag of ${source.name}: ${cause.message}`, {
      cause,
      hint: "Correct spec.ref.semver or spec.ref.semverFilter",
    });
  }
  if (tag !== undefined) return { tag, reference: tag };
  const filter = wanted.filter === undefined ? "" : ` and filter "${wanted.filter}"`;
  throw new StageError(
    "OCIArtifactPullFailed",
    `Cannot choose a tag of ${source.name}: none of its ${tags.length} tags fits range "${wanted.range}"${filter}`,
    { hint: "Push a tag in this range, or widen it; pre-releases only count where the range names one" },
  );
}
