import type { Descriptor, Index } from "../../core/descriptor.ts";
import { mediaTypes } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import { digestOf } from "../../core/digest.ts";
import { StageError } from "../../core/stage_error.ts";
import { parseManifestDocument } from "../manifest_document.ts";
import type { ManifestDocument } from "../manifest_document.ts";
import type { CallOptions } from "../oci_source.ts";
import { checkReference, nameOf } from "./manifest_requests.ts";
import { referrersIndex, referrersTag } from "./referrer_list.ts";
import { answerError, dropBody, registryMessage } from "./registry_answer.ts";
import type { RegistrySession } from "./registry_session.ts";

/** Tries to write a list of referrers that others write at the same time. */
const listTries = 5;

/**
 * Writes a manifest byte for byte. One with a `subject` is put on the list of referrers (tag schema) when the registry does
 * not say `OCI-Subject`, that it did so itself (distribution-spec 1.1, "Pushing Manifests with Subject").
 */
export async function pushManifest(
  session: RegistrySession,
  manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
  options: CallOptions & { readonly name: string; readonly tag?: string | undefined },
): Promise<Descriptor> {
  const document = parseManifestDocument(manifest.bytes, manifest.mediaType);
  const digest = digestOf(manifest.bytes);
  const reference = options.tag ?? digest;
  const action = `Cannot push manifest "${nameOf(options.name, reference)}"`;
  checkReference(reference, action);
  const response = await put(session, reference, manifest, { signal: options.signal, action });
  const named = response.headers.get("docker-content-digest");
  if (named !== null && named.startsWith("sha256:") && named !== digest) {
    throw new StageError("OCIArtifactPullFailed", `${action}: registry stored it as ${named}, its digest is ${digest}`);
  }
  const descriptor: Descriptor = { mediaType: manifest.mediaType, digest, size: manifest.bytes.length };
  const subject = document.kind === "manifest" ? document.manifest.subject : document.index.subject;
  if (subject !== undefined && response.headers.get("oci-subject") === null) {
    await addReferrer(session, subject.digest, referrerOf(descriptor, document), options);
  }
  return descriptor;
}

/** A manifest as a list of referrers shows it: its type is `artifactType`, else that of its config. */
function referrerOf(descriptor: Descriptor, document: ManifestDocument): Descriptor {
  const own = document.kind === "manifest" ? document.manifest : document.index;
  const artifactType = own.artifactType ??
    (document.kind === "manifest" ? document.manifest.config.mediaType : undefined);
  return {
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: descriptor.size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(own.annotations === undefined ? {} : { annotations: own.annotations }),
  };
}

async function put(
  session: RegistrySession,
  reference: string,
  manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
  options: { readonly signal: AbortSignal | undefined; readonly action: string; readonly ifMatch?: string },
): Promise<Response> {
  const bytes = manifest.bytes.slice();
  const { response } = await session.send({
    method: "PUT",
    path: `manifests/${reference}`,
    actions: "pull,push",
    headers: {
      "content-type": manifest.mediaType,
      ...(options.ifMatch === undefined ? {} : { "if-match": options.ifMatch }),
    },
    body: () => bytes,
    signal: options.signal,
    action: options.action,
  });
  if (response.status === 412 && options.ifMatch !== undefined) return response;
  if (response.status !== 201 && response.status !== 200) {
    throw answerError(response, options.action, await registryMessage(response, session.wire.limits.errorBytes));
  }
  await dropBody(response);
  return response;
}

async function addReferrer(
  session: RegistrySession,
  subject: Digest,
  referrer: Descriptor,
  options: CallOptions & { readonly name: string },
): Promise<void> {
  const action = `Cannot list "${referrer.digest}" as a referrer of "${options.name}@${subject}"`;
  for (let count = 0; count < listTries; count++) {
    const { index, etag } = await referrersIndex(session, subject, options);
    if (index?.manifests.some((entry) => entry.digest === referrer.digest)) return;
    const next: Index = {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      ...(index?.annotations === undefined ? {} : { annotations: index.annotations }),
      manifests: [...index?.manifests ?? [], referrer],
    };
    const bytes = new TextEncoder().encode(JSON.stringify(next));
    const response = await put(session, referrersTag(subject), { mediaType: mediaTypes.index, bytes }, {
      signal: options.signal,
      action,
      ...(etag === undefined ? {} : { ifMatch: etag }),
    });
    if (response.status === 412) await dropBody(response);
    else return;
  }
  throw new StageError("OCIArtifactPullFailed", `${action}: others change the list all the time`);
}
