import { deserialize, serialize } from "node:v8";

/** What a frame is for; its place here is its first byte. */
const kinds = ["ready", "order", "part", "end", "fault"] as const;

/** What a frame is for. */
export type FrameKind = (typeof kinds)[number];

/** A piece of what two processes tell each other: a kind, and a value for those that have one. */
export interface Frame {
  readonly kind: FrameKind;
  readonly body: Uint8Array;
}

/** A value that cannot be cloned, and so cannot be sent to another process. */
export class UnsendableError extends Error {
  override readonly name = "UnsendableError";
}

/** The kind, then the length of the body in four bytes, the lowest first. */
const headerBytes = 5;
/** Longest body that is read: what says that it is longer is no frame of ours. */
const longestBytes = 512 * 1024 * 1024;

/**
 * A value as the bytes of a frame, as V8 writes what it clones: it comes back as `structuredClone` gives it, `undefined`,
 * `bigint`, `NaN`, maps, bytes, holes and lone surrogates included.
 *
 * @throws {UnsendableError} for what holds something that cannot be cloned, a function for example
 */
export function frameOf(kind: FrameKind, value?: unknown): Uint8Array<ArrayBuffer> {
  const body = serialized(value);
  const frame = new Uint8Array(headerBytes + body.length);
  frame[0] = kinds.indexOf(kind);
  new DataView(frame.buffer).setUint32(1, body.length, true);
  frame.set(body, headerBytes);
  return frame;
}

function serialized(value: unknown): Uint8Array {
  try {
    return serialize(value);
  } catch (error) {
    throw new UnsendableError(String(error), { cause: error });
  }
}

/** The value of a frame. Bytes in it are views of the frame's body. */
export function valueOf({ body }: Frame): unknown {
  return deserialize(body);
}

/** The frames of a stream, each once it is whole; one that the stream's end cuts off is left out. @throws for what is no frame */
export async function* readFrames(stream: ReadableStream<Uint8Array>): AsyncGenerator<Frame, undefined> {
  let kind: FrameKind | undefined;
  let into = new Uint8Array(headerBytes);
  let filled = 0;
  for await (const chunk of stream) {
    for (let at = 0;;) {
      const taken = chunk.subarray(at, at + into.length - filled);
      into.set(taken, filled);
      at += taken.length;
      filled += taken.length;
      if (filled < into.length) break;
      if (kind === undefined) {
        kind = kinds[into[0] ?? -1];
        const length = new DataView(into.buffer).getUint32(1, true);
        if (kind === undefined || length > longestBytes) {
          throw new Error("Cannot read from the process: no frame of ours");
        }
        into = new Uint8Array(length);
      } else {
        yield { kind, body: into };
        kind = undefined;
        into = new Uint8Array(headerBytes);
      }
      filled = 0;
    }
  }
  return undefined;
}
