/**
 * Dates and durations (sprig 3.3.0 date.go, Go 1.26 time). The clock is the render's one moment.
 *
 * @module
 */
import { formatDurationNs, parseDurationNs, roundDurationNs } from "../../../format/duration.ts";
import { FormatError } from "../../../format/format_error.ts";
import {
  civilSeconds,
  civilTime,
  dayNames,
  findZone,
  formatGoTime,
  momentOf as atCivil,
  monthNames,
  utc,
} from "../../../format/go_time.ts";
import type { GoMoment, GoZone } from "../../../format/go_time.ts";
import { parseGoTime, quoteTimeText } from "../../../format/go_time_parse.ts";
import { GoError, nilDereference } from "../template/go_error.ts";
import { quoteText } from "../template/go_quote.ts";
import { goTypes } from "../template/go_type.ts";
import type { GoType } from "../template/go_type.ts";
import { GoInt, goInt, goInt64, goInteger, GoStruct } from "../template/value.ts";
import type { GoObject, Value } from "../template/value.ts";
import { func, method } from "./registry.ts";
import type { CallContext, FunctionRecord, FunctionTable } from "./registry.ts";

const { any, bool, int, int64, string } = goTypes;
const second = 1_000_000_000n;
const maxDuration = 2n ** 63n - 1n;

/** A `time.Time`. */
export class GoTime extends GoStruct {
  readonly moment: GoMoment;

  constructor(moment: GoMoment) {
    super(timeType, {});
    this.moment = moment;
  }
}

/** Moment of the zero `time.Time`: January 1 of the year 1, UTC. */
const zeroNs = -62_135_596_800n * second;

function named(name: string, underlying: GoType, methods: GoType["methods"] = {}): GoType {
  return { ...underlying, name, underlying, ...(methods === undefined ? {} : { methods }) };
}

const nameOf = (names: readonly string[], first: number, kind: string) =>
  method([], string, (_, value: GoInt) => names[Number(value.value) - first] ?? `%!${kind}(${value.value})`);
const monthType = named("time.Month", int, { String: nameOf(monthNames, 1, "Month") });
const weekdayType = named("time.Weekday", int, { String: nameOf(dayNames, 0, "Weekday") });
const nsOf = (value: GoInt) => BigInt(value.value);
const perUnit = (unit: bigint) =>
  method([], goTypes.float64, (_, value: GoInt) => {
    const ns = nsOf(value);
    return Number(ns / unit) + Number(ns % unit) / Number(unit);
  });
const whole = (unit: bigint) => method([], int64, (_, value: GoInt) => goInt64(nsOf(value) / unit));
const durationType: GoType<GoInt> = {
  ...named("time.Duration", int64, {
    Hours: perUnit(3600n * second),
    Microseconds: whole(1000n),
    Milliseconds: whole(1_000_000n),
    Minutes: perUnit(60n * second),
    Nanoseconds: whole(1n),
    Seconds: perUnit(second),
    String: method([], string, (_, value: GoInt) => formatDurationNs(nsOf(value))),
  }),
};

function duration(ns: bigint): GoInt {
  const bounded = ns > maxDuration ? maxDuration : ns < -maxDuration - 1n ? -maxDuration - 1n : ns;
  return goInteger(durationType, bounded);
}

/** What `%v` prints: the second's fraction where there is one, offset and zone. */
function timeString(moment: GoMoment): string {
  return formatGoTime(moment, "2006-01-02 15:04:05.999999999 -0700 MST");
}

const rfc3339 = "2006-01-02T15:04:05.999999999Z07:00";

type Civil = ReturnType<typeof civilTime>;

function part(type: GoType, pick: (civil: Civil) => number): FunctionRecord {
  return method([], type, (_, time: GoTime) => {
    const value = pick(civilTime(time.moment));
    return type === int ? goInt(value) : goInteger(type, value);
  });
}

const otherTime: GoType<GoObject> = { kind: "struct", name: "time.Time" };

function ordered(decide: (a: bigint, b: bigint) => boolean): FunctionRecord {
  return method([otherTime], bool, (_, time: GoTime, other) => decide(time.moment.ns, momentOf(other).ns));
}

function momentOf(value: Value): GoMoment {
  if (value instanceof GoTime) return value.moment;
  throw new GoError(nilDereference);
}

const moved = (change: (moment: GoMoment, span: bigint) => bigint) =>
  method(
    [durationType],
    otherTime,
    (_, time: GoTime, span) =>
      new GoTime({ ...time.moment, ns: change(time.moment, BigInt(span as unknown as number | bigint)) }),
  );

/** A `*time.Location`. */
class GoLocation extends GoStruct {
  readonly zone: GoZone;

  constructor(zone: GoZone) {
    super(locationType, {});
    this.zone = zone;
  }
}

const locationType: GoType = {
  kind: "ptr",
  name: "*time.Location",
  elem: { kind: "struct", name: "time.Location", fields: [] },
  methods: { String: method([], string, (_, location: GoLocation) => location.zone.name) },
};

/** Time since the year 1 modulo a span, which is how Go rounds. */
function past(moment: GoMoment, span: bigint): bigint {
  return span <= 0n ? 0n : (moment.ns - zeroNs) % span;
}

/** What `%#v` prints (`time.Time.GoString`). */
function goSyntax(moment: GoMoment): string {
  const { zone } = moment;
  const civil = civilTime(moment);
  const month = `time.${monthNames[civil.month - 1]}`;
  const clock = [civil.day, civil.hour, civil.minute, civil.second, civil.nanosecond].join(", ");
  const place = zone === utc ? "time.UTC" : zone === localUtc ? "time.Local" : `time.Location(${quoteText(zone.name)})`;
  return `time.Date(${civil.year}, ${month}, ${clock}, ${place})`;
}

/** Type of times in templates. */
const timeType: GoType = {
  kind: "struct",
  name: "time.Time",
  fields: [],
  toJson: (value) => formatGoTime(momentOf(value), rfc3339),
  methods: {
    Add: moved((moment, span) => moment.ns + span),
    AddDate: method([int, int, int], otherTime, (_, time: GoTime, years, months, days) => {
      const civil = civilTime(time.moment);
      const clock = [civil.hour, civil.minute, civil.second] as const;
      const seconds = civilSeconds(civil.year + years, civil.month + months, civil.day + days, ...clock);
      return new GoTime(atCivil(seconds, civil.nanosecond, time.moment.zone));
    }),
    After: ordered((a, b) => a > b),
    Before: ordered((a, b) => a < b),
    Day: part(int, (civil) => civil.day),
    Equal: ordered((a, b) => a === b),
    Format: method([string], string, (_, time: GoTime, layout) => formatGoTime(time.moment, layout)),
    GoString: method([], string, (_, time: GoTime) => goSyntax(time.moment)),
    Hour: part(int, (civil) => civil.hour),
    IsZero: method([], bool, (_, time: GoTime) => time.moment.ns === zeroNs),
    Location: method([], locationType, (_, time: GoTime) => new GoLocation(time.moment.zone)),
    Minute: part(int, (civil) => civil.minute),
    Month: part(monthType, (civil) => civil.month),
    Nanosecond: part(int, (civil) => civil.nanosecond),
    Round: moved((moment, span) => {
      const rest = past(moment, span);
      return rest * 2n < span ? moment.ns - rest : moment.ns - rest + (span > 0n ? span : 0n);
    }),
    Second: part(int, (civil) => civil.second),
    String: method([], string, (_, time: GoTime) => timeString(time.moment)),
    Sub: method([otherTime], durationType, (_, time: GoTime, other) => duration(time.moment.ns - momentOf(other).ns)),
    Truncate: moved((moment, span) => moment.ns - past(moment, span)),
    UTC: method([], otherTime, (_, time: GoTime) => new GoTime({ ...time.moment, zone: utc })),
    Unix: method([], int64, (_, time: GoTime) => goInt64(floorSeconds(time.moment.ns))),
    UnixMilli: method([], int64, (_, time: GoTime) => goInt64(floorDivide(time.moment.ns, 1_000_000n))),
    UnixNano: method([], int64, (_, time: GoTime) => goInt64(time.moment.ns)),
    Weekday: part(weekdayType, (civil) => civil.weekday),
    Year: part(int, (civil) => civil.year),
    YearDay: part(int, (civil) => civil.yearDay),
  },
};

function floorDivide(value: bigint, by: bigint): bigint {
  return value >= 0n || value % by === 0n ? value / by : value / by - 1n;
}

function floorSeconds(ns: bigint): bigint {
  return floorDivide(ns, second);
}

/** A machine's zone that is UTC: Go tells it from UTC itself in `%#v`. */
const localUtc: GoZone = { ...utc };

/** Zone of the machine, as far as a render knows it. */
export function localZone(context: CallContext): GoZone {
  const zone = findZone(context.tools.timeZone ?? "UTC") ?? utc;
  return zone === utc ? localUtc : zone;
}

function now(context: CallContext): GoMoment {
  return { ns: BigInt(Math.trunc(context.tools.nowMs)) * 1_000_000n, zone: localZone(context) };
}

/** A time, or seconds since 1970 in one of the integer types named; `undefined` for everything else. */
function timeOf(value: Value, types: readonly string[]): GoMoment | undefined {
  if (value instanceof GoTime) return value.moment;
  const isSeconds = value instanceof GoInt && types.includes(value.type.name);
  return isSeconds ? { ns: BigInt(value.value) * second, zone: utc } : undefined;
}

/** Text of a time in a zone; what is no time stands for now, an unknown zone for UTC. */
function dateText(context: CallContext, layout: string, date: Value, zoneName: string): string {
  const zone = zoneName === "Local" ? localZone(context) : findZone(zoneName) ?? utc;
  const moment = timeOf(date, ["int64", "int", "int32"]) ?? now(context);
  return formatGoTime({ ns: moment.ns, zone }, layout);
}

const htmlLayout = "2006-01-02";

const dateInZone = func([string, any, string], string, dateText);

/** Texts that Go's ParseDuration refuses, as it words them. */
export function durationFault(text: string): string {
  const quoted = quoteTimeText(text);
  const body = text.replace(/^[-+]/, "");
  const known = new Set(["ns", "us", "µs", "μs", "ms", "s", "m", "h"]);
  for (const [, number = "", unit = ""] of body.matchAll(/((?:[0-9]+\.?[0-9]*|\.[0-9]+))([^.0-9]*)/gy)) {
    if (number !== "" && unit === "") return `time: missing unit in duration ${quoted}`;
    if (!known.has(unit)) return `time: unknown unit ${quoteTimeText(unit)} in duration ${quoted}`;
  }
  return `time: invalid duration ${quoted}`;
}

/** Nanoseconds of a text, or Go's error. */
function parseSpan(text: string): bigint {
  try {
    return parseDurationNs(text);
  } catch (error) {
    throw error instanceof FormatError ? new GoError(durationFault(text)) : error;
  }
}

const dateModify = func([string, otherTime], otherTime, (_, span, date) => {
  try {
    return new GoTime({ ...momentOf(date), ns: momentOf(date).ns + parseDurationNs(span) });
  } catch (error) {
    if (error instanceof FormatError) return date as Value;
    throw error;
  }
});
const mustDateModify = func(
  [string, otherTime],
  otherTime,
  (_, span, date) => new GoTime({ ...momentOf(date), ns: momentOf(date).ns + parseSpan(span) }),
);

/** The largest unit that a span is longer than, and how many of it. */
function roundedSpan(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  const hour = 3600n * second;
  const units: readonly (readonly [bigint, string])[] = [
    [hour * 24n * 365n, "y"],
    [hour * 24n * 30n, "mo"],
    [hour * 24n, "d"],
    [hour, "h"],
    [60n * second, "m"],
    [second, "s"],
  ];
  const unit = units.find(([length]) => size > length);
  return unit === undefined ? "0s" : `${size / unit[0]}${unit[1]}`;
}

/** Functions by name. */
export const dateFunctions: FunctionTable = {
  ago: func([any], string, (context, date) => {
    const moment = timeOf(date, ["int64", "int"]) ?? now(context);
    return formatDurationNs(roundDurationNs(BigInt(duration(now(context).ns - moment.ns).value), second));
  }),
  date: func([string, any], string, (context, layout, date) => dateText(context, layout, date, "Local")),
  dateInZone,
  dateModify,
  date_in_zone: dateInZone,
  date_modify: dateModify,
  duration: func([any], string, (_, seconds) => {
    let count = 0n;
    if (typeof seconds === "string" && /^[-+]?[0-9]+$/.test(seconds)) {
      const exact = BigInt(seconds.replace("+", ""));
      count = exact > maxDuration ? maxDuration : exact < -maxDuration - 1n ? -maxDuration - 1n : exact;
    } else if (seconds instanceof GoInt && seconds.type.name === "int64") count = BigInt(seconds.value);
    return formatDurationNs(BigInt.asIntN(64, count * second));
  }),
  durationRound: func([any], string, (context, span) => {
    if (span instanceof GoTime) return roundedSpan(BigInt(duration(now(context).ns - span.moment.ns).value));
    if (span instanceof GoInt && span.type.name === "int64") return roundedSpan(BigInt(span.value));
    if (typeof span !== "string") return "0s";
    try {
      return roundedSpan(parseDurationNs(span));
    } catch (error) {
      if (error instanceof FormatError) return "0s";
      throw error;
    }
  }),
  htmlDate: func([any], string, (context, date) => dateText(context, htmlLayout, date, "Local")),
  htmlDateInZone: func([any, string], string, (context, date, zone) => dateText(context, htmlLayout, date, zone)),
  mustDateModify,
  mustToDate: func([string, string], otherTime, (context, layout, text) => {
    try {
      return new GoTime(parseGoTime(layout, text, localZone(context)));
    } catch (error) {
      throw error instanceof FormatError ? new GoError(error.what) : error;
    }
  }),
  must_date_modify: mustDateModify,
  now: func([], otherTime, (context) => new GoTime(now(context))),
  toDate: func([string, string], otherTime, (context, layout, text) => {
    try {
      return new GoTime(parseGoTime(layout, text, localZone(context)));
    } catch (error) {
      if (error instanceof FormatError) return new GoTime({ ns: zeroNs, zone: utc });
      throw error;
    }
  }),
  unixEpoch: func([otherTime], string, (_, date) => floorSeconds(momentOf(date).ns).toString()),
};
