/**
 * Times as Go prints them (package time, Go 1.26): layouts such as `2006-01-02T15:04:05Z07:00`, zones of the tz database.
 * Reading them is in go_time_parse.ts.
 *
 * @module
 */

import { zoneNames } from "./go_zone_names.ts";

/** A time zone: a name of the tz database, or a fixed offset east of UTC. The name of a fixed one may be "". */
export type GoZone =
  | { readonly kind: "named"; readonly name: string }
  | { readonly kind: "fixed"; readonly name: string; readonly offsetSeconds: number };

/** A moment in a zone. */
export interface GoMoment {
  /** Nanoseconds since 1970, UTC. */
  readonly ns: bigint;
  readonly zone: GoZone;
}

/** UTC. */
export const utc: GoZone = { kind: "fixed", name: "UTC", offsetSeconds: 0 };

/** A zone by its name of the tz database; "" and `UTC` are UTC. `undefined` when there is none. */
export function findZone(name: string): GoZone | undefined {
  if (name === "" || name === "UTC") return utc;
  if (name === "GMT") return { kind: "fixed", name, offsetSeconds: 0 };
  if (zoneNames(name) === undefined) return undefined;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return { kind: "named", name };
  } catch {
    return undefined;
  }
}

/** Offset in seconds east of UTC and abbreviation of a zone at a moment. */
export function zoneAt(moment: GoMoment): { readonly offsetSeconds: number; readonly abbreviation: string } {
  const { zone } = moment;
  if (zone.kind === "fixed") return { offsetSeconds: zone.offsetSeconds, abbreviation: zone.name };
  const seconds = representable(floorDivide(moment.ns, second));
  const offsetSeconds = offsetOf(zone.name, seconds);
  return { offsetSeconds, abbreviation: abbreviationOf(zone.name, seconds, offsetSeconds) };
}

const second = 1_000_000_000n;

/** Seconds of 400 years, after which dates and weekdays come again. */
const cycle = 146_097n * 86_400n;
/** Seconds that a JS date can hold. */
const maxSeconds = 8_640_000_000_000n;

/** A moment within a JS date's reach whose date differs from the given one by whole 400 years. */
function representable(seconds: bigint): number {
  return Number(seconds >= -maxSeconds + cycle && seconds <= maxSeconds - cycle ? seconds : seconds % cycle);
}

/** Seconds from Go's first year to 1970; its dates wrap around 64 bits that count from there. */
const beforeEpoch = 730_692_556n * cycle + 306n * 86_400n + 62_135_596_800n;

function floorDivide(value: bigint, by: bigint): bigint {
  return value >= 0n || value % by === 0n ? value / by : value / by - 1n;
}

function offsetOf(name: string, seconds: number): number {
  const format = new Intl.DateTimeFormat("en-US-u-hc-h23", {
    timeZone: name,
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const parts = new Map(format.formatToParts(new Date(seconds * 1000)).map((part) => [part.type, part.value]));
  const value = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type) ?? 0);
  const year = parts.get("era") === "BC" ? 1 - value("year") : value("year");
  const local = new Date(0);
  local.setUTCFullYear(year, value("month") - 1, value("day"));
  local.setUTCHours(value("hour"), value("minute"), value("second"));
  return local.getTime() / 1000 - seconds;
}

/** Before this moment (1880) zones show their local mean time. */
const standardTimeFrom = -2_840_140_800;

function abbreviationOf(name: string, seconds: number, offsetSeconds: number): string {
  if (seconds < standardTimeFrom && !name.startsWith("Etc/")) return "LMT";
  const known = zoneNames(name)?.get(offsetSeconds / 3600);
  if (known !== undefined) return known;
  const size = Math.abs(offsetSeconds) / 60;
  const minutes = size % 60 === 0 ? "" : digits(Math.floor(size % 60), 2);
  return `${offsetSeconds < 0 ? "-" : "+"}${digits(Math.floor(size / 60), 2)}${minutes}`;
}

/** A moment's clock and calendar in its zone. */
export interface CivilTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1 to 366. */
  readonly yearDay: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  readonly offsetSeconds: number;
  readonly abbreviation: string;
}

/** The clock and calendar of a moment. */
export function civilTime(moment: GoMoment): CivilTime {
  const { offsetSeconds, abbreviation } = zoneAt(moment);
  const seconds = floorDivide(moment.ns, second);
  const local = BigInt.asUintN(64, seconds + BigInt(offsetSeconds) + beforeEpoch) - beforeEpoch;
  const shown = representable(local);
  const date = new Date(shown * 1000);
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return {
    year: date.getUTCFullYear() + Number((local - BigInt(shown)) / cycle) * 400,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - start.getTime()) / 86_400_000) + 1,
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    nanosecond: Number(moment.ns - seconds * second),
    offsetSeconds,
    abbreviation,
  };
}

/** Seconds since 1970 of a date and clock in UTC; values outside their ranges carry over. */
export function civilSeconds(year: number, month: number, day: number, hour = 0, minute = 0, seconds = 0): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, seconds);
  return date.getTime() / 1000;
}

/** The moment at which a zone's clock shows seconds that were counted as if in UTC; Go's guess where it does so twice or never. */
export function momentOf(civil: number, nanosecond: number, zone: GoZone): GoMoment {
  const at = (seconds: number): GoMoment => ({ ns: BigInt(seconds) * second + BigInt(nanosecond), zone });
  const { offsetSeconds } = zoneAt(at(civil));
  const guess = civil - offsetSeconds;
  const other = zoneAt(at(guess)).offsetSeconds;
  return other === offsetSeconds ? at(guess) : at(civil - other);
}

/** English names of months and days, as layouts spell them. */
export const monthNames = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];
/** Sunday first. */
export const dayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** What a layout holds: literal text, or an element such as `2006` or `.000`. */
export interface LayoutPart {
  readonly isElement: boolean;
  readonly text: string;
}

const element = new RegExp(
  [
    "January",
    "Jan(?![a-z])",
    "Monday",
    "Mon(?![a-z])",
    "MST",
    "002",
    "0[1-6]",
    "15",
    "2006",
    "_(?=2006)",
    "_2",
    "__2",
    "[12345]",
    "PM",
    "pm",
    "[-Z]070000",
    "[-Z]07:00:00",
    "[-Z]0700",
    "[-Z]07:00",
    "[-Z]07",
    "[.,]0+(?![0-9])",
    "[.,]9+(?![0-9])",
  ].join("|"),
  "g",
);

/** Parts of a layout, in order. */
export function layoutParts(layout: string): readonly LayoutPart[] {
  const parts: LayoutPart[] = [];
  let literal = "";
  let end = 0;
  for (const match of layout.matchAll(element)) {
    literal += layout.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === "_") literal += "_";
    else {
      if (literal !== "") parts.push({ isElement: false, text: literal });
      literal = "";
      parts.push({ isElement: true, text: match[0] });
    }
  }
  literal += layout.slice(end);
  if (literal !== "") parts.push({ isElement: false, text: literal });
  return parts;
}

function digits(value: number, width: number, filler = "0"): string {
  const text = String(Math.abs(value)).padStart(width, filler);
  return value < 0 ? `-${text}` : text;
}

/** Text of a moment by a layout (Go's `Time.Format`). */
export function formatGoTime(moment: GoMoment, layout: string): string {
  const civil = civilTime(moment);
  return layoutParts(layout).map((part) => part.isElement ? elementText(civil, part.text) : part.text).join("");
}

function elementText(civil: CivilTime, text: string): string {
  const first = text[0] as string;
  if (first === "." || first === ",") return fractionText(civil.nanosecond, text);
  if (first === "-" || first === "Z") return offsetText(civil.offsetSeconds, text);
  const hour12 = civil.hour % 12 === 0 ? 12 : civil.hour % 12;
  switch (text) {
    case "January":
      return monthNames[civil.month - 1] as string;
    case "Jan":
      return (monthNames[civil.month - 1] as string).slice(0, 3);
    case "Monday":
      return dayNames[civil.weekday] as string;
    case "Mon":
      return (dayNames[civil.weekday] as string).slice(0, 3);
    case "MST":
      return civil.abbreviation === "" ? offsetText(civil.offsetSeconds, "-0700") : civil.abbreviation;
    case "2006":
      return digits(civil.year, 4);
    case "06":
      return digits(Math.max(0, civil.year) % 100, 2);
    case "1":
      return String(civil.month);
    case "01":
      return digits(civil.month, 2);
    case "2":
      return String(civil.day);
    case "_2":
      return digits(civil.day, 2, " ");
    case "02":
      return digits(civil.day, 2);
    case "__2":
      return digits(civil.yearDay, 3, " ");
    case "002":
      return digits(civil.yearDay, 3);
    case "15":
      return digits(civil.hour, 2);
    case "3":
      return String(hour12);
    case "03":
      return digits(hour12, 2);
    case "4":
      return String(civil.minute);
    case "04":
      return digits(civil.minute, 2);
    case "5":
      return String(civil.second);
    case "05":
      return digits(civil.second, 2);
    case "PM":
      return civil.hour >= 12 ? "PM" : "AM";
    default:
      return civil.hour >= 12 ? "pm" : "am";
  }
}

function fractionText(nanosecond: number, text: string): string {
  const kept = digits(nanosecond, 9).slice(0, text.length - 1).padEnd(text.length - 1, "0");
  if (text[1] === "0") return text[0] + kept;
  const shown = kept.replace(/0+$/, "");
  return shown === "" ? "" : text[0] + shown;
}

function offsetText(offsetSeconds: number, text: string): string {
  if (text.startsWith("Z") && offsetSeconds === 0) return "Z";
  const size = Math.abs(offsetSeconds);
  const separator = text.includes(":") ? ":" : "";
  const pieces = [digits(Math.floor(size / 3600), 2), digits(Math.floor(size / 60) % 60, 2), digits(size % 60, 2)];
  const count = text.length === 3 ? 1 : text.length >= 7 && text.replaceAll(":", "").length === 7 ? 3 : 2;
  return `${offsetSeconds < 0 ? "-" : "+"}${pieces.slice(0, count).join(separator)}`;
}
