/**
 * The shortest decimal text of a float as Go's `strconv.FormatFloat(value, 'g', -1, bits)` prints it: with an exponent of
 * at least two digits below 1e-4 and from 10^`exponentFrom` on. Go's own `'g'` uses 6; `%v` and encoding/json use 21.
 */
export function shortestFloat(number: number, bits: 32 | 64 = 64, exponentFrom = 6): string {
  const value = bits === 32 ? Math.fround(number) : number;
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const { sign, digits, exponent } = shortestDigits(value, bits);
  if (exponent < -4 || exponent >= exponentFrom) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, "0");
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** Shortest digits that read back as the same float; value = 0.d1d2… · 10^(exponent+1). */
function shortestDigits(value: number, bits: 32 | 64): { sign: string; digits: string; exponent: number } {
  let text = value.toExponential();
  if (bits === 32) {
    const single = Math.fround(value);
    for (let precision = 1; precision <= 9; precision++) {
      text = single.toExponential(precision - 1);
      if (Math.fround(Number(text)) === single) break;
    }
  }
  const match = /^(-?)(\d)(?:\.(\d+))?e([-+]\d+)$/.exec(text) as RegExpExecArray;
  const digits = `${match[2]}${match[3] ?? ""}`.replace(/0+$/, "");
  return { sign: match[1] ?? "", digits: digits === "" ? "0" : digits, exponent: Number(match[4]) };
}
