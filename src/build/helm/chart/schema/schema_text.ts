import type { JsonValue } from "../../../../core/json.ts";
import { SchemaError } from "./schema_documents.ts";

/** Reads a schema's text. @throws {SchemaError} in the words of Go's `encoding/json` */
export function parseSchemaText(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new SchemaError(faultOf(text), { cause });
  }
}

function faultOf(text: string): string {
  const trimmed = text.trimStart();
  if (trimmed === "") return "EOF";
  const end = valueEnd(trimmed);
  if (end === undefined) return "unexpected EOF";
  if (end > 0 && isJson(trimmed.slice(0, end)) && trimmed.slice(end).trim() !== "") {
    return "invalid character after top-level value";
  }
  const wrong = firstWrong(trimmed);
  const shown = wrong === "'" ? "'\\''" : wrong === '"' ? `'"'` : `'${wrong}'`;
  return `invalid character ${shown} looking for beginning of value`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Where the first value ends, by brackets and quotes; `undefined` where the text ends first. */
function valueEnd(text: string): number | undefined {
  const plain = /^(?:-?[0-9.eE+-]+|true|false|null)/.exec(text);
  if (plain !== null) return plain[0].length;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const symbol = text[at];
    if (symbol === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === "\\") at++;
      if (at >= text.length) return undefined;
      if (depth === 0) return at + 1;
    } else if (symbol === "{" || symbol === "[") depth++;
    else if (symbol === "}" || symbol === "]") {
      if (--depth <= 0) return at + 1;
    } else if (depth === 0) return 0;
  }
  return undefined;
}

/** The symbol at which a value was expected and none began. */
function firstWrong(text: string): string {
  if (!/^[{["\d\-tfn]/.test(text)) return text[0] ?? "";
  const inside = /[[:,]\s*([^\s{["\d\-tfn\]])/.exec(text);
  return inside?.[1] ?? text[0] ?? "";
}
