import { FormatError } from "./format_error.ts";

/** Nanoseconds of each unit that Go knows. The micro sign stands in both its forms. */
const units: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);
const limit = 2n ** 63n;

/**
 * Milliseconds of a duration as Go writes it: `5m`, `1h30m`, `1.5s`, `-200ms`, `0` (Go 1.26, `time.ParseDuration`).
 * Fractions of a millisecond are kept as a fraction.
 *
 * @throws {FormatError} for whatever Go refuses: no unit, an unknown unit, blanks, more than 292 years
 */
export function parseDuration(text: string): number {
  return Number(parseDurationNs(text)) / 1e6;
}

/** The same in nanoseconds, exact. @throws {FormatError} as {@linkcode parseDuration} */
export function parseDurationNs(text: string): bigint {
  const refuse = (why: string): never => {
    throw new FormatError(`Cannot read ${JSON.stringify(text)} as a duration: ${why}`);
  };
  const sign = text[0];
  const isNegative = sign === "-";
  const body = isNegative || sign === "+" ? text.slice(1) : text;
  if (body === "0") return 0n;
  if (body === "") return refuse("it is empty");
  const part = /([0-9]*)(?:(\.)([0-9]*))?([^.0-9]*)/y;
  let total = 0n;
  while (part.lastIndex < body.length) {
    const [, whole = "", point, fraction = "", unitName = ""] = part.exec(body) ?? [];
    if (whole === "" && fraction === "") {
      return refuse(point === undefined ? "a number must come first" : "a number has no digit");
    }
    if (unitName === "") return refuse('a unit such as "s", "m" or "h" is missing');
    const unit = units.get(unitName);
    if (unit === undefined) return refuse(`unknown unit ${JSON.stringify(unitName)}; known are ns, us, ms, s, m, h`);
    const value = BigInt(whole === "" ? 0 : whole) * unit + fractionNs(fraction, unit);
    total += value;
    if (value > limit || total > limit) return refuse("it is too large");
  }
  if (isNegative) return -total;
  return total >= limit ? refuse("it is too large") : total;
}

/** Go counts the digits of a fraction while they fit an int64 and multiplies as floats. */
function fractionNs(digits: string, unit: bigint): bigint {
  if (digits === "") return 0n;
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    if (value > (limit - 1n) / 10n) break;
    const next = value * 10n + BigInt(digit);
    if (next > limit) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}

/** Milliseconds as Go prints a duration: `1h30m0s`, `1.5s`, `200ms`, `0s`. Fractions below a nanosecond are cut. */
export function formatDuration(ms: number): string {
  return formatDurationNs(BigInt(Math.trunc(ms * 1e6)));
}

/** Nanoseconds as Go prints a duration. */
export function formatDurationNs(ns: bigint): string {
  if (ns === 0n) return "0s";
  const size = ns < 0n ? -ns : ns;
  const sign = ns < 0n ? "-" : "";
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}µs`;
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`;
  const minutes = size / 60_000_000_000n;
  const seconds = `${decimal(size % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return hours === 0n ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

/** `value` · 10^-places without zeros at the end. */
function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  const whole = digits.slice(0, -places);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** A duration rounded to the nearest multiple of `unit`, halves away from zero (Go's `Duration.Round`). */
export function roundDurationNs(ns: bigint, unit: bigint): bigint {
  if (unit <= 0n) return ns;
  const size = ns < 0n ? -ns : ns;
  const rest = size % unit;
  const rounded = rest * 2n < unit ? size - rest : size - rest + unit;
  if (ns < 0n) return -rounded < -limit ? -limit : -rounded;
  return rounded >= limit ? limit - 1n : rounded;
}
