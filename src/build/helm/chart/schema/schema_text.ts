import type { JsonValue } from "../../../../core/json.ts";
import { syntaxFault } from "../../functions/json_parse.ts";
import { SchemaError } from "./schema_error.ts";

/** Numbers as they were written, by what holds them and their key, where JavaScript would write them otherwise. */
const sources = new WeakMap<object, Map<string, string>>();

/** A number of a schema as it was written, where that is not how JavaScript writes it. */
export function numberSource(holder: object, key: string): string | undefined {
  return sources.get(holder)?.get(key);
}

/** Reads a schema's text. @throws {SchemaError} in the words of Go's `encoding/json` */
export function parseSchemaText(text: string): JsonValue {
  try {
    return JSON.parse(text, noteNumber) as JsonValue;
  } catch (cause) {
    throw new SchemaError(faultOf(text), { cause });
  }
}

function noteNumber(this: object, key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value === "number" && source !== undefined && source !== String(value)) {
    const notes = sources.get(this) ?? new Map<string, string>();
    sources.set(this, notes.set(key, source));
  }
  return value;
}

function faultOf(text: string): string {
  // A mark behind the text tells where the text ends too early.
  const fault = syntaxFault(`${text}\0`)?.message ?? "";
  if (fault === "" || fault.startsWith("invalid character '\\x00'")) {
    return text.trim() === "" ? "EOF" : "unexpected EOF";
  }
  return fault.endsWith(" after top-level value") ? "invalid character after top-level value" : fault;
}
