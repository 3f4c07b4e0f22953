/**
 * Characters that YAML's grammar decides by, as codes. Past the end of a text `charCodeAt` gives NaN, which equals none of them.
 *
 * @module
 */

/** Tabulator */
export const tab = 9;
/** Line feed */
export const lf = 10;
/** Carriage return */
export const cr = 13;
/** Blank */
export const space = 32;
/** `!` */
export const bang = 33;
/** `"` */
export const doubleQuote = 34;
/** `#` */
export const hash = 35;
/** `%` */
export const percent = 37;
/** `&` */
export const ampersand = 38;
/** `'` */
export const singleQuote = 39;
/** `*` */
export const star = 42;
/** `,` */
export const comma = 44;
/** `-` */
export const dash = 45;
/** `.` */
export const dot = 46;
/** `:` */
export const colon = 58;
/** `>` */
export const greater = 62;
/** `?` */
export const question = 63;
/** `@` */
export const at = 64;
/** `[` */
export const bracketOpen = 91;
/** `\` */
export const backslash = 92;
/** `]` */
export const bracketClose = 93;
/** `` ` `` */
export const backtick = 96;
/** `{` */
export const braceOpen = 123;
/** `|` */
export const pipe = 124;
/** `}` */
export const braceClose = 125;

/** Whether a line ends there: line feed, carriage return, NEL, U+2028, U+2029. */
export function isBreak(code: number): boolean {
  return code === lf || code === cr || code === 0x85 || code === 0x2028 || code === 0x2029;
}

/** Blank or tabulator. */
export function isBlank(code: number): boolean {
  return code === space || code === tab;
}

/** Blank, line break or end of text. */
export function isBlankOrEnd(code: number): boolean {
  return code === space || code === lf || code === tab || code !== code || isBreak(code);
}

/** A line break as it counts in a scalar: all are line feeds but U+2028 and U+2029. */
export function breakText(code: number): string {
  return code === 0x2028 || code === 0x2029 ? String.fromCharCode(code) : "\n";
}

/** Line breaks between two pieces of a scalar: a single line feed is a blank, more are one less. */
export function foldBreaks(first: string, rest: string): string {
  return first === "\n" ? rest === "" ? " " : rest : first + rest;
}
