import { readAll } from "../../core/read_all.ts";
import { StageError } from "../../core/stage_error.ts";
import { ContentMissing } from "../oci_source.ts";
import { redact } from "./redact.ts";
import type { Wire } from "./wire.ts";

/** A fault that passes: worth another try. */
export class TransientFault extends Error {
  override readonly name = "TransientFault";
  /** HTTP status; absent when there was no answer. */
  readonly status?: number;
  /** Pause that the answer asks for. */
  readonly retryAfterMs?: number;

  constructor(message: string, options: { status?: number; retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    if (options.status !== undefined) this.status = options.status;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** Statuses of faults that pass (regclient `reghttp`, go-containerregistry `transport/retry.go`). */
export const transientStatuses: ReadonlySet<number> = new Set([408, 429, 499, 500, 502, 503, 504, 522]);

/**
 * At most `limitBytes` of a body. The rest is never read.
 *
 * @throws {RangeError} when there is more, also when `Content-Length` already says so
 */
export async function readLimited(answer: Response, limitBytes: number): Promise<Uint8Array> {
  const announced = Number(answer.headers.get("content-length") ?? "0");
  if (answer.body === null) return new Uint8Array(0);
  if (announced > limitBytes) {
    await answer.body.cancel();
    throw new RangeError(`the answer has ${announced} bytes, allowed are ${limitBytes}`);
  }
  return await readAll(answer.body, limitBytes);
}

/**
 * {@linkcode readLimited} within the time for bodies of documents: a registry that sends a byte now and then holds up nobody.
 *
 * @throws {RangeError} when there is more
 * @throws {Error} when the time is over
 */
export async function readInTime(
  answer: Response,
  limitBytes: number,
  { tools, limits }: Pick<Wire, "tools" | "limits">,
): Promise<Uint8Array> {
  if (answer.body === null) return new Uint8Array(0);
  const { bodyTimeoutMs } = limits;
  const late = new AbortController();
  const cancel = tools.clock.after(
    bodyTimeoutMs,
    () => late.abort(new Error(`the answer was not complete after ${bodyTimeoutMs / 1000} s`)),
  );
  try {
    const body = answer.body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal: late.signal });
    return await readLimited(new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>, answer), limitBytes);
  } finally {
    cancel();
  }
}

/** Lets go of a body that is not wanted. */
export async function dropBody(answer: Response): Promise<void> {
  try {
    await answer.body?.cancel();
  } catch {
    // It broke off by itself.
  }
}

/**
 * What a registry says went wrong, in its own words: codes and messages of its JSON, else the start of a plain text. Never
 * longer than 500 characters, never with a query or token; "" when it says nothing readable.
 */
export async function registryMessage(answer: Response, limitBytes: number): Promise<string> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readLimited(answer, limitBytes)).trim();
  } catch {
    return "";
  }
  return redact(messageText(text, answer.headers.get("content-type") ?? "")).replace(/[\u0000-\u001f\u007f]+/g, " ")
    .slice(0, 500);
}

function messageText(text: string, contentType: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const record = value as {
      readonly errors?: readonly { readonly code?: unknown; readonly message?: unknown }[];
      readonly error?: unknown;
      readonly error_description?: unknown;
      readonly message?: unknown;
      readonly details?: unknown;
    } | null;
    if (Array.isArray(record?.errors) && record.errors.length > 0) {
      return record.errors.slice(0, 5).map((error) => wordsOf(error?.code, error?.message)).filter((words) =>
        words !== ""
      ).join("; ");
    }
    return wordsOf(record?.error, record?.error_description ?? record?.message ?? record?.details);
  } catch {
    return /html/i.test(contentType) || text.startsWith("<") ? "" : (text.split("\n", 1)[0] ?? "").slice(0, 200);
  }
}

function wordsOf(code: unknown, message: unknown): string {
  return [code, message].filter((part): part is string => typeof part === "string" && part !== "").join(": ");
}

/**
 * The error for an answer that is not what was asked for.
 *
 * @param action what was tried, for example `Cannot pull "ghcr.io/org/app:1.0"`
 */
export function answerError(
  answer: { readonly status: number },
  action: string,
  message: string,
  options: { readonly retryAfterMs?: number | undefined } = {},
): StageError {
  const text = `${action}: registry answered ${answer.status}${message === "" ? "" : ` (${message})`}`;
  const retry = options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs };
  if (answer.status === 401 || answer.status === 403) {
    return new StageError("AuthenticationFailed", text, {
      ...retry,
      hint: answer.status === 401
        ? "Check the credentials for this registry: none were given, or they are wrong or expired"
        : "Check that these credentials may do this with this repository",
    });
  }
  if (answer.status === 404) {
    return new StageError("OCIArtifactPullFailed", text, {
      hint:
        "Check the repository's name and that this tag or digest was pushed; some registries hide what a login may not see",
      cause: new ContentMissing("registry answered 404"),
    });
  }
  if (answer.status === 429) {
    return new StageError("OCIArtifactPullFailed", text, {
      ...retry,
      hint: "The registry limits how often it is asked; log in, raise the interval or use a mirror",
    });
  }
  return new StageError("OCIArtifactPullFailed", text, {
    ...retry,
    ...(answer.status >= 500 ? { hint: "The registry has a fault of its own; it is tried again later" } : {}),
  });
}
