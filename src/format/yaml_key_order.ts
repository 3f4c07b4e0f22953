/**
 * Order of keys in printed YAML: that of go-yaml v2 (sorter.go): signs before digits before letters, numbers within a text
 * by their value. Not a strict order for texts like `a01b` beside `a1b`; Go's answer varies there as well.
 *
 * @returns negative when `a` comes first
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let index = 0;
  while (index < length && a.charCodeAt(index) === b.charCodeAt(index)) index++;
  if (index === length) return a.length - b.length;
  // Both halves of a pair belong together.
  if (index > 0 && isHigh(a.charCodeAt(index - 1))) index--;
  const left = a.codePointAt(index) as number;
  const right = b.codePointAt(index) as number;
  const leftIsLetter = isLetter(left);
  const rightIsLetter = isLetter(right);
  if (leftIsLetter && rightIsLetter) return left - right;
  if (leftIsLetter || rightIsLetter) return rightIsLetter ? -1 : 1;
  const carries = (left === 48 || right === 48) && followsNonZeroDigit(a, index);
  const x = numberAt(a, index, carries);
  const y = numberAt(b, index, carries);
  if (x.value !== y.value) return x.value < y.value ? -1 : 1;
  if (x.count !== y.count) return x.count - y.count;
  return left - right;
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLetter(code: number): boolean {
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
  return /^\p{L}/u.test(String.fromCodePoint(code));
}

function isDigit(code: number): boolean {
  if (code < 128) return code >= 48 && code <= 57;
  return /^\p{Nd}/u.test(String.fromCodePoint(code));
}

/** Whether the digits before `index` hold one that is not 0: then a 0 at `index` is inside a number, not in front of it. */
function followsNonZeroDigit(text: string, index: number): boolean {
  for (let before = index - 1; before >= 0 && isDigit(text.charCodeAt(before)); before--) {
    if (text.charCodeAt(before) !== 48) return true;
  }
  return false;
}

function numberAt(text: string, start: number, carries: boolean): { readonly value: bigint | number; count: number } {
  let value = carries ? 1 : 0;
  let count = 0;
  let index = start;
  while (index < text.length) {
    const code = text.codePointAt(index) as number;
    if (!isDigit(code)) break;
    value = value * 10 + (code - 48);
    count++;
    index += code > 0xffff ? 2 : 1;
  }
  if (count <= 14) return { value, count };
  // Go counts in 64 bits and wraps around.
  let exact = carries ? 1n : 0n;
  for (const character of text.slice(start, index)) {
    exact = BigInt.asIntN(64, exact * 10n + BigInt((character.codePointAt(0) ?? 48) - 48));
  }
  return { value: exact, count };
}
