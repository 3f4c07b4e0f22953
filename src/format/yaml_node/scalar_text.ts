/**
 * The texts of scalars: plain, quoted and block ones, as libyaml reads them. Each reads on from the cursor and leaves it behind.
 *
 * @module
 */
import {
  ampersand,
  at,
  backslash,
  backtick,
  bang,
  braceClose,
  braceOpen,
  bracketClose,
  bracketOpen,
  breakText,
  colon,
  comma,
  dash,
  dot,
  doubleQuote,
  foldBreaks,
  greater,
  hash,
  isBlank,
  isBlankOrEnd,
  isBreak,
  lf,
  percent,
  pipe,
  question,
  singleQuote,
  space,
  star,
  tab,
} from "./characters.ts";
import type { Cursor } from "./cursor.ts";

/** Whether a plain scalar may begin with the character that the cursor stands at. */
export function startsPlain(cursor: Cursor, code: number, flow: boolean): boolean {
  switch (code) {
    case dash:
      return !isBlankOrEnd(cursor.code(1));
    case question:
    case colon:
      return !flow && !isBlankOrEnd(cursor.code(1));
    case comma:
    case bracketOpen:
    case bracketClose:
    case braceOpen:
    case braceClose:
    case hash:
    case ampersand:
    case star:
    case bang:
    case pipe:
    case greater:
    case singleQuote:
    case doubleQuote:
    case percent:
    case at:
    case backtick:
      return false;
    default:
      return !isBlankOrEnd(code);
  }
}

/**
 * A plain scalar; continuation lines must reach column `minColumn` (not looked at in flow context).
 *
 * @throws {YamlSyntaxError}
 */
export function plainText(cursor: Cursor, minColumn: number, flow: boolean): string {
  const text = cursor.text;
  let out: string | undefined;
  let start = cursor.pos;
  let end = cursor.pos;
  let scan = cursor.pos;
  for (;;) {
    // One line.
    let stopped = false;
    for (;;) {
      const code = text.charCodeAt(scan);
      if (code === colon) {
        if (isBlankOrEnd(text.charCodeAt(scan + 1))) {
          stopped = true;
          break;
        }
      } else if (code === space || code === tab) {
        do scan++; while (isBlank(text.charCodeAt(scan)));
        const next = text.charCodeAt(scan);
        if (next === hash) {
          stopped = true;
          break;
        }
        if (next !== next || isBreak(next)) break;
        continue;
      } else if (code === lf || code !== code || isBreak(code)) break;
      else if (
        flow && (code === comma || code === question || code === bracketOpen || code === bracketClose ||
          code === braceOpen || code === braceClose)
      ) {
        stopped = true;
        break;
      }
      end = ++scan;
    }
    if (stopped || scan >= text.length) break;
    // Look over line breaks and blanks for a continuation.
    cursor.pos = scan;
    const line = cursor.line;
    const lineStart = cursor.lineStart;
    let breaks = 0;
    let firstBreak = "";
    let foldedBreaks = "";
    for (;;) {
      const code = text.charCodeAt(cursor.pos);
      if (code === space || code === tab) {
        if (code === tab && breaks > 0 && cursor.column() < minColumn) {
          cursor.fail("found a tab character that violates indentation");
        }
        cursor.pos++;
      } else if (code === code && isBreak(code)) {
        const written = breakText(code);
        if (breaks > 0) foldedBreaks += written;
        else firstBreak = written;
        breaks++;
        cursor.lineBreak();
      } else break;
    }
    const code = cursor.code(0);
    const goesOn = code === code && code !== hash && (flow || cursor.column() >= minColumn) &&
      !cursor.isMarker(dash) && !cursor.isMarker(dot) && !stopsPlain(cursor, code, flow);
    if (!goesOn) {
      cursor.line = line;
      cursor.lineStart = lineStart;
      break;
    }
    out = (out ?? "") + text.slice(start, end) + foldBreaks(firstBreak, foldedBreaks);
    start = scan = end = cursor.pos;
  }
  cursor.pos = end;
  return out === undefined ? text.slice(start, end) : out + text.slice(start, end);
}

function stopsPlain(cursor: Cursor, code: number, flow: boolean): boolean {
  if (code === colon && isBlankOrEnd(cursor.code(1))) return true;
  return flow && (code === comma || code === question || code === bracketOpen || code === bracketClose ||
    code === braceOpen || code === braceClose);
}

/** Text between single quotes; the cursor stands at the first. @throws {YamlSyntaxError} */
export function singleQuotedText(cursor: Cursor): string {
  const text = cursor.text;
  let scan = ++cursor.pos;
  let out = "";
  let start = scan;
  for (;;) {
    const code = text.charCodeAt(scan);
    if (code === singleQuote) {
      if (text.charCodeAt(scan + 1) === singleQuote) {
        out += text.slice(start, scan + 1);
        start = scan += 2;
        continue;
      }
      cursor.pos = scan + 1;
      return out + text.slice(start, scan);
    }
    if (code !== code) cursor.fail("found unexpected end of stream");
    if (isBreak(code)) {
      out += text.slice(start, scan).replace(/[ \t]+$/, "");
      cursor.pos = scan;
      out += foldLines(cursor);
      start = scan = cursor.pos;
      continue;
    }
    scan++;
  }
}

/** Line breaks inside a quoted scalar: one is a blank, more are one less. */
function foldLines(cursor: Cursor): string {
  let first = "";
  let rest = "";
  for (;;) {
    const code = cursor.code(0);
    if (isBlank(code)) cursor.pos++;
    else if (code === code && isBreak(code)) {
      if (first === "") first = breakText(code);
      else rest += breakText(code);
      cursor.lineBreak();
      if (cursor.isMarker(dash) || cursor.isMarker(dot)) cursor.fail("found unexpected document indicator");
    } else break;
  }
  return foldBreaks(first, rest);
}

/** Text between double quotes; the cursor stands at the first. @throws {YamlSyntaxError} */
export function doubleQuotedText(cursor: Cursor): string {
  const text = cursor.text;
  let scan = ++cursor.pos;
  let out = "";
  let start = scan;
  for (;;) {
    const code = text.charCodeAt(scan);
    if (code === doubleQuote) {
      cursor.pos = scan + 1;
      return start === scan && out === "" ? "" : out + text.slice(start, scan);
    }
    if (code !== code) cursor.fail("found unexpected end of stream");
    if (code === backslash) {
      out += text.slice(start, scan);
      cursor.pos = scan + 1;
      const next = cursor.code(0);
      if (next === next && isBreak(next)) {
        // A line break that is escaped joins the lines.
        cursor.lineBreak();
        for (;;) {
          if (cursor.isMarker(dash) || cursor.isMarker(dot)) cursor.fail("found unexpected document indicator");
          const blank = cursor.code(0);
          if (isBlank(blank)) cursor.pos++;
          else if (blank === blank && isBreak(blank)) {
            out += breakText(blank);
            cursor.lineBreak();
          } else break;
        }
      } else out += escape(cursor);
      start = scan = cursor.pos;
      continue;
    }
    if (isBreak(code)) {
      out += text.slice(start, scan).replace(/[ \t]+$/, "");
      cursor.pos = scan;
      out += foldLines(cursor);
      start = scan = cursor.pos;
      continue;
    }
    scan++;
  }
}

function escape(cursor: Cursor): string {
  const letter = cursor.text.charAt(cursor.pos++);
  const simple = simpleEscapes[letter];
  if (simple !== undefined) return simple;
  const length = letter === "x" ? 2 : letter === "u" ? 4 : letter === "U" ? 8 : 0;
  if (length === 0) cursor.fail("found unknown escape character");
  const digits = cursor.text.slice(cursor.pos, cursor.pos + length);
  if (digits.length !== length || !/^[0-9a-fA-F]+$/.test(digits)) {
    cursor.fail("did not find expected hexdecimal number");
  }
  cursor.pos += length;
  const value = parseInt(digits, 16);
  if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
    cursor.fail("found invalid Unicode character escape code");
  }
  return String.fromCodePoint(value);
}

/**
 * Text of a block scalar, `|` or `>` with its header; `indent` is the column of the collection around.
 *
 * @throws {YamlSyntaxError}
 */
export function blockText(cursor: Cursor, indent: number): string {
  const text = cursor.text;
  const literal = cursor.code(0) === pipe;
  const header = /^[|>](?:([+-])([0-9])?|([0-9])([+-])?)?/.exec(text.slice(cursor.pos, cursor.pos + 3));
  const chomp = header?.[1] ?? header?.[4];
  const digit = header?.[2] ?? header?.[3];
  if (digit === "0") cursor.fail("found an indentation indicator equal to 0");
  cursor.pos += header?.[0].length ?? 1;
  let rest = cursor.pos;
  while (isBlank(text.charCodeAt(rest))) rest++;
  cursor.pos = rest;
  const code = cursor.code(0);
  if (code === hash) cursor.pos = cursor.lineEnd();
  else if (code === code && !isBreak(code)) cursor.fail("did not find expected comment or line break");
  if (cursor.pos < text.length) cursor.lineBreak();

  let column = digit === undefined ? 0 : Math.max(indent, 0) + Number(digit);
  let breaks = "";
  const readBreaks = () => {
    let most = 0;
    for (;;) {
      while ((column === 0 || cursor.column() < column) && cursor.code(0) === space) cursor.pos++;
      most = Math.max(most, cursor.column());
      if ((column === 0 || cursor.column() < column) && cursor.code(0) === tab) {
        cursor.fail("found a tab character where an indentation space is expected");
      }
      const next = cursor.code(0);
      if (!(next === next && isBreak(next))) break;
      breaks += next === 0x2028 || next === 0x2029 ? text.charAt(cursor.pos) : "\n";
      cursor.lineBreak();
    }
    if (column === 0) column = Math.max(most, indent + 1, 1);
  };
  readBreaks();
  const parts: string[] = [];
  let lastBreak = "";
  let lastWasBlank = false;
  while (cursor.column() === column && cursor.pos < text.length) {
    const startsBlank = isBlank(cursor.code(0));
    if (!literal && lastBreak === "\n" && !lastWasBlank && !startsBlank) {
      if (breaks === "") parts.push(" ");
    } else parts.push(lastBreak);
    parts.push(breaks);
    breaks = "";
    lastBreak = "";
    lastWasBlank = startsBlank;
    const end = cursor.lineEnd();
    parts.push(text.slice(cursor.pos, end));
    cursor.pos = end;
    if (end < text.length) {
      const code = cursor.code(0);
      lastBreak = code === 0x2028 || code === 0x2029 ? text.charAt(end) : "\n";
      cursor.lineBreak();
    }
    readBreaks();
  }
  if (chomp !== "-") parts.push(lastBreak);
  if (chomp === "+") parts.push(breaks);
  return parts.join("");
}

const simpleEscapes: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  "\t": "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  " ": " ",
  '"': '"',
  "'": "'",
  "\\": "\\",
  N: "\u0085",
  _: "\u00a0",
  L: "\u2028",
  P: "\u2029",
};
