/**
 * Letter case as Go's `unicode` package has it: one character for one character, without regard to what stands around.
 *
 * @module
 */
import { withoutRawBytes } from "../template/go_string.ts";

/** Characters with a title case of their own: the first of each group of three is upper case, the second title case. */
const digraphs: readonly (readonly [string, string, string])[] = [
  ["\u01c4", "\u01c5", "\u01c6"],
  ["\u01c7", "\u01c8", "\u01c9"],
  ["\u01ca", "\u01cb", "\u01cc"],
  ["\u01f1", "\u01f2", "\u01f3"],
];

/** Upper case of one character. */
export function upperCharacter(character: string): string {
  const upper = character.toUpperCase();
  if ([...upper].length === 1) return upper;
  // Greek letters with iota below: their single upper case stands eight (or nine, twelve) places further on.
  const code = character.codePointAt(0) as number;
  if (code >= 0x1f80 && code <= 0x1faf && (code & 8) === 0) return String.fromCodePoint(code + 8);
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return String.fromCodePoint(code + 9);
  return character;
}

/** Lower case of one character. */
export function lowerCharacter(character: string): string {
  const lower = character.toLowerCase();
  return [...lower].length === 1 ? lower : character === "\u0130" ? "i" : character;
}

/** Title case of one character. */
function titleCharacter(character: string): string {
  const digraph = digraphs.find((group) => group.includes(character));
  if (digraph !== undefined) return digraph[1];
  // Georgian letters are their own title case.
  if (/[\u10d0-\u10fa\u10fd-\u10ff]/.test(character)) return character;
  return upperCharacter(character);
}

/** `strings.ToUpper` */
export function upperText(text: string): string {
  return isAscii(text) ? text.toUpperCase() : mapCharacters(text, upperCharacter);
}

/** `strings.ToLower` */
export function lowerText(text: string): string {
  return isAscii(text) ? text.toLowerCase() : mapCharacters(text, lowerCharacter);
}

/** `strings.Title`: the first letter of each word; apostrophes and the like separate words too. */
export function titleText(text: string): string {
  let previous = " ";
  return mapCharacters(text, (character) => {
    const result = isSeparator(previous) ? titleCharacter(character) : character;
    previous = character;
    return result;
  });
}

function isSeparator(character: string): boolean {
  if (isAscii(character)) return !/[A-Za-z0-9_]/.test(character);
  return !/[\p{L}\p{Nd}]/u.test(character) && isGoSpace(character);
}

/** The first letter of each word (words are separated by blanks) in lower case. */
export function untitleText(text: string): string {
  let isStart = true;
  return mapCharacters(text, (character) => {
    if (isGoSpace(character)) {
      isStart = true;
      return character;
    }
    const result = isStart ? lowerCharacter(character) : character;
    isStart = false;
    return result;
  });
}

/** Upper case becomes lower case and the reverse; the first letter of a word gets title case (goutils `SwapCase`). */
export function swapCase(text: string): string {
  let isStart = true;
  return mapCharacters(text, (character) => {
    if (/[\p{Lu}\p{Lt}]/u.test(character)) {
      isStart = false;
      return lowerCharacter(character);
    }
    if (/\p{Ll}/u.test(character)) {
      const result = isStart ? titleCharacter(character) : upperCharacter(character);
      isStart = false;
      return result;
    }
    isStart = isGoSpace(character);
    return character;
  });
}

/** Each character through a function; bytes that are not valid UTF-8 become U+FFFD, as in Go. */
export function mapCharacters(text: string, change: (character: string) => string): string {
  let result = "";
  for (const character of withoutRawBytes(text)) result += change(character);
  return result;
}

/** Whether a text is ASCII only. */
export function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /^[\0-\x7f]*$/.test(text);
}

/** `unicode.IsSpace` of one character. */
export function isGoSpace(character: string): boolean {
  return /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/.test(character);
}

/** `strings.TrimSpace` */
export function trimGoSpace(text: string): string {
  return text.replace(/^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/, "")
    .replace(/[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/, "");
}
