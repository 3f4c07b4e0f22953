import { FormatError } from "../../../../format/format_error.ts";
import { compileRegexp } from "../../../../format/go_regexp.ts";
import { quoteText } from "../../template/go_quote.ts";
import { parseStrictVersion } from "../../../../format/semver.ts";

/** Says what is wrong with a text, or nothing. */
export type FormatCheck = (text: string) => string | undefined;

function characters(text: string, pattern: RegExp): string | undefined {
  for (const symbol of text) if (!pattern.test(symbol)) return `invalid character '${symbol}'`;
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
    if (wrong !== undefined) return `non-hex character '${wrong}'`;
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
  if (parts.length > 2) return "more than one T";
  for (const [index, part] of parts.entries()) {
    if (index > 0 && part === "") return "no time elements";
    const all = index === 0 ? "YMD" : "HMS";
    let units = all;
    for (let left = part; left !== "";) {
      const digits = /^[0-9]*/.exec(left)?.[0] ?? "";
      if (digits === "") return "missing number";
      const unit = left[digits.length];
      if (unit === undefined) return "missing unit";
      const at = units.indexOf(unit);
      if (at < 0) return all.includes(unit) ? `unit '${unit}' out of order` : `invalid unit '${unit}'`;
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
    if (Number(group) < 0 || Number(group) > 255) return "decimal must be between 0 and 255";
  }
  return undefined;
}

function ipv6(text: string): string | undefined {
  if (!text.includes(":")) return "missing colon";
  const bad = `ParseAddr(${quoteText(text)}): unable to parse IP`;
  if (text.includes("%")) return "zone id is not a part of ipv6 address";
  const halves = text.split("::");
  if (halves.length > 2) return bad;
  const groups = halves.flatMap((half) => half === "" ? [] : half.split(":"));
  const last = groups.at(-1) ?? "";
  const hasDecimals = last.includes(".");
  if (hasDecimals && ipv4(last) !== undefined) return bad;
  const hex = hasDecimals ? groups.slice(0, -1) : groups;
  if (hex.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return bad;
  const count = hex.length + (hasDecimals ? 2 : 0);
  return (halves.length === 2 ? count < 8 : count === 8) ? undefined : bad;
}

function hostname(text: string): string | undefined {
  const name = text.replace(/\.$/, "");
  if (name.length > 253) return "more than 253 characters long";
  for (const label of name.split(".")) {
    if (label.length < 1 || label.length > 63) return "label must be 1 to 63 characters long";
    if (label.startsWith("-")) return "label starts with hyphen";
    if (label.endsWith("-")) return "label ends with hyphen";
    const wrong = characters(label, /[a-zA-Z0-9-]/);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function email(text: string): string | undefined {
  if (text.length > 254) return "more than 255 characters long";
  const at = text.lastIndexOf("@");
  if (at < 0) return "missing @";
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (local.length > 64) return "local part more than 64 characters long";
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
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    return `parsing time ${quoteText(text)} as "2006-01-02": cannot parse ${quoteText(text)} as "2006"`;
  }
  const [year, month, day] = text.split("-").map(Number) as [number, number, number];
  if (month < 1 || month > 12) return `parsing time ${quoteText(text)}: month out of range`;
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  return day < 1 || day > days ? `parsing time ${quoteText(text)}: day out of range` : undefined;
}

function time(text: string): string | undefined {
  if (text.length < 9) return "less than 9 characters long";
  if (text[2] !== ":" || text[5] !== ":") return "missing colon in correct place";
  const part = (from: number, most: number): number | undefined => {
    const digits = text.slice(from, from + 2);
    return /^\d\d$/.test(digits) && Number(digits) <= most ? Number(digits) : undefined;
  };
  const [hour, minute, second] = [part(0, 23), part(3, 59), part(6, 60)];
  if (hour === undefined || minute === undefined || second === undefined) return "invalid hour/min/sec";
  const rest = text.slice(8).replace(/^\.\d+/, "");
  if (text[8] === "." && !/^\.\d/.test(text.slice(8))) return "no digits in second fraction";
  if (/^z$/i.test(rest)) return second === 60 && !(hour === 23 && minute === 59) ? "invalid leap second" : undefined;
  const zone = /^([+-])(\d\d):(\d\d)$/.exec(rest);
  if (zone === null) {
    return rest.length === 6 ? "offset must begin with plus/minus" : "offset must be 6 characters long";
  }
  if (Number(zone[2]) > 23 || Number(zone[3]) > 59) return "invalid hour/min in offset";
  return undefined;
}

function dateTime(text: string): string | undefined {
  if (text.length < 20) return "less than 20 characters long";
  if (!/[tT]/.test(text[10] as string)) return "11th character must be t or T";
  const day = date(text.slice(0, 10));
  if (day !== undefined) return `invalid date element: ${day}`;
  const hour = time(text.slice(11));
  return hour === undefined ? undefined : `invalid time element: ${hour}`;
}

function uriReference(text: string): string | undefined {
  if (text.includes("\\")) return "contains \\";
  const escape = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text)?.[0];
  if (escape !== undefined) return `parse ${quoteText(text)}: invalid URL escape ${quoteText(escape)}`;
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x20\x7f]/.test(text)) return `parse ${quoteText(text)}: net/url: invalid control character in URL`;
  if (/^:/.test(text)) return `parse ${quoteText(text)}: missing protocol scheme`;
  return undefined;
}

function uri(text: string): string | undefined {
  return uriReference(text) ?? (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) ? undefined : "relative url");
}

function uriTemplate(text: string): string | undefined {
  const wrong = uriReference(text.replace(/\{[^{}]*\}/g, ""));
  if (wrong !== undefined) return wrong;
  return /[{}]/.test(text.replace(/\{[^{}]*\}/g, "")) ? "nested curly braces" : undefined;
}

function regex(text: string): string | undefined {
  try {
    compileRegexp(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return `error parsing regexp: ${error.what}`;
  }
}

function semver(text: string): string | undefined {
  try {
    parseStrictVersion(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return "not a semantic version";
  }
}

/** Checks of `format` by name; others are not checked (santhosh-tekuri/jsonschema v6, `format.go`). */
export const formatChecks: ReadonlyMap<string, FormatCheck> = new Map<string, FormatCheck>([
  ["regex", regex],
  ["json-pointer", jsonPointer],
  ["relative-json-pointer", relativeJsonPointer],
  ["uuid", uuid],
  ["duration", duration],
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
