import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { giveWayEvery } from "./give_way.ts";

/** How a layer is packed. */
export type Compression = "gzip" | "zstd" | "none";

/** Unpacked bytes between two turns of others: a few milliseconds of work. */
const turnBytes = 256 * 1024;
/** Pieces in which unpacked bytes come. */
const pieceBytes = 128 * 1024;
/** Largest zstd window: 2^25 = 32 MiB is what level 19 and all tools' defaults stay below. */
const zstdWindowLog = 25;

/** Compression by the first bytes. Media types do not say it for all layers that exist, the bytes do. */
function sniffCompression(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return "zstd";
  return "none";
}

/**
 * Unpacks a stream into `take`, piece by piece, as fast as `take` accepts them. Several gzip members or zstd frames in a
 * row are one content. Gives way to other work between pieces.
 *
 * @throws the fault of `chunks`, `take`, or the decoder (cut off, damaged, a zstd window over 32 MiB)
 */
export async function decompress(
  chunks: AsyncIterable<Uint8Array>,
  take: (piece: Uint8Array, compression: Compression) => void,
  signal?: AbortSignal,
): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  let first: Uint8Array = new Uint8Array(0);
  while (first.length < 4) {
    const next = await iterator.next();
    if (next.done === true) break;
    first = first.length === 0 ? next.value : joined(first, next.value);
  }
  if (first.length === 0) return;
  const compression = sniffCompression(first);
  // What fails first counts: a pipeline may answer with the abort of its other parts instead.
  const faults: unknown[] = [];
  const noting = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      faults.push(error);
      throw error;
    }
  };
  const source = Readable.from(rest(first, () => noting(() => iterator.next())), {
    objectMode: false,
    highWaterMark: pieceBytes,
  });
  const sink = (pieces: AsyncIterable<Uint8Array>) =>
    noting(async () => {
      const takeTurns = giveWayEvery(turnBytes);
      for await (const piece of pieces) {
        try {
          take(piece, compression);
        } catch (error) {
          faults.unshift(error);
          throw error;
        }
        // A decoder that has its next piece ready would otherwise never let anybody else run.
        await takeTurns(piece.length);
      }
    });
  const options = signal === undefined ? {} : { signal };
  try {
    if (compression === "none") await pipeline(source, sink, options);
    else await pipeline(source, decoderFor(compression), sink, options);
  } catch (error) {
    throw faults[0] ?? error;
  }
}

function decoderFor(compression: "gzip" | "zstd") {
  if (compression === "gzip") return createGunzip({ chunkSize: pieceBytes });
  return createZstdDecompress({ chunkSize: pieceBytes, params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } });
}

async function* rest(
  first: Uint8Array,
  read: () => Promise<IteratorResult<Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  yield bufferOf(first);
  for (let next = await read(); next.done !== true; next = await read()) yield bufferOf(next.value);
}

/** Node's streams take the bytes as their own kind; no copy. */
function bufferOf(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
