/**
 * Sprig's functions on texts (v3.3.0, strings.go). Lengths and cuts count bytes, as in Go.
 *
 * @module
 */
import { GoError } from "../template/go_error.ts";
import { quoteText } from "../template/go_quote.ts";
import { byteLength, compareStrings, fromBytes, rejoin, toBytes, withoutRawBytes } from "../template/go_string.ts";
import { goTypes } from "../template/go_type.ts";
import { sprintf } from "../template/printf.ts";
import { GoSlice, goStringMap, goStrings } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import {
  isAscii,
  isGoSpace,
  lowerText,
  swapCase,
  titleText,
  trimGoSpace,
  untitleText,
  upperText,
} from "./letter_case.ts";
import { func, variadic } from "./registry.ts";
import type { CallContext, FunctionTable } from "./registry.ts";
import { itemsOfAny, strval, textsOf } from "./text_value.ts";
import { joinWords, pascalCase } from "./word_case.ts";

const { any, bool, int, string, stringMap, strings } = goTypes;

const unary = (change: (text: string) => string) => func([string], string, (_, text) => change(text));
const trimSet = func([string, string], string, (_, set, text) => trimCharacters(text, set));

/** Functions by name. */
export const stringFunctions: FunctionTable = {
  abbrev: func(
    [int, string],
    string,
    (_, width, text) => width < 4 ? text : onBytes(text, (t) => abbreviate(t, 0, width)),
  ),
  abbrevboth: func([int, int, string], string, (_, left, right, text) => {
    if (right < 4 || left > 0 && right < 7) return text;
    return onBytes(text, (t) => abbreviate(t, left, right));
  }),
  camelcase: unary(pascalCase),
  cat: variadic([], any, string, (context, ...values) => {
    const shown = values.filter((value) => value !== null);
    return sprintf(context, shown.map(() => "%v").join(" "), shown);
  }),
  contains: func([string, string], bool, (_, part, text) => text.includes(part)),
  hasPrefix: func([string, string], bool, (_, part, text) => text.startsWith(part)),
  hasSuffix: func([string, string], bool, (_, part, text) => text.endsWith(part)),
  indent: func([int, string], string, (context, count, text) => indent(context, "indent", count, text)),
  initials: unary((text) => onBytes(text, initials)),
  join: func([string, any], string, (context, separator, value) => joinTexts(context, separator, value)),
  kebabcase: unary((text) => joinWords(text, "-")),
  lower: unary(lowerText),
  nindent: func([int, string], string, (context, count, text) => `\n${indent(context, "nindent", count, text)}`),
  nospace: unary(withoutSpace),
  plural: func([string, string, int], string, (_, one, many, count) => count === 1 ? one : many),
  quote: variadic(
    [],
    any,
    string,
    (context, ...values) =>
      values.filter((value) => value !== null).map((value) => quoteText(strval(context, value))).join(" "),
  ),
  repeat: func([int, string], string, (context, count, text) => repeatText(context, text, count)),
  replace: func(
    [string, string, string],
    string,
    (context, old, fresh, text) => replaceText(context, text, old, fresh),
  ),
  snakecase: unary((text) => joinWords(text, "_")),
  sortAlpha: func([any], strings, (context, value) => sortAlpha(context, value)),
  split: func([string, string], stringMap, (context, separator, text) => numbered(context, splitText(text, separator))),
  splitList: func([string, string], strings, (_, separator, text) => goStrings(splitText(text, separator))),
  splitn: func(
    [string, int, string],
    stringMap,
    (context, separator, count, text) => numbered(context, splitText(text, separator, count)),
  ),
  squote: variadic(
    [],
    any,
    string,
    (context, ...values) =>
      values.filter((value) => value !== null).map((value) => sprintf(context, "'%v'", [value])).join(" "),
  ),
  substr: func([int, int, string], string, (_, start, end, text) => onBytes(text, (t) => substring(t, start, end))),
  swapcase: unary(swapCase),
  title: unary(titleText),
  toString: func([any], string, (context, value) => strval(context, value)),
  toStrings: func(
    [any],
    strings,
    (context, value) =>
      value instanceof GoSlice && value.type.name === "[]string" ? value : goStrings(textsOf(context, value)),
  ),
  trim: unary(trimGoSpace),
  trimAll: trimSet,
  trimPrefix: func([string, string], string, (_, part, text) => text.startsWith(part) ? text.slice(part.length) : text),
  trimSuffix: func(
    [string, string],
    string,
    (_, part, text) => part !== "" && text.endsWith(part) ? text.slice(0, -part.length) : text,
  ),
  trimall: trimSet,
  trunc: func([int, string], string, (_, count, text) => onBytes(text, (t) => truncate(t, count))),
  untitle: unary(untitleText),
  upper: unary(upperText),
  wrap: func([int, string], string, (_, width, text) => onBytes(text, (t) => wrap(t, width, "\n", false))),
  wrapWith: func([int, string, string], string, (context, width, separator, text) => {
    context.reserve("wrapWith", text.length + Math.ceil(text.length / Math.max(1, width)) * separator.length);
    return onBytes(text, (t) => wrap(t, width, separator === "" ? "\n" : bytewise(separator), true));
  }),
};

/** A text with one character per byte, so that cuts count bytes. */
function bytewise(text: string): string {
  if (isAscii(text)) return text;
  let result = "";
  for (const byte of toBytes(text)) result += String.fromCharCode(byte);
  return result;
}

/** Runs a function that counts bytes. */
function onBytes(text: string, change: (text: string) => string): string {
  const result = change(bytewise(text));
  return isAscii(result) ? result : fromBytes(Uint8Array.from(result, (character) => character.charCodeAt(0)));
}

/** goutils `AbbreviateFull`: cuts to `width` bytes with three points where something is missing. */
function abbreviate(text: string, offset: number, width: number): string {
  if (width < 4 || text === "") return "";
  if (text.length <= width) return text;
  const start = Math.min(offset, text.length, Math.max(text.length - (width - 3), 0));
  const from = text.length - Math.min(offset, text.length) < width - 3 ? start : Math.min(offset, text.length);
  if (from <= 4) return `${text.slice(0, width - 3)}...`;
  if (width < 7) return "";
  if (from + width - 3 < text.length) return `...${abbreviate(text.slice(from), 0, width - 3)}`;
  return `...${text.slice(text.length - (width - 3))}`;
}

/** First byte of each word, taken for a Latin-1 character, as goutils does. */
function initials(text: string): string {
  let result = "";
  let isStart = true;
  for (const character of text) {
    if (isGoSpace(character)) isStart = true;
    else if (isStart) {
      result += character;
      isStart = false;
    }
  }
  return bytewise(result);
}

/** goutils `DeleteWhiteSpace` looks at bytes: texts beyond ASCII lose their form as soon as a blank is removed. */
function withoutSpace(text: string): string {
  const bytes = bytewise(text);
  let result = "";
  for (const character of bytes) if (!isGoSpace(character)) result += character;
  return result.length === bytes.length ? text : result;
}

/** Every line moved right by `count` spaces; empty lines and the piece after the last break too. */
export function indent(context: CallContext, name: string, count: number, text: string): string {
  if (count < 0) throw new GoError("strings: negative Repeat count");
  context.reserve(name, count + text.length);
  const pad = " ".repeat(count);
  if (!text.includes("\n")) return pad + text;
  const lines = text.split("\n");
  context.reserve(name, lines.length * count + text.length);
  return pad + lines.join(`\n${pad}`);
}

/** `strings.Repeat`. @throws {GoError} for a negative count */
function repeatText(context: CallContext, text: string, count: number): string {
  if (count < 0) throw new GoError("strings: negative Repeat count");
  if (text.length > 0 && byteLength(text) * count > Number.MAX_SAFE_INTEGER * 1024) {
    throw new GoError("strings: Repeat output length overflow");
  }
  context.reserve("repeat", text.length * count);
  return rejoin(text.repeat(count));
}

function joinTexts(context: CallContext, separator: string, value: Value): string {
  const texts = textsOf(context, value);
  let length = 0;
  for (const text of texts) length += text.length + separator.length;
  context.reserve("join", length);
  return rejoin(texts.join(separator));
}

/** `strings.Replace` of all places; an empty `old` stands before each character and at the end. */
function replaceText(context: CallContext, text: string, old: string, fresh: string): string {
  const parts = old === "" ? ["", ...text, ""] : text.split(old);
  if (old === "" && text === "") return fresh;
  context.reserve("replace", text.length + fresh.length * parts.length);
  if (old !== "") return parts.length === 1 ? text : rejoin(parts.join(fresh));
  return rejoin([...text].map((character) => fresh + character).join("") + fresh);
}

/** `strings.SplitN`: at most `count` parts, all of them when it is negative; with an empty separator the characters. */
export function splitText(text: string, separator: string, count = -1): string[] {
  if (count === 0) return [];
  const parts = separator === "" ? [...text] : text.split(separator);
  if (count < 0 || parts.length <= count) return parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

function numbered(context: CallContext, parts: readonly string[]): Value {
  context.made(100 + 100 * parts.length);
  return goStringMap(parts.map((part, index) => [`_${index}`, part]));
}

/** `strings.Trim`: characters of a set off both ends. */
/** Every byte that is no UTF-8 is the same character to Go, that of U+FFFD. */
function trimCharacters(text: string, set: string): string {
  const characters = new Set(withoutRawBytes(set));
  const all = [...text];
  let start = 0;
  let end = all.length;
  while (start < end && characters.has(withoutRawBytes(all[start] as string))) start++;
  while (end > start && characters.has(withoutRawBytes(all[end - 1] as string))) end--;
  return all.slice(start, end).join("");
}

function substring(text: string, start: number, end: number): string {
  const { length } = text;
  if (start < 0) {
    if (end < 0) throw new GoError(`runtime error: slice bounds out of range [:${end}]`);
    if (end > length) throw new GoError(`runtime error: slice bounds out of range [:${end}] with length ${length}`);
    return text.slice(0, end);
  }
  if (end < 0 || end > length) {
    if (start > length) throw new GoError(`runtime error: slice bounds out of range [${start}:${length}]`);
    return text.slice(start);
  }
  if (start > end) throw new GoError(`runtime error: slice bounds out of range [${start}:${end}]`);
  return text.slice(start, end);
}

function truncate(text: string, count: number): string {
  if (count < 0) return text.length + count > 0 ? text.slice(text.length + count) : text;
  return text.length > count ? text.slice(0, count) : text;
}

/** goutils `WrapCustom`: breaks at spaces so that lines have at most `width` bytes where they can. */
function wrap(text: string, width: number, separator: string, breaksWords: boolean): string {
  const limit = Math.max(1, width);
  let offset = 0;
  let result = "";
  while (text.length - offset > limit) {
    if (text[offset] === " ") {
      offset++;
      continue;
    }
    const space = text.slice(offset, offset + limit + 1).lastIndexOf(" ");
    if (space >= 0) {
      result += text.slice(offset, offset + space) + separator;
      offset += space + 1;
    } else if (breaksWords) {
      result += text.slice(offset, offset + limit) + separator;
      offset += limit;
    } else {
      const next = text.indexOf(" ", offset + limit);
      if (next < 0) {
        result += text.slice(offset);
        offset = text.length;
      } else {
        result += text.slice(offset, next) + separator;
        offset = next + 1;
      }
    }
  }
  return result + text.slice(offset);
}

/** Sorts by bytes. A `[]string` is sorted in place, as sprig does: other variables that hold it see the new order. */
function sortAlpha(context: CallContext, value: Value): Value {
  if (itemsOfAny(value) === undefined) return goStrings([strval(context, value)]);
  if (value instanceof GoSlice && value.type.name === "[]string") {
    (value.items as string[] | null)?.sort(compareStrings);
    return value;
  }
  return goStrings(textsOf(context, value).sort(compareStrings));
}
