/**
 * YAML text as `yaml.Marshal` of sigs.k8s.io/yaml v1.6.0 prints it: JSON data through the emitter of go-yaml v2 (block
 * style, two blanks, lists at the level of their key, keys in natural order, texts folded behind column 80).
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../core/json.ts";
import { FormatError } from "./format_error.ts";
import { shortestFloat } from "./go_float.ts";
import { goYamlRefusal } from "./go_yaml_fault.ts";
import { readGoYaml } from "./go_yaml_value.ts";
import { compareKeys } from "./yaml_key_order.ts";
import { blockEnd, withoutDoubledEnds } from "./yaml_node/scalar_style.ts";
import { mayResolve, needsQuotes } from "./yaml_scalar.ts";

/** Column behind which the next single blank becomes a line break. */
const foldWidth = 80;
/** Bytes of the longest key that is printed on the line of its value. */
const maxSimpleKeyBytes = 128;

/**
 * Text of a value, always ending with a line break. Keys are sorted; the order of insertion does not count. A lone surrogate
 * is printed as U+FFFD.
 *
 * @throws {FormatError} for a text with a control character that YAML cannot carry (go-yaml v2 refuses DEL and C1 controls)
 */
export function printYaml(value: JsonValue): string {
  let text: string;
  try {
    text = printPlain(value);
  } catch (error) {
    if (error !== nextLine) throw error;
    text = printPlain(readThroughJson(value));
  }
  return withoutDoubledEnds(text);
}

/** Thrown to begin again: a text holds U+0085, which JSON carries as it is and YAML takes for a line break within quotes. */
const nextLine = new Error("A text holds U+0085");

/** What go-yaml reads where encoding/json wrote a value. @throws {FormatError} where it reads nothing */
function readThroughJson(value: JsonValue): JsonValue {
  const text = goJson(value);
  const refusal = goYamlRefusal(text);
  if (refusal !== undefined) throw new FormatError(`Cannot print YAML: ${refusal}`);
  return readGoYaml(text) ?? null;
}

/** JSON as encoding/json writes it, as far as a reader of YAML can tell. */
function goJson(value: JsonValue): string {
  if (typeof value === "string") {
    return JSON.stringify(value.toWellFormed()).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  }
  if (typeof value !== "object" || value === null) return printScalar(value, 0, 0, false);
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${goJson(key)}:${goJson((value as JsonObject)[key] as JsonValue)}`).join(",")}}`;
}

function printPlain(value: JsonValue): string {
  if (isFilled(value)) {
    return Array.isArray(value) ? printList(value, 0) : printMap(value as JsonObject, 0);
  }
  return `${printScalar(value, 0, 0, false)}\n`;
}

/** Texts of values with `---` lines between them. */
export function printYamlDocuments(values: readonly JsonValue[]): string {
  return values.map(printYaml).join("---\n");
}

/** A list or map that is not empty: what spans lines. */
function isFilled(value: JsonValue): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  for (const _ in value) return true;
  return false;
}

const blanks: string[] = Array.from({ length: 64 }, (_, count) => " ".repeat(count));
function blank(count: number): string {
  return blanks[count] ?? " ".repeat(count);
}

/** Lines of a map whose first key stands where the line already is (behind `- `, or at the indent). */
function printMap(map: JsonObject, indent: number): string {
  const keys = Object.keys(map);
  if (keys.length > 1) sortKeys(keys);
  let text = "";
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    if (index > 0) text += blank(indent);
    const value = map[key] as JsonValue;
    if (isSimpleKey(key)) {
      const name = printText(key, indent, indent, true);
      text += `${name}:`;
      if (!isFilled(value)) {
        const column = indent + name.length + 2;
        text += ` ${printScalar(value, indent, column, false)}\n`;
      } else if (Array.isArray(value)) {
        text += `\n${blank(indent)}${printList(value, indent)}`;
      } else {
        text += `\n${blank(indent + 2)}${printMap(value as JsonObject, indent + 2)}`;
      }
    } else {
      text += `? ${printText(key, indent, indent + 2, false)}\n${blank(indent)}: ${printInline(value, indent)}`;
    }
  }
  return text;
}

/** Lines of a list whose first dash stands where the line already is. */
function printList(list: readonly JsonValue[], indent: number): string {
  let text = "";
  for (let index = 0; index < list.length; index++) {
    if (index > 0) text += blank(indent);
    text += `- ${printInline(list[index] as JsonValue, indent)}`;
  }
  return text;
}

/** A value behind a dash or behind the colon of a long key: it goes on in the same line. */
function printInline(value: JsonValue, indent: number): string {
  if (!isFilled(value)) return `${printScalar(value, indent, indent + 2, false)}\n`;
  return Array.isArray(value) ? printList(value, indent + 2) : printMap(value as JsonObject, indent + 2);
}

function sortKeys(keys: string[]): void {
  for (let index = 1; index < keys.length; index++) {
    if (compareKeys(keys[index - 1] as string, keys[index] as string) > 0) {
      keys.sort(compareKeys);
      return;
    }
  }
}

function isSimpleKey(key: string): boolean {
  if (key.length <= 42) return !lineBreak.test(key);
  return !lineBreak.test(key) && byteLength(key) <= maxSimpleKeyBytes;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function printScalar(value: JsonValue, indent: number, column: number, isKey: boolean): string {
  switch (typeof value) {
    case "string":
      return printText(value, indent, column, isKey);
    case "number":
      return printNumber(value);
    case "bigint":
      return value >= -(2n ** 63n) && value < 2n ** 64n ? value.toString() : shortestFloat(Number(value));
    case "boolean":
      return value ? "true" : "false";
    default:
      return value === null || value === undefined ? "null" : Array.isArray(value) ? "[]" : "{}";
  }
}

function printNumber(value: number): string {
  if (!Number.isFinite(value)) throw new FormatError(`Cannot print YAML: JSON has no number ${value}`);
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 64) {
    return Number.isSafeInteger(value) ? String(value === 0 ? 0 : value) : exactText(value);
  }
  return shortestFloat(value);
}

/** Whole numbers beyond 2^53 pass through their JSON text: shortest digits, filled up with zeros. */
function exactText(value: number): string {
  const digits = BigInt(Math.abs(value) < 1e21 ? value.toString() : value);
  return digits >= -(2n ** 63n) && digits < 2n ** 64n ? digits.toString() : shortestFloat(value);
}

/** Texts that stand as they are, whatever the place: no blank, no sign that YAML uses. */
const safeText = /^[A-Za-z0-9_/.$(;<=^~+\\-][A-Za-z0-9_/.$();<=>@^~+\\%!&*|"'`-]*$/;
const lineBreak = /[\n\r\u0085\u2028\u2029]/;
const unusual = /[^\n\x20-\x7e]/;
// deno-lint-ignore no-control-regex
const refused = /[\x7f\u0080-\u0084\u0086-\u009f\ufffe\uffff]/;

/** A text in the style that the emitter chooses. `indent` is that of the map or list around it. */
function printText(text: string, indent: number, column: number, isKey: boolean): string {
  if (safeText.test(text) && (!mayResolve(text) || !needsQuotes(text))) {
    const start = text.charCodeAt(0);
    if (!(start === 45 || start === 46) || !/^(?:---|\.\.\.|-$)/.test(text)) return text;
  }
  return printAnyText(text, indent, column, isKey);
}

function printAnyText(text: string, indent: number, column: number, isKey: boolean): string {
  if (text === "") return '""';
  let clean = text;
  if (unusual.test(text)) {
    clean = text.toWellFormed();
    if (refused.test(clean)) {
      throw new FormatError("Cannot print YAML: a text holds a control character that YAML does not allow");
    }
    if (clean.includes("\u0085")) throw nextLine;
  }
  const shape = shapeOf(clean);
  if (clean.includes("\n")) {
    return isKey || !shape.mayBeBlock ? doubleQuoted(clean, indent, column, isKey) : literal(clean, indent);
  }
  if (needsQuotes(clean)) return doubleQuoted(clean, indent, column, isKey);
  if (isKey && lineBreak.test(clean)) return doubleQuoted(clean, indent, column, isKey);
  if (shape.mayBePlain) return folded(clean, indent, column, isKey, "");
  return shape.mayBeSingle ? folded(clean, indent, column, isKey, "'") : doubleQuoted(clean, indent, column, isKey);
}

interface Shape {
  readonly mayBePlain: boolean;
  readonly mayBeSingle: boolean;
  readonly mayBeBlock: boolean;
}

/** Which styles can carry a text: what YAML's signs, blanks and breaks at its edges and inside allow. */
function shapeOf(text: string): Shape {
  const isSpecial = unprintable.test(text);
  const blankBeforeBreak = / [\n\r\u0085\u2028\u2029]/.test(text);
  const blankAfterBreak = /[\n\r\u0085\u2028\u2029] /.test(text);
  const hasBreak = lineBreak.test(text);
  const last = text.charCodeAt(text.length - 1);
  const edge = /^[ \n\r\u0085\u2028\u2029]|[ \n\r\u0085\u2028\u2029]$/.test(text);
  const isIndicated = /^(?:---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[?:-](?:[ \t]|$))/.test(text) ||
    /:(?:[ \t]|$)|[ \t\n\r\u0085\u2028\u2029]#/.test(text);
  return {
    mayBePlain: !isSpecial && !hasBreak && !edge && !isIndicated,
    mayBeSingle: !isSpecial && !blankBeforeBreak && !blankAfterBreak,
    mayBeBlock: !isSpecial && !blankBeforeBreak && last !== 32,
  };
}

/** What the emitter holds for unprintable: controls (tab and return too), the byte order mark, everything beyond U+FFFF. */
// deno-lint-ignore no-control-regex
const unprintable = /[\x00-\x09\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]/;

/** A plain or single-quoted text; a single blank behind column 80 becomes a line break. */
function folded(text: string, indent: number, column: number, isKey: boolean, quote: "" | "'"): string {
  const content = quote === "" ? text : text.replaceAll("'", "''");
  if (!lineBreak.test(text)) {
    if (isKey || column + content.length + quote.length <= foldWidth || !content.includes(" ")) {
      return quote + content + quote;
    }
  }
  const margin = blank(indent + 2);
  let result = quote;
  let place = column + quote.length;
  let afterBlank = false;
  let afterBreak = false;
  for (let index = 0; index < content.length; index++) {
    const code = content.charCodeAt(index);
    if (code === 32) {
      const isInside = quote === "" || (index > 0 && index < content.length - 1);
      if (!isKey && !afterBlank && place > foldWidth && isInside && content.charCodeAt(index + 1) !== 32) {
        result += `\n${margin}`;
        place = margin.length;
      } else {
        result += " ";
        place++;
      }
      afterBlank = true;
    } else if (code === 13 || code === 0x85 || code === 0x2028 || code === 0x2029) {
      result += content[index];
      place = 0;
      afterBreak = true;
    } else {
      if (afterBreak) {
        result += margin;
        place = margin.length;
      }
      result += content[index];
      if (!(code >= 0xdc00 && code <= 0xdfff)) place++;
      afterBlank = false;
      afterBreak = false;
    }
  }
  return result + quote;
}

const escapes: ReadonlyMap<number, string> = new Map([
  [0x00, "0"],
  [0x07, "a"],
  [0x08, "b"],
  [0x09, "t"],
  [0x0a, "n"],
  [0x0b, "v"],
  [0x0c, "f"],
  [0x0d, "r"],
  [0x1b, "e"],
  [0x22, '"'],
  [0x5c, "\\"],
  [0x85, "N"],
  [0xa0, "_"],
  [0x2028, "L"],
  [0x2029, "P"],
]);

function escapeOf(code: number): string {
  const known = escapes.get(code);
  if (known !== undefined) return `\\${known}`;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

// deno-lint-ignore no-control-regex
const escaped = /[\x00-\x1f"\\\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\u{10000}-\u{10ffff}]/gu;
const everything = /./gsu;

function doubleQuoted(text: string, indent: number, column: number, isKey: boolean): string {
  // A byte order mark in front makes the emitter escape all that follows.
  const content = text.replace(
    text.startsWith("\ufeff") ? everything : escaped,
    (character) => escapeOf(character.codePointAt(0) ?? 0),
  );
  if (isKey || column + content.length + 1 <= foldWidth || !content.includes(" ")) return `"${content}"`;
  const margin = blank(indent + 2);
  let result = '"';
  let place = column + 1;
  let afterBlank = false;
  const last = content.length - 1;
  for (let index = 0; index <= last; index++) {
    if (content.charCodeAt(index) !== 32) {
      result += content[index];
      place++;
      afterBlank = false;
      continue;
    }
    if (!afterBlank && place > foldWidth && index > 0 && index < last) {
      result += `\n${margin}`;
      place = margin.length;
      if (content.charCodeAt(index + 1) === 32) {
        result += "\\";
        place++;
      }
    } else {
      result += " ";
      place++;
    }
    afterBlank = true;
  }
  return `${result}"`;
}

/** A literal block without its last line break, which the caller adds. */
function literal(text: string, indent: number): string {
  const hint = /^[ \n\r\u0085\u2028\u2029]/.test(text) ? "2" : "";
  const chomp = !/[\n\r\u0085\u2028\u2029]$/.test(text)
    ? "-"
    : /^.?$|[\n\r\u0085\u2028\u2029]{2}$/s.test(text)
    ? "+"
    : "";
  const margin = blank(indent + 2);
  const body = text.replace(/([\n\u0085\u2028\u2029])(?![\n\u0085\u2028\u2029]|$)/g, `$1${margin}`);
  const first = lineBreak.test(text[0] ?? "") ? "" : margin;
  return `|${hint}${chomp}\n${first}${blockEnd(body)}`;
}
