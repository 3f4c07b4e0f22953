import { isNameCharacter, isPrintable, quoteText, unicodeName } from "./go_quote.ts";
import { isKeyword } from "./token.ts";
import type { Token, TokenType } from "./token.ts";

/**
 * Cuts the source of a template into tokens, one at a time: a parser stops at the first fault, so later ones are not
 * looked for. Grammar and messages are those of Go 1.26 `text/template/parse`.
 */
export class Lexer {
  readonly source: string;
  #position = 0;
  #isInAction = false;
  #openParens = 0;
  #isDone = false;

  constructor(source: string) {
    this.source = source;
  }

  /** The next token; after an `error` or the end always `eof`. */
  next(): Token {
    if (this.#isDone) return { type: "eof", text: "EOF", start: this.#position };
    return this.#isInAction ? this.#action() : this.#text();
  }

  #token(type: TokenType, end: number): Token {
    const start = this.#position;
    this.#position = end;
    return { type, text: this.source.slice(start, end), start };
  }

  #error(message: string, start = this.#position): Token {
    this.#isDone = true;
    return { type: "error", text: message, start };
  }

  /** Text up to the next action; comments vanish. */
  #text(): Token {
    const { source } = this;
    while (true) {
      const start = this.#position;
      const open = source.indexOf("{{", start);
      if (open < 0) {
        if (start < source.length) return this.#token("text", source.length);
        this.#isDone = true;
        return { type: "eof", text: "EOF", start };
      }
      const isTrimmed = hasLeftMarker(source, open + 2);
      const inside = open + (isTrimmed ? 4 : 2);
      let end = open;
      if (isTrimmed) { while (end > start && isSpace(source.charCodeAt(end - 1))) end--; }
      if (end > start) {
        this.#position = open;
        return { type: "text", text: source.slice(start, end), start };
      }
      if (!source.startsWith("/*", inside)) {
        this.#position = inside;
        this.#isInAction = true;
        this.#openParens = 0;
        return { type: "left", text: "{{", start: open };
      }
      const close = source.indexOf("*/", inside + 2);
      if (close < 0) return this.#error("unclosed comment", inside);
      const right = rightDelimiter(source, close + 2);
      if (right === undefined) return this.#error("comment ends before closing delimiter", inside);
      this.#position = right.isTrimmed ? skipSpace(source, right.end) : right.end;
    }
  }

  #action(): Token {
    const { source } = this;
    const start = this.#position;
    const right = rightDelimiter(source, start);
    if (right !== undefined) {
      if (this.#openParens > 0) return this.#error("unclosed left paren");
      this.#isInAction = false;
      this.#position = right.isTrimmed ? skipSpace(source, right.end) : right.end;
      return { type: "right", text: "}}", start: right.end - 2 };
    }
    const character = characterAt(source, start);
    switch (character) {
      case "":
        return this.#error("unclosed action");
      case " ":
      case "\t":
      case "\r":
      case "\n":
        return this.#space();
      case "=":
        return this.#token("=", start + 1);
      case ":":
        return source[start + 1] === "=" ? this.#token(":=", start + 2) : this.#error("expected :=");
      case "|":
        return this.#token("|", start + 1);
      case '"':
        return this.#quoted('"', "string", "unterminated quoted string");
      case "'":
        return this.#quoted("'", "character", "unterminated character constant");
      case "`": {
        const close = source.indexOf("`", start + 1);
        return close < 0 ? this.#error("unterminated raw quoted string") : this.#token("rawString", close + 1);
      }
      case "$":
        return this.#name(start + 1, "variable", "variable");
      case "(":
        this.#openParens++;
        return this.#token("(", start + 1);
      case ")":
        return this.#openParens-- === 0 ? this.#error("unexpected right paren") : this.#token(")", start + 1);
      case ".":
        if (!isDigit(source[start + 1])) {
          // At the very end of the source the point is taken for the start of a number.
          return start + 1 < source.length ? this.#name(start + 1, "dot", "field") : this.#number();
        }
        return this.#number();
      case "+":
      case "-":
        return this.#number();
    }
    if (isDigit(character)) return this.#number();
    if (isNameCharacter(character)) return this.#identifier();
    if (character.charCodeAt(0) < 128 && isPrintable(character)) return this.#token("char", start + 1);
    return this.#error(`unrecognized character in action: ${unicodeName(character)}`);
  }

  /** Blanks; the last one is left over where it belongs to a trimming delimiter. */
  #space(): Token {
    let end = skipSpace(this.source, this.#position);
    if (this.source.startsWith("-}}", end) && end - this.#position > 1) end--;
    return this.#token("space", end);
  }

  #quoted(quote: string, type: TokenType, message: string): Token {
    const { source } = this;
    for (let index = this.#position + 1; index < source.length && source[index] !== "\n"; index++) {
      if (source[index] === quote) return this.#token(type, index + 1);
      if (source[index] === "\\") {
        index++;
        if (source[index] === "\n") break;
      }
    }
    return this.#error(message);
  }

  /** Letters after a point or dollar sign; `bare` is the type where none follow. */
  #name(after: number, bare: TokenType, type: TokenType): Token {
    if (isTerminated(this.source, after)) return this.#token(bare, after);
    const end = skipName(this.source, after);
    if (isTerminated(this.source, end)) return this.#token(type, end);
    return this.#error(`bad character ${unicodeName(characterAt(this.source, end))}`);
  }

  #identifier(): Token {
    const end = skipName(this.source, this.#position);
    if (!isTerminated(this.source, end)) {
      return this.#error(`bad character ${unicodeName(characterAt(this.source, end))}`);
    }
    const word = this.source.slice(this.#position, end);
    if (isKeyword(word)) return this.#token(word, end);
    return this.#token(word === "true" || word === "false" ? "bool" : "identifier", end);
  }

  /** A number in any of Go's forms; also a complex pair such as `1+2i`. Its value is checked by the parser. */
  #number(): Token {
    const { source } = this;
    const first = scanNumber(source, this.#position);
    if (!first.isGood) return this.#error(`bad number syntax: ${quoteText(source.slice(this.#position, first.end))}`);
    if (source[first.end] !== "+" && source[first.end] !== "-") return this.#token("number", first.end);
    const second = scanNumber(source, first.end);
    if (!second.isGood || source[second.end - 1] !== "i") {
      return this.#error(`bad number syntax: ${quoteText(source.slice(this.#position, second.end))}`);
    }
    return this.#token("complex", second.end);
  }
}

function scanNumber(source: string, start: number): { readonly end: number; readonly isGood: boolean } {
  let index = start;
  const take = (set: string) => {
    if (index < source.length && set.includes(source[index] as string)) {
      index++;
      return true;
    }
    return false;
  };
  take("+-");
  let digits = "0123456789_";
  if (take("0")) {
    if (take("xX")) digits = "0123456789abcdefABCDEF_";
    else if (take("oO")) digits = "01234567_";
    else if (take("bB")) digits = "01_";
  }
  while (take(digits));
  if (take(".")) { while (take(digits)); }
  const isExponent = digits.length === 11 ? take("eE") : digits.length === 23 && take("pP");
  if (isExponent) {
    take("+-");
    while (take("0123456789_"));
  }
  take("i");
  const next = characterAt(source, index);
  if (next !== "" && isNameCharacter(next)) return { end: index + next.length, isGood: false };
  return { end: index, isGood: true };
}

/** The character (code point) at an index; "" at the end. */
function characterAt(source: string, index: number): string {
  const code = source.codePointAt(index);
  return code === undefined ? "" : code < 0x10000 ? source[index] as string : String.fromCodePoint(code);
}

/** Whether a code unit (`NaN` at the end) is a blank. */
function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 9 || code === 13;
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

function skipSpace(source: string, index: number): number {
  while (isSpace(source.charCodeAt(index))) index++;
  return index;
}

function skipName(source: string, index: number): number {
  while (true) {
    const code = source.charCodeAt(index);
    if (code < 128) {
      if (!isAsciiName(code)) return index;
      index++;
      continue;
    }
    const character = characterAt(source, index);
    if (character === "" || !isNameCharacter(character)) return index;
    index += character.length;
  }
}

function isAsciiName(code: number): boolean {
  return code >= 97 && code <= 122 || code >= 65 && code <= 90 || code >= 48 && code <= 57 || code === 95;
}

/** Whether a name may end at an index. */
function isTerminated(source: string, index: number): boolean {
  switch (source.charCodeAt(index)) {
    case 32: // Blanks and `. , | : ( )`.
    case 9:
    case 10:
    case 13:
    case 46:
    case 44:
    case 124:
    case 58:
    case 41:
    case 40:
      return true;
    case 125: // `}}`
      return source.charCodeAt(index + 1) === 125;
  }
  return index >= source.length;
}

function hasLeftMarker(source: string, index: number): boolean {
  return source.charCodeAt(index) === 45 && isSpace(source.charCodeAt(index + 1));
}

/** A closing delimiter at an index: `}}`, or a blank and `-}}`. */
function rightDelimiter(
  source: string,
  index: number,
): { readonly end: number; readonly isTrimmed: boolean } | undefined {
  const code = source.charCodeAt(index);
  if (code === 125) return source.charCodeAt(index + 1) === 125 ? { end: index + 2, isTrimmed: false } : undefined;
  return isSpace(code) && source.startsWith("-}}", index + 1) ? { end: index + 4, isTrimmed: true } : undefined;
}
