/**
 * Room `core`: the words every room speaks: values, their text form, and the contracts between rooms.
 * In: nothing. Out: types and small pure functions. May fail: parsing, with a coded error. Called by everyone.
 * It imports nothing (hashing is pure: `node_builtin.ts`). A type moves in when a second room needs it.
 *
 * @module
 */
import { nodeBuiltin } from "./node_builtin.ts";
import { sha256Hex } from "./sha256.ts";

/** Content address of bytes: `sha256:<64 hex>` or `sha512:<128 hex>`, lower case (OCI image-spec, descriptor.md). */
export type Digest = `sha256:${string}` | `sha512:${string}`;

/** The digest algorithms that are accepted from outside; everything we write is `sha256`. */
export type DigestAlgorithm = "sha256" | "sha512";

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether `text` is a digest of an accepted algorithm with the exact length. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** Algorithm and hex parts of a digest. */
export function splitDigest(digest: Digest): { readonly algorithm: DigestAlgorithm; readonly hex: string } {
  const colon = digest.indexOf(":");
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) };
}

/** `sha256:` digest of bytes, or of a text's UTF-8 form. */
export function digestOf(data: Uint8Array | string): Digest {
  return `sha256:${sha256Hex(data)}`;
}

/** Digest of bytes that arrive in pieces: `update` as they come, then `digest` once. */
export interface DigestStream {
  update(chunk: Uint8Array): void;
  digest(): Digest;
}

/** A running digest of the given algorithm. */
export function digestStream(algorithm: DigestAlgorithm = "sha256"): DigestStream {
  const hash = nodeBuiltin.crypto().createHash(algorithm);
  return {
    update: (chunk) => void hash.update(chunk),
    digest: () => `${algorithm}:${hash.digest("hex")}` as Digest,
  };
}

/** The first `length` hex digits, for people and file names. */
export function shortDigest(digest: Digest, length = 12): string {
  return splitDigest(digest).hex.slice(0, length);
}
