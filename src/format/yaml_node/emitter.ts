import type { ScalarNode, ScalarStyle, YamlNode } from "./node.ts";
import { resolveText } from "./resolve.ts";
import {
  breakLetters,
  chooseStyle,
  doubleQuotedText,
  foldedText,
  literalText,
  singleQuotedText,
  withoutDoubledEnds,
} from "./scalar_style.ts";

const step = 2;

/**
 * YAML text of a node as kyaml prints one (go-yaml v3, indent 2, lists at the level of their key, no folding): styles,
 * order, flow collections, written tags and comments stay.
 */
export function emitNode(node: YamlNode): string {
  return new NodeEmitter().document(node);
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
    return withoutDoubledEnds(this.#out);
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
      const long = isLongKey(key.text);
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
      if (split >= 0 && comment !== "" && /^(?:!\S* )?[|>]/.test(text)) {
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
    return tag === "" ? text : text === "" ? tag : `${tag} ${text}`;
  }
}

/** Whether a key takes the `? ` form: it has line breaks, or more than 128 bytes. */
function isLongKey(key: string): boolean {
  if (breakLetters.test(key) || key.length > 128) return true;
  return key.length > 42 && new TextEncoder().encode(key).length > 128;
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
