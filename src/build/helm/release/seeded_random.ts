import type { Random } from "../../../core/random.ts";
import { sha256Bytes } from "../../../core/sha256.ts";

/**
 * Chance that repeats itself: SHA-256 over the seed and a counter. Fit for keys where the seed is secret and fresh; with
 * a seed of names it makes a render repeatable and nothing secret.
 */
export function seededRandom(seed: string | Uint8Array): Random {
  let start: Uint8Array | undefined;
  let counter = 0;
  let block: Uint8Array = new Uint8Array(0);
  let at = 0;
  const bytes = (length: number): Uint8Array<ArrayBuffer> => {
    const made = new Uint8Array(length);
    for (let end = 0; end < length;) {
      if (at >= block.length) {
        start ??= sha256Bytes(seed);
        block = sha256Bytes(Uint8Array.of(...start, ...new TextEncoder().encode(String(counter++))));
        at = 0;
      }
      const take = Math.min(length - end, block.length - at);
      made.set(block.subarray(at, at + take), end);
      at += take;
      end += take;
    }
    return made;
  };
  return {
    bytes,
    next() {
      const [a, b, c, d, e, f, g] = bytes(7) as unknown as [number, number, number, number, number, number, number];
      const high = (a & 0x1f) * 2 ** 48;
      return (high + b * 2 ** 40 + c * 2 ** 32 + d * 2 ** 24 + e * 2 ** 16 + f * 2 ** 8 + g) / 2 ** 53;
    },
  };
}
