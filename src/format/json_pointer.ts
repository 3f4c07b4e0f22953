import type { JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import { FormatError } from "./format_error.ts";

/** Parts of a JSON pointer: `/a~1b/0` is `["a/b", "0"]`, the empty text is the whole document (RFC 6901). @throws {FormatError} */
export function parsePointer(pointer: string): readonly string[] {
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) {
    throw new FormatError(`Cannot read ${JSON.stringify(pointer)} as a JSON pointer: it must begin with "/"`);
  }
  return pointer.slice(1).split("/").map(decodePointerPart);
}

/** One part without its escapes. What follows a `~` that is no escape stays, as in evanphx/json-patch. */
export function decodePointerPart(part: string): string {
  return part.replace(/~[01]/g, (escape) => escape === "~1" ? "/" : "~");
}

/** The pointer of parts. */
export function printPointer(parts: readonly (string | number)[]): string {
  return parts.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The value that a pointer names; `undefined` when there is none. Only own members and existing indexes count. */
export function valueAt(document: JsonValue, pointer: string | readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const part of typeof pointer === "string" ? parsePointer(pointer) : pointer) {
    if (Array.isArray(value)) value = /^(?:0|[1-9][0-9]*)$/.test(part) ? value[Number(part)] : undefined;
    else value = isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}
