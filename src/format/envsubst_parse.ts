/**
 * Reads a text with variables into nodes. The grammar is small but odd (github.com/fluxcd/pkg/envsubst v1.8.0): within
 * `${v/…/` a closing brace is text, `\/` and `\\` are escapes there and `$$` is one too; a `:` may stand more than once before a length.
 *
 * @module
 */

/** Text, or a variable with what is to be done with it. */
export type SubstitutionNode = { readonly kind: "text"; readonly text: string } | CallNode;

/** `${variable operator args}`. `operator` is "" for a plain variable. */
export interface CallNode {
  readonly kind: "call";
  readonly variable: string;
  readonly operator: string;
  readonly args: readonly SubstitutionNode[];
  /** Offset of the `$`. */
  readonly offset: number;
}

/** Nodes up to the end, or up to the fault. */
export interface ParsedSubstitutions {
  readonly nodes: readonly SubstitutionNode[];
  readonly fault?: { readonly message: string; readonly offset: number };
}

/** Variables within variables that are taken. */
const maxDepth = 100;

class ParseFault extends Error {
  readonly offset: number;
  constructor(what: string, offset: number) {
    super(`Cannot read the variable: ${what}`);
    this.offset = offset;
  }
}

/** Reads a text. Never throws. */
export function parseSubstitutions(source: string): ParsedSubstitutions {
  const end = source.indexOf("\0");
  const text = end < 0 ? source : source.slice(0, end);
  const nodes: SubstitutionNode[] = [];
  const cursor = new Cursor(text);
  try {
    while (!cursor.isAtEnd) {
      if (cursor.isAtCall) nodes.push(parseCall(cursor, 0));
      else nodes.push({ kind: "text", text: cursor.takeUntilCall("$") });
    }
    return { nodes };
  } catch (error) {
    if (!(error instanceof ParseFault)) throw error;
    return { nodes, fault: error };
  }
}

/** A place in the text and the few ways to go on from it. */
class Cursor {
  readonly text: string;
  offset = 0;

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.offset >= this.text.length;
  }

  get isAtCall(): boolean {
    return this.text.startsWith("${", this.offset);
  }

  /** The sign here; "" at the end. */
  peek(): string {
    return this.text[this.offset] ?? "";
  }

  /** Takes what a sticky expression matches here; "" when it does not. */
  take(expression: RegExp): string {
    expression.lastIndex = this.offset;
    const found = expression.exec(this.text)?.[0] ?? "";
    this.offset += found.length;
    return found;
  }

  /**
   * Takes text up to the next `${`, the end, or one of the `stops`. `escapes` are signs that, before themselves (and a
   * backslash before a slash), stand for what follows, whatever that is.
   */
  takeUntilCall(escapes: "" | "$" | "$\\", stops = ""): string {
    const pieces: string[] = [];
    let start = this.offset;
    while (!this.isAtEnd) {
      const sign = this.peek();
      if (sign === "$" || sign === "\\") {
        if (this.isAtCall) break;
        const next = this.text[this.offset + 1];
        if (escapes.includes(sign) && (next === sign || (sign === "\\" && next === "/"))) {
          pieces.push(this.text.slice(start, this.offset));
          start = this.offset + 1;
          this.offset += 2;
          continue;
        }
      }
      if (stops !== "" && stops.includes(sign)) break;
      this.offset++;
    }
    pieces.push(this.text.slice(start, this.offset));
    return pieces.join("");
  }
}

const name = /[\p{L}\p{Nd}_]+/uy;

function parseCall(cursor: Cursor, depth: number): CallNode {
  const offset = cursor.offset;
  if (depth >= maxDepth) throw new ParseFault(`it is nested deeper than ${maxDepth} levels`, offset);
  cursor.offset += 2;
  if (cursor.peek() === "#") {
    cursor.offset++;
    const variable = cursor.take(name);
    if (variable === "") throw new ParseFault('a name must follow "${#"', offset);
    close(cursor, offset);
    return { kind: "call", variable, operator: "#", args: [], offset };
  }
  const variable = cursor.take(name);
  if (variable === "") throw new ParseFault('a name of letters, digits and "_" must follow "${"', offset);
  const { operator, args } = parseOperation(cursor, offset, depth);
  return { kind: "call", variable, operator, args, offset };
}

function parseOperation(cursor: Cursor, offset: number, depth: number): Pick<CallNode, "operator" | "args"> {
  const parameter = (escapes: "" | "$\\", stops: string): SubstitutionNode => {
    if (cursor.isAtCall) return parseCall(cursor, depth + 1);
    const start = cursor.offset;
    const text = cursor.takeUntilCall(escapes, stops);
    if (cursor.offset === start) throw new ParseFault("something is missing behind its operator", offset);
    return { kind: "text", text };
  };
  const closing = (operator: string, args: readonly SubstitutionNode[] = []) => {
    close(cursor, offset);
    return { operator, args };
  };
  const byDefault = cursor.take(/=|:[-=?+]/y);
  if (byDefault !== "") {
    const args: SubstitutionNode[] = [];
    while (cursor.peek() !== "}") args.push(parameter("", "}"));
    return closing(byDefault, args);
  }
  if (cursor.peek() === ":") {
    cursor.offset++;
    const start = parameter("", ":}");
    if (cursor.peek() === "}") return closing(":", [start]);
    if (cursor.take(/:+/y) === "") throw new ParseFault('":" or "}" must follow the position', offset);
    return closing(":", [start, parameter("", "}")]);
  }
  const casing = cursor.take(/[,^]{1,2}/y);
  if (casing !== "") return closing(casing);
  const trimming = cursor.take(/#{1,2}|%{1,2}/y);
  if (trimming !== "") return closing(trimming, [parameter("", "}")]);
  const replacing = cursor.take(/\/[/#%]?/y);
  if (replacing !== "") {
    const from = parameter("$\\", "/");
    if (cursor.take(/\/+/y) === "") {
      throw new ParseFault('"/" must stand between what is replaced and its replacement', offset);
    }
    if (cursor.peek() === "}") return closing(replacing, [from]);
    return closing(replacing, [from, parameter("$\\", "}")]);
  }
  if (cursor.peek() !== "}") throw new ParseFault('"}" is missing, or the operator is not known', offset);
  return closing("");
}

function close(cursor: Cursor, offset: number): void {
  if (cursor.peek() !== "}") throw new ParseFault('"}" is missing', offset);
  cursor.offset++;
}
