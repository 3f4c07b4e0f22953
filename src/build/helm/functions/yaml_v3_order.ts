/**
 * Order of mapping keys in what go-yaml v3 prints: runs of digits by number, other signs before letters (behind them
 * directly after a digit, unlike v2), letters by code.
 */
export function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === shorter) return a.length - b.length;
  const left = a.charCodeAt(at), right = b.charCodeAt(at);
  const leftLetter = isLetter(a, at, left), rightLetter = isLetter(b, at, right);
  if (leftLetter && rightLetter) return codePointOf(a, at) - codePointOf(b, at);
  if (leftLetter || rightLetter) {
    const afterDigit = at > 0 && isDigit(a.charCodeAt(at - 1));
    return (afterDigit ? leftLetter : rightLetter) ? -1 : 1;
  }
  let leftNumber = 0n, rightNumber = 0n;
  if (left === 0x30 || right === 0x30) {
    // A zero after other digits belongs to their number.
    for (let back = at - 1; back >= 0 && isDigit(a.charCodeAt(back)); back--) {
      if (a.charCodeAt(back) !== 0x30) {
        leftNumber = rightNumber = 1n;
        break;
      }
    }
  }
  let leftEnd = at, rightEnd = at;
  for (; isDigit(a.charCodeAt(leftEnd)); leftEnd++) leftNumber = leftNumber * 10n + BigInt(a.charCodeAt(leftEnd) - 48);
  for (; isDigit(b.charCodeAt(rightEnd)); rightEnd++) {
    rightNumber = rightNumber * 10n + BigInt(b.charCodeAt(rightEnd) - 48);
  }
  leftNumber = BigInt.asIntN(64, leftNumber);
  rightNumber = BigInt.asIntN(64, rightNumber);
  if (leftNumber !== rightNumber) return leftNumber < rightNumber ? -1 : 1;
  if (leftEnd !== rightEnd) return leftEnd - rightEnd;
  return codePointOf(a, at) - codePointOf(b, at);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(text: string, at: number, code: number): boolean {
  if (code < 0x80) return code >= 0x61 ? code <= 0x7a : code >= 0x41 && code <= 0x5a;
  return /^\p{L}/u.test(String.fromCodePoint(codePointOf(text, at)));
}

/** Code point at a position, also when the position is inside a surrogate pair. */
function codePointOf(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code < 0xe000 && at > 0
    ? text.codePointAt(at - 1) as number
    : text.codePointAt(at) as number;
}
