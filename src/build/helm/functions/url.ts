/**
 * `urlParse` and `urlJoin` (Go 1.26 net/url, sprig 3.3.0 url.go).
 *
 * @module
 */
import { GoError } from "../template/go_error.ts";
import { quoteText } from "../template/go_quote.ts";
import { fromBytes, toBytes } from "../template/go_string.ts";
import { goTypes } from "../template/go_type.ts";
import { goDict, kindOf } from "../template/value.ts";
import type { GoMap } from "../template/value.ts";
import { addressFault, isAddress } from "./ip_address.ts";
import { func } from "./registry.ts";
import type { FunctionTable } from "./registry.ts";

const { dict, string } = goTypes;

/** Characters beside letters, digits and `-_.~` that each part of a URL holds unescaped. */
const unescaped = {
  path: "$&+,/:;=@",
  user: "$&+,;=",
  host: "!$&'()*+,;=:[]<>\"",
  fragment: "$&+,/:;=?@!()*",
} as const;

type Part = keyof typeof unescaped;

interface User {
  readonly name: string;
  readonly password?: string;
}

/** Parts of a URL as Go's net/url has them. */
export interface Url {
  readonly scheme: string;
  readonly opaque: string;
  readonly user?: User;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
  /** The path as it was written. */
  readonly writtenPath: string;
  /** Whether the path is written otherwise than Go would write it (`RawPath`). */
  readonly hasOwnPath: boolean;
}

type UrlFields = Omit<Url, "hasOwnPath" | "writtenPath">;

/** Functions by name. */
export const urlFunctions: FunctionTable = {
  urlJoin: func([dict], string, (_, map) => urlText({ ...fieldsOf(map), ...userOf(map) })),
  urlParse: func([string], dict, (_, text) => {
    let url: Url;
    try {
      url = parseUrl(text);
    } catch (error) {
      if (error instanceof GoError) throw new GoError(`unable to parse url: ${error.message}`);
      throw error;
    }
    return goDict([
      ["scheme", url.scheme],
      ["host", url.host],
      ["hostname", hostName(url.host)],
      ["path", url.path],
      ["query", url.query],
      ["opaque", url.opaque],
      ["fragment", url.fragment],
      ["userinfo", url.user === undefined ? "" : userText(url.user)],
    ]);
  }),
};

function isPlain(character: string, part: Part): boolean {
  return /[A-Za-z0-9\-_.~]/.test(character) || unescaped[part].includes(character);
}

function escape(text: string, part: Part): string {
  let result = "";
  for (const byte of toBytes(text)) {
    const character = String.fromCharCode(byte);
    result += byte < 0x80 && isPlain(character, part)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return result;
}

/** Text without `%xx`. @throws {GoError} for a wrong escape, or a character that a host cannot have */
function unescape(text: string, part: Part | "zone"): string {
  const bytes: number[] = [];
  const source = toBytes(text);
  for (let index = 0; index < source.length; index++) {
    const byte = source[index] as number;
    const character = String.fromCharCode(byte);
    if (character === "%") {
      const digits = String.fromCharCode(...source.subarray(index + 1, index + 3));
      if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
        throw new GoError(`invalid URL escape ${quoteText(fromBytes(source.subarray(index, index + 3)))}`);
      }
      const code = Number.parseInt(digits, 16);
      const isRefused = part === "host"
        ? code < 0x80 && digits !== "25"
        : part === "zone" && digits !== "25" && code !== 0x20 &&
          !(code < 0x80 && isPlain(String.fromCharCode(code), "host"));
      if (isRefused) throw new GoError(`invalid URL escape ${quoteText(`%${digits}`)}`);
      bytes.push(code);
      index += 2;
    } else if ((part === "host" || part === "zone") && byte < 0x80 && !isPlain(character, "host")) {
      throw new GoError(`invalid character ${quoteText(character)} in host name`);
    } else bytes.push(byte);
  }
  return fromBytes(Uint8Array.from(bytes));
}

/** Parts of a URL. @throws {GoError} `parse "…": …` */
export function parseUrl(text: string): Url {
  const hash = text.indexOf("#");
  const main = hash < 0 ? text : text.slice(0, hash);
  try {
    const url = parseMain(main);
    if (hash < 0 || hash === text.length - 1) return url;
    try {
      return { ...url, fragment: unescape(text.slice(hash + 1), "fragment") };
    } catch (error) {
      throw error instanceof GoError ? new GoError(`parse ${quoteText(text)}: ${error.message}`) : error;
    }
  } catch (error) {
    if (!(error instanceof GoError) || error.message.startsWith("parse ")) throw error;
    throw new GoError(`parse ${quoteText(main)}: ${error.message}`);
  }
}

function parseMain(text: string): Url {
  // deno-lint-ignore no-control-regex
  if (/[\0-\x1f\x7f]/.test(text)) throw new GoError("net/url: invalid control character in URL");
  const empty: Url = { scheme: "", opaque: "", host: "", path: "", query: "", fragment: "", ...written("", "") };
  if (text === "*") return { ...empty, path: "*" };
  if (text.startsWith(":")) throw new GoError("missing protocol scheme");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1];
  const rest = scheme === undefined ? text : text.slice(scheme.length + 1);
  const mark = rest.indexOf("?");
  let path = mark < 0 ? rest : rest.slice(0, mark);
  const url = { ...empty, scheme: (scheme ?? "").toLowerCase(), query: mark < 0 ? "" : rest.slice(mark + 1) };
  if (!path.startsWith("/")) {
    if (scheme !== undefined) return { ...url, opaque: path };
    if (path.split("/", 1)[0]?.includes(":")) throw new GoError("first path segment in URL cannot contain colon");
  }
  if (!path.startsWith("//") || scheme === undefined && path.startsWith("///")) {
    const read = unescape(path, "path");
    return { ...url, path: read, ...written(path, read) };
  }
  const slash = path.indexOf("/", 2);
  const authority = slash < 0 ? path.slice(2) : path.slice(2, slash);
  path = slash < 0 ? "" : path.slice(slash);
  const host = parseAuthority(url.scheme, authority);
  const read = unescape(path, "path");
  return { ...url, ...host, path: read, ...written(path, read) };
}

function written(path: string, read: string): Pick<Url, "hasOwnPath" | "writtenPath"> {
  return { writtenPath: path, hasOwnPath: escape(read, "path") !== path };
}

function parseAuthority(scheme: string, authority: string): { readonly host: string; readonly user?: User } {
  const at = authority.lastIndexOf("@");
  const host = parseHost(scheme, authority.slice(at + 1));
  if (at < 0) return { host };
  const info = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(info)) throw new GoError("net/url: invalid userinfo");
  const colon = info.indexOf(":");
  if (colon < 0) return { host, user: { name: unescape(info, "user") } };
  return {
    host,
    user: { name: unescape(info.slice(0, colon), "user"), password: unescape(info.slice(colon + 1), "user") },
  };
}

function isOptionalPort(text: string): boolean {
  return text === "" || /^:\d*$/.test(text);
}

function parseHost(scheme: string, host: string): string {
  const open = host.lastIndexOf("[");
  if (open > 0) throw new GoError("invalid IP-literal");
  if (open === 0) {
    const close = host.lastIndexOf("]");
    if (close < 0) throw new GoError("missing ']' in host");
    const port = host.slice(close + 1);
    if (!isOptionalPort(port)) throw new GoError(`invalid port ${quoteText(port)} after host`);
    const name = host.slice(1, close);
    const zone = name.indexOf("%25");
    const address = zone < 0
      ? unescape(name, "host")
      : unescape(name.slice(0, zone), "host") + unescape(name.slice(zone), "zone");
    const fault = addressFault(address);
    if (fault !== undefined) throw new GoError(`invalid host: ${fault}`);
    const version = isAddress(address);
    if (version === 4) throw new GoError("invalid IP-literal");
    return `[${address}]${port}`;
  }
  const first = host.indexOf(":");
  if (first >= 0) {
    const isStrict = scheme === "http" || scheme === "https";
    const port = host.slice(isStrict ? first : host.lastIndexOf(":"));
    if (!isOptionalPort(port)) throw new GoError(`invalid port ${quoteText(port)} after host`);
  }
  return unescape(host, "host");
}

/** Host without its port and brackets. */
export function hostName(host: string): string {
  const colon = host.lastIndexOf(":");
  const name = colon >= 0 && isOptionalPort(host.slice(colon)) ? host.slice(0, colon) : host;
  return name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
}

function userText(user: User): string {
  const name = escape(user.name, "user");
  return user.password === undefined ? name : `${name}:${escape(user.password, "user")}`;
}

function textField(map: GoMap, key: string): string {
  const value = map.entries?.get(key);
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  if (value === null) throw new GoError("runtime error: invalid memory address or nil pointer dereference");
  throw new GoError(`unable to parse ${key} key, must be of type string, but ${kindOf(value)} found`);
}

function fieldsOf(map: GoMap): UrlFields {
  return {
    scheme: textField(map, "scheme"),
    host: textField(map, "host"),
    path: textField(map, "path"),
    query: textField(map, "query"),
    opaque: textField(map, "opaque"),
    fragment: textField(map, "fragment"),
  };
}

function userOf(map: GoMap): { readonly user?: User } {
  const info = textField(map, "userinfo");
  if (info === "") return {};
  try {
    const { user } = parseUrl(`proto://${info}@host`);
    return user === undefined ? {} : { user };
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`unable to parse userinfo in dict: ${error.message}`);
    throw error;
  }
}

function urlText(url: UrlFields): string {
  let text = url.scheme === "" ? "" : `${url.scheme}:`;
  if (url.opaque !== "") text += url.opaque;
  else {
    if (url.host !== "" || url.user !== undefined || url.scheme !== "" && url.path !== "") text += "//";
    if (url.user !== undefined) text += `${userText(url.user)}@`;
    text += escape(url.host, "host");
    const path = url.path === "*" ? "*" : escape(url.path, "path");
    if (path !== "" && !path.startsWith("/") && url.host !== "") text += "/";
    if (text === "" && path.split("/", 1)[0]?.includes(":")) text = "./";
    text += path;
  }
  if (url.query !== "") text += `?${url.query}`;
  return url.fragment === "" ? text : `${text}#${escape(url.fragment, "fragment")}`;
}
