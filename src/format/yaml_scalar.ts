/**
 * What a scalar stands for: the rules of sigs.k8s.io/yaml v1.6.0, that is go-yaml v2 (YAML 1.1 with Go's number forms).
 * The same rules decide which texts a printer must quote.
 *
 * @module
 */

/** Kind of value that a plain scalar stands for. `timestamp` values are kept as text. */
export type ScalarKind = "null" | "bool" | "int" | "float" | "timestamp" | "string";

/** A scalar's value and kind. Integers beyond 2^53 are `bigint`; `.inf` and `.nan` are numbers that JSON cannot hold. */
export interface ResolvedScalar {
  readonly kind: ScalarKind;
  readonly value: null | boolean | number | bigint | string;
}

const words: ReadonlyMap<string, ResolvedScalar> = new Map<string, ResolvedScalar>([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]
    .map((word) => [word, { kind: "bool", value: true }] as const),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]
    .map((word) => [word, { kind: "bool", value: false }] as const),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, { kind: "null", value: null }] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, { kind: "float", value: NaN }] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"]
    .map((word) => [word, { kind: "float", value: Infinity }] as const),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, { kind: "float", value: -Infinity }] as const),
]);

const other = 0, word = 1, dot = 2, digit = 3;
/** What the first character of a text allows it to be; everything else is a string at once. */
const firstCharacter = new Uint8Array(128);
for (const character of "yYnNtTfFoO~") firstCharacter[character.charCodeAt(0)] = word;
for (const character of "+-0123456789") firstCharacter[character.charCodeAt(0)] = digit;
firstCharacter[".".charCodeAt(0)] = dot;

/** Whether a text can be anything but a string, by its first character: a quick no for most texts. */
export function mayResolve(text: string): boolean {
  if (text === "") return true;
  const first = text.charCodeAt(0);
  return first < 128 && firstCharacter[first] !== other;
}

const maxInt64 = 2n ** 63n - 1n;
const maxUint64 = 2n ** 64n - 1n;
const decimalFloat = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** `strconv.ParseFloat` takes an underscore between two digits. */
const dotFloat = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;

/** The value of a plain scalar, or of a quoted one with an explicit tag. */
export function resolveScalar(text: string): ResolvedScalar {
  if (!mayResolve(text)) return { kind: "string", value: text };
  const known = words.get(text);
  if (known !== undefined) return known;
  const start = firstCharacter[text.charCodeAt(0)];
  if (start === dot && dotFloat.test(text)) return finite(text.replaceAll("_", ""), text);
  if (start === digit) {
    if (isTimestamp(text)) return { kind: "timestamp", value: text };
    const digits = text.includes("_") ? text.replaceAll("_", "") : text;
    const whole = parseGoInteger(digits);
    if (whole !== undefined) return { kind: "int", value: whole };
    if (decimalFloat.test(digits)) return finite(digits, text);
  }
  return { kind: "string", value: text };
}

function finite(digits: string, text: string): ResolvedScalar {
  const value = Number(digits);
  return Number.isFinite(value) ? { kind: "float", value } : { kind: "string", value: text };
}

/**
 * An integer in one of Go's forms (`strconv.ParseInt` with base 0): decimal, `0x`, `0o`, `0b`, leading `0` is octal.
 *
 * @returns a number up to 2^53, else a `bigint`; `undefined` when the text is no integer of int64 or uint64
 */
export function parseGoInteger(text: string): number | bigint | undefined {
  const sign = text.charCodeAt(0);
  const isSigned = sign === 43 || sign === 45;
  const body = isSigned ? text.slice(1) : text;
  const first = body.charCodeAt(0);
  if (!(first >= 48 && first <= 57)) return undefined;
  let digits = body;
  if (first === 48 && body.length > 1) {
    const prefix = body.charCodeAt(1) | 32;
    if (prefix === 120 || prefix === 111 || prefix === 98) {
      const rest = body.slice(2);
      const allowed = prefix === 120 ? /^[0-9a-fA-F]+$/ : prefix === 111 ? /^[0-7]+$/ : /^[01]+$/;
      if (!allowed.test(rest)) return undefined;
      digits = `0${String.fromCharCode(prefix)}${rest}`;
    } else {
      if (!/^[0-7]+$/.test(body)) return undefined;
      digits = `0o${body}`;
    }
  } else if (!/^[0-9]+$/.test(body)) return undefined;
  const near = Number(digits);
  if (near <= Number.MAX_SAFE_INTEGER) return sign === 45 ? 0 - near : near;
  const exact = BigInt(digits);
  if (sign === 45) return exact <= maxInt64 + 1n ? -exact : undefined;
  // A sign is not taken by the unsigned form.
  return exact <= (isSigned ? maxInt64 : maxUint64) ? exact : undefined;
}

const dateOnly = /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$/;
const dateTime =
  /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(?:Z|[-+]([0-9]{2}):([0-9]{2}))| +([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?)$/;

/** Whether go-yaml v2 takes a text for a time. Reading keeps it as text; printing must quote it. */
function isTimestamp(text: string): boolean {
  if (text.length < 8 || text.charCodeAt(4) !== 45) return false;
  const match = dateOnly.exec(text) ?? dateTime.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [hour, minute, second] = [match[4] ?? match[9] ?? 0, match[5] ?? match[10] ?? 0, match[6] ?? match[11] ?? 0];
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return false;
  if (Number(match[7] ?? 0) > 24 || Number(match[8] ?? 0) > 60) return false;
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(2000 + year % 400, month, 0)).getUTCDate();
}

const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** Whether a printer must quote a text so that every reader takes it for a string (go-yaml v2, encode.go). */
export function needsQuotes(text: string): boolean {
  if (!mayResolve(text)) return false;
  return resolveScalar(text).kind !== "string" || (text.includes(":") && base60.test(text));
}
