import { quoteText } from "../template/go_quote.ts";

/** Whether a text is an IP address as Go's `netip.ParseAddr` reads it: 4 or 6; a zone may follow an IPv6 address. */
export function isAddress(text: string): 4 | 6 | undefined {
  const zone = text.indexOf("%");
  const address = zone < 0 ? text : text.slice(0, zone);
  if (zone === text.length - 1 && zone >= 0) return undefined;
  if (isVersion4(address)) return zone < 0 ? 4 : undefined;
  return isVersion6(address) ? 6 : undefined;
}

function isVersion4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}

function isVersion6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2 || text === "") return false;
  let count = 0;
  for (const [index, half] of halves.entries()) {
    if (half === "") continue;
    const groups = half.split(":");
    for (const [position, group] of groups.entries()) {
      const isLast = index === halves.length - 1 && position === groups.length - 1;
      if (/^[0-9a-fA-F]{1,4}$/.test(group)) count++;
      else if (isLast && isVersion4(group)) count += 2;
      else return false;
    }
  }
  return halves.length === 2 ? count < 8 : count === 8;
}

/** What Go's `netip.ParseAddr` (1.26) says of a text that is no IP address; `undefined` where it is one. */
export function addressFault(text: string): string | undefined {
  const mark = /[.:%]/.exec(text)?.[0];
  const told = mark === "."
    ? fault4(text)
    : mark === ":"
    ? fault6(text)
    : [mark === "%" ? "missing IPv6 address" : "unable to parse IP"] as const;
  if (told === undefined) return undefined;
  const [what, at] = told;
  return `ParseAddr(${quoteText(text)}): ${what}${at === undefined || at === "" ? "" : ` (at ${quoteText(at)})`}`;
}

/** What is wrong, and the rest of the text from there on. */
type AddressFault = readonly [string, string?];

function fault4(text: string): AddressFault | undefined {
  let [fields, value, digits] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const symbol = text[at] as string;
    if (/\d/.test(symbol)) {
      if (digits === 1 && value === 0) return ["IPv4 field has octet with leading zero"];
      value = value * 10 + Number(symbol);
      digits++;
      if (value > 255) return ["IPv4 field has value >255"];
    } else if (symbol !== ".") return ["unexpected character", text.slice(at)];
    else {
      if (at === 0 || at === text.length - 1 || text[at - 1] === ".") {
        return ["IPv4 field must have at least one digit", text.slice(at)];
      }
      if (fields === 3) return ["IPv4 address too long"];
      fields++;
      value = digits = 0;
    }
  }
  return fields < 3 ? ["IPv4 address too short"] : undefined;
}

function fault6(text: string): AddressFault | undefined {
  const percent = text.indexOf("%");
  if (percent >= 0 && percent === text.length - 1) return ["zone must be a non-empty string"];
  let rest = percent < 0 ? text : text.slice(0, percent);
  let isShort = false;
  let bytes = 0;
  if (rest.startsWith("::")) {
    isShort = true;
    rest = rest.slice(2);
    if (rest === "") return undefined;
  }
  while (bytes < 16) {
    const group = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? "";
    if (group.length > 4) return ["each group must have 4 or fewer digits", rest];
    if (group === "") return ["each colon-separated field must have at least one digit", rest];
    if (rest[group.length] === ".") {
      if (!isShort && bytes !== 12) {
        return ["embedded IPv4 address must replace the final 2 fields of the address", rest];
      }
      if (bytes + 4 > 16) return ["too many hex fields to fit an embedded IPv4 at the end of the address", rest];
      const fault = fault4(rest);
      if (fault !== undefined) return fault;
      rest = "";
      bytes += 4;
      break;
    }
    bytes += 2;
    rest = rest.slice(group.length);
    if (rest === "") break;
    if (!rest.startsWith(":")) return ["unexpected character, want colon", rest];
    if (rest.length === 1) return ["colon must be followed by more characters", rest];
    rest = rest.slice(1);
    if (rest.startsWith(":")) {
      if (isShort) return ["multiple :: in address", rest];
      isShort = true;
      rest = rest.slice(1);
      if (rest === "") break;
    }
  }
  if (rest !== "") return ["trailing garbage after address", rest];
  if (bytes < 16) return isShort ? undefined : ["address string too short"];
  return isShort ? ["the :: must expand to at least one field of zeros"] : undefined;
}
