import type { ScalarStyle } from "./node.ts";

/** Which styles a text can be written in (libyaml's scalar analysis as go-yaml v3.0 has it). */
interface Analysis {
  readonly multiline: boolean;
  readonly flowPlain: boolean;
  readonly blockPlain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

const ordinary =
  /^[A-Za-z0-9_./$(+~=;^<\\](?:[A-Za-z0-9_./$()+~=;^<>\\"'&*!|%@`-]| (?=[A-Za-z0-9_./$()+~=;^<>\\"'&*!|%@`-]))*$/;
const freely: Analysis = { multiline: false, flowPlain: true, blockPlain: true, single: true, block: true };
const empty: Analysis = { multiline: false, flowPlain: false, blockPlain: true, single: true, block: false };
// What libyaml calls printable, less the line feed; characters beyond U+FFFF are not in it.
// deno-lint-ignore no-control-regex
const unprintable = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
/** What libyaml takes for a line break. */
export const breakLetters = /[\n\r\x85\u2028\u2029]/;

function analyze(text: string): Analysis {
  if (text === "") return empty;
  if (ordinary.test(text) && !text.startsWith("...")) return freely;
  let blockIndicator = text.startsWith("---") || text.startsWith("...");
  let flowIndicator = blockIndicator;
  let spaceBreak = false, breakSpace = false, lineBreaks = false, tabs = false;
  let previousSpace = false, previousBreak = false, afterWhite = true;
  const last = text.length - 1;
  for (let at = 0; at <= last; at++) {
    const letter = text.charAt(at);
    const beforeWhite = at === last || text[at + 1] === " " || text[at + 1] === "\t";
    if (at === 0) {
      if (",#[]{}&*!|>'\"%@`".includes(letter)) flowIndicator = blockIndicator = true;
      else if (letter === "?" || letter === ":") {
        flowIndicator = true;
        if (beforeWhite) blockIndicator = true;
      } else if (letter === "-" && beforeWhite) flowIndicator = blockIndicator = true;
    } else if (",?[]{}".includes(letter)) flowIndicator = true;
    else if (letter === ":") {
      flowIndicator = true;
      if (beforeWhite) blockIndicator = true;
    } else if (letter === "#" && afterWhite) flowIndicator = blockIndicator = true;
    const isBreak = breakLetters.test(letter);
    if (letter === "\t") tabs = true;
    if (letter === " ") {
      if (previousBreak) breakSpace = true;
      previousSpace = true;
      previousBreak = false;
    } else if (isBreak) {
      lineBreaks = true;
      if (previousSpace) spaceBreak = true;
      previousSpace = false;
      previousBreak = true;
    } else previousSpace = previousBreak = false;
    afterWhite = letter === " " || letter === "\t" || isBreak;
  }
  const special = unprintable.test(tabs ? text.replaceAll("\t", " ") : text);
  const first = text.charAt(0), end = text.charAt(last);
  const edges = first === " " || end === " " || breakLetters.test(first) || breakLetters.test(end);
  const unquotable = spaceBreak || special || tabs;
  const plain = !edges && !breakSpace && !unquotable && !lineBreaks;
  return {
    multiline: lineBreaks,
    flowPlain: plain && !flowIndicator,
    blockPlain: plain && !blockIndicator,
    single: !breakSpace && !unquotable,
    block: end !== " " && !spaceBreak && !special,
  };
}

/** Where a scalar stands. */
export interface ScalarPlace {
  readonly flow: boolean;
  /** The key of a mapping written as `key: value`. */
  readonly key: boolean;
}

/**
 * The style that a text is written in when `wanted` is asked for: the wish, or the next style that can hold the text.
 * `implicit`: whether plain text would read back as the same thing.
 */
export function chooseStyle(text: string, wanted: ScalarStyle, implicit: boolean, place: ScalarPlace): ScalarStyle {
  const found = analyze(text);
  let style = wanted;
  if (place.key && found.multiline) style = "double";
  if (style === "plain") {
    if (place.flow ? !found.flowPlain : !found.blockPlain) style = "single";
    else if (text === "" && (place.flow || place.key)) style = "single";
    else if (!implicit) style = "single";
  }
  if (style === "single" && !found.single) style = "double";
  if ((style === "literal" || style === "folded") && (!found.block || place.flow || place.key)) style = "double";
  return style;
}

/** A single-quoted text. Line breaks inside are each written as one more. */
export function singleQuotedText(text: string, indent: number): string {
  if (!breakLetters.test(text)) return `'${text.includes("'") ? text.replaceAll("'", "''") : text}'`;
  const pad = " ".repeat(indent);
  let out = "'";
  let breaks = false;
  for (const letter of text) {
    if (breakLetters.test(letter)) {
      if (!breaks && letter === "\n") out += "\n";
      out += letter;
      breaks = true;
      continue;
    }
    if (breaks) out += pad;
    breaks = false;
    out += letter === "'" ? "''" : letter;
  }
  return `${out}'`;
}

const shortEscapes: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\x85": "\\N",
  "\xa0": "\\_",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

/** A double-quoted text with libyaml's escapes. */
export function doubleQuotedText(text: string): string {
  let out = '"';
  // A text that begins with a byte order mark is escaped as a whole (libyaml looks at its first bytes for every character).
  const marked = text.charCodeAt(0) === 0xfeff;
  for (const letter of text) {
    const isEscaped = marked || letter === '"' || letter === "\\" || letter === "\n" || unprintable.test(letter) ||
      breakLetters.test(letter);
    out += isEscaped ? escapeOf(letter) : letter;
  }
  return `${out}"`;
}

function escapeOf(letter: string): string {
  const short = shortEscapes[letter];
  if (short !== undefined) return short;
  const code = letter.codePointAt(0) as number;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

const otherBreaks = /[\r\x85\u2028\u2029]/;
/** Says that no line feed follows: libyaml holds its line for ended by any of its breaks. Stands in no text that is printed. */
const endedLine = "\0";

/** A printed text without the line feeds behind blocks that another break ends. */
export function withoutDoubledEnds(printed: string): string {
  return printed.includes(endedLine) ? printed.replaceAll(`${endedLine}\n`, "").replaceAll(endedLine, "") : printed;
}

/** A block's text without its last line feed, which the caller adds. */
export function blockEnd(block: string): string {
  if (block.endsWith("\n")) return block.slice(0, -1);
  return otherBreaks.test(block.charAt(block.length - 1)) ? block + endedLine : block;
}

/** A literal block with its header; lines are indented by `indent`. For {@linkcode withoutDoubledEnds}. */
export function literalText(text: string, indent: number): string {
  const header = blockHeader(text, "|");
  const pad = " ".repeat(indent);
  if (otherBreaks.test(text)) {
    const lines = text.replace(/[^\n\r\x85\u2028\u2029]+/g, (line) => pad + line);
    return `${header}\n${blockEnd(lines)}`;
  }
  let out = `${header}\n`;
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    out += end === start ? "\n" : `${pad}${text.slice(start, end)}\n`;
    start = end + 1;
  }
  return out.slice(0, -1);
}

/**
 * A folded block on unbroken lines, as go-yaml v3 writes it: each first line break of a run is written twice, unless the
 * line before it is indented, even where the text does not read back the same.
 */
export function foldedText(text: string, indent: number): string {
  const pad = " ".repeat(indent);
  const header = blockHeader(text, ">");
  const start = text.search(/[^\n\r\x85\u2028\u2029]|$/);
  const startsBlank = start >= text.length || text[start] === " " || text[start] === "\t";
  let out = `${header}\n`;
  let breaks = true, leadingSpaces = true;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (breakLetters.test(letter)) {
      if (!breaks && !leadingSpaces && !startsBlank && letter === "\n") out += "\n";
      out += letter;
      breaks = true;
    } else {
      if (breaks) {
        out += pad;
        leadingSpaces = letter === " " || letter === "\t";
      }
      out += letter;
      breaks = false;
    }
  }
  return blockEnd(out);
}

function blockHeader(text: string, sign: "|" | ">"): string {
  const first = text.charCodeAt(0);
  let header: string = sign;
  if (first === 32 || breakLetters.test(text.charAt(0))) header += "2";
  if (!breakLetters.test(text.charAt(text.length - 1))) return `${header}-`;
  return text.length === 1 || breakLetters.test(text.charAt(text.length - 2)) ? `${header}+` : header;
}
