import type { ScalarNode, ScalarStyle, YamlNode } from "./node.ts";
import { compareKeys } from "./key_order.ts";
import { goFloat, needsQuotes } from "./node_json.ts";
import { resolveText } from "./resolve.ts";
import {
  breakLetters,
  chooseStyle,
  doubleQuotedText,
  foldedText,
  literalText,
  singleQuotedText,
} from "./scalar_style.ts";

/** How values are printed. */
export interface EmitOptions {
  /** Lists at the level of their key, as kyaml prints them. Default `false`: two blanks further in. */
  readonly compactLists?: boolean;
}

/** A scalar that is printed as it stands: for who knows its text better, for example a float or a timestamp. */
export class PlainText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Marks a map whose keys are printed in their own order, as fields of a Go struct are. */
export const keepsOrder: unique symbol = Symbol("keeps order");

/** What {@linkcode emitJson} prints: JSON, and scalars as they stand. */
export type PrintableValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PlainText
  | readonly PrintableValue[]
  | { readonly [key: string]: PrintableValue; readonly [keepsOrder]?: true };

type PrintableMap = { readonly [key: string]: PrintableValue; readonly [keepsOrder]?: true };

const step = 2;

/**
 * YAML text of a JSON value, keys in go-yaml's order, byte for byte as go-yaml v3 prints it at indent 2 (no folding).
 * Numbers: integers in full; others as Go's %g. For the text that kustomize and sigs.k8s.io/yaml print see `printYaml`.
 */
export function emitJson(value: PrintableValue, options: EmitOptions = {}): string {
  return new ValueEmitter(options).document(value);
}

/**
 * YAML text of a node as kyaml prints one (go-yaml v3, indent 2, lists at the level of their key, no folding): styles,
 * order, flow collections, written tags and comments stay.
 */
export function emitNode(node: YamlNode): string {
  return new NodeEmitter().document(node);
}

class ValueEmitter {
  readonly #compact: boolean;
  /** Texts that are printed as they stand, or quoted on one line: they repeat a lot. */
  readonly #keys = new Map<string, string>();
  #out = "";

  constructor(options: EmitOptions) {
    this.#compact = options.compactLists ?? false;
  }

  document(value: PrintableValue): string {
    this.#out = "";
    if (isCollection(value)) this.#collection(value, 0, true);
    else this.#out += `${this.#scalar(value, step)}\n`;
    return this.#out;
  }

  /** A filled collection whose first line starts where the text ends. */
  #collection(value: PrintableValue, indent: number, first: boolean): void {
    if (Array.isArray(value)) this.#list(value, indent, first);
    else this.#map(value as PrintableMap, indent, first);
  }

  #list(items: readonly PrintableValue[], indent: number, first: boolean): void {
    const pad = " ".repeat(indent);
    for (const item of items) {
      if (!first) this.#out += pad;
      first = false;
      this.#out += "-";
      if (isCollection(item)) {
        this.#out += " ";
        this.#collection(item, indent + step, true);
      } else this.#out += ` ${this.#scalar(item, indent + step)}\n`;
    }
  }

  #map(map: PrintableMap, indent: number, first: boolean): void {
    const pad = " ".repeat(indent);
    const keys = Object.keys(map);
    if (keys.length > 1 && map[keepsOrder] !== true) keys.sort(compareKeys);
    for (const key of keys) {
      if (!first) this.#out += pad;
      first = false;
      const value = map[key] as PrintableValue;
      const head = this.#key(key, indent);
      this.#out += head;
      if (isCollection(value)) {
        if (head.startsWith("? ")) {
          this.#out += " ";
          this.#collection(value, indent + step, true);
        } else {
          const at = Array.isArray(value) && this.#compact ? indent : indent + step;
          this.#out += "\n";
          this.#collection(value, at, false);
        }
      } else this.#out += ` ${this.#scalar(value, indent + step)}\n`;
    }
  }

  /** A key with its colon; keys that are long or have line breaks take the `? ` form. */
  #key(key: string, indent: number): string {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    // libyaml counts bytes.
    const long = key.length > 128 || (key.length > 42 && new TextEncoder().encode(key).length > 128);
    if (!long && !breakLetters.test(key)) {
      const head = `${this.#text(key, 0, true)}:`;
      this.#keys.set(key, head);
      return head;
    }
    return `? ${this.#text(key, indent + step, false)}\n${" ".repeat(indent)}:`;
  }

  #scalar(value: PrintableValue, indent: number): string {
    if (value instanceof PlainText) return value.text;
    switch (typeof value) {
      case "string":
        return this.#text(value, indent, false);
      case "number":
        return numberText(value);
      case "bigint":
      case "boolean":
        return String(value);
      default:
        return value === null ? "null" : Array.isArray(value) ? "[]" : "{}";
    }
  }

  #text(text: string, indent: number, key: boolean): string {
    const wanted: ScalarStyle = text.includes("\n") ? "literal" : needsQuotes(text) ? "double" : "plain";
    return styledText(text, chooseStyle(text, wanted, true, { flow: false, key }), indent);
  }
}

function isCollection(value: PrintableValue): boolean {
  if (typeof value !== "object" || value === null || value instanceof PlainText) return false;
  if (Array.isArray(value)) return value.length > 0;
  for (const _ in value) return true;
  return false;
}

function numberText(value: number): string {
  if (Number.isInteger(value) && value > -9223372036854775809 && value < 18446744073709551616) {
    // Beyond 2^53 the shortest digits are filled up with zeros, as Go's JSON writes a float.
    return String(value === 0 ? 0 : value);
  }
  return goFloat(value);
}

function styledText(text: string, style: ScalarStyle, indent: number): string {
  switch (style) {
    case "plain":
      return text;
    case "single":
      return singleQuotedText(text, indent);
    case "double":
      return doubleQuotedText(text);
    case "literal":
      return literalText(text, indent);
    case "folded":
      return foldedText(text, indent);
  }
}

class NodeEmitter {
  #out = "";

  document(node: YamlNode): string {
    const head = node.comments?.head;
    if (head !== undefined) this.#out += `${head}\n`;
    if (isFilledBlock(node)) this.#block(node, 0, true);
    else this.#out += `${this.#inline(node, step)}${lineComment(node)}\n`;
    const foot = node.comments?.foot;
    if (foot !== undefined) this.#out += `\n${foot}\n`;
    return this.#out;
  }

  #block(node: YamlNode, indent: number, first: boolean): void {
    const pad = " ".repeat(indent);
    if (node.kind === "list") {
      for (const item of node.items) {
        this.#head(item, pad, first);
        first = false;
        this.#out += "-";
        this.#value(item, indent + step, indent + step, true);
      }
      return;
    }
    if (node.kind !== "map") return;
    node.keys.forEach((key, at) => {
      const value = node.values[at] as YamlNode;
      this.#head(key, pad, first);
      first = false;
      const plainKey = this.#scalar(key, 0, true, false);
      const long = key.text.includes("\n") || key.text.length > 128;
      if (long) this.#out += `? ${this.#scalar(key, indent + step, false, false)}\n${pad}:`;
      else this.#out += `${plainKey}:`;
      this.#value(value, indent, value.kind === "list" ? indent : indent + step, long, key.comments?.line);
    });
  }

  #head(node: YamlNode, pad: string, first: boolean): void {
    const head = node.comments?.head;
    if (head !== undefined) {
      for (const line of head.split("\n")) {
        if (!first) this.#out += pad;
        first = false;
        this.#out += `${line}\n`;
      }
    }
    if (!first) this.#out += pad;
  }

  /** What follows `-` or `key:`. `sameLine`: a collection begins on this line. */
  #value(node: YamlNode, indent: number, inner: number, sameLine: boolean, keyComment?: string): void {
    const tag = node.kind === "scalar" ? "" : tagPrefix(node);
    if (!isFilledBlock(node)) {
      const comment = lineComment(node) || (keyComment === undefined ? "" : ` ${keyComment}`);
      const text = this.#inline(node, sameLine ? indent : indent + step);
      const split = text.indexOf("\n");
      if (split >= 0 && comment !== "" && /^[|>]/.test(text)) {
        this.#out += ` ${text.slice(0, split)}${comment}${text.slice(split)}\n`;
      } else this.#out += text === "" ? `${comment}\n` : ` ${text}${comment}\n`;
      return;
    }
    if (tag !== "") this.#out += ` ${tag.trimEnd()}`;
    if (sameLine && tag === "") {
      this.#out += " ";
      this.#block(node, indent, true);
    } else {
      this.#out += keyComment === undefined ? "\n" : ` ${keyComment}\n`;
      this.#block(node, sameLine ? indent : inner, false);
    }
  }

  #inline(node: YamlNode, indent: number): string {
    if (node.kind === "scalar") return this.#scalar(node, indent, false, false);
    return tagPrefix(node) + this.#flow(node);
  }

  #flow(node: YamlNode): string {
    switch (node.kind) {
      case "scalar":
        return this.#scalar(node, step, false, true);
      case "list":
        return `${tagPrefix(node)}[${node.items.map((item) => this.#flow(item)).join(", ")}]`;
      case "map":
        return `${tagPrefix(node)}{${
          node.keys.map((key, at) => {
            const value = this.#flow(node.values[at] as YamlNode);
            return `${this.#scalar(key, step, true, true)}:${value === "" ? "" : ` ${value}`}`;
          }).join(", ")
        }}`;
    }
  }

  #scalar(node: ScalarNode, indent: number, key: boolean, flow: boolean): string {
    let tag = node.tag;
    let quote = false;
    if (tag !== "" && !node.explicitTag) {
      if (tag === "!!str" && node.style !== "plain") tag = "";
      else {
        const resolved = resolveText(node.text, "v3").tag;
        if (resolved === tag) tag = "";
        else if (tag === "!!merge" && node.text === "<<") tag = "";
        else if (tag === "!!str") {
          tag = "";
          quote = true;
        }
      }
    }
    let style = node.style;
    if (style === "plain") {
      if (node.text.includes("\n")) style = "literal";
      else if (quote) style = "double";
    }
    style = chooseStyle(node.text, style, tag === "", { flow, key });
    // An empty plain scalar needs no text; a tag that is written makes plain text possible again.
    if (node.style === "plain" && tag !== "" && style === "single" && !node.text.includes("\n")) {
      const plain = chooseStyle(node.text, "plain", true, { flow, key });
      style = plain;
    }
    const text = styledText(node.text, style, indent);
    return tag === "" ? text : `${tag} ${text}`;
  }
}

function isFilledBlock(node: YamlNode): boolean {
  if (node.kind === "scalar" || node.flow) return false;
  return node.kind === "map" ? node.keys.length > 0 : node.items.length > 0;
}

function tagPrefix(node: YamlNode): string {
  const usual = node.kind === "map" ? "!!map" : "!!seq";
  return node.tag === "" || node.tag === usual || node.kind === "scalar" ? "" : `${node.tag} `;
}

function lineComment(node: YamlNode): string {
  const comment = node.comments?.line;
  return comment === undefined ? "" : ` ${comment}`;
}
