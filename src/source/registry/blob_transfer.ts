import type { Descriptor } from "../../core/descriptor.ts";
import { digestOf } from "../../core/digest.ts";
import { StageError } from "../../core/stage_error.ts";
import type { BlobOptions } from "../oci_source.ts";
import type { ChunkSource } from "../verified_stream.ts";
import { chunksOf, inlineContent, verifiedStream } from "../verified_stream.ts";
import { contentRange, numberHeader } from "./answer_headers.ts";
import { redactedError } from "./redact.ts";
import { answerError, dropBody, registryMessage, TransientFault } from "./registry_answer.ts";
import type { RegistrySession } from "./registry_session.ts";
import { pauseMs } from "./registry_tools.ts";
import type { Wire } from "./wire.ts";
import { finalError } from "./wire.ts";

/** Progress after which earlier cuts of a transfer are forgotten. */
const progressBytes = 1024 * 1024;

/**
 * Opens a blob. The head of the first answer is awaited, so that a blob that is not there is an error here and not in the
 * stream; the stream checks digest and size and goes on by `Range` after a cut or when it becomes too slow. Where one address
 * gives up, the next of `sessions` goes on at the same byte. `onFailed` is told which one gave up or gave wrong content.
 */
export async function openBlob(
  sessions: readonly RegistrySession[],
  descriptor: Descriptor,
  options: BlobOptions & { readonly name: string; readonly onFailed: (session: RegistrySession) => void },
): Promise<ReadableStream<Uint8Array>> {
  const what = `blob "${options.name}@${descriptor.digest}"`;
  const resume = options.resume === undefined ? {} : { resume: options.resume };
  const inline = inlineContent(descriptor);
  if (inline !== undefined && digestOf(inline) === descriptor.digest) {
    return verifiedStream(chunksOf(inline.subarray(options.resume?.offset ?? 0)), descriptor, { what, ...resume });
  }
  const transfer = new BlobTransfer(sessions, descriptor, `Cannot pull ${what}`, options);
  await transfer.start();
  return verifiedStream(transfer, descriptor, {
    what,
    ...resume,
    onRefused: () => options.onFailed(transfer.session),
  });
}

class BlobTransfer implements ChunkSource {
  readonly #sessions: readonly RegistrySession[];
  #index = 0;
  readonly #descriptor: Descriptor;
  readonly #action: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onFailed: (session: RegistrySession) => void;
  #offset: number;
  /** Offset up to which cuts are forgiven. */
  #forgivenAt = 0;
  #cuts = 0;
  #etag: string | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Bytes at the start of the answer that are there already. */
  #skipBytes = 0;
  readonly #pace: Pace;

  constructor(
    sessions: readonly RegistrySession[],
    descriptor: Descriptor,
    action: string,
    options: BlobOptions & { readonly onFailed: (session: RegistrySession) => void },
  ) {
    this.#sessions = sessions;
    this.#onFailed = options.onFailed;
    this.#descriptor = descriptor;
    this.#action = action;
    this.#signal = options.signal;
    this.#offset = options.resume?.offset ?? 0;
    this.#pace = new Pace(this.session.wire);
  }

  /** The address in use. */
  get session(): RegistrySession {
    const session = this.#sessions[this.#index];
    if (session === undefined) throw new RangeError("Cannot pull: there is no address to pull from");
    return session;
  }

  async start(): Promise<void> {
    if (this.#offset < this.#descriptor.size || this.#descriptor.size === 0) await this.#opened();
  }

  async read(): Promise<Uint8Array | undefined> {
    while (true) {
      try {
        this.#signal?.throwIfAborted();
        if (this.#reader === undefined) {
          if (this.#offset >= this.#descriptor.size) return undefined;
          await this.#open();
        }
        const chunk = await this.#next();
        if (chunk !== undefined) {
          if (chunk.length === 0) continue;
          this.#offset += chunk.length;
          if (this.#offset - this.#forgivenAt >= progressBytes) {
            this.#cuts = 0;
            this.#forgivenAt = this.#offset;
          }
          return chunk;
        }
        this.#reader = undefined;
        if (this.#offset >= this.#descriptor.size) return undefined;
        throw new TransientFault(`the transfer ended after ${this.#offset} of ${this.#descriptor.size} bytes`);
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  async cancel(reason?: unknown): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    try {
      await reader?.cancel(reason);
    } catch {
      // It broke off by itself.
    }
  }

  async #opened(): Promise<void> {
    while (true) {
      try {
        return await this.#open();
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  /** Waits for another try, or gives up. */
  async #recover(error: unknown): Promise<void> {
    await this.cancel(error);
    if (this.#signal?.aborted) throw this.#signal.reason;
    const { tools, limits } = this.session.wire;
    const asked = error instanceof TransientFault ? error.retryAfterMs ?? 0 : 0;
    if (
      !(error instanceof TransientFault) || this.#cuts >= limits.retries || asked > limits.longestRetryAfterMs
    ) {
      this.#onFailed(this.session);
      if (this.#index + 1 >= this.#sessions.length) {
        throw error instanceof TransientFault ? finalError(error, this.#action) : error;
      }
      this.#index++;
      this.#cuts = 0;
      this.#etag = undefined;
      return;
    }
    await tools.clock.sleep(asked + pauseMs(limits, this.#cuts++, tools.random.next()), this.#signal);
  }

  async #open(): Promise<void> {
    const { digest, size } = this.#descriptor;
    const offset = this.#offset;
    const { response } = await this.session.once({
      method: "GET",
      path: `blobs/${digest}`,
      headers: offset === 0 ? {} : {
        range: `bytes=${offset}-`,
        ...(this.#etag === undefined ? {} : { "if-range": this.#etag }),
      },
      signal: this.#signal,
      action: this.#action,
    });
    if (response.status !== 200 && response.status !== 206) {
      throw answerError(response, this.#action, await registryMessage(response, this.session.wire.limits.errorBytes));
    }
    const wrong = async (why: string) => {
      await dropBody(response);
      return new StageError("OCIArtifactPullFailed", `${this.#action}: ${why}`, {
        hint: "The registry or a proxy before it changes content; push the artifact again or pull it from elsewhere",
      });
    };
    if (response.status === 206) {
      const range = contentRange(response.headers.get("content-range"));
      if (range === undefined || range.first !== offset || (range.sizeBytes ?? size) !== size) {
        throw await wrong(`registry answered another range than bytes ${offset}- of ${size}`);
      }
    }
    const announced = numberHeader(response.headers.get("content-length"));
    const expected = response.status === 206 ? size - offset : size;
    // A body that was packed on the way and unpacked by the runtime keeps the packed length.
    if (announced !== undefined && announced !== expected && !response.headers.has("content-encoding")) {
      throw await wrong(`registry announces ${announced} bytes, ${expected} are expected`);
    }
    // If-Range takes strong tags only (RFC 9110, 13.1.5).
    const etag = response.headers.get("etag");
    this.#etag = etag === null || etag.startsWith("W/") ? undefined : etag;
    this.#skipBytes = response.status === 200 ? offset : 0;
    this.#pace.restart();
    this.#reader = response.body?.getReader();
    if (this.#reader === undefined && size > offset) throw new TransientFault("the answer has no body");
  }

  /** The next piece that is not there yet; `undefined` at the end of the body. */
  async #next(): Promise<Uint8Array | undefined> {
    while (true) {
      const reader = this.#reader;
      if (reader === undefined) return undefined;
      let result: ReadableStreamReadResult<Uint8Array>;
      try {
        result = await this.#pace.watch(reader);
      } catch (error) {
        if (error instanceof TransientFault) throw error;
        const cause = redactedError(error);
        throw new TransientFault(
          `the transfer broke off after ${this.#offset} of ${this.#descriptor.size} bytes (${cause.message})`,
          { cause },
        );
      }
      if (result.done) return undefined;
      const chunk = result.value;
      if (this.#skipBytes === 0) return chunk;
      const skipped = Math.min(this.#skipBytes, chunk.length);
      this.#skipBytes -= skipped;
      if (skipped < chunk.length) return chunk.subarray(skipped);
    }
  }
}

/** Watches how fast a body arrives; time in which nobody reads does not count. */
class Pace {
  readonly #wire: Wire;
  #waitedMs = 0;
  #receivedBytes = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  restart(): void {
    this.#waitedMs = 0;
    this.#receivedBytes = 0;
  }

  async watch(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<ReadableStreamReadResult<Uint8Array>> {
    const { tools: { clock }, limits } = this.#wire;
    const startedAt = clock.monotonic();
    let tooSlow: TransientFault | undefined;
    const stop = clock.after(Math.max(1, limits.slowSpanMs - this.#waitedMs), () => {
      tooSlow = new TransientFault(`the transfer is slower than ${limits.minBytesPerSecond} bytes per second`);
      void reader.cancel(tooSlow).catch(() => {});
    });
    try {
      const result = await reader.read();
      if (tooSlow !== undefined) throw tooSlow;
      this.#waitedMs += clock.monotonic() - startedAt;
      this.#receivedBytes += result.value?.length ?? 0;
      if (this.#receivedBytes * 1000 >= limits.minBytesPerSecond * limits.slowSpanMs) this.restart();
      return result;
    } finally {
      stop();
    }
  }
}
