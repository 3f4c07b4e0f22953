/**
 * Shamir's secret sharing over GF(2^8) with the polynomial of AES, as HashiCorp Vault and sops split data keys: each
 * share is the secret's length and one more byte, the x coordinate, at the end.
 */

const exponents = new Uint8Array(512);
const logarithms = new Uint8Array(256);
{
  // Powers of the generator 3.
  let power = 1;
  for (let index = 0; index < 255; index++) {
    exponents[index] = power;
    logarithms[power] = index;
    power ^= (power << 1) ^ (power & 0x80 ? 0x11b : 0);
    power &= 0xff;
  }
  for (let index = 255; index < 512; index++) exponents[index] = exponents[index - 255] ?? 0;
}

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : exponents[(logarithms[a] ?? 0) + (logarithms[b] ?? 0)] ?? 0;
}

function divide(a: number, b: number): number {
  return a === 0 ? 0 : exponents[(logarithms[a] ?? 0) + 255 - (logarithms[b] ?? 0)] ?? 0;
}

/**
 * The secret of which `parts` are shares. Too few shares give a wrong secret, which only its use can tell.
 *
 * @throws {RangeError} when fewer than two shares are given, or their lengths or coordinates do not fit
 */
export function combineShares(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts[0]?.length ?? 0;
  if (parts.length < 2 || length < 2 || parts.some((part) => part.length !== length)) {
    throw new RangeError("Cannot combine shares: at least two of one length are needed");
  }
  const xs = parts.map((part) => part[length - 1] ?? 0);
  if (new Set(xs).size !== xs.length) throw new RangeError("Cannot combine shares: one is given twice");
  // Lagrange's interpolation at 0; subtraction is exclusive or.
  const weights = xs.map((x, i) =>
    xs.reduce((weight, other, j) => i === j ? weight : multiply(weight, divide(other, x ^ other)), 1)
  );
  return Uint8Array.from(
    { length: length - 1 },
    (_, at) => parts.reduce((sum, part, i) => sum ^ multiply(weights[i] ?? 0, part[at] ?? 0), 0),
  );
}
