/**
 * Times of CEL: texts and fields of timestamps and durations, as cel-go v0.26 reads and prints them.
 *
 * @module
 */
import { fail } from "./cel_value.ts";

const rfc3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,}))?(?:Z|([-+])([0-9]{2}):([0-9]{2}))$/;

/** Nanoseconds since 1970 of an RFC 3339 text. @throws {CelError} */
export function parseTimestampNs(text: string): bigint {
  const match = rfc3339.exec(text);
  const refuse = () => fail("type conversion error from 'string' to 'google.protobuf.Timestamp'");
  if (match === null) return refuse();
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [offsetHour, offsetMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  const daysInMonth = new Date(Date.UTC(2000 + year % 400, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth || hour > 23 || minute > 59 || second > 59) {
    return refuse();
  }
  if (offsetHour > 23 || offsetMinute > 59) return refuse();
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const offset = (offsetHour * 60 + offsetMinute) * (match[8] === "-" ? -1 : 1);
  const seconds = BigInt(date.getTime() / 1000 - offset * 60);
  return seconds * 1_000_000_000n + BigInt((match[7] ?? "").slice(0, 9).padEnd(9, "0"));
}

/** RFC 3339 text in UTC with as many digits of the second as needed. */
export function timestampText(ns: bigint): string {
  const seconds = floorDivide(ns, 1_000_000_000n);
  const rest = ns - seconds * 1_000_000_000n;
  const base = new Date(Number(seconds) * 1000).toISOString().replace(/\.000Z$/, "");
  const fraction = rest === 0n ? "" : `.${rest.toString().padStart(9, "0").replace(/0+$/, "")}`;
  return `${base}${fraction}Z`;
}

/** Seconds with a fraction: `5400s`, `1.5s`. */
export function durationText(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  const rest = size % 1_000_000_000n;
  const fraction = rest === 0n ? "" : `.${rest.toString().padStart(9, "0").replace(/0+$/, "")}`;
  return `${ns < 0n ? "-" : ""}${size / 1_000_000_000n}${fraction}s`;
}

function floorDivide(value: bigint, by: bigint): bigint {
  return value >= 0n || value % by === 0n ? value / by : value / by - 1n;
}

/** One field of a moment in a time zone: a name of the tz database, or `+05:30`. @throws {CelError} for an unknown zone */
export function timestampField(ns: bigint, field: string, zone = "UTC"): bigint {
  const date = new Date(Number(floorDivide(ns, 1_000_000n)) + offsetMs(ns, zone));
  switch (field) {
    case "getFullYear":
      return BigInt(date.getUTCFullYear());
    case "getMonth":
      return BigInt(date.getUTCMonth());
    case "getDate":
      return BigInt(date.getUTCDate());
    case "getDayOfMonth":
      return BigInt(date.getUTCDate() - 1);
    case "getDayOfWeek":
      return BigInt(date.getUTCDay());
    case "getDayOfYear": {
      const start = new Date(0);
      start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
      return BigInt(Math.floor((date.getTime() - start.getTime()) / 86_400_000));
    }
    case "getHours":
      return BigInt(date.getUTCHours());
    case "getMinutes":
      return BigInt(date.getUTCMinutes());
    case "getSeconds":
      return BigInt(date.getUTCSeconds());
    default:
      return BigInt(date.getUTCMilliseconds());
  }
}

function offsetMs(ns: bigint, zone: string): number {
  if (zone === "UTC" || zone === "") return 0;
  const fixed = /^([-+]?)([0-9]{1,2}):([0-9]{2})$/.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return (fixed[1] === "-" ? -minutes : minutes) * 60_000;
  }
  const seconds = Number(floorDivide(ns, 1_000_000_000n));
  try {
    const parts = new Intl.DateTimeFormat("en-US-u-hc-h23", {
      timeZone: zone,
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    }).formatToParts(new Date(seconds * 1000));
    const part = (type: string) => Number(parts.find((candidate) => candidate.type === type)?.value ?? 0);
    const local = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
    return local - seconds * 1000;
  } catch {
    return fail(`unknown time zone ${zone}`);
  }
}
