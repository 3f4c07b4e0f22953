import type { Descriptor, Index } from "../../core/descriptor.ts";
import { mediaTypes } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import { splitDigest } from "../../core/digest.ts";
import { StageError } from "../../core/stage_error.ts";
import { bareMediaType, manifestLimitBytes, parseManifestDocument } from "../manifest_document.ts";
import type { CallOptions } from "../oci_source.ts";
import { isMissing } from "../oci_source.ts";
import { fetchManifest, resolveManifest } from "./manifest_requests.ts";
import { answerError, dropBody, registryMessage } from "./registry_answer.ts";
import type { RegistrySession } from "./registry_session.ts";
import { pagesOf } from "./tag_list.ts";

/** Answers that mean "this registry has no referrers API" (distribution-spec 1.1 names 404; the others are met in the wild). */
const noApi: ReadonlySet<number> = new Set([400, 404, 405, 406, 415, 501]);

/**
 * Tag under which referrers are listed where a registry has no API for them: `<algorithm>-<hex>`, the algorithm cut at 32
 * characters, the hex part at 64 (distribution-spec 1.1, "Referrers Tag Schema").
 */
export function referrersTag(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`.replace(/[^A-Za-z0-9._-]/g, "-");
}

/**
 * Descriptors of what refers to a manifest: by the API with all its pages, else by the tag schema. Each digest once; filtered
 * here unless the registry says that it did. A fault (401, 5xx, a stop in between) is an error, never "none".
 */
export async function listReferrers(
  session: RegistrySession,
  digest: Digest,
  options: CallOptions & { readonly name: string; readonly artifactType?: string | undefined },
): Promise<readonly Descriptor[]> {
  const action = `Cannot list referrers of "${options.name}@${digest}"`;
  const found = await byApi(session, digest, { ...options, action }) ?? await byTag(session, digest, options);
  const unique = new Map(found.map((descriptor) => [descriptor.digest, descriptor]));
  const wanted = [...unique.values()].filter((descriptor) =>
    options.artifactType === undefined || descriptor.artifactType === options.artifactType
  );
  if (wanted.length > session.wire.limits.referrers) {
    throw new StageError("OCIArtifactPullFailed", `${action}: there are more than ${session.wire.limits.referrers}`);
  }
  return wanted;
}

/** `undefined`: the registry has no such API. */
async function byApi(
  session: RegistrySession,
  digest: Digest,
  options: CallOptions & { readonly action: string; readonly artifactType?: string | undefined },
): Promise<readonly Descriptor[] | undefined> {
  const { action } = options;
  const first = session.url(`referrers/${digest}`);
  if (options.artifactType !== undefined) first.searchParams.set("artifactType", options.artifactType);
  const found: Descriptor[] = [];
  let isFirst = true;
  for await (const page of pagesOf(session, first, { ...options, accept: mediaTypes.index })) {
    const { response } = page;
    const isOffHost = page.url.origin !== first.origin;
    const isIndex = bareMediaType(response.headers.get("content-type") ?? "") === mediaTypes.index;
    if (isFirst && (noApi.has(response.status) || isOffHost || (response.status === 200 && !isIndex))) {
      await dropBody(response);
      return undefined;
    }
    if (response.status !== 200) {
      throw answerError(response, action, await registryMessage(response, session.wire.limits.errorBytes));
    }
    isFirst = false;
    found.push(...indexOf(await page.read(manifestLimitBytes), action).manifests);
    if (found.length > session.wire.limits.referrers) break;
  }
  return found;
}

/** The index that the tag schema keeps; empty when there is no such tag. */
async function byTag(
  session: RegistrySession,
  digest: Digest,
  options: CallOptions & { readonly name: string },
): Promise<readonly Descriptor[]> {
  return (await referrersIndex(session, digest, options)).index?.manifests ?? [];
}

/** Index under the referrers tag and the tag that guards a change to it. */
export async function referrersIndex(
  session: RegistrySession,
  digest: Digest,
  options: CallOptions & { readonly name: string },
): Promise<{ readonly index?: Index; readonly etag?: string }> {
  const tag = referrersTag(digest);
  const action = `Cannot list referrers of "${options.name}@${digest}"`;
  try {
    const resolved = await resolveManifest(session, tag, options);
    if (resolved.kind === "unchanged") return {};
    const bytes = resolved.content ?? (await fetchManifest(session, resolved.descriptor.digest, options)).bytes;
    return { index: indexOf(bytes, action), ...(resolved.etag === undefined ? {} : { etag: resolved.etag }) };
  } catch (error) {
    if (isMissing(error)) return {};
    throw error;
  }
}

function indexOf(bytes: Uint8Array, action: string): Index {
  const document = parseManifestDocument(bytes);
  if (document.kind !== "index") throw new StageError("OCIArtifactPullFailed", `${action}: the answer is no index`);
  return document.index;
}
