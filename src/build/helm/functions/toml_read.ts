/**
 * TOML as github.com/BurntSushi/toml v1.6 reads it (TOML 1.1: escapes `\e` and `\x`, times without seconds, inline tables
 * over many lines). Texts and lines of errors are the library's, also where they are odd: a text that ends too early is
 * named by the line before.
 *
 * @module
 */
import { FormatError } from "../../../format/format_error.ts";
import type { GoMoment, GoZone } from "../../../format/go_time.ts";
import { parseGoTime } from "../../../format/go_time_parse.ts";
import { GoError } from "../template/go_error.ts";
import { parseFloat64, parseInt64 } from "../template/go_number.ts";
import { quoteCharacter, quoteText } from "../template/go_quote.ts";
import { toBytes } from "../template/go_string.ts";
import { TomlKeys } from "./toml_keys.ts";
import type { TomlError, TomlTable, TomlValue } from "./toml_keys.ts";
import { keyPath } from "./toml_text.ts";

/** Deepest nesting of lists and tables that is read. Differs: the library reads on until its stack is full. */
const maxDepth = 1000;

/** What a time may look like, and the zone of those that name none. */
const layouts = [
  ["2006-01-02T15:04:05.999999999Z07:00", undefined],
  ["2006-01-02T15:04:05.999999999", "datetime-local"],
  ["2006-01-02", "date-local"],
  ["15:04:05.999999999", "time-local"],
  ["2006-01-02T15:04Z07:00", undefined],
  ["2006-01-02T15:04", "datetime-local"],
  ["15:04", "time-local"],
] as const;

/**
 * Reads a TOML text. `local` is the zone of the machine.
 *
 * @throws {TomlError} for a text that is wrong
 * @throws {GoError} where the library itself stops
 */
export function readToml(text: string, local: GoZone): TomlTable {
  const body = text.replace(/^(?:\udcff\udcfe|\udcfe\udcff|\ufeff)/, "");
  const reader = new Reader(body, local);
  if (toBytes(body.slice(0, 6)).subarray(0, 6).includes(0)) {
    throw reader.keys.errorAt(
      1,
      "files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8",
    );
  }
  reader.document();
  return reader.keys.root;
}

/** A piece of text and the line that its errors name. */
interface Token {
  readonly text: string;
  readonly line: number;
}

const isBlank = (character: string) => character === " " || character === "\t";
const isBreak = (character: string) => character === "\n" || character === "\r";
const isDigit = (character: string) => character >= "0" && character <= "9" && character.length === 1;

class Reader {
  readonly keys = new TomlKeys();
  readonly #text: string;
  readonly #local: GoZone;
  #at = 0;
  #line = 1;
  #depth = 0;

  constructor(text: string, local: GoZone) {
    this.#text = text;
    this.#local = local;
  }

  document(): void {
    for (;;) {
      const character = this.#peek();
      if (character === "") return;
      if (isBlank(character) || isBreak(character)) this.#next();
      else if (character === "#") this.#comment();
      else {
        if (character === "[") this.#header();
        else this.#keyValue();
        this.keys.current = "";
        this.#endOfItem();
      }
    }
  }

  /** The next character, "" at the end. @throws {TomlError} for one that no TOML text may hold */
  #peek(): string {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return "";
    if (code >= 0xdc80 && code <= 0xdcff) throw this.#error(`invalid UTF-8 byte: 0x${(code - 0xdc00).toString(16)}`);
    const isLoneReturn = code === 13 && this.#text[this.#at + 1] !== "\n";
    if ((code < 32 && code !== 9 && code !== 10 && code !== 13) || code === 127 || isLoneReturn) {
      const shown = code.toString(16).padStart(2, "0");
      throw this.#error(`TOML files cannot contain control characters: '0x${shown}'`);
    }
    return code < 0x10000 ? this.#text[this.#at] as string : String.fromCodePoint(code);
  }

  #next(): string {
    const character = this.#peek();
    if (character === "\n") this.#line++;
    this.#at += character.length;
    return character;
  }

  #accept(wanted: string): boolean {
    if (this.#peek() !== wanted) return false;
    this.#next();
    return true;
  }

  #while(fits: RegExp): void {
    while (fits.test(this.#peek())) this.#next();
  }

  #blanks(): void {
    this.#while(/^[ \t]$/);
  }

  #token(start: number): Token {
    return { text: this.#text.slice(start, this.#at), line: this.#line };
  }

  #error(message: string): TomlError {
    return this.keys.errorAt(this.#line, message);
  }

  #errorOneLineUp(message: string): TomlError {
    return this.keys.errorAt(this.#line - 1, message);
  }

  /** The error of a character that was taken; "" is the end. */
  #errorAfter(character: string, message: string): TomlError {
    return character === "" && this.#text[this.#at - 1] === "\n" ? this.#errorOneLineUp(message) : this.#error(message);
  }

  #comment(): void {
    for (let character = this.#peek(); character !== "" && !isBreak(character); character = this.#peek()) this.#next();
  }

  #endOfItem(): void {
    this.#blanks();
    const character = this.#peek();
    if (character === "#" || character === "") return;
    this.#next();
    if (isBreak(character)) return;
    throw this.#error(
      `expected a top-level item to end with a newline, comment, or EOF, but got ${quoteCharacter(character)} instead`,
    );
  }

  #header(): void {
    this.#next();
    const isItem = this.#accept("[");
    const parts: Token[] = [];
    for (;;) {
      this.#blanks();
      const character = this.#peek();
      if (character === "]" || character === "") {
        throw this.#error("unexpected end of table name (table names cannot be empty)");
      }
      if (character === ".") throw this.#error("unexpected table separator (table names cannot be empty)");
      this.#keyPart(parts);
      this.#blanks();
      const end = this.#next();
      if (end === "]") break;
      if (end !== ".") {
        throw this.#errorAfter(end, `expected '.' or ']' to end table name, but got ${quoteEnd(end)} instead`);
      }
    }
    if (isItem) {
      const end = this.#next();
      if (end !== "]") {
        throw this.#errorAfter(end, `expected end of table array name delimiter ']', but got ${quoteEnd(end)} instead`);
      }
    }
    this.keys.enter(parts.map((part) => part.text), isItem);
    this.keys.note("", false);
  }

  /** One part of a key; the first one says on which line the key is. */
  #keyPart(parts: Token[]): void {
    const character = this.#peek();
    let raw: Token;
    if (character === '"' || character === "'") raw = this.#quotedText(character);
    else {
      const start = this.#at;
      this.#while(/^[A-Za-z0-9_-]$/);
      raw = this.#token(start);
    }
    if (parts.length === 0) this.keys.line = raw.line;
    parts.push(character === '"' ? this.#unescaped(raw) : raw);
  }

  /** `key = value`, at the top or in the table between braces. */
  #keyValue(table?: TomlTable): void {
    const { keys } = this;
    const outer = keys.context;
    this.#blanks();
    const first = this.#peek();
    if (first === "=" || first === "") throw this.#error("unexpected '=': key name appears blank");
    if (first === ".") throw this.#error("unexpected '.': keys cannot start with a '.'");
    const tokens: Token[] = [];
    for (;;) {
      this.#blanks();
      // A key may not end with a dot, nor hold two in a row.
      const start = this.#peek();
      if (start === "=" || start === "") throw this.#error("unexpected '='");
      if (start === ".") throw this.#error("unexpected '.'");
      this.#keyPart(tokens);
      this.#blanks();
      const end = this.#next();
      if (end === "=") break;
      if (end === ".") continue;
      if (end === "") throw this.#errorAfter(end, "unexpected EOF; expected key separator '='");
      const message = `expected '.' or '=', but got ${quoteCharacter(end)} instead`;
      throw end === "\n" ? this.#errorOneLineUp(message) : this.#error(message);
    }
    const parts = tokens.map((token) => token.text);
    const name = parts.at(-1) as string;
    keys.current = name;
    keys.enterParents(parts.slice(0, -1));
    const value = this.#value(false);
    keys.define(name, value);
    keys.note(name, Array.isArray(value));
    if (table !== undefined) this.#place(table, parts, value);
    keys.context = outer;
  }

  #value(isInList: boolean): TomlValue {
    this.#blanks();
    const start = this.#at;
    const character = this.#next();
    if (isDigit(character)) return this.#number(start, character);
    switch (character) {
      case "[":
        return this.#nested(() => this.#list());
      case "{":
        return this.#nested(() => this.#braces(isInList));
      case '"':
      case "'":
        return this.#textValue(character);
      case ".":
        throw this.#error("floats must start with a digit, not '.'");
      case "i":
      case "n":
        if ((this.#accept("n") && this.#accept("f")) || (this.#accept("a") && this.#accept("n"))) {
          return this.#float(this.#token(start));
        }
        this.#at--;
        return this.#word(start);
      case "-":
      case "+":
        return this.#signed(start);
      case "":
        throw this.#errorAfter("", "unexpected EOF; expected value");
    }
    if (/^\p{L}$/u.test(character)) {
      this.#at = start;
      return this.#word(start);
    }
    const message = `expected value but found ${quoteCharacter(character)} instead`;
    throw character === "\n" ? this.#errorOneLineUp(message) : this.#error(message);
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > maxDepth) throw this.#error(`lists and tables are nested more than ${maxDepth} levels deep`);
    const value = read();
    this.#depth--;
    return value;
  }

  /** `true` or `false`. What is read begins where the cursor is, what is shown as well. */
  #word(start: number): boolean {
    const from = this.#at;
    this.#while(/^\p{L}$/u);
    const word = this.#text.slice(from, this.#at);
    if ((word === "true" || word === "false") && from === start) return word === "true";
    throw this.#error(`expected value but found ${quoteText(word)} instead`);
  }

  #list(): readonly TomlValue[] {
    this.keys.note(this.keys.current, true);
    const items: TomlValue[] = [];
    for (let wantsItem = true;;) {
      const character = this.#peek();
      if (isBlank(character) || isBreak(character)) this.#next();
      else if (character === "#") this.#comment();
      else if (character === "]") {
        this.#next();
        return items;
      } else if (wantsItem) {
        if (character === ",") throw this.#unexpectedComma();
        items.push(this.#value(true));
        wantsItem = false;
      } else if (character === ",") {
        this.#next();
        wantsItem = true;
      } else {
        this.#next();
        const shown = character === "" ? "end of file" : `'${character}'`;
        throw this.#errorAfter(character, `expected a comma (',') or array terminator (']'), but got ${shown}`);
      }
    }
  }

  #unexpectedComma(): TomlError {
    this.#next();
    return this.#error("unexpected comma");
  }

  #braces(isInList: boolean): TomlTable {
    const { keys } = this;
    const outer = keys.context;
    const name = keys.current;
    const context = [...outer, name];
    keys.current = "";
    keys.context = context;
    keys.imply(context);
    keys.enter(context, isInList);
    const table: TomlTable = new Map();
    for (let wantsKey = true;;) {
      const character = this.#peek();
      if (isBlank(character) || isBreak(character)) this.#next();
      else if (character === "#") this.#comment();
      else if (character === "}") {
        this.#next();
        break;
      } else if (wantsKey) {
        if (character === ",") throw this.#unexpectedComma();
        this.#keyValue(table);
        wantsKey = false;
      } else if (character === ",") {
        this.#next();
        wantsKey = true;
      } else {
        this.#next();
        const shown = character === "" ? "end of file" : `'${character}'`;
        throw this.#errorAfter(
          character,
          `expected a comma or an inline table terminator '}', but got ${shown} instead`,
        );
      }
    }
    keys.context = outer;
    keys.current = name;
    return table;
  }

  /** Puts a value into a table between braces, which stands for itself where it is an item of a list. */
  #place(table: TomlTable, parts: readonly string[], value: TomlValue): void {
    let place = table;
    for (const part of parts.slice(0, -1)) {
      const below = place.get(part) ?? new Map<string, TomlValue>();
      if (!(below instanceof Map)) {
        throw this.keys.errorAt(this.keys.line, `${quoteText(keyPath(this.keys.context))} is not a table`);
      }
      place.set(part, below);
      place = below;
    }
    place.set(parts.at(-1) as string, value);
  }

  #textValue(quote: string): string {
    const first = this.#at;
    if (this.#accept(quote) && this.#accept(quote)) {
      const raw = this.#longText(quote);
      const body = { ...raw, text: raw.text.replace(/^\r?\n/, "") };
      if (quote === "'") return body.text;
      const joined = body.text.replace(
        /\\(\\|[ \t\r\n]+)?/g,
        (whole, after?: string) => after?.includes("\n") ? "" : whole,
      );
      return this.#unescaped({ ...body, text: joined }).text;
    }
    this.#at = first - 1;
    const raw = this.#quotedText(quote);
    return quote === '"' ? this.#unescaped(raw).text : raw.text;
  }

  /** What stands between two quotes of one line, as written. */
  #quotedText(quote: string): Token {
    this.#next();
    const start = this.#at;
    for (;;) {
      if (this.#peek() === quote) {
        const raw = this.#token(start);
        this.#next();
        return raw;
      }
      const character = this.#next();
      if (character === "") {
        throw this.#errorAfter("", `unexpected EOF; expected ${quote === '"' ? `'"'` : `"'"`}`);
      }
      if (isBreak(character)) throw this.#errorOneLineUp("strings cannot contain newlines");
      if (character === "\\" && quote === '"') this.#escape(start);
    }
  }

  /** What stands between three quotes, as written. */
  #longText(quote: string): Token {
    const start = this.#at;
    const three = quote.repeat(3);
    for (;;) {
      const at = this.#at;
      const character = this.#next();
      if (character === "") {
        throw this.#errorAfter("", `unexpected EOF; expected ${quote === '"' ? `'"""'` : `"'''"`}`);
      }
      if (character === "\\" && quote === '"') {
        if (isBreak(this.#peek())) this.#next();
        else this.#escape(start);
      } else if (character === quote && this.#text.startsWith(three, this.#at - 1)) {
        const end = this.#at + 2;
        this.#at = end;
        if (this.#peek() !== quote) return { text: this.#text.slice(start, at), line: this.#line };
        const five = quote.repeat(5);
        const body = this.#text.slice(start, end);
        if (body.endsWith(five) && !(quote === '"' && body.endsWith(`\\${five}`))) {
          throw this.#error(quote === '"' ? `unexpected '""""""'` : `unexpected "''''''"`);
        }
        this.#at = end - 2;
      }
    }
  }

  /** Goes over what follows a backslash; faults show the text from `start` on. */
  #escape(start: number): void {
    const character = this.#next();
    const count = { x: 2, u: 4, U: 8 }[character];
    if (count === undefined) {
      if (/^[btnfre"\\ \t]$/.test(character)) return;
      const message = `invalid escape in string '\\${character === "" ? "\0" : character}'`;
      throw character === "" ? this.#errorOneLineUp(message) : this.#error(message);
    }
    for (let index = 0; index < count; index++) {
      const digit = this.#next();
      if (/^[0-9a-fA-F]$/.test(digit)) continue;
      const words = count === 2 ? "two" : count === 4 ? "four" : "eight";
      const shown = quoteText(this.#text.slice(start, this.#at));
      throw this.#errorAfter(
        digit,
        `expected ${words} hexadecimal digits after '\\${character}', but got ${shown} instead`,
      );
    }
  }

  #unescaped(raw: Token): Token {
    if (!raw.text.includes("\\")) return raw;
    const text = raw.text.replace(
      /\\(?:x(..)|u(.{4})|U(.{8})|([^]))/g,
      (_, two?: string, four?: string, eight?: string, letter?: string) => {
        if (letter !== undefined) {
          if (letter === " " || letter === "\t") throw this.keys.errorAt(raw.line, `invalid escape: '\\${letter}'`);
          return shortEscapes[letter] ?? letter;
        }
        const digits = (two ?? four ?? eight) as string;
        const code = parseInt(digits, 16);
        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
          throw this.keys.errorAt(raw.line, `Escaped character '\\u${digits}' is not valid UTF-8.`);
        }
        return String.fromCodePoint(code);
      },
    );
    return { ...raw, text };
  }

  #signed(start: number): TomlValue {
    const character = this.#next();
    if (character === "i" || character === "n") {
      const [second, third] = character === "i" ? ["n", "f"] as const : ["a", "n"] as const;
      if (this.#accept(second) && this.#accept(third)) return this.#float(this.#token(start));
      throw this.#error(`invalid float: '${this.#text.slice(start, this.#at)}'`);
    }
    if (character === "0") {
      const base = this.#peek();
      if (/^[box]$/.test(base)) {
        throw this.#error(
          `cannot use sign with non-decimal numbers: '${this.#text.slice(start, this.#at)}${base}'`,
        );
      }
    }
    if (character === ".") throw this.#error("floats must start with a digit, not '.'");
    if (isDigit(character)) return this.#decimal(start);
    throw this.#errorAfter(character, `expected a digit but got ${quoteEnd(character)}`);
  }

  /** A number or time whose first digit was taken. */
  #number(start: number, first: string): TomlValue {
    if (first === "0") {
      const mark = this.#peek();
      const base = bases[mark];
      if (base !== undefined) {
        this.#next();
        const digit = this.#peek();
        if (!base.digit.test(digit)) {
          const shown = `${this.#text.slice(start, this.#at)}${digit === "" ? "\0" : digit}`;
          throw this.#error(`not ${base.name} number: '${shown}'`);
        }
        this.#while(base.digits);
        return this.#integer(this.#token(start));
      }
    }
    this.#while(/^[0-9]$/);
    const mark = this.#peek();
    const isOneZero = first === "0" && this.#at === start + 1;
    if ((mark === "-" || mark === ":") && !isOneZero) {
      this.#while(/^[-0-9:Tt .Zz+]$/);
      return this.#time(this.#token(start));
    }
    return this.#decimal(start);
  }

  #decimal(start: number): TomlValue {
    this.#while(/^[0-9_]$/);
    if (!/^[.eE]$/.test(this.#peek())) return this.#integer(this.#token(start));
    this.#while(/^[-+0-9_.eE]$/);
    return this.#float(this.#token(start));
  }

  #integer({ text, line }: Token): bigint {
    const refuse = (why: string) => this.keys.errorAt(line, `Invalid integer ${quoteText(text)}: ${why}`);
    if (!hasGoodUnderscores(text)) throw refuse("underscores must be surrounded by digits");
    if (hasLeadingZero(text)) throw refuse("cannot have leading zeroes");
    const parsed = parseInt64(text);
    if (parsed.fault === "range") throw this.keys.errorAt(line, `${text} is out of range for int64`);
    if (parsed.fault !== undefined) throw new GoError(`BUG: Expected integer value, but got '${text}'.\n\n`);
    return parsed.value;
  }

  #float({ text, line }: Token): number {
    const refuse = (why: string) => this.keys.errorAt(line, `Invalid float ${quoteText(text)}: ${why}`);
    const parts = text.split(/[.eE]/).filter((part) => part !== "");
    if (!parts.every(hasGoodUnderscores)) throw refuse("underscores must be surrounded by digits");
    if (hasLeadingZero(parts[0] ?? "")) throw refuse("cannot have leading zeroes");
    if (/\.(?![0-9])/.test(text)) throw refuse("'.' must be followed by one or more digits");
    if (/^[+-]?nan$/.test(text)) return NaN;
    const parsed = parseFloat64(text.replaceAll("_", ""));
    if (parsed.fault === "range") throw this.keys.errorAt(line, `${text} is out of range for float64`);
    if (parsed.fault !== undefined) throw this.keys.errorAt(line, `Invalid float value: ${quoteText(text)}`);
    return parsed.value;
  }

  #time({ text, line }: Token): GoMoment {
    const written = text.trim().replaceAll("z", "Z").replaceAll("t", "T").replaceAll(" ", "T");
    const invalid = this.keys.errorAt(line, `invalid datetime: ${quoteText(written)}`);
    const offset = this.#local.kind === "fixed" ? this.#local.offsetSeconds : 0;
    for (const [layout, name] of layouts) {
      let moment;
      try {
        const zone = name === undefined ? this.#local : { kind: "fixed", name, offsetSeconds: offset } as const;
        moment = parseGoTime(layout, written, zone);
      } catch (error) {
        if (error instanceof FormatError) continue;
        throw error;
      }
      // Go takes one digit where two are due; TOML does not.
      const fixed = layout.replace(/[.Z].*/, "");
      if (![...fixed].every((wanted, index) => isDigit(wanted) || written[index] === wanted)) throw invalid;
      return moment;
    }
    throw invalid;
  }
}

/** A character as Go's `%q` shows it, with the end as the character zero. */
function quoteEnd(character: string): string {
  return quoteCharacter(character === "" ? "\0" : character);
}

const shortEscapes: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\x1b",
};

const bases: Readonly<Record<string, { readonly name: string; readonly digit: RegExp; readonly digits: RegExp }>> = {
  b: { name: "a binary", digit: /^[01]$/, digits: /^[01_]$/ },
  o: { name: "an octal", digit: /^[0-7]$/, digits: /^[0-7_]$/ },
  x: { name: "a hexadecimal", digit: /^[0-9a-fA-F]$/, digits: /^[0-9a-fA-F_]$/ },
};

function hasGoodUnderscores(text: string): boolean {
  if (/^[+-]?(?:nan|inf)$/.test(text)) return true;
  return !/(?:^|[^0-9a-fA-F])_/.test(text) && /[0-9a-fA-F]$/.test(text);
}

function hasLeadingZero(text: string): boolean {
  return /^0[^box]/.test(text) || /^[+-]0[^]/.test(text);
}
