/**
 * Template values as JSON text (Go encoding/json: Marshal, MarshalIndent, Encoder): keys sorted by bytes, struct tags,
 * `[]byte` as base64, escapes of HTML where wanted.
 *
 * @module
 */
import type { JsonValue } from "../../../core/json.ts";
import { GoError } from "../template/go_error.ts";
import { floatText } from "../template/go_number.ts";
import { rejoin, sortedKeys } from "../template/go_string.ts";
import type { GoField, GoType } from "../template/go_type.ts";
import { fromJson, GoBytes, GoInt, GoMap, GoSlice, GoStruct, isTrue, typeNameOf } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import type { CallContext } from "./registry.ts";

/** How JSON is written. */
export interface JsonTextOptions {
  /** `<`, `>`, `&` as escapes. Default `true`, as Marshal does. */
  readonly escapesHtml?: boolean;
  /** Blanks per level; absent: all on one line. */
  readonly indent?: string;
}

/** Nesting from which a value is looked at for containing itself. */
const deepLevel = 1000;

/** JSON text of a value. @throws {GoError} for what JSON cannot say, with Go's text */
export function jsonText(context: CallContext, value: Value, options: JsonTextOptions = {}): string {
  const writer = new Writer(context, options);
  writer.value(value, 0);
  return writer.text;
}

/** A text as a JSON string. */
function jsonString(text: string, escapesHtml = true): string {
  if (/^[ !#-%'-;=?-[\]-~]*$/.test(text)) return `"${text}"`;
  let result = '"';
  for (const character of rejoin(text)) result += escaped(character, escapesHtml);
  return `${result}"`;
}

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function escaped(character: string, escapesHtml: boolean): string {
  const known = short[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) as number;
  if (code >= 0xdc80 && code <= 0xdcff) return "\\ufffd";
  if (code < 0x20 || code === 0x2028 || code === 0x2029 || escapesHtml && "<>&".includes(character)) {
    return `\\u${code.toString(16).padStart(4, "0")}`;
  }
  return character;
}

class Writer {
  text = "";
  readonly #context: CallContext;
  readonly #escapesHtml: boolean;
  readonly #indent: string | undefined;
  readonly #path: Value[] = [];

  constructor(context: CallContext, options: JsonTextOptions) {
    this.#context = context;
    this.#escapesHtml = options.escapesHtml ?? true;
    this.#indent = options.indent;
  }

  #write(text: string): void {
    this.text += text;
    this.#context.reserve("toJson", this.text.length);
  }

  value(value: Value, level: number): void {
    this.#context.spend(1);
    switch (typeof value) {
      case "string":
        return this.#write(jsonString(value, this.#escapesHtml));
      case "number":
        return this.#write(numberText(value));
      case "boolean":
        return this.#write(String(value));
    }
    if (value === undefined || value === null) return this.#write("null");
    const { toJson } = value.type;
    if (toJson !== undefined) {
      if (value instanceof GoStruct && value.fields === null) return this.#write("null");
      return this.value(fromJson(toJson(value) as JsonValue), level);
    }
    if (value instanceof GoInt) return this.#write(value.value.toString());
    if (value instanceof GoBytes) return this.#write(value.bytes === null ? "null" : `"${value.bytes.toBase64()}"`);
    if (value instanceof GoMap || value instanceof GoSlice || value instanceof GoStruct) {
      if (level > deepLevel && this.#path.includes(value)) {
        throw new GoError(`json: unsupported value: encountered a cycle via ${typeNameOf(value)}`);
      }
      this.#path.push(value);
      this.#container(value, level);
      this.#path.pop();
      return;
    }
    throw new GoError(`json: unsupported type: ${typeNameOf(value)}`);
  }

  #container(value: GoMap | GoSlice | GoStruct, level: number): void {
    if (value instanceof GoSlice) {
      if (value.items === null) return this.#write("null");
      return this.#list("[", "]", level, value.items, (item) => this.value(item, level + 1));
    }
    if (value instanceof GoMap) {
      const { entries } = value;
      if (entries === null) return this.#write("null");
      return this.#list("{", "}", level, sortedKeys(entries), (key) => this.#member(key, entries.get(key), level));
    }
    if (value.fields === null) return this.#write("null");
    const members = structMembers(value);
    this.#list("{", "}", level, members, ([key, item]) => this.#member(key, item, level));
  }

  #member(key: string, value: Value, level: number): void {
    this.#write(`${jsonString(key, this.#escapesHtml)}:${this.#indent === undefined ? "" : " "}`);
    this.value(value, level + 1);
  }

  #list<T>(open: string, close: string, level: number, items: readonly T[], write: (item: T) => void): void {
    if (items.length === 0) return this.#write(open + close);
    const indent = this.#indent;
    this.#write(open);
    items.forEach((item, index) => {
      if (index > 0) this.#write(",");
      if (indent !== undefined) this.#write(`\n${indent.repeat(level + 1)}`);
      write(item);
    });
    this.#write(indent === undefined ? close : `\n${indent.repeat(level)}${close}`);
  }
}

/** A float64 in JSON: plain between 1e-6 and 1e21, else with an exponent. @throws {GoError} for infinities and NaN */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new GoError(`json: unsupported value: ${floatText(value)}`);
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Members that a struct has in JSON, by its tags; those of embedded structs stand in their place. */
export function structMembers(value: GoStruct): readonly (readonly [string, Value])[] {
  const type = value.type.kind === "ptr" ? value.type.elem as GoType : value.type;
  return (type.fields ?? []).flatMap((field: GoField): readonly (readonly [string, Value])[] => {
    const item = value.fields?.[field.name];
    if (field.isPrivate || field.json === "-") return [];
    if (field.isEmbedded && item instanceof GoStruct) return structMembers(item);
    if (field.omitEmpty && !(item instanceof GoStruct && item.type.kind === "struct") && !isTrue(item)) return [];
    return [[field.json ?? field.name, item]];
  });
}
