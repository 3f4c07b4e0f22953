import type { JsonValue } from "../../core/json.ts";

/**
 * Which YAML a text is read by. `v3` is go-yaml v3 as kyaml uses it (`yes` is text, `0o17` is a number), `v2` is
 * go-yaml v2 as sigs.k8s.io/yaml uses it (YAML 1.1: `yes` is true).
 */
export type Dialect = "v2" | "v3";

/** Tag and value that a scalar's text stands for. Dates are texts: in RFC 3339 (v3), as written (v2). */
export interface Resolved {
  readonly tag: string;
  /** `NaN` and infinities stay numbers; the writer of JSON refuses them. */
  readonly value: JsonValue;
}

const words: ReadonlyMap<string, Resolved> = new Map<string, Resolved>([
  ...["true", "True", "TRUE"].map((word) => [word, { tag: "!!bool", value: true }] as const),
  ...["false", "False", "FALSE"].map((word) => [word, { tag: "!!bool", value: false }] as const),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, { tag: "!!null", value: null }] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, { tag: "!!float", value: NaN }] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map((word) =>
    [word, { tag: "!!float", value: Infinity }] as const
  ),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, { tag: "!!float", value: -Infinity }] as const),
]);

const oldWords: ReadonlyMap<string, Resolved> = new Map<string, Resolved>([
  ...["y", "Y", "yes", "Yes", "YES", "on", "On", "ON"].map((word) => [word, { tag: "!!bool", value: true }] as const),
  ...["n", "N", "no", "No", "NO", "off", "Off", "OFF"].map((word) => [word, { tag: "!!bool", value: false }] as const),
]);

const maybeWord = /^(?:[~yYnNtTfFoO.]|$)/;
const floatText = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const goInteger = /^[+-]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)$/;
const dotFloat = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)?$/;
const dateText =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt]| +)(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})?)?$/;

/** What a plain scalar's text stands for (go-yaml `resolve.go`, v2.4 and v3.0). */
export function resolveText(text: string, dialect: Dialect): Resolved {
  const first = text.charCodeAt(0);
  // Letters that begin no special word, and slashes, quotes and the like, are text at once.
  if (first >= 0x30 && first <= 0x39 || first === 0x2b || first === 0x2d) return resolveNumber(text, dialect);
  if (maybeWord.test(text)) {
    const word = words.get(text) ?? (dialect === "v2" ? oldWords.get(text) : undefined);
    if (word !== undefined) return word;
    if (first === 0x2e && dotFloat.test(text)) return { tag: "!!float", value: Number(text.replaceAll("_", "")) };
  }
  return { tag: "!!str", value: text };
}

/** Tag that a plain scalar's text resolves to. */
export function tagOfText(text: string, dialect: Dialect): string {
  const first = text.charCodeAt(0);
  // The common case costs nothing: a text that begins with a letter of no special word.
  if (
    first > 0x60 && first < 0x7b && first !== 0x6e && first !== 0x74 && first !== 0x66 && first !== 0x79 &&
    first !== 0x6f
  ) return "!!str";
  return resolveText(text, dialect).tag;
}

/** Whether a text is nothing but a few decimal digits: the number that nearly every number is, told without an expression. */
function isShortNumber(text: string): boolean {
  if (text.length > 14 || (text.charCodeAt(0) === 0x30 && text.length > 1)) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

function resolveNumber(text: string, dialect: Dialect): Resolved {
  if (isShortNumber(text)) return { tag: "!!int", value: Number(text) };
  const word = words.get(text);
  if (word !== undefined) return word;
  const date = resolveDate(text);
  // go-yaml v2 hands a date on as the text that stood there.
  if (date !== undefined) return { tag: "!!timestamp", value: dialect === "v2" ? text : date };
  const digits = text.includes("_") ? text.replaceAll("_", "") : text;
  const integer = parseGoInteger(digits);
  if (integer !== undefined) return { tag: "!!int", value: integer };
  if (floatText.test(digits)) {
    const value = Number(digits);
    if (Number.isFinite(value)) return { tag: "!!float", value };
  }
  return { tag: "!!str", value: text };
}

const minInt64 = -(2n ** 63n);
const maxUint64 = 2n ** 64n - 1n;

/** An integer as Go's strconv reads one with base 0; `undefined` for other texts and beyond 64 bits. */
function parseGoInteger(text: string): number | bigint | undefined {
  if (!goInteger.test(text)) return undefined;
  const negative = text.startsWith("-");
  const signed = negative || text.startsWith("+");
  const digits = signed ? text.slice(1) : text;
  let value: bigint;
  if (/^0[xXbBoO]/.test(digits)) {
    value = BigInt(`0${digits.charAt(1).toLowerCase()}${digits.slice(2)}`);
  } else if (digits.length > 1 && digits.startsWith("0")) value = BigInt(`0o${digits.slice(1)}`);
  else value = BigInt(digits);
  if (negative) value = -value;
  // A text with a sign is read as int64 only, as strconv.ParseUint takes no sign.
  if (value < minInt64 || value > (signed ? 2n ** 63n - 1n : maxUint64)) return undefined;
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** RFC 3339 text of a date as go-yaml takes one, or `undefined`. */
function resolveDate(text: string): string | undefined {
  if (text.charCodeAt(4) !== 0x2d) return undefined;
  const found = dateText.exec(text);
  if (found === null) return undefined;
  const [, year = "", month = "", day = "", separator, hour = "0", minute = "0", second = "0", fraction = "", zone] =
    found;
  if (separator !== undefined) {
    // With a T a zone is needed; after blanks none may stand.
    if (separator.trim() === "" ? zone !== undefined : zone === undefined) return undefined;
  }
  const m = Number(month), d = Number(day), h = Number(hour), min = Number(minute), s = Number(second);
  if (m < 1 || m > 12 || d < 1 || d > daysIn(Number(year), m) || h > 23 || min > 59 || s > 59) return undefined;
  if (zone !== undefined && zone !== "Z" && (Number(zone.slice(1, 3)) > 24 || Number(zone.slice(4)) > 60)) {
    return undefined;
  }
  const two = (number: number) => String(number).padStart(2, "0");
  const nanos = fraction.slice(0, 9).replace(/0+$/, "");
  const zoneText = zone === undefined || zone === "Z" || zone === "+00:00" || zone === "-00:00" ? "Z" : zone;
  return `${year}-${two(m)}-${two(d)}T${two(h)}:${two(min)}:${two(s)}${nanos === "" ? "" : `.${nanos}`}${zoneText}`;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
