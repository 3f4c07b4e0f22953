import { deepStrictEqual, equal, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { frameOf, readFrames, UnsendableError, valueOf } from "../../src/platform/value_frames.ts";

/** The bytes in chunks of so many. */
function streamOf(bytes: Uint8Array, chunkBytes: number): ReadableStream<Uint8Array> {
  const chunks = Array.from(
    { length: Math.ceil(bytes.length / chunkBytes) },
    (_, index) => bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  return ReadableStream.from(chunks);
}

function joined(frames: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(frames.reduce((length, frame) => length + frame.length, 0));
  let at = 0;
  for (const frame of frames) {
    all.set(frame, at);
    at += frame.length;
  }
  return all;
}

async function through(values: readonly unknown[], chunkBytes: number): Promise<readonly unknown[]> {
  const read: unknown[] = [];
  const stream = streamOf(joined(values.map((value) => frameOf("part", value))), chunkBytes);
  for await (const frame of readFrames(stream)) {
    equal(frame.kind, "part");
    read.push(valueOf(frame));
  }
  return read;
}

Deno.test("readFrames() gives what structuredClone() gives", async () => {
  const shared = { name: "shared" };
  const values = [
    undefined,
    { absent: undefined, big: 2n ** 70n, not: NaN, none: -0, most: Infinity, "": null },
    new Map<string, unknown>([["bytes", new Uint8Array([1, 2, 3])], ["map", new Map([[1, new Set(["a"])]])]]),
    // deno-lint-ignore no-sparse-arrays -- holes are what is asked about
    [1, , 3],
    "a lone \ud800, a \u0000, ü and 😀",
    new Date(5),
    [shared, shared],
    new Uint8Array(200_000).fill(7),
  ];
  for (const chunkBytes of [1_000, 65_536, 1_000_000]) {
    deepStrictEqual(await through(values, chunkBytes), structuredClone(values));
  }
  const [pair] = await through([[shared, shared]], 3) as [readonly unknown[]];
  equal(pair[0], pair[1], "what was one thing is one");
});

Deno.test("readFrames() gives back any value, however its bytes are cut", async () => {
  const value = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true });
  const check = fc.asyncProperty(
    fc.array(value, { maxLength: 4 }),
    fc.integer({ min: 1, max: 50 }),
    async (all, cut) => {
      deepStrictEqual(await through(all, cut), structuredClone(all));
    },
  );
  await fc.assert(check, { numRuns: 200 });
});

Deno.test("readFrames() leaves out what is cut off, and refuses what is no frame", async () => {
  const frame = frameOf("end", { a: 1 });
  const cut = joined([frame, frame.subarray(0, frame.length - 1)]);
  equal((await Array.fromAsync(readFrames(streamOf(cut, 7)))).length, 1);
  const text = new TextEncoder().encode("Hello, this is no frame");
  await rejects(Array.fromAsync(readFrames(streamOf(text, 4))), /no frame of ours/);
  const long = Uint8Array.of(1, 255, 255, 255, 255);
  await rejects(Array.fromAsync(readFrames(streamOf(long, 5))), /no frame of ours/);
});

Deno.test("frameOf() refuses what cannot be cloned", () => {
  throws(() => frameOf("order", { check: () => true }), UnsendableError);
  throws(() => frameOf("order", Symbol("a")), UnsendableError);
});
