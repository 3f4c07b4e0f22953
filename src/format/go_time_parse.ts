/**
 * Reads times by Go's layouts (`time.ParseInLocation`, Go 1.26).
 *
 * @module
 */
import { civilSeconds, civilTime, dayNames, layoutParts, momentOf, monthNames, utc, zoneAt } from "./go_time.ts";
import type { GoMoment, GoZone } from "./go_time.ts";
import { FormatError } from "./format_error.ts";

/** What has been read so far. */
interface Read {
  year: number;
  month?: number;
  day?: number;
  yearDay?: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  isPm?: boolean;
  zone?: GoZone;
  offsetSeconds?: number;
  abbreviation?: string;
}

/** An element that does not fit its layout, or is out of its range (`range` names it). */
class Mismatch extends Error {
  readonly range?: string;
  constructor(range?: string) {
    super("mismatch");
    if (range !== undefined) this.range = range;
  }
}

/**
 * The moment that a text names by a layout; without a zone in it, in `local`.
 *
 * @throws {FormatError} whose `what` is Go's text of the error
 */
export function parseGoTime(layout: string, text: string, local: GoZone = utc): GoMoment {
  const read: Read = { year: 0, hour: 0, minute: 0, second: 0, nanosecond: 0 };
  const parts = layoutParts(layout);
  let rest = text;
  const fail = (message: string): never => {
    throw new FormatError(`parsing time ${quoteTimeText(text)}${message}`);
  };
  for (const [index, part] of parts.entries()) {
    try {
      if (!part.isElement) rest = skipLiteral(rest, part.text);
      else {
        const next = parts[index + 1];
        const nextIsFraction = next?.isElement === true && /^[.,]/.test(next.text);
        rest = readElement(read, part.text, rest, nextIsFraction);
      }
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      if (error.range !== undefined) return fail(`: ${error.range} out of range`);
      return fail(` as ${quoteTimeText(layout)}: cannot parse ${quoteTimeText(rest)} as ${quoteTimeText(part.text)}`);
    }
  }
  if (rest !== "") return fail(`: extra text: ${quoteTimeText(rest)}`);
  return finish(read, local, fail);
}

/** A text in quotes as package time writes them: printable ASCII stays, all else byte by byte. */
export function quoteTimeText(text: string): string {
  let result = "";
  for (const byte of bytesOf(text)) {
    const character = String.fromCharCode(byte);
    if (byte >= 0x80 || byte < 0x20) result += `\\x${byte.toString(16).padStart(2, "0")}`;
    else result += character === '"' || character === "\\" ? `\\${character}` : character;
  }
  return `"${result}"`;
}

/** Bytes of a text; a lone U+DC80…U+DCFF stands for a byte that is no UTF-8. */
function bytesOf(text: string): readonly number[] {
  const encoder = new TextEncoder();
  return Array.from(text).flatMap((character) => {
    const code = character.codePointAt(0) as number;
    return code >= 0xdc80 && code <= 0xdcff ? [code - 0xdc00] : [...encoder.encode(character)];
  });
}

/** Literal text; a run of blanks fits any run of blanks, also none at the end. */
function skipLiteral(value: string, literal: string): string {
  let rest = value;
  for (let index = 0; index < literal.length;) {
    if (literal[index] === " ") {
      if (rest !== "" && rest[0] !== " ") throw new Mismatch();
      while (literal[index] === " ") index++;
      rest = rest.replace(/^ +/, "");
    } else {
      if (rest[0] !== literal[index]) throw new Mismatch();
      rest = rest.slice(1);
      index++;
    }
  }
  return rest;
}

function readElement(read: Read, element: string, value: string, nextIsFraction: boolean): string {
  const number = (isFixed: boolean, low: number, high: number, name: string): [number, string] => {
    const found = (isFixed ? /^[0-9]{2}/ : /^[0-9]{1,2}/).exec(value)?.[0];
    if (found === undefined) throw new Mismatch();
    if (Number(found) < low || Number(found) > high) throw new Mismatch(name);
    return [Number(found), value.slice(found.length)];
  };
  let rest: string;
  switch (element) {
    case "2006":
    case "06": {
      const found = (element === "06" ? /^[0-9]{2}/ : /^[0-9]{4}/).exec(value)?.[0];
      if (found === undefined) throw new Mismatch();
      const year = Number(found);
      read.year = element === "2006" ? year : year >= 69 ? 1900 + year : 2000 + year;
      return value.slice(found.length);
    }
    case "January":
    case "Jan":
    case "Monday":
    case "Mon":
      return readName(read, element, value);
    case "1":
    case "01":
      [read.month, rest] = number(element === "01", 1, 12, "month");
      return rest;
    case "2":
    case "02":
    case "_2": {
      const bare = element === "_2" && value.startsWith(" ") ? value.slice(1) : value;
      const found = (element === "02" ? /^[0-9]{2}/ : /^[0-9]{1,2}/).exec(bare)?.[0];
      if (found === undefined) throw new Mismatch();
      read.day = Number(found);
      return bare.slice(found.length);
    }
    case "002":
    case "__2": {
      const bare = element === "__2" ? value.replace(/^ {0,2}/, "") : value;
      const found = (element === "002" ? /^[0-9]{3}/ : /^[0-9]{1,3}/).exec(bare)?.[0];
      if (found === undefined) throw new Mismatch();
      read.yearDay = Number(found);
      return bare.slice(found.length);
    }
    case "15":
      [read.hour, rest] = number(false, 0, 23, "hour");
      return rest;
    case "3":
    case "03":
      [read.hour, rest] = number(element === "03", 0, 12, "hour");
      return rest;
    case "4":
    case "04":
      [read.minute, rest] = number(element === "04", 0, 59, "minute");
      return rest;
    case "5":
    case "05":
      [read.second, rest] = number(element === "05", 0, 59, "second");
      return nextIsFraction ? rest : readFraction(read, rest);
    case "PM":
    case "pm": {
      const wanted = element === "PM" ? ["PM", "AM"] : ["pm", "am"];
      const found = value.slice(0, 2);
      if (!wanted.includes(found)) throw new Mismatch();
      read.isPm = found === wanted[0];
      return value.slice(2);
    }
    case "MST":
      return readAbbreviation(read, value);
  }
  if (/^[.,]9/.test(element)) return readFraction(read, value);
  if (/^[.,]/.test(element)) {
    const found = new RegExp(`^[.,][0-9]{${element.length - 1}}`).exec(value)?.[0];
    if (found === undefined) throw new Mismatch();
    read.nanosecond = Number(found.slice(1, 10).padEnd(9, "0"));
    return value.slice(found.length);
  }
  return readOffset(read, element, value);
}

function readName(read: Read, element: string, value: string): string {
  const isMonth = element.startsWith("J");
  const isShort = element.length === 3;
  const names = (isMonth ? monthNames : dayNames).map((name) => isShort ? name.slice(0, 3) : name);
  const index = names.findIndex((name) => value.slice(0, name.length).toLowerCase() === name.toLowerCase());
  if (index < 0) throw new Mismatch();
  if (isMonth) read.month = index + 1;
  return value.slice((names[index] as string).length);
}

/** A fraction of a second, where one stands. */
function readFraction(read: Read, value: string): string {
  const found = /^[.,][0-9]+/.exec(value)?.[0];
  if (found === undefined) return value;
  read.nanosecond = Number(found.slice(1, 10).padEnd(9, "0"));
  return value.slice(found.length);
}

function readOffset(read: Read, element: string, value: string): string {
  if (element.startsWith("Z") && value.startsWith("Z")) {
    read.zone = utc;
    return value.slice(1);
  }
  const separator = element.includes(":") ? ":" : "";
  const count = (element.replaceAll(":", "").length - 1) / 2;
  const pattern = new RegExp(
    `^([-+])([0-9]{2})${count > 1 ? `${separator}([0-9]{2})` : ""}${count > 2 ? `${separator}([0-9]{2})` : ""}`,
  );
  const found = pattern.exec(value);
  if (found === null) throw new Mismatch();
  const [hours, minutes, seconds] = [found[2], found[3], found[4]].map((piece) => Number(piece ?? 0)) as [
    number,
    number,
    number,
  ];
  if (hours > 24) throw new Mismatch("time zone offset hour");
  if (minutes > 60) throw new Mismatch("time zone offset minute");
  if (seconds > 60) throw new Mismatch("time zone offset second");
  const size = hours * 3600 + minutes * 60 + seconds;
  read.offsetSeconds = found[1] === "-" ? -size : size;
  return value.slice(found[0].length);
}

function readAbbreviation(read: Read, value: string): string {
  if (value.startsWith("UTC")) {
    read.zone = utc;
    return value.slice(3);
  }
  const offset = /^(?:GMT)?[-+][0-9]{1,2}(?![0-9])/.exec(value)?.[0];
  const isOffset = offset !== undefined && Math.abs(Number(offset.replace("GMT", ""))) < 24;
  const letters = /^[A-Z]+/.exec(value)?.[0] ?? "";
  const fits = letters.length === 3 || (letters.length === 4 && (letters.endsWith("T") || letters === "WITA")) ||
    (letters.length === 5 && letters.endsWith("T"));
  const found = value.startsWith("ChST") || value.startsWith("MeST")
    ? value.slice(0, 4)
    : isOffset
    ? offset
    : fits
    ? letters
    : undefined;
  if (found === undefined) throw new Mismatch();
  read.abbreviation = found;
  return value.slice(found.length);
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(month: number, year: number): number {
  return month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function finish(read: Read, local: GoZone, fail: (message: string) => never): GoMoment {
  if (read.isPm === true && read.hour < 12) read.hour += 12;
  else if (read.isPm === false && read.hour === 12) read.hour = 0;
  let { month, day } = read;
  if (read.yearDay !== undefined) {
    if (read.yearDay < 1 || read.yearDay > (isLeap(read.year) ? 366 : 365)) return fail(": day-of-year out of range");
    const date = civilTime({ ns: BigInt(civilSeconds(read.year, 1, read.yearDay)) * 1_000_000_000n, zone: utc });
    if (month !== undefined && month !== date.month) return fail(": day-of-year does not match month");
    if (day !== undefined && day !== date.day) return fail(": day-of-year does not match day");
    [month, day] = [date.month, date.day];
  }
  month ??= 1;
  day ??= 1;
  if (day < 1 || day > daysIn(month, read.year)) return fail(": day out of range");
  const civil = civilSeconds(read.year, month, day, read.hour, read.minute, read.second);
  if (read.zone !== undefined) return momentOf(civil, read.nanosecond, read.zone);
  if (read.offsetSeconds !== undefined) {
    const fixed: GoZone = { kind: "fixed", name: read.abbreviation ?? "", offsetSeconds: read.offsetSeconds };
    const moment = momentOf(civil, read.nanosecond, fixed);
    const there = zoneAt({ ...moment, zone: local });
    const isLocal = there.offsetSeconds === read.offsetSeconds &&
      (read.abbreviation === undefined || there.abbreviation === read.abbreviation);
    return isLocal ? { ...moment, zone: local } : moment;
  }
  if (read.abbreviation === undefined) return momentOf(civil, read.nanosecond, local);
  const moment = momentOf(civil, read.nanosecond, local);
  if (zoneAt(moment).abbreviation === read.abbreviation) return moment;
  const hours = /^GMT([-+][0-9]+)$/.exec(read.abbreviation)?.[1];
  const offsetSeconds = hours === undefined ? 0 : Number(hours) * 3600;
  return momentOf(civil, read.nanosecond, { kind: "fixed", name: read.abbreviation, offsetSeconds });
}
