/**
 * Numbers as Go reads and writes them (strconv: ParseInt, ParseUint, ParseFloat, FormatFloat).
 *
 * @module
 */

/** Why a number was refused; `range` carries the nearest value that Go returns beside the error. */
export type NumberFault<N> =
  | { readonly fault: "syntax" }
  | { readonly fault: "range"; readonly nearest: N };

/** A number that was read, or why not. */
export type NumberResult<N> = { readonly fault?: undefined; readonly value: N } | NumberFault<N>;

const digitsOf: Readonly<Record<number, RegExp>> = {
  2: /^[01]+$/,
  8: /^[0-7]+$/,
  10: /^[0-9]+$/,
  16: /^[0-9a-f]+$/,
};

/** Whether underscores stand between digits only (one may follow a base prefix). */
function hasGoodUnderscores(text: string): boolean {
  const body = text.replace(/^[+-]/, "").toLowerCase();
  const prefixed = /^0[box]/.test(body);
  const rest = prefixed ? `0${body.slice(2)}` : body;
  const digit = prefixed && body[1] === "x" ? "[0-9a-f]" : "[0-9]";
  return !new RegExp(`^_|_$|__|(?<!${digit})_|_(?!${digit})`).test(rest);
}

/** `ParseUint(text, base, bits)`; base 0 reads Go literals with prefixes and underscores. */
export function parseUint(text: string, base = 0, bits = 64): NumberResult<bigint> {
  let digits = text.toLowerCase();
  let radix = base;
  if (base === 0) {
    radix = 10;
    if (digits.startsWith("0")) {
      const prefix = /^0[box]/.exec(digits)?.[0];
      if (prefix !== undefined && digits.length >= 3) {
        radix = prefix === "0x" ? 16 : prefix === "0b" ? 2 : 8;
        digits = digits.slice(2);
      } else if (digits.length > 1) {
        radix = 8;
        digits = digits.slice(1);
      }
    }
    if (digits.includes("_")) {
      if (!hasGoodUnderscores(text)) return { fault: "syntax" };
      digits = digits.replaceAll("_", "");
    }
  }
  if (!(digitsOf[radix] as RegExp).test(digits)) return { fault: "syntax" };
  const value = BigInt(
    radix === 10 ? digits : radix === 16 ? `0x${digits}` : radix === 8 ? `0o${digits}` : `0b${digits}`,
  );
  const limit = 1n << BigInt(bits);
  return value >= limit ? { fault: "range", nearest: limit - 1n } : { value };
}

/** `ParseInt(text, base, bits)`. */
export function parseInt64(text: string, base = 0, bits = 64): NumberResult<bigint> {
  const isNegative = text.startsWith("-");
  const parsed = parseUint(/^[+-]/.test(text) ? text.slice(1) : text, base);
  if (parsed.fault === "syntax") return parsed;
  const size = parsed.fault === undefined ? parsed.value : parsed.nearest;
  const limit = 1n << BigInt(bits - 1);
  if (!isNegative && size >= limit) return { fault: "range", nearest: limit - 1n };
  if (isNegative && size > limit) return { fault: "range", nearest: -limit };
  return { value: isNegative ? -size : size };
}

const decimalFloat = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const hexFloat = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/;
const special = /^([+-]?)(?:(inf|infinity)|nan)$/i;

/** `ParseFloat(text, 64)`. */
export function parseFloat64(text: string): NumberResult<number> {
  const name = special.exec(text);
  if (name !== null) {
    if (name[2] !== undefined) return { value: name[1] === "-" ? -Infinity : Infinity };
    return name[1] === "" ? { value: NaN } : { fault: "syntax" };
  }
  let plain = text;
  if (text.includes("_")) {
    if (!hasGoodUnderscores(text)) return { fault: "syntax" };
    plain = text.replaceAll("_", "");
  }
  const hex = hexFloat.exec(plain);
  if (hex !== null) {
    const [, sign, whole = "", part = "", exponent = "0"] = hex;
    if (whole + part === "") return { fault: "syntax" };
    const size = scaleBinary(BigInt(`0x${whole}${part}`), Number(exponent) - 4 * part.length);
    const value = sign === "-" ? -size : size;
    return Number.isFinite(size) ? { value } : { fault: "range", nearest: value };
  }
  if (!decimalFloat.test(plain)) return { fault: "syntax" };
  const value = Number(plain);
  return Number.isFinite(value) ? { value } : { fault: "range", nearest: value };
}

/** `mantissa` × 2^`exponent` as the nearest float64 (ties to even). */
function scaleBinary(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const bits = mantissa.toString(2).length;
  const top = bits + exponent;
  if (top > 1025) return Infinity;
  if (top < -1080) return 0;
  // Keep 53 bits, or fewer where the result is subnormal; round the rest once.
  const keep = Math.min(53, top + 1074);
  const drop = BigInt(bits - keep);
  if (drop <= 0n) return Number(mantissa) * pow2(exponent);
  let kept = mantissa >> drop;
  const rest = mantissa - (kept << drop);
  const half = 1n << (drop - 1n);
  if (rest > half || rest === half && (kept & 1n) === 1n) kept++;
  return Number(kept) * pow2(exponent + Number(drop));
}

function pow2(exponent: number): number {
  return exponent < -1022
    ? 2 ** (exponent + 600) * 2 ** -600
    : 2 ** Math.min(exponent, 1023) * 2 ** Math.max(0, exponent - 1023);
}

/** Decimal digits of a positive finite number: the value is 0.DIGITS × 10^point. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

function shortest(value: number): Decimal {
  if (value === 0) return { digits: "0", point: 1 };
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  return { digits: mantissa.replace(".", ""), point: Number(exponent) + 1 };
}

/** Mantissa and exponent: value = mantissa × 2^exponent, with Go's 53-bit normalisation. */
function binaryParts(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  return field === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | 0x10000000000000n, exponent: field - 1075 };
}

function exact(value: number): Decimal {
  const { mantissa, exponent } = binaryParts(value);
  if (mantissa === 0n) return { digits: "0", point: 1 };
  const scaled = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const digits = scaled.toString();
  return { digits: digits.replace(/0+$/, ""), point: digits.length - (exponent >= 0 ? 0 : -exponent) };
}

/** Rounds to `count` digits, half to even; exact halves are seen because the digits are exact. */
function roundTo(decimal: Decimal, count: number): Decimal {
  const { digits, point } = decimal;
  if (count >= digits.length) return decimal;
  if (count < 0) return { digits: "", point };
  const next = digits.charCodeAt(count) - 48;
  const isHalf = next === 5 && count + 1 === digits.length;
  const before = count === 0 ? 0 : digits.charCodeAt(count - 1) - 48;
  const isUp = isHalf ? before % 2 === 1 : next >= 5;
  const kept = digits.slice(0, count);
  if (!isUp) return { digits: kept, point };
  const raised = (BigInt(`0${kept}`) + 1n).toString().padStart(count, "0");
  return raised.length > count
    ? { digits: raised.slice(0, Math.max(1, count)), point: point + 1 }
    : { digits: raised, point };
}

function exponentText(exponent: number): string {
  return `${exponent < 0 ? "-" : "+"}${Math.abs(exponent).toString().padStart(2, "0")}`;
}

function scientific(decimal: Decimal, precision: number, letter: string): string {
  const { digits } = decimal;
  const exponent = digits === "0" || /^0*$/.test(digits) ? 0 : decimal.point - 1;
  const head = digits[0] ?? "0";
  const tail = precision > 0 ? `.${digits.slice(1, 1 + precision).padEnd(precision, "0")}` : "";
  return `${head}${tail}${letter}${exponentText(exponent)}`;
}

function fixed(decimal: Decimal, precision: number): string {
  const { digits, point } = decimal;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  if (precision <= 0) return whole;
  const part = point > 0 ? digits.slice(point) : "0".repeat(-point) + digits;
  return `${whole}.${part.slice(0, precision).padEnd(precision, "0")}`;
}

/** `FormatFloat(value, format, precision, 64)`. Precision -1 writes the fewest digits that read back as the same number. */
export function formatFloat(value: number, format: string, precision: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const size = Math.abs(value);
  if (format === "b") {
    const { mantissa, exponent } = binaryParts(size);
    return `${sign}${mantissa}p${exponent < 0 ? "" : "+"}${exponent}`;
  }
  if (format === "x" || format === "X") {
    const text = hexText(size, precision);
    return sign + (format === "X" ? text.toUpperCase() : text);
  }
  const isShortest = precision < 0;
  switch (format) {
    case "e":
    case "E": {
      const decimal = isShortest ? shortest(size) : roundTo(exact(size), precision + 1);
      return sign + scientific(decimal, isShortest ? decimal.digits.length - 1 : precision, format);
    }
    case "f":
    case "F": {
      if (isShortest) {
        const decimal = shortest(size);
        return sign + fixed(decimal, Math.max(decimal.digits.length - decimal.point, 0));
      }
      const whole = exact(size);
      const count = whole.point + precision;
      return sign + fixed(count < 0 ? { digits: "", point: 0 } : roundTo(whole, count), precision);
    }
  }
  // g, G: the form depends on the exponent; zeros at the end of the digits do not count.
  const wanted = precision === 0 ? 1 : precision;
  const rounded = isShortest ? shortest(size) : roundTo(exact(size), wanted);
  const decimal = { digits: rounded.digits.replace(/(?<=.)0+$/, ""), point: rounded.point };
  const count = decimal.digits.length;
  const limit = isShortest ? 6 : wanted > count && count >= decimal.point ? count : wanted;
  const exponent = decimal.point - 1;
  if (size !== 0 && (exponent < -4 || exponent >= limit)) {
    return sign + scientific(decimal, count - 1, format === "G" ? "E" : "e");
  }
  return sign + fixed(decimal, Math.max(count - decimal.point, 0));
}

/** Hexadecimal form without the sign: `0x1.8p+00`. */
function hexText(size: number, precision: number): string {
  let { mantissa, exponent } = binaryParts(size);
  exponent += 52;
  if (mantissa === 0n) exponent = 0;
  else {
    while (mantissa < 0x10000000000000n) {
      mantissa <<= 1n;
      exponent--;
    }
  }
  if (precision >= 0 && precision < 13) {
    const drop = BigInt(4 * (13 - precision));
    let kept = mantissa >> drop;
    const rest = mantissa - (kept << drop);
    const half = 1n << (drop - 1n);
    if (rest > half || rest === half && (kept & 1n) === 1n) kept++;
    mantissa = kept << drop;
    if (mantissa >= 0x20000000000000n) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  const lead = (mantissa >> 52n).toString();
  const digits = (mantissa & 0xfffffffffffffn).toString(16).padStart(13, "0");
  const part = precision < 0 ? digits.replace(/0+$/, "") : digits.padEnd(precision, "0").slice(0, precision);
  return `0x${lead}${part === "" ? "" : `.${part}`}p${exponentText(exponent)}`;
}

/** A float64 as `%v` prints it: `100000`, but `1e+06` for a million. */
export function floatText(value: number): string {
  if (Number.isInteger(value) && value > -1e6 && value < 1e6 && !Object.is(value, -0)) return value.toString();
  return formatFloat(value, "g", -1);
}
