import { FormatError } from "../../../format/format_error.ts";
import { parseDurationNs } from "../../../format/duration.ts";
import { durationFault } from "../functions/dates.ts";
import { quoteText } from "../template/go_quote.ts";
import { byteLength } from "../template/go_string.ts";

/** How the text behind a flag is read (names of Go's pflag). */
export type FlagType =
  | "bool"
  | "string"
  | "int"
  | "float32"
  | "duration"
  /** Every use adds one text. */
  | "stringArray"
  /** Every use adds the fields of one line of CSV. */
  | "strings"
  /** `key=value,key=value` */
  | "stringToString"
  | "wait";

/** Whether a flag may stand several times, each use adding to it. */
export function isList(type: FlagType): boolean {
  return type === "stringArray" || type === "strings" || type === "stringToString";
}

/** Arguments that Helm refuses; the message is the one of Go's pflag. */
export class FlagError extends Error {
  override readonly name = "FlagError";
}

/**
 * What a text behind a flag stands for: one text or, for a list, what it adds.
 *
 * @throws {FlagError} for a text that the type does not take
 */
export function readFlag(
  flag: { readonly name: string; readonly type: FlagType; readonly short?: string },
  text: string,
): readonly string[] {
  const wrong = (what: string): FlagError => {
    const shown = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
    return new FlagError(`invalid argument ${quoteText(text)} for ${quoteText(shown)} flag: ${what}`);
  };
  switch (flag.type) {
    case "bool": {
      const value = goBool(text);
      if (value === undefined) throw wrong(`strconv.ParseBool: parsing ${quoteText(text)}: invalid syntax`);
      return [String(value)];
    }
    case "int":
      if (!/^[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) {
        throw wrong(`strconv.ParseInt: parsing ${quoteText(text)}: invalid syntax`);
      }
      return [text];
    case "float32":
      if (text === "" || Number.isNaN(Number(text))) {
        throw wrong(`strconv.ParseFloat: parsing ${quoteText(text)}: invalid syntax`);
      }
      return [text];
    case "duration":
      if (!isDuration(text)) throw wrong(durationFault(text));
      return [text];
    case "wait":
      if (!["watcher", "hookOnly", "legacy", "true", "false"].includes(text)) {
        throw wrong(
          `invalid wait input ${quoteText(text)}. Valid inputs are watcher, hookOnly, and legacy`,
        );
      }
      return [text];
    case "strings":
      return csv(text, wrong);
    case "stringToString": {
      const pairs = csv(text, wrong);
      for (const pair of pairs) {
        if (!pair.includes("=")) throw wrong(`${pair} must be formatted as key=value`);
      }
      return pairs;
    }
  }
  return [text];
}

function csv(text: string, wrong: (why: string) => FlagError): readonly string[] {
  try {
    return csvFields(text);
  } catch (error) {
    if (error instanceof FormatError) throw wrong(error.what);
    throw error;
  }
}

function isDuration(text: string): boolean {
  try {
    parseDurationNs(text);
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** A boolean as Go's `strconv.ParseBool` takes it; `undefined` for other texts. */
export function goBool(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  return ["0", "f", "F", "FALSE", "false", "False"].includes(text) ? false : undefined;
}

/** Fields of the first line of a CSV text; "" has none. @throws {FormatError} in the words of Go's encoding/csv */
function csvFields(text: string): readonly string[] {
  if (text === "") return [];
  const fields: string[] = [];
  const wrong = (at: number, what: string) =>
    new FormatError(`parse error on line 1, column ${byteLength(text.slice(0, at)) + 1}: ${what}`);
  for (let at = 0; at <= text.length;) {
    if (text[at] !== '"') {
      const end = text.slice(at).search(/[,\n]|$/) + at;
      const quote = text.slice(at, end).indexOf('"');
      if (quote >= 0) throw wrong(at + quote, 'bare " in non-quoted-field');
      fields.push(text.slice(at, end));
      if (text[end] !== ",") break;
      at = end + 1;
      continue;
    }
    const inside = /(?:[^"]|"")*/y;
    inside.lastIndex = at + 1;
    const content = inside.exec(text)?.[0] ?? "";
    const end = at + 1 + content.length;
    if (text[end] !== '"') throw wrong(end, 'extraneous or missing " in quoted-field');
    fields.push(content.replaceAll('""', '"'));
    if (text[end + 1] === undefined || text[end + 1] === "\n") break;
    if (text[end + 1] !== ",") throw wrong(end, 'extraneous or missing " in quoted-field');
    at = end + 2;
  }
  return fields;
}
