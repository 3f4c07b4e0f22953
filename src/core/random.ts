/** Chance, as everything but `src/platform` sees it. */
export interface Random {
  /** A number from 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** `length` bytes fit for keys. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}
