import { Buffer } from "node:buffer";
import type { Descriptor } from "../core/descriptor.ts";
import type { DigestStream } from "../core/digest.ts";
import { digestStream, splitDigest } from "../core/digest.ts";
import { StageError } from "../core/stage_error.ts";

/** Where bytes come from, piece by piece. */
export interface ChunkSource {
  /** The next piece; `undefined` at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Nothing more is wanted. */
  cancel(reason?: unknown): Promise<void> | void;
}

/** Options of {@linkcode verifiedStream}. */
export interface VerifiedStreamOptions {
  /** `blob sha256:… of ghcr.io/org/app`, for errors. */
  readonly what: string;
  /** Bytes that are there already, and their running digest. */
  readonly resume?: { readonly offset: number; readonly digest: DigestStream };
  /** Told when the content is not what the descriptor says. */
  readonly onRefused?: () => void;
}

/**
 * Bytes of a source, checked against a descriptor as they pass: the stream fails at the first byte too many, and at its
 * end when bytes are missing or the digest is another. One piece is passed on per read; nothing is held back.
 */
export function verifiedStream(
  source: ChunkSource,
  descriptor: Descriptor,
  options: VerifiedStreamOptions,
): ReadableStream<Uint8Array> {
  const digest = options.resume?.digest ?? digestStream(splitDigest(descriptor.digest).algorithm);
  let passedBytes = options.resume?.offset ?? 0;
  const refuse = (why: string) => {
    options.onRefused?.();
    return new StageError("OCIArtifactPullFailed", `Cannot use ${options.what}: ${why}`, {
      hint: "The registry or a proxy before it changes content; push the artifact again or pull it from elsewhere",
    });
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await source.read();
      if (chunk === undefined) {
        if (passedBytes !== descriptor.size) {
          throw refuse(`it ended after ${passedBytes} bytes, its descriptor says ${descriptor.size}`);
        }
        const found = digest.digest();
        if (found !== descriptor.digest) throw refuse(`its digest is ${found}`);
        return controller.close();
      }
      passedBytes += chunk.length;
      if (passedBytes > descriptor.size) {
        const error = refuse(`it is longer than the ${descriptor.size} bytes of its descriptor`);
        await source.cancel(error);
        throw error;
      }
      digest.update(chunk);
      controller.enqueue(chunk);
    },
    cancel: async (reason) => {
      await source.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** A source over bytes in memory. */
export function chunksOf(bytes: Uint8Array): ChunkSource {
  let rest: Uint8Array | undefined = bytes;
  return {
    read: () => {
      const chunk = rest;
      rest = undefined;
      return Promise.resolve(chunk);
    },
    cancel: () => {
      rest = undefined;
    },
  };
}

/** Bytes that stand in the descriptor itself (`data`, image-spec 1.1), when they have the right size; unchecked otherwise. */
export function inlineContent(descriptor: Descriptor): Uint8Array | undefined {
  if (descriptor.data === undefined) return undefined;
  const bytes = new Uint8Array(Buffer.from(descriptor.data, "base64"));
  return bytes.length === descriptor.size ? bytes : undefined;
}
