/**
 * The tokens of YAML 1.1 as go-yaml v2 (libyaml's scanner) finds them, for what it says of texts that are wrong: simple keys,
 * indentation, flow levels. Scalars have no values here.
 *
 * @module
 */

/** What go-yaml says of a text; thrown to end the look. */
export class GoYamlFault extends Error {}

/** A fault at a line, from 0: go-yaml counts the lines of its scanner from 1, those of its parser from 0. */
export function faultAt(problem: string, line: number, isScanner: boolean): GoYamlFault {
  return new GoYamlFault(line === 0 ? `yaml: ${problem}` : `yaml: line ${isScanner ? line + 1 : line}: ${problem}`);
}

/** What a piece of a text is. */
export type TokenKind =
  | "stream-end"
  | "version"
  | "tag-directive"
  | "document-start"
  | "document-end"
  | "block-seq"
  | "block-map"
  | "block-end"
  | "["
  | "]"
  | "{"
  | "}"
  | ","
  | "-"
  | "?"
  | ":"
  | "alias"
  | "anchor"
  | "tag"
  | "scalar";

/** A piece of a text as libyaml's scanner cuts it. */
export interface Token {
  readonly kind: TokenKind;
  /** Line from 0. */
  readonly line: number;
  /** Version of a directive, handle of a tag or tag directive, name of an anchor or alias. */
  readonly text?: string;
}

/** A place where a key without `?` may have begun. */
interface SimpleKey {
  isPossible: boolean;
  isRequired: boolean;
  tokenNumber: number;
  line: number;
  column: number;
  at: number;
}

const longestKey = 1024;
/** Bytes that libyaml reads at a time. */
const chunkSize = 512;

/** The tokens of a text, one after another. */
export class Scanner {
  readonly #text: string;
  #at = 0;
  #line = 0;
  #column = 0;
  #tokens: Token[] = [];
  #parsed = 0;
  #flow = 0;
  #indent = -1;
  #indents: number[] = [];
  #allowsKey = true;
  #keys: SimpleKey[] = [noKey()];
  /**
   * Flow level of the key that may begin at a token. go-yaml forgets the one at a bracket when the bracket is closed, so
   * that a list or map is never found to lack its colon.
   */
  readonly #levels = new Map<number, number>();
  #isEnded = false;

  constructor(text: string) {
    this.#text = text.replace(/^\ufeff/, "");
    // deno-lint-ignore no-control-regex
    const control = this.#text.search(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/);
    if (control >= 0) this.#refusedFrom = chunkStart(text, control + text.length - this.#text.length);
  }

  /** From where on the text cannot be read: it comes in pieces, and one holds a character that no reader takes. */
  readonly #refusedFrom: number = Infinity;

  /** The next token, which stays. @throws {GoYamlFault} */
  peek(): Token {
    this.#more();
    return this.#tokens[0] as Token;
  }

  /** The next token, which goes. @throws {GoYamlFault} */
  skip(): Token {
    const token = this.peek();
    this.#tokens.shift();
    this.#parsed++;
    return token;
  }

  #more(): void {
    while (true) {
      if (this.#tokens.length > 0) {
        const level = this.#levels.get(this.#parsed);
        if (level === undefined || !this.#isValid(this.#keys[level] as SimpleKey)) return;
      } else if (this.#isEnded) return;
      this.#next();
    }
  }

  #fail(problem: string): never {
    throw faultAt(problem, this.#line, true);
  }

  #code(offset = 0): number {
    const at = this.#at + offset;
    if (at >= this.#refusedFrom) {
      throw new GoYamlFault("yaml: control characters are not allowed");
    }
    const code = this.#text.charCodeAt(at);
    return code !== code ? 0 : code;
  }

  #char(offset = 0): string {
    return this.#text[this.#at + offset] ?? "";
  }

  #isBreak(offset = 0): boolean {
    return isBreakCode(this.#code(offset));
  }

  #isBlank(offset = 0): boolean {
    const code = this.#code(offset);
    return code === 32 || code === 9;
  }

  #isBlankOrEnd(offset = 0): boolean {
    return this.#at + offset >= this.#text.length || this.#isBlank(offset) || this.#isBreak(offset);
  }

  #isBreakOrEnd(offset = 0): boolean {
    return this.#at + offset >= this.#text.length || this.#isBreak(offset);
  }

  #step(count = 1): void {
    for (let index = 0; index < count; index++) {
      const code = this.#text.charCodeAt(this.#at);
      this.#at += code >= 0xd800 && code < 0xdc00 ? 2 : 1;
      this.#column++;
    }
  }

  #lineBreak(): void {
    this.#at += this.#char() === "\r" && this.#char(1) === "\n" ? 2 : 1;
    this.#line++;
    this.#column = 0;
  }

  #add(kind: TokenKind, line = this.#line, text?: string): void {
    this.#tokens.push(text === undefined ? { kind, line } : { kind, line, text });
  }

  #isValid(key: SimpleKey): boolean {
    if (!key.isPossible) return false;
    if (key.line < this.#line || key.at + longestKey < this.#at) {
      if (key.isRequired) this.#fail("could not find expected ':'");
      key.isPossible = false;
      return false;
    }
    return true;
  }

  #saveKey(): void {
    if (!this.#allowsKey) return;
    this.#removeKey();
    this.#keys[this.#keys.length - 1] = {
      isPossible: true,
      isRequired: this.#flow === 0 && this.#indent === this.#column,
      tokenNumber: this.#parsed + this.#tokens.length,
      line: this.#line,
      column: this.#column,
      at: this.#at,
    };
    this.#levels.set(this.#parsed + this.#tokens.length, this.#keys.length - 1);
  }

  #removeKey(): void {
    const key = this.#keys.at(-1) as SimpleKey;
    if (!key.isPossible) return;
    if (key.isRequired) this.#fail("could not find expected ':'");
    key.isPossible = false;
    this.#levels.delete(key.tokenNumber);
  }

  #unroll(column: number): void {
    if (this.#flow > 0) return;
    while (this.#indent > column) {
      this.#add("block-end");
      this.#indent = this.#indents.pop() ?? -1;
    }
  }

  #roll(column: number, kind: TokenKind, position: { readonly line: number; readonly index?: number }): void {
    if (this.#flow > 0 || this.#indent >= column) return;
    this.#indents.push(this.#indent);
    this.#indent = column;
    if (position.index === undefined) this.#add(kind, position.line);
    else this.#tokens.splice(position.index, 0, { kind, line: position.line });
  }

  #isMarker(marker: string): boolean {
    return this.#column === 0 && this.#text.startsWith(marker, this.#at) && this.#isBlankOrEnd(3);
  }

  #next(): void {
    this.#passBlanks();
    this.#unroll(this.#column);
    if (this.#at >= this.#text.length) return this.#streamEnd();
    const char = this.#char();
    this.#code(Math.min(3, this.#text.length - this.#at));
    if (this.#column === 0 && char === "%") return this.#directive();
    if (this.#isMarker("---")) return this.#marker("document-start");
    if (this.#isMarker("...")) return this.#marker("document-end");
    switch (char) {
      case "[":
      case "{":
        this.#saveKey();
        this.#keys.push({ ...noKey(), tokenNumber: this.#parsed + this.#tokens.length });
        this.#flow++;
        this.#allowsKey = true;
        return this.#single(char);
      case "]":
      case "}":
        this.#removeKey();
        if (this.#flow > 0) {
          this.#flow--;
          this.#levels.delete(this.#keys.pop()?.tokenNumber ?? -1);
        }
        this.#allowsKey = false;
        return this.#single(char);
      case ",":
        this.#removeKey();
        this.#allowsKey = true;
        return this.#single(",");
      case "*":
        return this.#anchor("alias");
      case "&":
        return this.#anchor("anchor");
      case "!":
        return this.#tag();
      case "'":
      case '"':
        return this.#quoted(char);
    }
    if (char === "-" && this.#isBlankOrEnd(1)) return this.#blockEntry();
    if (char === "?" && (this.#flow > 0 || this.#isBlankOrEnd(1))) return this.#key();
    if (char === ":" && (this.#flow > 0 || this.#isBlankOrEnd(1))) return this.#value();
    if ((char === "|" || char === ">") && this.#flow === 0) return this.#block();
    const isIndicator = "-?:,[]{}#&*!|>'\"%@`".includes(char) || this.#isBlankOrEnd();
    if (
      !isIndicator || (char === "-" && !this.#isBlank(1)) ||
      (this.#flow === 0 && (char === "?" || char === ":") && !this.#isBlankOrEnd(1))
    ) return this.#plain();
    this.#fail("found character that cannot start any token");
  }

  #passBlanks(): void {
    while (true) {
      while (this.#char() === " " || ((this.#flow > 0 || !this.#allowsKey) && this.#char() === "\t")) this.#step();
      if (this.#char() === "#") { while (!this.#isBreakOrEnd()) this.#step(); }
      if (!this.#isBreak()) return;
      this.#lineBreak();
      if (this.#flow === 0) this.#allowsKey = true;
    }
  }

  #streamEnd(): void {
    if (this.#column !== 0) {
      this.#column = 0;
      this.#line++;
    }
    this.#unroll(-1);
    this.#removeKey();
    this.#allowsKey = false;
    this.#isEnded = true;
    this.#add("stream-end");
  }

  #marker(kind: TokenKind): void {
    this.#unroll(-1);
    this.#removeKey();
    this.#allowsKey = false;
    this.#add(kind);
    this.#step(3);
  }

  #single(kind: TokenKind): void {
    this.#add(kind);
    this.#step();
  }

  #blockEntry(): void {
    if (this.#flow === 0) {
      if (!this.#allowsKey) this.#fail("block sequence entries are not allowed in this context");
      this.#roll(this.#column, "block-seq", { line: this.#line });
    }
    this.#removeKey();
    this.#allowsKey = true;
    this.#single("-");
  }

  #key(): void {
    if (this.#flow === 0) {
      if (!this.#allowsKey) this.#fail("mapping keys are not allowed in this context");
      this.#roll(this.#column, "block-map", { line: this.#line });
    }
    this.#removeKey();
    this.#allowsKey = this.#flow === 0;
    this.#single("?");
  }

  #value(): void {
    const key = this.#keys.at(-1) as SimpleKey;
    if (this.#isValid(key)) {
      const index = key.tokenNumber - this.#parsed;
      this.#tokens.splice(index, 0, { kind: "?", line: key.line });
      this.#roll(key.column, "block-map", { line: key.line, index });
      key.isPossible = false;
      this.#levels.delete(key.tokenNumber);
      this.#allowsKey = false;
    } else {
      if (this.#flow === 0) {
        if (!this.#allowsKey) this.#fail("mapping values are not allowed in this context");
        this.#roll(this.#column, "block-map", { line: this.#line });
      }
      this.#allowsKey = this.#flow === 0;
    }
    this.#single(":");
  }

  #anchor(kind: "alias" | "anchor"): void {
    this.#saveKey();
    this.#allowsKey = false;
    const line = this.#line;
    this.#step();
    const start = this.#at;
    while (/[0-9A-Za-z_-]/.test(this.#char())) this.#step();
    if (this.#at === start || !(this.#isBlankOrEnd() || "?:,]}%@`".includes(this.#char()))) {
      this.#fail("did not find expected alphabetic or numeric character");
    }
    this.#add(kind, line, this.#text.slice(start, this.#at));
  }

  #tag(): void {
    this.#saveKey();
    this.#allowsKey = false;
    const line = this.#line;
    let handle = "!";
    if (this.#char(1) === "<") {
      this.#step(2);
      this.#uri();
      if (this.#char() !== ">") this.#fail("did not find the expected '>'");
      this.#step();
    } else {
      this.#step();
      const start = this.#at;
      while (/[0-9A-Za-z_-]/.test(this.#char())) this.#step();
      if (this.#char() === "!") {
        handle = `!${this.#text.slice(start, this.#at)}!`;
        this.#step();
        this.#uri();
      } else {
        while (/[\w\-;/?:@&=+$.!~*'()[\]%]/.test(this.#char()) && this.#char() !== "") this.#octet();
      }
    }
    if (!this.#isBlankOrEnd() && !(this.#flow > 0 && this.#char() === ",")) {
      this.#fail("did not find expected whitespace or line break");
    }
    this.#add("tag", line, handle);
  }

  #uri(): void {
    const start = this.#at;
    while (this.#char() !== "" && /[\w\-;/?:@&=+$,.!~*'()[\]%]/.test(this.#char())) this.#octet();
    if (this.#at === start) this.#fail("did not find expected tag URI");
  }

  #octet(): void {
    if (this.#char() !== "%") return this.#step();
    if (!/^%[0-9A-Fa-f]{2}$/.test(this.#text.slice(this.#at, this.#at + 3))) {
      this.#fail("did not find URI escaped octet");
    }
    this.#step(3);
  }

  #directive(): void {
    this.#unroll(-1);
    this.#removeKey();
    this.#allowsKey = false;
    const line = this.#line;
    this.#step();
    const start = this.#at;
    while (/[0-9A-Za-z_-]/.test(this.#char())) this.#step();
    if (this.#at === start) this.#fail("could not find expected directive name");
    if (!this.#isBlankOrEnd()) this.#fail("found unexpected non-alphabetical character");
    const name = this.#text.slice(start, this.#at);
    while (this.#isBlank()) this.#step();
    if (name === "YAML") {
      const major = this.#digits();
      if (this.#char() !== ".") this.#fail("did not find expected digit or '.' character");
      this.#step();
      this.#add("version", line, `${major}.${this.#digits()}`);
    } else if (name === "TAG") {
      const from = this.#at;
      if (this.#char() !== "!") this.#fail("did not find expected '!'");
      this.#step();
      while (/[0-9A-Za-z_-]/.test(this.#char())) this.#step();
      if (this.#char() === "!") this.#step();
      const handle = this.#text.slice(from, this.#at);
      if (handle !== "!" && !handle.endsWith("!")) this.#fail("did not find expected '!'");
      if (!this.#isBlank()) this.#fail("did not find expected whitespace");
      while (this.#isBlank()) this.#step();
      this.#uri();
      if (!this.#isBlankOrEnd()) this.#fail("did not find expected whitespace or line break");
      this.#add("tag-directive", line, handle);
    } else this.#fail("found unknown directive name");
    this.#lineRest();
  }

  #digits(): number {
    const start = this.#at;
    while (/[0-9]/.test(this.#char())) this.#step();
    if (this.#at === start) this.#fail("did not find expected version number");
    if (this.#at - start > 2) this.#fail("found extremely long version number");
    return Number(this.#text.slice(start, this.#at));
  }

  /** Blanks and a comment up to the line's end, which is taken. */
  #lineRest(): void {
    while (this.#isBlank()) this.#step();
    if (this.#char() === "#") { while (!this.#isBreakOrEnd()) this.#step(); }
    if (!this.#isBreakOrEnd()) this.#fail("did not find expected comment or line break");
    if (this.#isBreak()) this.#lineBreak();
  }

  #block(): void {
    this.#removeKey();
    this.#allowsKey = true;
    const line = this.#line;
    this.#step();
    let increment = 0;
    const digit = () => {
      if (!/[0-9]/.test(this.#char())) return;
      if (this.#char() === "0") this.#fail("found an indentation indicator equal to 0");
      increment = Number(this.#char());
      this.#step();
    };
    if (this.#char() === "+" || this.#char() === "-") {
      this.#step();
      digit();
    } else {
      digit();
      if (increment > 0 && (this.#char() === "+" || this.#char() === "-")) this.#step();
    }
    this.#lineRest();
    let indent = increment === 0 ? 0 : this.#indent >= 0 ? this.#indent + increment : increment;
    indent = this.#blockBreaks(indent);
    while (this.#column === indent && this.#at < this.#text.length) {
      while (!this.#isBreakOrEnd()) this.#step();
      if (this.#isBreak()) this.#lineBreak();
      indent = this.#blockBreaks(indent);
    }
    this.#add("scalar", line);
  }

  /** Blank lines and indentation of a block scalar; the indentation, where it was not known. */
  #blockBreaks(known: number): number {
    let widest = 0;
    while (true) {
      while ((known === 0 || this.#column < known) && this.#char() === " ") this.#step();
      widest = Math.max(widest, this.#column);
      if ((known === 0 || this.#column < known) && this.#char() === "\t") {
        this.#fail("found a tab character where an indentation space is expected");
      }
      if (!this.#isBreak()) break;
      this.#lineBreak();
    }
    return known === 0 ? Math.max(widest, this.#indent + 1, 1) : known;
  }

  #quoted(quote: string): void {
    this.#saveKey();
    this.#allowsKey = false;
    const line = this.#line;
    this.#step();
    while (true) {
      if (this.#isMarker("---") || this.#isMarker("...")) this.#fail("found unexpected document indicator");
      if (this.#at >= this.#text.length) this.#fail("found unexpected end of stream");
      while (!this.#isBlankOrEnd()) {
        const char = this.#char();
        if (quote === "'" && char === "'" && this.#char(1) === "'") this.#step(2);
        else if (char === quote) break;
        else if (quote === '"' && char === "\\" && this.#isBreak(1)) {
          this.#step();
          this.#lineBreak();
          break;
        } else if (quote === '"' && char === "\\") this.#escape();
        else this.#step();
      }
      if (this.#char() === quote) break;
      while (this.#isBlank() || this.#isBreak()) {
        if (this.#isBlank()) this.#step();
        else this.#lineBreak();
      }
    }
    this.#step();
    this.#add("scalar", line);
  }

  #escape(): void {
    const char = this.#char(1);
    const length = { x: 2, u: 4, U: 8 }[char];
    if (length === undefined && !("0abt\tnvfre \"'\\N_LP".includes(char) && char !== "")) {
      this.#fail("found unknown escape character");
    }
    this.#step(2);
    if (length === undefined) return;
    const digits = this.#text.slice(this.#at, this.#at + length);
    if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < length) this.#fail("did not find expected hexdecimal number");
    const code = parseInt(digits, 16);
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
      this.#fail("found invalid Unicode character escape code");
    }
    this.#step(length);
  }

  #plain(): void {
    this.#saveKey();
    this.#allowsKey = false;
    const line = this.#line;
    const indent = this.#indent + 1;
    let hasBreaks = false;
    while (true) {
      if (this.#isMarker("---") || this.#isMarker("...") || this.#char() === "#") break;
      const start = this.#at;
      while (!this.#isBlankOrEnd()) {
        const char = this.#char();
        if (char === ":" && this.#isBlankOrEnd(1)) break;
        if (this.#flow > 0 && ",?[]{}".includes(char)) break;
        this.#step();
      }
      if (this.#at > start) hasBreaks = false;
      if (!(this.#isBlank() || this.#isBreak())) break;
      while (this.#isBlank() || this.#isBreak()) {
        if (this.#isBlank()) {
          if (hasBreaks && this.#column < indent && this.#char() === "\t") {
            this.#fail("found a tab character that violates indentation");
          }
          this.#step();
        } else {
          this.#lineBreak();
          hasBreaks = true;
        }
      }
      if (this.#flow === 0 && this.#column < indent) break;
    }
    if (hasBreaks) this.#allowsKey = true;
    this.#add("scalar", line);
  }
}

function noKey(): SimpleKey {
  return { isPossible: false, isRequired: false, tokenNumber: 0, line: 0, column: 0, at: 0 };
}

function isBreakCode(code: number): boolean {
  return code === 10 || code === 13 || code === 0x85 || code === 0x2028 || code === 0x2029;
}

/** Where the piece of a text begins, less its byte order mark, that holds the character at an offset. */
function chunkStart(text: string, offset: number): number {
  const mark = text.startsWith("\ufeff") ? 1 : 0;
  let start = 0;
  let size = 0;
  for (let at = 0; at < offset;) {
    const code = text.codePointAt(at) as number;
    const width = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    // A character that the piece cuts begins the next one.
    if (size + width > chunkSize) {
      start = at;
      size = 0;
    }
    size += width;
    at += width === 4 ? 2 : 1;
  }
  return Math.max(0, start - mark);
}
