import { GoError } from "./go_error.ts";
import { parseFloat64, parseInt64, parseUint } from "./go_number.ts";
import { quoteText, readCharacter } from "./go_quote.ts";
import type { NumberLiteral } from "./node.ts";

const maxInt = 2n ** 63n - 1n;
const maxUint = 2n ** 64n - 1n;

/** Value of a number token (text/template/parse, `newNumber`). @throws {GoError} with Go's text */
export function numberLiteral(text: string, type: "number" | "character" | "complex"): NumberLiteral {
  if (type === "character") return characterLiteral(text);
  if (type === "complex") return complexLiteral(text);
  if (text.endsWith("i")) {
    const parsed = parseFloat64(text.slice(0, -1));
    if (parsed.fault === undefined) return simplified(0, parsed.value);
  }
  const uint = parseUint(text);
  const int = parseInt64(text);
  if (int.fault === undefined) {
    const isUnsigned = uint.fault === undefined || int.value === 0n;
    return { int: int.value, float: Number(int.value), ...(isUnsigned ? { uint: int.value } : {}) };
  }
  if (uint.fault === undefined) return { uint: uint.value, float: Number(uint.value) };
  const float = parseFloat64(text);
  if (float.fault !== undefined) throw new GoError(`illegal number syntax: ${quoteText(text)}`);
  // A number without point or exponent that only fits a float is too large for an int.
  if (!/[.eEpP]/.test(text)) throw new GoError(`integer overflow: ${quoteText(text)}`);
  return { float: float.value, ...wholeForms(float.value) };
}

function wholeForms(value: number): NumberLiteral {
  if (!Number.isInteger(value)) return {};
  const whole = BigInt(value);
  return {
    ...(whole >= -maxInt - 1n && whole <= maxInt ? { int: whole } : {}),
    ...(whole >= 0n && whole <= maxUint ? { uint: whole } : {}),
  };
}

function characterLiteral(text: string): NumberLiteral {
  const read = readCharacter(text, 1, "'");
  if (text.slice(read.end) !== "'") throw new GoError(`malformed character constant: ${text}`);
  const code = read.code >= 0xdc80 && read.code <= 0xdcff ? 0xfffd : read.code;
  return { int: BigInt(code), uint: BigInt(code), float: code };
}

function complexLiteral(text: string): NumberLiteral {
  const cut = Math.max(text.lastIndexOf("+"), text.lastIndexOf("-"));
  const isExponentSign = /[eEpP]/.test(text[cut - 1] ?? "");
  const middle = isExponentSign ? Math.max(text.lastIndexOf("+", cut - 1), text.lastIndexOf("-", cut - 1)) : cut;
  const re = parseFloat64(text.slice(0, middle));
  const im = parseFloat64(text.slice(middle, -1));
  if (re.fault !== undefined || im.fault !== undefined) throw new GoError("syntax error scanning complex number");
  return simplified(re.value, im.value);
}

function simplified(re: number, im: number): NumberLiteral {
  return { complex: { re, im }, ...(im === 0 ? { float: re, ...wholeForms(re) } : {}) };
}
