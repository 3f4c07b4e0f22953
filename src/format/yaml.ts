/**
 * YAML as Kubernetes tools read and print it: the answers of sigs.k8s.io/yaml v1.6.0 (go-yaml v2, then JSON).
 * Comes in: text. Goes out: JSON values, documents with places, text. May fail: {@linkcode FormatError} with a place.
 * Called by every room that reads or prints documents. The parser is js-yaml 5; reading scalars, composing and printing are ours.
 *
 * @module
 */
import { YAMLException } from "js-yaml";
import type { JsonValue } from "../core/json.ts";
import type { Place } from "../core/object.ts";
import { FormatError, lineAndColumn } from "./format_error.ts";
import { goYamlRefusal } from "./go_yaml_fault.ts";
import { isRareYaml, readGoYaml } from "./go_yaml_value.ts";
import { parsePlainJson } from "./json_fast.ts";
import { composeDocuments, ComposeFault, maxDepth } from "./yaml_compose.ts";
import type { ComposedDocument, PlaceNode } from "./yaml_compose.ts";
import { parseLenientEvents, sourceOffset } from "./yaml_lenient.ts";
import type { Mend } from "./yaml_lenient.ts";
import { splitYaml } from "./yaml_split.ts";

export { printYaml, printYamlDocuments } from "./yaml_print.ts";

/** How YAML is read. */
export interface YamlOptions {
  /** For messages and places. Default `-`. */
  readonly file?: string;
  /** Refuse a key that stands twice in one map. Default: the later one wins. */
  readonly strict?: boolean;
}

/** One document of a text. */
export interface YamlDocument {
  readonly value: JsonValue;
  /** Position among the documents that are not empty, from 0. */
  readonly index: number;
  /** Its own part of the source, without the line `---`; comments in front of it included. */
  readonly text: string;
  /**
   * Where a value stands: of `path`, or of its nearest ancestor that is there. With `key: true` where its key stands.
   * The first call reads the text again.
   */
  placeOf(path: readonly (string | number)[], options?: { readonly key?: boolean }): Place;
}

/**
 * The first document of a text; `null` for a text without one. What follows a second `---` is not looked at.
 * Numbers: octal `0755`, `0o14`, `0x1F`, `1_000`; whole numbers of int64 and uint64 are exact (`bigint` beyond 2^53), larger ones floats;
 * `y`, `yes`, `on`, … are booleans; keys become texts.
 *
 * Differs: nesting beyond 100, more than a million values after aliases, and a null or compound key are refused.
 * @throws {FormatError} with line and column
 */
export function parseYaml(text: string, options: YamlOptions = {}): JsonValue {
  const json = parsePlainJson(text, maxDepth);
  if (json !== undefined && options.strict !== true) return json;
  if (isRareYaml(text) && options.strict !== true) return rareDocument(text, 1, options).value;
  try {
    for (const part of splitYaml(text)) {
      const document = compose(part.text, part.line, options).documents[0];
      if (document !== undefined || part.isMarked) return document?.value ?? null;
    }
    return null;
  } catch (error) {
    // What our parser refuses, go-yaml may take.
    const value = error instanceof FormatError && options.strict !== true ? takenByGoYaml(text, error) : undefined;
    if (value === undefined) throw error;
    return value;
  }
}

/**
 * All documents of a text, without the empty ones (nothing but comments between two `---`). Rules as {@linkcode parseYaml}.
 *
 * @throws {FormatError} with line and column, for the first fault in any document
 */
export function parseYamlDocuments(text: string, options: YamlOptions = {}): readonly YamlDocument[] {
  const documents: YamlDocument[] = [];
  for (const part of splitYaml(text)) {
    const json = options.strict === true ? undefined : parsePlainJson(part.text, maxDepth);
    const isRare = json === undefined && options.strict !== true && isRareYaml(part.text);
    const composed = isRare
      ? [rareDocument(part.text, part.line, options)]
      : json === undefined
      ? compose(part.text, part.line, options).documents
      : [{ value: json, isEmpty: false }];
    composed.forEach((document, order) => {
      if (document.isEmpty) return;
      let places: Composed | undefined;
      documents.push({
        value: document.value,
        index: documents.length,
        text: part.text,
        placeOf(path, { key = false } = {}) {
          places ??= isRare ? noPlaces : compose(part.text, part.line, options, true);
          const root = places.documents[order]?.places;
          const offset = root === undefined ? 0 : offsetAt(root, path, key);
          const { line, column } = lineAndColumn(part.text, sourceOffset(places.mends, offset));
          return { file: options.file ?? "-", line: line + part.line - 1, column };
        },
      });
    });
  }
  return documents;
}

function offsetAt(root: PlaceNode, path: readonly (string | number)[], key: boolean): number {
  let node = root;
  for (const step of path) {
    const next = node.children?.get(step);
    if (next === undefined) return node === root || !key ? node.valueOffset : node.keyOffset;
    node = next;
  }
  return key ? node.keyOffset : node.valueOffset;
}

interface Composed {
  readonly documents: readonly ComposedDocument[];
  readonly mends: readonly Mend[];
}

function takenByGoYaml(text: string, error: FormatError): JsonValue | undefined {
  if (error.code === "limit" || error.cause instanceof ComposeFault) return undefined;
  try {
    return goYamlRefusal(text) === undefined ? readGoYaml(text) ?? null : undefined;
  } catch (other) {
    if (other instanceof FormatError) return undefined;
    throw other;
  }
}

/** Where a text has line breaks that our parser does not know, all stands at its start. */
const noPlaces: Composed = { documents: [], mends: [] };

/** A document with line breaks that our parser does not know. @throws {FormatError} */
function rareDocument(text: string, firstLine: number, options: YamlOptions): ComposedDocument {
  try {
    const value = readGoYaml(text.replace(/^\ufeff/, ""));
    return { value: value ?? null, isEmpty: value === undefined };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { what: message, code, line = 1, column = 1 } = error;
    throw placed({ message, code, line, column }, { text, firstLine, mends: [], file: options.file });
  }
}

function compose(text: string, firstLine: number, options: YamlOptions, withPlaces = false): Composed {
  let mends: readonly Mend[] = [];
  try {
    const lenient = parseLenientEvents(text, maxDepth);
    mends = lenient.mends;
    const strict = options.strict === true;
    return { documents: composeDocuments(lenient.text, lenient.events, { strict, withPlaces }), mends };
  } catch (error) {
    throw asFormatError(error, { text, firstLine, mends, file: options.file });
  }
}

/** What was read when a fault was found. */
interface Reading {
  readonly text: string;
  readonly firstLine: number;
  readonly mends: readonly Mend[];
  readonly file: string | undefined;
}

function asFormatError(error: unknown, reading: Reading): unknown {
  if (error instanceof ComposeFault) {
    const { message, code } = error;
    return placed(
      { message, code, ...lineAndColumn(reading.text, sourceOffset(reading.mends, error.offset)) },
      reading,
    );
  }
  if (!(error instanceof YAMLException)) return error;
  const isLimit = error.reason.startsWith("nesting exceeded");
  return placed({
    message: isLimit ? `nested deeper than ${maxDepth} levels` : error.reason,
    code: isLimit ? "limit" : "syntax",
    line: (error.mark?.line ?? 0) + 1,
    column: (error.mark?.column ?? 0) + 1,
  }, reading);
}

/** A fault at a place of the part that was read. */
interface Fault {
  readonly message: string;
  readonly code: "syntax" | "limit";
  readonly line: number;
  readonly column: number;
}

function placed({ message, code, line, column }: Fault, { text, firstLine, file }: Reading): FormatError {
  // The excerpt is cut from the part; its line number is that of the whole text.
  return new FormatError(`Cannot read YAML: ${message}`, {
    ...(file === undefined ? {} : { file }),
    code,
    line: line + firstLine - 1,
    column,
    source: "\n".repeat(firstLine - 1) + text,
  });
}

/**
 * Text of bytes as go-yaml's reader takes them: UTF-8, or UTF-16 where a byte order mark says so.
 *
 * @throws {FormatError} when the bytes are no text in that encoding
 */
export function yamlText(bytes: Uint8Array, options: { readonly file?: string } = {}): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe
    ? "utf-16le"
    : bytes[0] === 0xfe && bytes[1] === 0xff
    ? "utf-16be"
    : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`Cannot read YAML: the bytes are no ${encoding.toUpperCase()} text`, { ...options, cause });
  }
}
