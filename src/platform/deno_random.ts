import type { Random } from "../core/random.ts";

/** The host's randomness. */
export const denoRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};
