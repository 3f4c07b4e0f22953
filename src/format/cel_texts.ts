import type { CelValue } from "./cel_value.ts";
import { checkSize, fail, listOf, overload, sizeOf, textOf } from "./cel_value.ts";

/**
 * cel-go's ext strings v0.26. Places count characters, not code units. Each throws a CelError for values of another type.
 *
 * @module
 */

function int(value: CelValue | undefined): number {
  return typeof value === "bigint" ? Number(value) : overload();
}

/** Characters between two places; places count characters, not code units. */
export function substring(value: CelValue, from: CelValue, to?: CelValue): string {
  const signs = [...textOf(value)];
  const start = int(from);
  const end = to === undefined ? signs.length : int(to);
  if (start < 0 || start > signs.length) return fail(`index out of range: ${start}`);
  if (end < 0 || end > signs.length) return fail(`index out of range: ${end}`);
  return end < start ? fail(`invalid substring range. start: ${start}, end: ${end}`) : signs.slice(start, end).join("");
}

/** Place of a part, counted in characters; -1 where it is not. */
export function indexOf(value: CelValue, part: CelValue, from: CelValue = 0n): bigint {
  const signs = [...textOf(value)];
  const start = int(from);
  if (textOf(part) === "") return BigInt(start);
  if (start < 0) return fail(`index out of range: ${start}`);
  if (start >= signs.length) return -1n;
  const rest = signs.slice(start).join("");
  const found = rest.indexOf(textOf(part));
  return found < 0 ? -1n : BigInt(start + [...rest.slice(0, found)].length);
}

/** Place of the last such part, counted in characters; -1 where there is none. */
export function lastIndexOf(value: CelValue, part: CelValue, from?: CelValue): bigint {
  const signs = [...textOf(value)];
  const start = from === undefined ? signs.length : int(from);
  if (textOf(part) === "") return BigInt(start);
  if (start < 0) return fail(`index out of range: ${start}`);
  if (from !== undefined && start >= signs.length) return -1n;
  const reach = signs.slice(0, start).join("").length;
  const found = textOf(value).lastIndexOf(textOf(part), reach);
  return found < 0 ? -1n : BigInt([...textOf(value).slice(0, found)].length);
}

/** One character; "" behind the last one. */
export function charAt(value: CelValue, place: CelValue): string {
  const signs = [...textOf(value)];
  const at = int(place);
  return at < 0 || at > signs.length ? fail(`index out of range: ${at}`) : signs[at] ?? "";
}

/** A text with a part replaced, everywhere or so many times. */
export function replace(value: CelValue, from: CelValue, to: CelValue, times: CelValue = -1n): string {
  const [subject, old, fresh] = [textOf(value), textOf(from), textOf(to)];
  const limit = int(times);
  const pieces = old === "" ? ["", ...subject, ""] : subject.split(old);
  const count = limit < 0 ? pieces.length - 1 : Math.min(limit, pieces.length - 1);
  checkSize(subject.length + count * (fresh.length - old.length));
  return pieces.slice(0, count).map((piece) => piece + fresh).join("") + pieces.slice(count).join(old);
}

/** Parts of a text between separators, at most so many. */
export function split(value: CelValue, separator: CelValue, limit: CelValue = -1n): readonly string[] {
  const pieces = textOf(separator) === "" ? [...textOf(value)] : textOf(value).split(textOf(separator));
  const most = int(limit);
  if (most === 0) return [];
  if (most < 0 || pieces.length <= most) return pieces;
  return [...pieces.slice(0, most - 1), pieces.slice(most - 1).join(textOf(separator))];
}

/** Texts of a list with a separator between them. */
export function join(value: CelValue, separator: CelValue = ""): string {
  const items = listOf(value);
  if (typeof separator !== "string" || items.some((item) => typeof item !== "string")) {
    return fail("no such overload: join");
  }
  checkSize(items.reduce<number>((sum, item) => sum + sizeOf(item) + separator.length, 0));
  return items.join(separator);
}

/** ASCII letters only. */
export function ascii(value: CelValue, change: (letter: string) => string, letters: RegExp): string {
  return textOf(value).replace(letters, change);
}

const escapes: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** A text as a quoted CEL literal. */
export function quote(value: CelValue): string {
  return `"${textOf(value).toWellFormed().replace(/[\u0007\b\f\n\r\t\v\\"]/g, (sign) => escapes[sign] ?? sign)}"`;
}
