import { parseUrl } from "../../functions/url.ts";
import { GoError } from "../../template/go_error.ts";
import { quoteText } from "../../template/go_quote.ts";
import { toBytes } from "../../template/go_string.ts";
import { SchemaError } from "./schema_error.ts";

/** JSON pointer of keys and indexes. */
export function pointerOf(path: readonly string[]): string {
  return path.map((key) => `/${escapePointer(key)}`).join("");
}

/** A key as a JSON pointer has it. */
export function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** URL with a fragment, escaped as Go's `url.PathEscape` does between slashes. */
export function locationText(url: string, fragment: string): string {
  const escaped = fragment.replace(
    /[^A-Za-z0-9\-_.~$&+:=@/]/gu,
    (symbol) => [...toBytes(symbol)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
  return `${url}#${escaped}`;
}

/** Address of a schema that says `$id` at `location`. @throws {SchemaError} with Helm's text */
export function identity(id: string, base: string, location: string): string {
  try {
    return absolute(id, base);
  } catch (cause) {
    if (!(cause instanceof SchemaError)) throw cause;
    throw new SchemaError(`error in parsing id at ${quoteText(location)}`, { cause });
  }
}

/** Why Go does not take a text for a URL. */
export function urlFault(url: string): string | undefined {
  try {
    parseUrl(url);
    return undefined;
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    return error.message;
  }
}

/** An address as seen from another. @throws {SchemaError} with Helm's text */
export function absolute(address: string, base: string): string {
  if (address === "") return base;
  const fault = urlFault(address);
  if (fault !== undefined) throw new SchemaError(`error in parsing ${quoteText(address)}: ${fault}`);
  try {
    const { href } = new URL(address, base);
    // Go adds no slash behind a host.
    return href.endsWith("/") && !address.endsWith("/") ? href.slice(0, -1) : href;
  } catch (cause) {
    throw new SchemaError(`error in parsing ${quoteText(address)}: it is no URL`, { cause });
  }
}

/** A fragment without its escapes; `whole` is what an error names. @throws {SchemaError} */
export function decode(fragment: string, whole: string): string {
  const wrong = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(fragment)?.[0];
  if (wrong !== undefined) {
    throw new SchemaError(`error in parsing ${quoteText(whole)}: invalid URL escape ${quoteText(wrong)}`);
  }
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
