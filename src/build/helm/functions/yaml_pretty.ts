/**
 * `toYamlPretty`: template values through go-yaml v3 (sigs.k8s.io/yaml/goyaml.v3) at indent 2. It sees Go's values and
 * not their JSON: floats as `%g`, structs by lower-case field names in their own order, invalid UTF-8 as `!!binary`.
 *
 * @module
 */
import type { JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { ScalarStyle } from "../../../format/yaml_node/node.ts";
import { needsQuotes } from "../../../format/yaml_node/node_json.ts";
import {
  breakLetters,
  chooseStyle,
  doubleQuotedText,
  literalText,
  singleQuotedText,
  withoutDoubledEnds,
} from "../../../format/yaml_node/scalar_style.ts";
import { GoError } from "../template/go_error.ts";
import { floatText } from "../template/go_number.ts";
import { byteLength, hasRawBytes, rejoin, toBytes } from "../template/go_string.ts";
import type { GoType } from "../template/go_type.ts";
import { fromJson, GoBytes, GoInt, GoMap, GoSlice, GoStruct, typeNameOf } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import type { CallContext } from "./registry.ts";
import { compareKeys } from "./yaml_v3_order.ts";

/** Nesting from which a value is held for one that contains itself. */
const maxDepth = 500;

/** Bytes of the longest key that stands on the line of its value. */
const maxSimpleKeyBytes = 128;

const step = 2;

/** YAML text of a value, ending with a line break. @throws {GoError} for what YAML cannot say */
export function prettyYaml(context: CallContext, value: Value): string {
  return new Writer(context).document(value);
}

/** A value as it is printed: a scalar's text, or the parts of a collection. */
type Shape =
  | { readonly kind: "scalar"; readonly text: (indent: number) => string }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  | { readonly kind: "map"; readonly members: readonly (readonly [string, Value])[] };

class Writer {
  readonly #context: CallContext;
  #out = "";

  constructor(context: CallContext) {
    this.#context = context;
  }

  document(value: Value): string {
    const shape = shapeOf(this.#context, value);
    if (shape.kind === "scalar") this.#out = `${shape.text(step)}\n`;
    else this.#collection(shape, 0, true, 0);
    return withoutDoubledEnds(this.#out);
  }

  /** A filled list or map; its first line starts where the text ends if `isStarted`. */
  #collection(shape: Exclude<Shape, { kind: "scalar" }>, indent: number, isStarted: boolean, depth: number): void {
    if (depth > maxDepth) throw new GoError("yaml: a value contains itself");
    const pad = " ".repeat(indent);
    let isFirst = isStarted;
    const begin = () => {
      if (!isFirst) this.#out += pad;
      isFirst = false;
      this.#context.reserve("toYamlPretty", this.#out.length);
    };
    if (shape.kind === "list") {
      for (const item of shape.items) {
        begin();
        this.#out += "-";
        this.#behind(item, indent, true, depth);
      }
      return;
    }
    for (const [key, value] of shape.members) {
      begin();
      const isSimple = byteLength(key) <= maxSimpleKeyBytes && !breakLetters.test(key);
      this.#out += isSimple ? `${keyText(key, 0, true)}:` : `? ${keyText(key, indent + step, false)}\n${pad}:`;
      this.#behind(value, indent, !isSimple, depth);
    }
  }

  /** What stands behind `-` or a key's colon; a collection begins on the same line where `isInline`. */
  #behind(value: Value, indent: number, isInline: boolean, depth: number): void {
    const shape = shapeOf(this.#context, value);
    if (shape.kind === "scalar") {
      this.#out += ` ${shape.text(indent + step)}\n`;
      return;
    }
    this.#out += isInline ? " " : "\n";
    this.#collection(shape, indent + step, isInline, depth + 1);
  }
}

function keyText(key: string, indent: number, isKey: boolean): string {
  const binary = binaryText(key);
  return binary ?? styled(rejoin(key), indent, isKey);
}

/** A text that is not UTF-8. */
function binaryText(text: string): string | undefined {
  return hasRawBytes(text) && hasRawBytes(rejoin(text)) ? `!!binary ${toBytes(text).toBase64()}` : undefined;
}

function styled(text: string, indent: number, isKey = false): string {
  const wanted: ScalarStyle = text.includes("\n") ? "literal" : needsQuotes(text) ? "double" : "plain";
  switch (chooseStyle(text, wanted, true, { flow: false, key: isKey })) {
    case "single":
      return singleQuotedText(text, indent);
    case "double":
      return doubleQuotedText(text);
    case "literal":
      return literalText(text, indent);
  }
  return text;
}

function plain(text: string): Shape {
  return { kind: "scalar", text: () => text };
}

function shapeOf(context: CallContext, value: Value): Shape {
  context.spend(1);
  switch (typeof value) {
    case "number":
      return plain(yamlFloat(value));
    case "string": {
      const binary = binaryText(value);
      return binary === undefined ? { kind: "scalar", text: (indent) => styled(rejoin(value), indent) } : plain(binary);
    }
    case "boolean":
      return plain(String(value));
  }
  if (value === undefined || value === null || value instanceof GoStruct && value.fields === null) return plain("null");
  const { type } = value;
  if (value instanceof GoInt) {
    const text = type.name === "time.Duration" ? type.methods?.String?.call(context, value) : undefined;
    return plain(typeof text === "string" ? text : value.value.toString());
  }
  if (type.toJson !== undefined) {
    const json: JsonValue = type.toJson(value);
    if (type.name === "time.Time" && typeof json === "string") return plain(json);
    return isJsonObject(json) ? plain("{}") : shapeOf(context, fromJson(json));
  }
  if (value instanceof GoBytes) {
    return listOf(Array.from(value.bytes ?? [], (byte) => new GoInt(type.elem as GoType, byte)));
  }
  if (value instanceof GoSlice) return listOf(value.items ?? []);
  if (value instanceof GoMap) {
    const members = [...value.entries ?? []].sort(([a], [b]) => compareKeys(a, b));
    return members.length === 0 ? plain("{}") : { kind: "map", members };
  }
  if (value instanceof GoStruct) return structOf(value);
  throw new GoError(`cannot marshal type: ${typeNameOf(value)}`);
}

function listOf(items: readonly Value[]): Shape {
  return items.length === 0 ? plain("[]") : { kind: "list", items };
}

/** Fields that can be seen, by their names in lower case and in their own order. */
function structOf(value: GoStruct): Shape {
  const type = value.type.kind === "ptr" ? value.type.elem as GoType : value.type;
  const members = (type.fields ?? []).filter((field) => !field.isPrivate)
    .map((field) => [field.name.toLowerCase(), value.fields?.[field.name] ?? null] as const);
  return members.length === 0 ? plain("{}") : { kind: "map", members };
}

function yamlFloat(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  return Number.isFinite(value) ? floatText(value) : value > 0 ? ".inf" : "-.inf";
}
