import { FormatError } from "../../../../format/format_error.ts";
import { compileRegexp } from "../../../../format/go_regexp.ts";
import { parseGoTime } from "../../../../format/go_time_parse.ts";
import { addressFault } from "../../functions/ip_address.ts";
import { regexpFault } from "../../functions/regexp_fault.ts";
import { hostName, parseUrl } from "../../functions/url.ts";
import type { Url } from "../../functions/url.ts";
import { GoError } from "../../template/go_error.ts";
import { quoteCharacter, quoteText } from "../../template/go_quote.ts";
import { toBytes } from "../../template/go_string.ts";

/** Says what is wrong with a text, or nothing. */
export type FormatCheck = (text: string) => string | undefined;

function characters(text: string, pattern: RegExp): string | undefined {
  for (const symbol of text) if (!pattern.test(symbol)) return `invalid character ${quoteCharacter(symbol)}`;
  return undefined;
}

function jsonPointer(text: string): string | undefined {
  if (text === "") return undefined;
  if (!text.startsWith("/")) return "not starting with /";
  return /~(?![01])/.test(text) ? "~ must be followed by 0 or 1" : undefined;
}

function relativeJsonPointer(text: string): string | undefined {
  const digits = /^[0-9]*/.exec(text)?.[0] ?? "";
  if (digits === "") return "must start with non-negative integer";
  if (digits.length > 1 && digits.startsWith("0")) return "starts with zero";
  const rest = text.slice(digits.length);
  return rest === "#" ? undefined : jsonPointer(rest);
}

function uuid(text: string): string | undefined {
  const lengths = [8, 4, 4, 4, 12];
  const groups = text.split("-");
  if (groups.length !== lengths.length) return `must have ${lengths.length} elements`;
  for (const [index, group] of groups.entries()) {
    if (group.length !== lengths[index]) return `element ${index + 1} must be ${lengths[index]} characters long`;
    const wrong = [...group].find((symbol) => !/[0-9a-fA-F]/.test(symbol));
    if (wrong !== undefined) return `non-hex character ${quoteCharacter(wrong)}`;
  }
  return undefined;
}

function duration(text: string): string | undefined {
  if (!text.startsWith("P")) return "must start with P";
  const rest = text.slice(1);
  if (rest === "") return "nothing after P";
  if (rest.endsWith("W")) {
    const weeks = rest.slice(0, -1);
    return weeks === "" ? "no number in week" : /^[0-9]+$/.test(weeks) ? undefined : "invalid week";
  }
  const parts = rest.split("T");
  for (const [index, part] of parts.entries()) {
    if (index > 0 && part === "") return "no time elements";
    if (index > 1) return "more than one T";
    const all = index === 0 ? "YMD" : "HMS";
    let units = all;
    for (let left = part; left !== "";) {
      const digits = /^[0-9]*/.exec(left)?.[0] ?? "";
      if (digits === "") return "missing number";
      const unit = left[digits.length];
      if (unit === undefined) return "missing unit";
      const at = units.indexOf(unit);
      if (at < 0) {
        return all.includes(unit) ? `unit ${quoteByte(unit)} out of order` : `invalid unit ${quoteByte(unit)}`;
      }
      units = units.slice(at + 1);
      left = left.slice(digits.length + 1);
    }
  }
  return undefined;
}

function ipv4(text: string): string | undefined {
  const groups = text.split(".");
  if (groups.length !== 4) return "expected four decimals";
  for (const group of groups) {
    if (group.length > 1 && group.startsWith("0")) return "leading zeros";
    if (!/^[+-]?[0-9]+$/.test(group)) return `strconv.Atoi: parsing ${quoteText(group)}: invalid syntax`;
    if (BigInt.asIntN(64, BigInt(group.replace(/^\+/, ""))) !== BigInt(group.replace(/^\+/, ""))) {
      return `strconv.Atoi: parsing ${quoteText(group)}: value out of range`;
    }
    if (Number(group) < 0 || Number(group) > 255) return "decimal must be between 0 and 255";
  }
  return undefined;
}

function ipv6(text: string): string | undefined {
  if (!text.includes(":")) return "missing colon";
  return addressFault(text) ?? (text.includes("%") ? "zone id is not a part of ipv6 address" : undefined);
}

function hostname(text: string): string | undefined {
  const name = text.replace(/\.$/, "");
  if (toBytes(name).length > 253) return "more than 253 characters long";
  for (const label of name.split(".")) {
    if (label === "" || toBytes(label).length > 63) return "label must be 1 to 63 characters long";
    if (label.startsWith("-")) return "label starts with hyphen";
    if (label.endsWith("-")) return "label ends with hyphen";
    const wrong = characters(label, /[a-zA-Z0-9-]/);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function email(text: string): string | undefined {
  if (toBytes(text).length > 254) return "more than 255 characters long";
  const at = text.lastIndexOf("@");
  if (at < 0) return "missing @";
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (toBytes(local).length > 64) return "local part more than 64 characters long";
  if (local.length > 1 && local.startsWith('"')) {
    if (/[\\"]/.test(local.slice(1, -1))) return "backslash and quote are not allowed within quoted local part";
  } else {
    if (local.startsWith(".")) return "starts with dot";
    if (local.endsWith(".")) return "ends with dot";
    if (local.includes("..")) return "consecutive dots";
    const wrong = characters(local, /[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]/);
    if (wrong !== undefined) return wrong;
  }
  if (domain.startsWith("[") && domain.endsWith("]")) {
    const address = domain.slice(1, -1);
    const fault = address.startsWith("IPv6:") ? ipv6(address.slice(5)) : ipv4(address);
    return fault === undefined
      ? undefined
      : `invalid ${address.startsWith("IPv6:") ? "ipv6" : "ipv4"} address: ${fault}`;
  }
  const fault = hostname(domain);
  return fault === undefined ? undefined : `invalid domain: ${fault}`;
}

function date(text: string): string | undefined {
  try {
    parseGoTime("2006-01-02", text);
    return undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return error.what;
  }
}

/** Two or more numbers between colons, not negative; the faults in the words of `of`. */
function clock(text: string, of: string): readonly number[] | string {
  const parts: number[] = [];
  for (const part of text.split(":")) {
    if (!/^[+-]?\d+$/.test(part)) return `invalid ${of}`;
    if (Number(part) < 0) return `non-positive ${of}`;
    parts.push(Number(part));
  }
  return parts;
}

function time(text: string): string | undefined {
  if (toBytes(text).length < 9) return "less than 9 characters long";
  if (text[2] !== ":" || text[5] !== ":") return "missing colon in correct place";
  const parts = clock(text.slice(0, 8), "hour/min/sec");
  if (typeof parts === "string") return parts;
  const [hour, minute, second] = parts as unknown as [number, number, number];
  if (hour > 23 || minute > 59 || second > 60) return "hour/min/sec out of range";
  let rest = text.slice(8);
  if (rest.startsWith(".")) {
    const digits = /^\.\d+/.exec(rest)?.[0];
    if (digits === undefined) return "no digits in second fraction";
    rest = rest.slice(digits.length);
  }
  let minutes = hour * 60 + minute;
  if (!/^z$/i.test(rest)) {
    if (toBytes(rest).length !== 6) return "offset must be 6 characters long";
    if (!/^[+-]/.test(rest)) return "offset must begin with plus/minus";
    if (rest[3] !== ":") return "missing colon in offset in correct place";
    const offset = clock(rest.slice(1), "hour/min in offset");
    if (typeof offset === "string") return offset;
    const [hours, more] = offset as unknown as [number, number];
    if (hours > 23 || more > 59) return "hour/min in offset out of range";
    minutes += (rest.startsWith("+") ? -1 : 1) * (hours * 60 + more);
    if (minutes < 0) minutes += 24 * 60;
  }
  return second >= 60 && minutes !== 23 * 60 + 59 ? "invalid leap second" : undefined;
}

function dateTime(text: string): string | undefined {
  if (toBytes(text).length < 20) return "less than 20 characters long";
  if (!/[tT]/.test(text[10] as string)) return "11th character must be t or T";
  const day = date(text.slice(0, 10));
  if (day !== undefined) return `invalid date element: ${day}`;
  const hour = time(text.slice(11));
  return hour === undefined ? undefined : `invalid time element: ${hour}`;
}

function period(text: string): string | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return "missing slash";
  const [start, end] = [text.slice(0, slash), text.slice(slash + 1)];
  const part = (which: string, what: string, fault: string | undefined) =>
    fault === undefined ? undefined : `invalid ${which} ${what}: ${fault}`;
  if (start.startsWith("P")) {
    return part("start", "duration", duration(start)) ?? part("end", "date-time", dateTime(end));
  }
  return part("start", "date-time", dateTime(start)) ??
    (end.startsWith("P") ? part("end", "duration", duration(end)) : part("end", "date-time", dateTime(end)));
}

/** A URL, or what Go says of it. */
function urlOf(text: string): Url | string {
  try {
    const url = parseUrl(text);
    const name = hostName(url.host);
    if (!name.includes(":")) return url;
    if (!url.host.includes("[") || !url.host.includes("]")) return "ipv6 address not enclosed in brackets";
    const fault = ipv6(name);
    return fault === undefined ? url : `invalid ipv6 address: ${fault}`;
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    return error.message;
  }
}

function uriReference(text: string): string | undefined {
  if (text.includes("\\")) return "contains \\";
  const url = urlOf(text);
  return typeof url === "string" ? url : undefined;
}

function uri(text: string): string | undefined {
  const url = urlOf(text);
  if (typeof url === "string") return url;
  return url.scheme === "" ? "relative url" : undefined;
}

function uriTemplate(text: string): string | undefined {
  const url = urlOf(text);
  if (typeof url === "string") return url;
  // A path that is written as it would be written anew is not looked at.
  if (!url.hasOwnPath) return undefined;
  for (const part of url.writtenPath.split("/")) {
    let isOpen = false;
    for (const symbol of part.replace(/%7[bB]/g, "{").replace(/%7[dD]/g, "}")) {
      if (symbol !== "{" && symbol !== "}") continue;
      if ((symbol === "{") === isOpen) return "nested curly braces";
      isOpen = !isOpen;
    }
    if (isOpen) return "no matching closing brace";
  }
  return undefined;
}

function regex(text: string): string | undefined {
  try {
    compileRegexp(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return regexpFault(error);
  }
}

function semver(text: string): string | undefined {
  const [rest, build] = cut(text, "+");
  const [core, preRelease] = cut(rest, "-");
  const wrong = (identifier: string, what: string): string | undefined => {
    if (identifier === "") return `${what} identifier is empty`;
    const symbol = [...identifier].find((each) => !/[0-9a-zA-Z-]/.test(each));
    return symbol === undefined ? undefined : `invalid character ${quoteCharacter(symbol)} in ${what} identifier`;
  };
  if (build === "") return "build is empty";
  for (const identifier of build?.split(".") ?? []) {
    const fault = wrong(identifier, "build");
    if (fault !== undefined) return fault;
  }
  for (const identifier of preRelease?.split(".") ?? []) {
    const fault = wrong(identifier, "pre-release");
    if (fault !== undefined) return fault;
    if (/^0\d+$/.test(identifier)) return "pre-release numeric identifier starts with zero";
  }
  const numbers = core.split(".");
  if (numbers.length !== 3) return "versionCore must have 3 numbers separated by dot";
  for (const [index, name] of ["major", "minor", "patch"].entries()) {
    const number = numbers[index] as string;
    if (number === "") return `${name} is empty`;
    if (number.length > 1 && number.startsWith("0")) return `${name} starts with zero`;
    if (!/^\d+$/.test(number)) return `${name} contains non-digit`;
  }
  return undefined;
}

function cut(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Go shows one byte of a text as a character. */
function quoteByte(symbol: string): string {
  return quoteCharacter(String.fromCharCode(toBytes(symbol)[0] as number));
}

/** Checks of `format` by name; others are not checked (santhosh-tekuri/jsonschema v6, `format.go`). */
export const formatChecks: ReadonlyMap<string, FormatCheck> = new Map<string, FormatCheck>([
  ["regex", regex],
  ["json-pointer", jsonPointer],
  ["relative-json-pointer", relativeJsonPointer],
  ["uuid", uuid],
  ["duration", duration],
  ["period", period],
  ["ipv4", ipv4],
  ["ipv6", ipv6],
  ["hostname", hostname],
  ["email", email],
  ["date", date],
  ["time", time],
  ["date-time", dateTime],
  ["uri", uri],
  ["iri", uri],
  ["uri-reference", uriReference],
  ["iri-reference", uriReference],
  ["uri-template", uriTemplate],
  ["semver", semver],
]);
