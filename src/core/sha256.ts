import { nodeBuiltin } from "./node_builtin.ts";

/** Inputs of so many bytes are cheaper here than the loading of the runtime's own. */
const shortBytes = 16 * 1024;

/** SHA-256 of bytes, or of a text's UTF-8 form, as lower-case hex. */
export function sha256Hex(data: Uint8Array | string): string {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  if (bytes.length <= shortBytes && !nodeBuiltin.hasCrypto()) return shortSha256Hex(bytes);
  return nodeBuiltin.crypto().createHash("sha256").update(bytes).digest("hex");
}

/** SHA-256 of bytes, or of a text's UTF-8 form, as 32 bytes. */
export function sha256Bytes(data: Uint8Array | string): Uint8Array {
  return Uint8Array.fromHex(sha256Hex(data));
}

/** Round constants: the first 32 bits of the fractions of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
let constants: Uint32Array | undefined;

/**
 * SHA-256 of bytes as lower-case hex (FIPS 180-4), for short inputs of short processes: the runtime's own is faster, but
 * costs 20 ms to load (node_builtin.ts). Not for secrets: it takes no care about its timing.
 */
export function shortSha256Hex(data: Uint8Array): string {
  const table = constants ??= roundConstants();
  const padded = new Uint8Array((data.length + 72) & ~63);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(padded.length - 4, data.length << 3);
  const state = Int32Array.of(
    ...[0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
  );
  const schedule = new Int32Array(64);
  for (let at = 0; at < padded.length; at += 64) mixBlock(state, schedule, view, at, table);
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function mixBlock(state: Int32Array, schedule: Int32Array, view: DataView, at: number, table: Uint32Array): void {
  for (let t = 0; t < 16; t++) schedule[t] = view.getInt32(at + 4 * t);
  for (let t = 16; t < 64; t++) {
    const early = schedule[t - 15]!;
    const late = schedule[t - 2]!;
    const low = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
    const high = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
    schedule[t] = schedule[t - 16]! + low + schedule[t - 7]! + high;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  for (let t = 0; t < 64; t++) {
    const choice = (e & f) ^ (~e & g);
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + table[t]! + schedule[t]!) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let index = 0; index < 8; index++) state[index] = state[index]! + sums[index]!;
}

function turn(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function roundConstants(): Uint32Array {
  const primes: number[] = [];
  for (let number = 2; primes.length < 64; number++) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  }
  return Uint32Array.from(primes, (prime) => Math.floor((Math.cbrt(prime) % 1) * 2 ** 32));
}
