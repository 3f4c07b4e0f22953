import { quoteText } from "../template/go_quote.ts";
import { fromJson, goInt64, GoSlice, typeNameOf } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import type { JsonValue } from "../../../core/json.ts";
import { isTable, newTable } from "./tables.ts";
import type { Table } from "./tables.ts";

/** How the text behind `=` is read. */
export type SetMode =
  /** `--set`: true, false, null and whole numbers have their type, `{a,b}` is a list. */
  | { readonly kind: "typed" }
  /** `--set-string`: everything is text, `{a,b}` a list of texts. */
  | { readonly kind: "string" }
  /** `--set-json`: a JSON value, or nothing for null. */
  | { readonly kind: "json" }
  /** `--set-literal`: the rest of the text as it is; `\` and `,` mean nothing. */
  | { readonly kind: "literal" }
  /** `--set-file`: a path whose content counts. `read` throws what the caller is to see. */
  | { readonly kind: "file"; readonly read: (path: string) => string };

/** A text that is no assignment; the message is Helm's. What was assigned before it stays assigned. */
export class SetSyntaxError extends Error {
  override readonly name = "SetSyntaxError";
}

/** Highest index of a list (Helm `strvals.MaxIndex`). */
const maxIndex = 65536;
/** Most dots in a key (Helm `strvals.MaxNestedNameLevel`). */
const maxNesting = 30;
/** Most places of lists that one text may make. Differs: Helm has no such limit. */
const maxSlots = 4_000_000;

/**
 * Assigns `path=value,path[0].x=value` into a table, which is changed (Helm 4.2.4, `pkg/strvals`).
 *
 * @throws {SetSyntaxError} with Helm's text; earlier assignments of the text are done by then
 */
export function assign(text: string, target: Table, mode: SetMode = { kind: "typed" }): void {
  new Assigner(text, mode).run(target);
}

/** Whether the text has ended: then nothing follows. */
type Rest = "more" | "end";

class Assigner {
  readonly #symbols: readonly string[];
  readonly #mode: SetMode;
  readonly #isLiteral: boolean;
  #at = 0;
  #slots = 0;

  constructor(text: string, mode: SetMode) {
    this.#symbols = [...text];
    this.#mode = mode;
    this.#isLiteral = mode.kind === "literal";
  }

  run(target: Table): void {
    while (this.#key(target, 0) === "more");
  }

  #key(table: Table, nesting: number): Rest {
    const stops = this.#isLiteral ? "=[." : "=[,.";
    const { text: key, stop } = this.#until(stops);
    switch (stop) {
      case undefined:
        if (key === "") return "end";
        throw new SetSyntaxError(`key ${quoteText(key)} has no value`);
      case "[":
        return this.#listKey(table, key, nesting);
      case "=":
        return this.#assignValue(table, key);
      case ",":
        put(table, key, "");
        throw new SetSyntaxError(`key ${quoteText(key)} has no value (cannot end with ,)`);
    }
    return this.#nestedKey(table, key, nesting + 1);
  }

  #nestedKey(table: Table, key: string, nesting: number): Rest {
    if (nesting > maxNesting) {
      throw new SetSyntaxError(
        `value name nested level is greater than maximum supported nested level of ${maxNesting}`,
      );
    }
    const inner = table.entries.has(key) ? this.#asTable(table.entries.get(key)) : newTable();
    const keep = () => {
      if (inner.entries.size > 0) put(table, key, inner);
    };
    let rest: Rest;
    try {
      rest = this.#key(inner, nesting);
    } catch (error) {
      keep();
      throw error;
    }
    if (rest === "more" && inner.entries.size === 0) {
      throw new SetSyntaxError(`key map ${quoteText(key)} has no value`);
    }
    keep();
    return rest;
  }

  #listKey(table: Table, key: string, nesting: number): Rest {
    const index = this.#index();
    if (index === undefined) return "end";
    const list = table.entries.has(key) ? [...this.#asList(table.entries.get(key))] : [];
    try {
      return this.#listItem(list, index, nesting);
    } finally {
      put(table, key, new GoSlice(list));
    }
  }

  /** What stands behind `[index]`; the list is changed. */
  #listItem(list: Value[], index: number, nesting: number): Rest {
    if (index < 0) throw new SetSyntaxError(`negative ${index} index not allowed`);
    const { text, stop } = this.#until("[.=");
    if (text !== "") {
      throw new SetSyntaxError(
        `unexpected data at end of array index: [${[...text].map((each) => `'${each}'`).join(" ")}]`,
      );
    }
    if (stop === undefined) return "end";
    if (stop === "=") {
      const { value, rest } = this.#value();
      this.#place(list, index, value);
      return rest;
    }
    const present = index < list.length ? list[index] : undefined;
    if (stop === "[") {
      const next = this.#index();
      if (next === undefined) return "end";
      const inner = present === undefined || present === null ? [] : [...this.#asList(present)];
      const rest = this.#listItem(inner, next, nesting);
      this.#place(list, index, new GoSlice(inner));
      return rest;
    }
    const inner = isTable(present) ? present : newTable();
    if (index < list.length) list[index] = inner;
    const rest = this.#key(inner, nesting);
    if (rest === "more") this.#place(list, index, inner);
    return rest;
  }

  #assignValue(table: Table, key: string): Rest {
    const { value, rest } = this.#value();
    put(table, key, value);
    return rest;
  }

  #value(): { readonly value: Value; readonly rest: Rest } {
    const mode = this.#mode;
    if (mode.kind === "literal") {
      const { text } = this.#until("");
      return { value: text, rest: "more" };
    }
    if (mode.kind === "json") return { value: this.#json(), rest: "more" };
    if (this.#at >= this.#symbols.length) return { value: "", rest: "end" };
    if (this.#symbols[this.#at] === "{") {
      this.#at++;
      return { value: this.#list(), rest: "more" };
    }
    return { value: this.#convert(this.#until(",").text), rest: "more" };
  }

  #list(): GoSlice {
    const items: Value[] = [];
    while (true) {
      const { text, stop } = this.#until(",}");
      if (stop === undefined) throw new SetSyntaxError("list must terminate with '}'");
      items.push(this.#convert(text));
      if (stop === ",") continue;
      if (this.#symbols[this.#at] === ",") this.#at++;
      return new GoSlice(items);
    }
  }

  #convert(text: string): Value {
    if (this.#mode.kind === "file") return this.#mode.read(text);
    return this.#mode.kind === "string" ? text : typedValue(text);
  }

  #json(): Value {
    if (this.#skipBlanks()) return null;
    const { value, length } = readJsonPrefix(this.#symbols.slice(this.#at).join(""));
    this.#at += length;
    this.#skipBlanks();
    return fromJson(value);
  }

  /** Passes over blanks up to a comma or the end, which it takes too; `false` where something else stands. */
  #skipBlanks(): boolean {
    while (this.#at < this.#symbols.length) {
      const symbol = this.#symbols[this.#at] as string;
      if (symbol !== "," && !/^[\s\u0085]$/u.test(symbol)) return false;
      this.#at++;
      if (symbol === ",") return true;
    }
    return true;
  }

  /** Number up to `]`; `undefined` where the text ends first, which Helm 4 takes for the end of the text. */
  #index(): number | undefined {
    const { text, stop } = this.#until("]");
    if (stop === undefined) return undefined;
    if (!/^[+-]?[0-9]+$/.test(text)) {
      throw new SetSyntaxError(`error parsing index: strconv.Atoi: parsing ${quoteText(text)}: invalid syntax`);
    }
    const index = Number(text);
    if (!Number.isSafeInteger(index)) {
      throw new SetSyntaxError(`error parsing index: strconv.Atoi: parsing ${quoteText(text)}: value out of range`);
    }
    return index;
  }

  #place(list: Value[], index: number, value: Value): void {
    if (index > maxIndex) {
      throw new SetSyntaxError(`index of ${index} is greater than maximum supported index of ${maxIndex}`);
    }
    this.#slots += Math.max(0, index + 1 - list.length);
    if (this.#slots > maxSlots) {
      throw new SetSyntaxError(`lists with more than ${maxSlots} places in all are not allowed`);
    }
    while (list.length < index) list.push(null);
    list[index] = value;
  }

  /** Text up to one of the stops, which is taken; `\` makes the next symbol plain, except in literals. */
  #until(stops: string): { readonly text: string; readonly stop: string | undefined } {
    let text = "";
    while (this.#at < this.#symbols.length) {
      const symbol = this.#symbols[this.#at++] as string;
      if (stops.includes(symbol)) return { text, stop: symbol };
      if (symbol === "\\" && !this.#isLiteral) {
        if (this.#at >= this.#symbols.length) return { text, stop: undefined };
        text += this.#symbols[this.#at++] as string;
      } else text += symbol;
    }
    return { text, stop: undefined };
  }

  #asTable(value: Value): Table {
    if (isTable(value)) return value;
    throw conversion(value, "map[string]interface {}");
  }

  #asList(value: Value): readonly Value[] {
    if (value instanceof GoSlice) return value.items ?? [];
    throw conversion(value, "[]interface {}");
  }
}

function conversion(value: Value, wanted: string): SetSyntaxError {
  const held = value === null || value === undefined ? "nil" : typeNameOf(value);
  return new SetSyntaxError(`unable to parse key: interface conversion: interface {} is ${held}, not ${wanted}`);
}

function put(table: Table, key: string, value: Value): void {
  if (key !== "") table.entries.set(key, value);
}

/** A plain text with its type: a boolean, null, an int64, else the text (leading zeros make a text). */
function typedValue(text: string): Value {
  const lower = text.toLowerCase();
  if (lower === "true") return true;
  if (lower === "false") return false;
  if (lower === "null") return null;
  if (text === "0") return goInt64(0);
  if (/^[+-]?[0-9]+$/.test(text) && !text.startsWith("0")) {
    const value = BigInt(text.replace(/^\+/, ""));
    if (value >= -(2n ** 63n) && value < 2n ** 63n) return goInt64(value);
  }
  return text;
}

/** The JSON value at the start of a text and the symbols it takes. */
function readJsonPrefix(text: string): { readonly value: JsonValue; readonly length: number } {
  const end = jsonEnd(text);
  const part = text.slice(0, end);
  try {
    const value = JSON.parse(part.isWellFormed() ? part : part.toWellFormed()) as JsonValue;
    return { value: wellFormed(value), length: [...part].length };
  } catch (cause) {
    throw new SetSyntaxError(jsonFault(text, end), { cause });
  }
}

/** Lone surrogates that escapes made become U+FFFD, as in Go. */
function wellFormed(value: JsonValue): JsonValue {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, JsonValue>>).map((
      [key, item],
    ) => [key.toWellFormed(), wellFormed(item)]),
  );
}

/** Where the first JSON value of a text ends: by brackets and quotes, or at the end of a number or word. */
function jsonEnd(text: string): number {
  if (/^\s*(?:t|tr|tru|f|fa|fal|fals|n|nu|nul)$/.test(text)) return text.length;
  const plain = /^\s*(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)/.exec(text);
  if (plain !== null) return plain[0].length;
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at++) {
    const symbol = text[at] as string;
    if (isInText) {
      if (symbol === "\\") at++;
      else if (symbol === '"') {
        isInText = false;
        if (depth === 0) return at + 1;
      }
    } else if (symbol === '"') isInText = true;
    else if (symbol === "{" || symbol === "[") depth++;
    else if (symbol === "}" || symbol === "]") {
      if (--depth <= 0) return at + 1;
    } else if (depth === 0 && !/\s/.test(symbol)) return at + 1;
  }
  return text.length;
}

function jsonFault(text: string, end: number): string {
  const first = text.trimStart()[0] ?? "";
  const isCut = end >= text.length && /^[{["]/.test(first) ||
    ["true", "false", "null", "-"].some((word) => word.startsWith(text.trim()));
  if (isCut) return "unexpected EOF";
  const shown = first === "'" ? "'\\''" : `'${first}'`;
  return `invalid character ${shown} looking for beginning of value`;
}
