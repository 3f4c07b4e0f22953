/**
 * Go's quoting of texts and characters (strconv: Quote, Unquote, UnquoteChar), over strings as go_string.ts has them.
 *
 * @module
 */
import { GoError } from "./go_error.ts";
import { fromBytes, rejoin, toBytes } from "./go_string.ts";

// Expressions over all of Unicode are written where they are used: to read one takes 0.4 ms, and ASCII needs none.

/** Whether Go prints a character as it is (`strconv.IsPrint`). */
export function isPrintable(character: string): boolean {
  const code = character.charCodeAt(0);
  if (code < 128) return code >= 0x20 && code < 0x7f;
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character);
}

/** Whether a character may stand in a name: a letter, a decimal digit or `_`. */
export function isNameCharacter(character: string): boolean {
  const code = character.charCodeAt(0);
  if (code < 128) {
    return code >= 97 && code <= 122 || code >= 65 && code <= 90 || code >= 48 && code <= 57 || code === 95;
  }
  return /^[\p{L}\p{Nd}]$/u.test(character);
}

const escapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

/** One character as Go writes it inside quotes; with `asciiOnly` everything beyond ASCII is escaped. */
export function escapeCharacter(character: string, quote: string, asciiOnly: boolean): string {
  const code = character.codePointAt(0) as number;
  if (character === quote) return `\\${character}`;
  const short = escapes[character];
  if (short !== undefined) return short;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  if ((code < 128 || !asciiOnly) && isPrintable(character)) return character;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}

/** A text as a Go string literal (`%q`; with `asciiOnly` `%+q`). */
export function quoteText(text: string, asciiOnly = false): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  let quoted = '"';
  for (const character of rejoin(text)) quoted += escapeCharacter(character, '"', asciiOnly);
  return `${quoted}"`;
}

/** A character as a Go character literal (`%q` of a rune). */
export function quoteCharacter(character: string): string {
  return `'${escapeCharacter(character, "'", false)}'`;
}

/** Whether a text can stand between backquotes unchanged. */
export function canBackquote(text: string): boolean {
  if (!text.isWellFormed()) return false;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code === 0xfeff || code === 0x7f || code === 0x60 || code < 0x20 && code !== 9) return false;
  }
  return true;
}

const simpleEscapes: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, "\\": 92 };

/** Result of reading one possibly escaped character: a code point, or a byte where `isByte`. */
export interface ReadCharacter {
  readonly code: number;
  readonly isByte: boolean;
  /** Index after it. */
  readonly end: number;
}

/** Reads the character at `index` of the inside of a literal in `quote`s. @throws {GoError} `invalid syntax` */
export function readCharacter(text: string, index: number, quote: string): ReadCharacter {
  const first = text[index];
  if (first === undefined || first === quote && (quote === '"' || quote === "'")) throw new GoError("invalid syntax");
  if (first !== "\\") {
    const code = text.codePointAt(index) as number;
    return { code, isByte: false, end: index + (code > 0xffff ? 2 : 1) };
  }
  const kind = text[index + 1];
  if (kind === undefined) throw new GoError("invalid syntax");
  const simple = simpleEscapes[kind];
  if (simple !== undefined) return { code: simple, isByte: false, end: index + 2 };
  if (kind === '"' || kind === "'") {
    if (kind !== quote) throw new GoError("invalid syntax");
    return { code: kind.charCodeAt(0), isByte: false, end: index + 2 };
  }
  if (kind === "x" || kind === "u" || kind === "U") {
    const size = kind === "x" ? 2 : kind === "u" ? 4 : 8;
    const digits = text.slice(index + 2, index + 2 + size);
    if (digits.length < size || !/^[0-9a-fA-F]+$/.test(digits)) throw new GoError("invalid syntax");
    const code = Number.parseInt(digits, 16);
    if (kind !== "x" && (code > 0x10ffff || code >= 0xd800 && code < 0xe000)) throw new GoError("invalid syntax");
    return { code, isByte: kind === "x", end: index + 2 + size };
  }
  const octal = /^[0-7]{3}/.exec(text.slice(index + 1, index + 4))?.[0];
  if (octal === undefined || Number.parseInt(octal, 8) > 255) throw new GoError("invalid syntax");
  return { code: Number.parseInt(octal, 8), isByte: true, end: index + 4 };
}

/** Text of a Go literal in double quotes or backquotes. @throws {GoError} `invalid syntax` */
export function unquoteText(literal: string): string {
  const quote = literal[0];
  if (literal.length < 2 || quote !== literal.at(-1)) throw new GoError("invalid syntax");
  const inside = literal.slice(1, -1);
  if (quote === "`") return inside.replaceAll("\r", "");
  if (inside.includes("\n")) throw new GoError("invalid syntax");
  if (!inside.includes("\\") && !inside.includes('"')) return inside;
  const parts: string[] = [];
  let hasBytes = false;
  for (let index = 0; index < inside.length;) {
    const read = readCharacter(inside, index, '"');
    if (read.isByte && read.code >= 0x80) {
      hasBytes = true;
      parts.push(String.fromCharCode(0xdc00 + read.code));
    } else parts.push(String.fromCodePoint(read.code));
    index = read.end;
  }
  const text = parts.join("");
  return hasBytes ? fromBytes(toBytes(text)) : text;
}

/** A character as `%#U` prints it: `U+002D '-'`. */
export function unicodeName(character: string): string {
  const raw = character.codePointAt(0) ?? 0xfffd;
  const code = raw >= 0xdc80 && raw <= 0xdcff ? 0xfffd : raw;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const shown = String.fromCodePoint(code);
  return isPrintable(shown) ? `${name} '${shown}'` : name;
}
