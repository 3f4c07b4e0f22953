/**
 * JSON as Go reads it into `interface {}` (encoding/json: Unmarshal), with Go's error texts.
 *
 * @module
 */
import { GoError } from "../template/go_error.ts";
import { quoteText } from "../template/go_quote.ts";
import { hasRawBytes, toBytes } from "../template/go_string.ts";
import { goGrownList, GoMap } from "../template/value.ts";
import type { Value } from "../template/value.ts";

/** Nesting that Go refuses. */
const maxDepth = 10_000;

/** What JSON text holds. A fault that leaves the rest usable (a number too large) is told beside the value. */
export interface ParsedJson {
  readonly value: Value;
  readonly fault?: GoError;
}

/** Value of a JSON text. @throws {GoError} with Go's text */
export function parseJson(text: string): Value {
  const { value, fault } = readJson(text);
  if (fault !== undefined) throw fault;
  return value;
}

/** Value of a JSON text and what was wrong with parts of it. @throws {GoError} when it is no JSON */
export function readJson(text: string): ParsedJson {
  let json: unknown;
  try {
    json = JSON.parse(hasRawBytes(text) ? text.toWellFormed() : text);
  } catch (error) {
    throw syntaxFault(text) ?? error;
  }
  const faults: GoError[] = [];
  const value = valueOf(json, text, faults);
  const [fault] = faults;
  return fault === undefined ? { value } : { value, fault };
}

function valueOf(json: unknown, text: string, faults: GoError[]): Value {
  if (typeof json === "string") return json.isWellFormed() ? json : json.toWellFormed();
  if (typeof json === "number") {
    if (Number.isFinite(json)) return json;
    const number = text.match(/-?\d+(?:\.\d+)?[eE][+-]?\d+|-?\d{309,}(?:\.\d+)?/g)?.find((n) =>
      !Number.isFinite(Number(n))
    );
    faults.push(new GoError(`json: cannot unmarshal number ${number ?? ""} into Go value of type float64`));
    return null;
  }
  if (json === null || typeof json !== "object") return json as null | boolean;
  if (Array.isArray(json)) return goGrownList(json.map((item) => valueOf(item, text, faults)));
  const entries = new Map<string, Value>();
  for (const key of Object.keys(json)) {
    entries.set(key.toWellFormed(), valueOf((json as Record<string, unknown>)[key], text, faults));
  }
  return new GoMap(entries);
}

type Expected = "value" | "first" | "key" | "firstKey" | "colon" | "next" | "end";

const literals: Readonly<Record<string, string>> = { t: "true", f: "false", n: "null" };

/** The first place that is no JSON, as Go's scanner tells it; `undefined` for JSON. */
export function syntaxFault(text: string): GoError | undefined {
  const closers: string[] = [];
  let expected: Expected = "value";
  let index = 0;
  const at = (position: number) => text[position] ?? " ";
  const after = (): Expected => closers.length === 0 ? "end" : "next";

  while (true) {
    while (/[ \t\r\n]/.test(text[index] ?? "")) index++;
    const character = text[index];
    if (character === undefined) return expected === "end" ? undefined : new GoError("unexpected end of JSON input");
    switch (expected) {
      case "end":
        return invalid(character, "after top-level value");
      case "colon":
        if (character !== ":") return invalid(character, "after object key");
        expected = "value";
        index++;
        continue;
      case "next": {
        const closer = closers.at(-1) as string;
        if (character === ",") expected = closer === "}" ? "key" : "value";
        else if (character === closer) {
          closers.pop();
          expected = after();
        } else return invalid(character, closer === "}" ? "after object key:value pair" : "after array element");
        index++;
        continue;
      }
      case "firstKey":
      case "key":
        if (character === "}" && expected === "firstKey") {
          closers.pop();
          expected = after();
          index++;
          continue;
        }
        if (character !== '"') return invalid(character, "looking for beginning of object key string");
        break;
      case "first":
        if (character === "]") {
          closers.pop();
          expected = after();
          index++;
          continue;
        }
    }
    if (character === "{" || character === "[") {
      closers.push(character === "{" ? "}" : "]");
      if (closers.length > maxDepth) return invalid(character, "exceeded max depth");
      expected = character === "{" ? "firstKey" : "first";
      index++;
      continue;
    }
    const isKey: boolean = expected === "key" || expected === "firstKey";
    const scalar = scanScalar(text, index, at);
    if (typeof scalar !== "number") return scalar;
    index = scalar;
    expected = isKey ? "colon" : after();
  }
}

/** End of the string, number or word at an index, or what is wrong with it. */
function scanScalar(text: string, start: number, at: (index: number) => string): number | GoError {
  const first = at(start);
  const word = literals[first];
  if (word !== undefined) {
    for (let offset = 1; offset < word.length; offset++) {
      if (at(start + offset) !== word[offset]) {
        return invalid(at(start + offset), `in literal ${word} (expecting '${word[offset]}')`);
      }
    }
    return start + word.length;
  }
  if (first === '"') return scanString(text, start, at);
  if (first !== "-" && !isDigit(first)) return invalid(first, "looking for beginning of value");
  let index = first === "-" ? start + 1 : start;
  if (!isDigit(at(index))) return invalid(at(index), "in numeric literal");
  if (at(index) === "0") index++;
  else while (isDigit(at(index))) index++;
  if (at(index) === ".") {
    index++;
    if (!isDigit(at(index))) return invalid(at(index), "after decimal point in numeric literal");
    while (isDigit(at(index))) index++;
  }
  if (at(index) === "e" || at(index) === "E") {
    index++;
    if (at(index) === "+" || at(index) === "-") index++;
    if (!isDigit(at(index))) return invalid(at(index), "in exponent of numeric literal");
    while (isDigit(at(index))) index++;
  }
  return index;
}

function scanString(text: string, start: number, at: (index: number) => string): number | GoError {
  for (let index = start + 1; index < text.length; index++) {
    const character = text[index] as string;
    if (character === '"') return index + 1;
    if (character < " ") return invalid(character, "in string literal");
    if (character !== "\\") continue;
    index++;
    if (at(index) === "u") {
      for (let digit = 0; digit < 4; digit++) {
        index++;
        if (!/[0-9a-fA-F]/.test(at(index))) return invalid(at(index), "in \\u hexadecimal character escape");
      }
    } else if (!'bfnrt\\/"'.includes(at(index))) return invalid(at(index), "in string escape code");
  }
  return new GoError("unexpected end of JSON input");
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}

/** Go looks at bytes: of a character beyond ASCII it names the first one. */
function invalid(character: string, context: string): GoError {
  // Half of a character beyond U+FFFF: all of those that UTF-8 has begin with one of five bytes.
  const code = character.charCodeAt(0);
  const byte = code >= 0xd800 && code < 0xdc00
    ? 0xf0 + ((0x40 + (code & 0x3ff)) >> 8)
    : toBytes(character)[0] as number;
  const shown = String.fromCharCode(byte);
  const quoted = shown === "'" ? "\\'" : shown === '"' ? '"' : quoteText(shown).slice(1, -1);
  return new GoError(`invalid character '${quoted}' ${context}`);
}
