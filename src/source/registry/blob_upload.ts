import type { Descriptor } from "../../core/descriptor.ts";
import { StageError } from "../../core/stage_error.ts";
import type { BlobContent, CallOptions, PushBlobOptions } from "../oci_source.ts";
import { numberHeader, uploadedBytes } from "./answer_headers.ts";
import { PieceReader } from "./piece_reader.ts";
import { answerError, dropBody, registryMessage, TransientFault } from "./registry_answer.ts";
import type { RegistrySession, SessionRequest } from "./registry_session.ts";
import { pauseMs } from "./registry_tools.ts";
import { repositoryScope } from "./scope.ts";
import { finishingUrl, uploadLocation } from "./upload_location.ts";
import { finalError, withRetries } from "./wire.ts";

/** Largest piece that is held in memory, whatever a registry asks for. */
const largestPieceBytes = 128 * 1024 * 1024;
/** Time for the answer to a piece: the registry may write it to slow storage first. */
const uploadTimeoutMs = 300_000;

/** Whether the registry has a blob. */
export async function hasBlob(
  session: RegistrySession,
  descriptor: Descriptor,
  options: CallOptions & { readonly name: string },
): Promise<boolean> {
  const action = `Cannot look for blob "${options.name}@${descriptor.digest}"`;
  const { response } = await session.send({
    method: "HEAD",
    path: `blobs/${descriptor.digest}`,
    actions: "pull,push",
    signal: options.signal,
    action,
  });
  await dropBody(response);
  if (response.status === 404) return false;
  if (response.status !== 200) throw answerError(response, action, "");
  const size = numberHeader(response.headers.get("content-length"));
  return size === undefined || size === descriptor.size;
}

/** Takes a blob over from another repository of the registry. `location`: it could not, and opened an upload instead. */
export async function mountBlob(
  session: RegistrySession,
  descriptor: Descriptor,
  from: string,
  options: CallOptions & { readonly name: string },
): Promise<{ readonly isMounted: boolean; readonly location?: URL }> {
  const action = `Cannot mount blob "${options.name}@${descriptor.digest}"`;
  const { response, url } = await session.send({
    method: "POST",
    path: `blobs/uploads/?mount=${encodeURIComponent(descriptor.digest)}&from=${encodeURIComponent(from)}`,
    actions: "pull,push",
    scopes: [repositoryScope(from, "pull")],
    body: () => "",
    signal: options.signal,
    action,
  });
  await dropBody(response);
  if (response.status === 201) return { isMounted: true };
  if (response.status !== 202) return { isMounted: false };
  return { isMounted: false, location: uploadLocation(response.headers.get("location"), url, action) };
}

/** Lets the registry forget an upload that nobody goes on with. */
export async function abandonUpload(session: RegistrySession, location: URL, options: CallOptions): Promise<void> {
  try {
    const { response } = await session.once({
      method: "DELETE",
      url: location,
      actions: "pull,push",
      signal: options.signal,
      action: "Cannot end upload",
    });
    await dropBody(response);
  } catch {
    // Registries clean up what is left by themselves.
  }
}

/** Sends a blob that is not there: in one request when it is small, else in pieces that can be sent again. */
export async function uploadBlob(
  session: RegistrySession,
  descriptor: Descriptor,
  content: BlobContent,
  options: PushBlobOptions & { readonly name: string; readonly location?: URL | undefined },
): Promise<"pushed"> {
  const action = `Cannot push blob "${options.name}@${descriptor.digest}"`;
  const upload: Upload = { session, descriptor, content, action, options };
  const { limits } = session.wire;
  let given = options.location;
  let isAgain = false;
  return await withRetries(session.wire, action, options.signal, async (): Promise<"pushed"> => {
    // The answer to an earlier try may have been lost, not the content.
    if (isAgain && await hasBlob(session, descriptor, options)) return "pushed";
    isAgain = true;
    const begun = given === undefined ? await begin(upload) : { location: given, minBytes: 0 };
    given = undefined;
    if (descriptor.size <= Math.max(limits.monolithicBytes, begun.minBytes)) await sendWhole(upload, begun.location);
    else await sendPieces(upload, begun.location, Math.max(limits.pieceBytes, begun.minBytes));
    return "pushed";
  });
}

interface Upload {
  readonly session: RegistrySession;
  readonly descriptor: Descriptor;
  readonly content: BlobContent;
  readonly action: string;
  readonly options: PushBlobOptions;
}

async function begin(upload: Upload): Promise<{ readonly location: URL; readonly minBytes: number }> {
  const { response, url } = await upload.session.send({
    ...requestOf(upload),
    method: "POST",
    path: "blobs/uploads/",
    body: () => "",
  });
  if (response.status !== 202) throw await refused(upload, response);
  await dropBody(response);
  const minBytes = numberHeader(response.headers.get("oci-chunk-min-length")) ?? 0;
  if (minBytes > largestPieceBytes) {
    throw new StageError(
      "OCIArtifactPullFailed",
      `${upload.action}: the registry wants pieces of ${minBytes} bytes, at most ${largestPieceBytes} are sent`,
    );
  }
  return { location: uploadLocation(response.headers.get("location"), url, upload.action), minBytes };
}

async function sendWhole(upload: Upload, location: URL): Promise<void> {
  const { descriptor } = upload;
  await using reader = new PieceReader(upload.content, descriptor, upload.action);
  const bytes = await reader.take(0, descriptor.size);
  const { response } = await upload.session.once({
    ...requestOf(upload),
    method: "PUT",
    url: finishingUrl(location, descriptor.digest),
    headers: { "content-type": "application/octet-stream" },
    body: () => bytes,
  });
  if (response.status !== 201) throw await refused(upload, response);
  await dropBody(response);
  upload.options.onProgress?.(descriptor.size);
}

async function sendPieces(upload: Upload, start: URL, pieceBytes: number): Promise<void> {
  const { descriptor, session } = upload;
  const { tools, limits } = session.wire;
  await using reader = new PieceReader(upload.content, descriptor, upload.action);
  let location = start;
  let offset = 0;
  let faults = 0;
  while (offset < descriptor.size) {
    const bytes = await reader.take(offset, Math.min(pieceBytes, descriptor.size - offset));
    const last = offset + bytes.length - 1;
    try {
      const { response, url } = await session.once({
        ...requestOf(upload),
        method: "PATCH",
        url: location,
        headers: { "content-type": "application/octet-stream", "content-range": `${offset}-${last}` },
        body: () => bytes,
      });
      if (response.status === 416) {
        await dropBody(response);
        throw new TransientFault("the registry has other bytes than we sent", { status: 416 });
      }
      if (response.status !== 202 && response.status !== 201) {
        // Some registries take a blob in one piece only.
        if (offset === 0 && response.status < 500 && response.status !== 413) {
          await dropBody(response);
          return await sendStreamed(upload);
        }
        throw await refused(upload, response);
      }
      await dropBody(response);
      location = uploadLocation(response.headers.get("location") ?? location.href, url, upload.action);
      // What the registry says it has counts, where it says something sensible.
      const have = uploadedBytes(response.headers.get("range"));
      const next = have !== undefined && have > offset && have <= last + 1 ? have : last + 1;
      if (next > offset) faults = 0;
      offset = next;
    } catch (error) {
      if (!(error instanceof TransientFault)) throw error;
      if (faults >= limits.retries || (error.retryAfterMs ?? 0) > limits.longestRetryAfterMs) {
        throw finalError(error, upload.action);
      }
      await tools.clock.sleep(
        (error.retryAfterMs ?? 0) + pauseMs(limits, faults++, tools.random.next()),
        upload.options.signal,
      );
      const status = await uploadStatus(upload, location);
      location = status.location;
      offset = Math.min(status.offset, descriptor.size);
    }
    upload.options.onProgress?.(offset);
  }
  await finish(upload, location);
}

/** How far an upload is. @throws {TransientFault} when the registry has forgotten it: it starts again */
async function uploadStatus(
  upload: Upload,
  location: URL,
): Promise<{ readonly location: URL; readonly offset: number }> {
  const { response, url } = await upload.session.send({ ...requestOf(upload), method: "GET", url: location });
  await dropBody(response);
  if (response.status !== 204 && response.status !== 200 && response.status !== 202) {
    throw new TransientFault(`the registry has lost the upload (status ${response.status})`);
  }
  return {
    location: uploadLocation(response.headers.get("location") ?? location.href, url, upload.action),
    offset: startedBytes(response.headers.get("range")),
  };
}

/** `0-0` stands for one byte or for none: starting again is right in both cases. */
function startedBytes(range: string | null): number {
  const bytes = uploadedBytes(range) ?? 0;
  return bytes === 1 ? 0 : bytes;
}

/** One streamed request, for registries without pieces. */
async function sendStreamed(upload: Upload): Promise<void> {
  const { descriptor } = upload;
  const { location } = await begin(upload);
  const stream = await upload.content(0);
  const { response, url } = await upload.session.once({
    ...requestOf(upload),
    method: "PATCH",
    url: location,
    headers: { "content-type": "application/octet-stream" },
    body: () => stream,
  });
  if (response.status !== 202 && response.status !== 201) throw await refused(upload, response);
  await dropBody(response);
  upload.options.onProgress?.(descriptor.size);
  await finish(upload, uploadLocation(response.headers.get("location") ?? location.href, url, upload.action));
}

async function finish(upload: Upload, location: URL): Promise<void> {
  const { response } = await upload.session.once({
    ...requestOf(upload),
    method: "PUT",
    url: finishingUrl(location, upload.descriptor.digest),
    body: () => "",
  });
  if (response.status !== 201) throw await refused(upload, response);
  await dropBody(response);
}

function requestOf(upload: Upload): Pick<SessionRequest, "actions" | "signal" | "action" | "headTimeoutMs"> {
  return {
    actions: "pull,push",
    signal: upload.options.signal,
    action: upload.action,
    headTimeoutMs: uploadTimeoutMs,
  };
}

async function refused(upload: Upload, response: Response): Promise<StageError> {
  return answerError(
    response,
    upload.action,
    await registryMessage(response, upload.session.wire.limits.errorBytes),
  );
}
