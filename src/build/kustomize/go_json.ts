import type { JsonValue } from "../../core/json.ts";

/**
 * JSON text as Go's encoding/json writes it: sorted keys, `<`, `>`, `&`, U+2028 and U+2029 escaped; `indent` blanks per
 * level, or 0 for no line breaks.
 */
export function goJson(value: JsonValue, indent = 0): string {
  return write(value, indent, "\n");
}

function write(value: JsonValue, indent: number, lineStart: string): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quote(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return numberText(value);
  const inner = lineStart + " ".repeat(indent);
  const line = indent === 0 ? "" : inner;
  const end = indent === 0 ? "" : lineStart;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[${line}${value.map((item: JsonValue) => write(item, indent, inner)).join(`,${line}`)}${end}]`;
  }
  const object = value as { readonly [key: string]: JsonValue };
  const keys = Object.keys(object).sort(byCodePoint);
  if (keys.length === 0) return "{}";
  const colon = indent === 0 ? ":" : ": ";
  const members = keys.map((key) => `${quote(key)}${colon}${write(object[key] ?? null, indent, inner)}`);
  return `{${line}${members.join(`,${line}`)}${end}}`;
}

/** Text of a number as encoding/json writes a float64, or a whole number in full. */
function numberText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e21 || (size < 1e-6 && size > 0)) {
    const [mantissa, exponent = "0"] = value.toExponential().split("e");
    const digits = exponent.replace(/^[+-]/, "");
    // Exponents below ten are written with one digit when negative, two when positive.
    return exponent.startsWith("-") ? `${mantissa}e-${digits}` : `${mantissa}e+${digits.padStart(2, "0")}`;
  }
  return String(value);
}

const escaped: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

function quote(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (letter) => escaped[letter] as string);
}

/** Order of Go's strings: by UTF-8 bytes, which is by code point. */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at), right = b.charCodeAt(at);
    if (left === right) continue;
    const leftHigh = left >= 0xd800 && left < 0xe000, rightHigh = right >= 0xd800 && right < 0xe000;
    if (leftHigh !== rightHigh) return leftHigh ? 1 : -1;
    return left - right;
  }
  return a.length - b.length;
}
