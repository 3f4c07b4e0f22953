import { StageError } from "../../../core/stage_error.ts";
import { GoError } from "./go_error.ts";
import { quoteText, unquoteText } from "./go_quote.ts";
import { byteLength } from "./go_string.ts";
import { Lexer } from "./lexer.ts";
import { isBlank, nodeText } from "./node.ts";
import type { Branch, Command, Operand, Pipeline, Statement, Tree } from "./node.ts";
import { numberLiteral } from "./number_literal.ts";
import { lineOf, ParseError } from "./template_error.ts";
import { isKeyword } from "./token.ts";
import type { Token, TokenType } from "./token.ts";

/** What a parser must know beside the source. */
export interface ParseOptions {
  /** Whether a function of this name exists: unknown ones are refused here, not when they run. */
  readonly hasFunction: (name: string) => boolean;
}

/** How deep parentheses may nest. `Differs:` Go allows 10000; its message is kept. */
const maxParens = 1000;

/**
 * Parses a source: the template of its own name and all that it defines (Go 1.26 text/template/parse).
 *
 * @throws {ParseError} with Go's text
 * @throws {StageError} BuildFailed when it nests deeper than can be read
 */
export function parseTemplate(name: string, text: string, options: ParseOptions): ReadonlyMap<string, Tree> {
  const trees = new Map<string, Tree>();
  const source = { name, text };
  try {
    new Parser(source, new Lexer(text), trees, options).file();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new StageError("BuildFailed", `Cannot parse template "${name}": it is nested too deep`, { cause: error });
  }
  return trees;
}

const commandStarts: ReadonlySet<TokenType> = new Set<TokenType>([
  "bool",
  "character",
  "complex",
  "dot",
  "field",
  "identifier",
  "number",
  "nil",
  "rawString",
  "string",
  "variable",
  "(",
]);

/** End of a body: what closed it, and for `else` whether an `if` or `with` follows at once. */
interface Closing {
  readonly kind: "end" | "else";
  readonly start: number;
}

/** One function per production. One parser reads one named template; its tokens come from the shared lexer. */
class Parser {
  readonly #source: Tree["source"];
  readonly #lexer: Lexer;
  readonly #trees: Map<string, Tree>;
  readonly #options: ParseOptions;
  /** Tokens put back, the next one last, as Go keeps them: slot 0 is the newest from the lexer and gives errors their line. */
  #tokens: Token[] = [{ type: "eof", text: "", start: 0 }];
  #waiting = 0;
  #variables: string[] = ["$"];
  #rangeDepth = 0;
  #parens = 0;
  #actionStart = -1;

  constructor(source: Tree["source"], lexer: Lexer, trees: Map<string, Tree>, options: ParseOptions) {
    this.#source = source;
    this.#lexer = lexer;
    this.#trees = trees;
    this.#options = options;
  }

  /** text, actions and definitions up to the end of the source */
  file(): void {
    const body: Statement[] = [];
    while (this.#peek().type !== "eof") {
      if (this.#peek().type === "left") {
        const left = this.#next();
        if (this.#nextSolid().type === "define") {
          this.#inner().#definition();
          continue;
        }
        this.#putBack2(left);
      }
      const node = this.#textOrAction();
      if (isClosing(node)) this.#fail(`unexpected ${closingText(node)}`);
      body.push(node as Statement);
    }
    this.#add({ name: this.#source.name, source: this.#source, body });
  }

  #inner(): Parser {
    return new Parser(this.#source, this.#lexer, this.#trees, this.#options);
  }

  /** `"name" }} body {{ end }}` */
  #definition(): void {
    const clause = "define clause";
    const token = this.#nextSolid();
    if (token.type !== "string" && token.type !== "rawString") this.#unexpected(token, clause);
    const name = this.#unquote(token.text);
    this.#expect("right", clause);
    const { body, closing } = this.#body();
    if (closing.kind !== "end") this.#fail(`unexpected ${closingText(closing)} in ${clause}`);
    this.#add({ name, source: this.#source, body });
  }

  #add(tree: Tree): void {
    const old = this.#trees.get(tree.name);
    if (old === undefined || isBlank(old.body)) this.#trees.set(tree.name, tree);
    else if (!isBlank(tree.body)) this.#fail(`template: multiple definition of template ${quoteText(tree.name)}`);
  }

  /** statements up to `{{ end }}` or `{{ else }}` */
  #body(): { readonly body: readonly Statement[]; readonly closing: Closing } {
    const body: Statement[] = [];
    while (this.#peekSolid().type !== "eof") {
      const node = this.#textOrAction();
      if (isClosing(node)) return { body, closing: node };
      body.push(node as Statement);
    }
    return this.#fail("unexpected EOF");
  }

  #textOrAction(): Statement | Closing {
    const token = this.#nextSolid();
    if (token.type === "text") return { kind: "text", start: token.start, text: token.text };
    if (token.type !== "left") return this.#unexpected(token, "input");
    this.#actionStart = token.start;
    const node = this.#action();
    this.#actionStart = -1;
    return node;
  }

  #action(): Statement | Closing {
    const token = this.#nextSolid();
    switch (token.type) {
      case "block":
        return this.#block();
      case "break":
      case "continue":
        return this.#jump(token.type, token.start);
      case "else":
        return this.#else();
      case "end":
        return { kind: "end", start: this.#expect("right", "end").start };
      case "if":
      case "range":
      case "with":
        return this.#branch(token.type);
      case "template":
        return this.#template();
    }
    this.#putBack();
    const { start } = this.#peek();
    return { kind: "action", start, pipeline: this.#pipeline("command", "right") };
  }

  #jump(kind: "break" | "continue", start: number): Statement {
    const token = this.#nextSolid();
    if (token.type !== "right") this.#unexpected(token, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#fail(`{{${kind}}} outside {{range}}`);
    return { kind, start };
  }

  /** `else`, and `else if`, `else with`, whose word is left for the branch that ends here */
  #else(): Closing {
    const next = this.#peekSolid();
    if (next.type === "if" || next.type === "with") return { kind: "else", start: next.start };
    return { kind: "else", start: this.#expect("right", "else").start };
  }

  #branch(kind: Branch["kind"]): Branch {
    const scope = this.#variables.length;
    const pipeline = this.#pipeline(kind, "right");
    if (kind === "range") this.#rangeDepth++;
    const { body, closing } = this.#body();
    if (kind === "range") this.#rangeDepth--;
    let otherwise: readonly Statement[] | undefined;
    if (closing.kind === "else") {
      if (kind !== "range" && this.#peek().type === kind) {
        this.#next();
        otherwise = [this.#branch(kind)];
      } else {
        const rest = this.#body();
        if (rest.closing.kind !== "end") this.#fail(`expected end; found ${closingText(rest.closing)}`);
        otherwise = rest.body;
      }
    }
    this.#variables.length = scope;
    const { start } = pipeline;
    return { kind, start, pipeline, body, ...(otherwise === undefined ? {} : { otherwise }) };
  }

  /** `block "name" pipeline }} body {{ end }}`: a definition that is used at once */
  #block(): Statement {
    const clause = "block clause";
    const token = this.#nextSolid();
    const name = this.#templateName(token, clause);
    const pipeline = this.#pipeline(clause, "right");
    const inner = this.#inner();
    const { body, closing } = inner.#body();
    if (closing.kind !== "end") this.#fail(`unexpected ${closingText(closing)} in ${clause}`);
    inner.#add({ name, source: this.#source, body });
    return { kind: "template", start: token.start, name, pipeline };
  }

  #template(): Statement {
    const clause = "template clause";
    const token = this.#nextSolid();
    const name = this.#templateName(token, clause);
    if (this.#nextSolid().type === "right") return { kind: "template", start: token.start, name };
    this.#putBack();
    return { kind: "template", start: token.start, name, pipeline: this.#pipeline(clause, "right") };
  }

  #templateName(token: Token, clause: string): string {
    if (token.type !== "string" && token.type !== "rawString") this.#unexpected(token, clause);
    return this.#unquote(token.text);
  }

  /** declarations and commands up to `end` */
  #pipeline(context: string, end: "right" | ")"): Pipeline {
    const { start } = this.#peekSolid();
    const variables: string[] = [];
    let isAssignment = false;
    while (this.#peekSolid().type === "variable") {
      const variable = this.#next();
      // In `$x foo` the blank must be put back too: it separates arguments.
      const after = this.#peek();
      const next = this.#peekSolid();
      if (next.type === "=" || next.type === ":=") {
        isAssignment = next.type === "=";
        this.#nextSolid();
        variables.push(variable.text);
        this.#variables.push(variable.text);
        break;
      }
      if (next.type === "char" && next.text === ",") {
        this.#nextSolid();
        variables.push(variable.text);
        this.#variables.push(variable.text);
        if (context === "range" && variables.length < 2) {
          const { type } = this.#peekSolid();
          if (type === "variable" || type === "right" || type === ")") continue;
          this.#fail("range can only initialize variables");
        }
        this.#fail(`too many declarations in ${context}`);
      }
      if (after.type === "space") this.#putBack3(variable, after);
      else this.#putBack2(variable);
      break;
    }
    const commands: Command[] = [];
    while (true) {
      const token = this.#nextSolid();
      if (token.type === end) {
        this.#checkPipeline(commands, context);
        return { kind: "pipeline", start, isAssignment, variables, commands };
      }
      if (!commandStarts.has(token.type)) this.#unexpected(token, context);
      this.#putBack();
      commands.push(this.#command());
    }
  }

  #checkPipeline(commands: readonly Command[], context: string): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    commands.slice(1).forEach((command, index) => {
      const kind = command.args[0]?.kind;
      if (kind === "bool" || kind === "dot" || kind === "nil" || kind === "number" || kind === "string") {
        this.#fail(`non executable command in pipeline stage ${index + 2}`);
      }
    });
  }

  /** operands separated by blanks, up to `|` or the end of the pipeline */
  #command(): Command {
    const { start } = this.#peekSolid();
    const args: Operand[] = [];
    while (true) {
      this.#peekSolid();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#next();
      if (token.type === "space") continue;
      if (token.type === "right" || token.type === ")") this.#putBack();
      else if (token.type !== "|") this.#unexpected(token, "operand");
      break;
    }
    if (args.length === 0) this.#fail("empty command");
    return { kind: "command", start, args };
  }

  /** a term and the fields right after it */
  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined || this.#peek().type !== "field") return term;
    const { start } = this.#peek();
    const fields: string[] = [];
    while (this.#peek().type === "field") fields.push(this.#next().text.slice(1));
    switch (term.kind) {
      case "field":
      case "variable":
        return { ...term, start, fields: [...term.fields, ...fields] };
      case "bool":
      case "string":
      case "number":
      case "nil":
      case "dot":
        return this.#fail(`unexpected . after term ${quoteText(nodeText(term))}`);
    }
    return { kind: "chain", start, base: term, fields };
  }

  #term(): Operand | undefined {
    const token = this.#nextSolid();
    const { start, text } = token;
    switch (token.type) {
      case "identifier":
        if (!this.#options.hasFunction(text)) this.#fail(`function ${quoteText(text)} not defined`);
        return { kind: "identifier", start, name: text };
      case "dot":
        return { kind: "dot", start };
      case "nil":
        return { kind: "nil", start };
      case "variable":
        if (!this.#variables.includes(text)) this.#fail(`undefined variable ${quoteText(text)}`);
        return { kind: "variable", start, name: text, fields: [] };
      case "field":
        return { kind: "field", start, fields: [text.slice(1)] };
      case "bool":
        return { kind: "bool", start, value: text === "true" };
      case "character":
      case "complex":
      case "number": {
        const { type } = token;
        return { kind: "number", start, text, value: this.#guard(() => numberLiteral(text, type)) };
      }
      case "(": {
        if (this.#parens >= maxParens) this.#fail("max expression depth exceeded");
        this.#parens++;
        const pipeline = this.#pipeline("parenthesized pipeline", ")");
        this.#parens--;
        return pipeline;
      }
      case "string":
      case "rawString":
        return { kind: "string", start, quoted: text, text: this.#unquote(text) };
    }
    this.#putBack();
    return undefined;
  }

  #unquote(literal: string): string {
    return this.#guard(() => unquoteText(literal));
  }

  /** Runs a reader whose fault becomes one of this template. */
  #guard<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof GoError) this.#fail(error.message);
      throw error;
    }
  }

  #next(): Token {
    if (this.#waiting > 0) this.#waiting--;
    else this.#tokens[0] = this.#lexer.next();
    return this.#tokens[this.#waiting] as Token;
  }

  #peek(): Token {
    if (this.#waiting > 0) return this.#tokens[this.#waiting - 1] as Token;
    this.#waiting = 1;
    return this.#tokens[0] = this.#lexer.next();
  }

  #nextSolid(): Token {
    while (true) {
      const token = this.#next();
      if (token.type !== "space") return token;
    }
  }

  #peekSolid(): Token {
    const token = this.#nextSolid();
    this.#putBack();
    return token;
  }

  #putBack(): void {
    this.#waiting++;
  }

  #putBack2(token: Token): void {
    this.#tokens[1] = token;
    this.#waiting = 2;
  }

  #putBack3(token: Token, after: Token): void {
    this.#tokens[1] = after;
    this.#tokens[2] = token;
    this.#waiting = 3;
  }

  #expect(type: TokenType, context: string): Token {
    const token = this.#nextSolid();
    return token.type === type ? token : this.#unexpected(token, context);
  }

  #unexpected(token: Token, context: string): never {
    if (token.type !== "error") return this.#fail(`unexpected ${tokenText(token)} in ${context}`);
    const { name, text } = this.#source;
    let extra = "";
    if (this.#actionStart >= 0) {
      const line = lineOf(text, this.#actionStart);
      if (line !== lineOf(text, token.start)) {
        extra = `${token.text.endsWith(" action") ? "" : " in action"} started at ${name}:${line}`;
      }
    }
    return this.#fail(token.text + extra);
  }

  #fail(message: string): never {
    const { name, text } = this.#source;
    throw new ParseError(`template: ${name}:${lineOf(text, this.#tokens[0]?.start ?? 0)}: ${message}`);
  }
}

function isClosing(node: Statement | Closing): node is Closing {
  return node.kind === "end" || node.kind === "else";
}

function closingText(closing: Closing): string {
  return `{{${closing.kind}}}`;
}

function tokenText(token: Token): string {
  if (token.type === "eof") return "EOF";
  if (isKeyword(token.type) || token.type === "dot") return `<${token.text}>`;
  const characters = [...token.text];
  return byteLength(token.text) > 10 ? `${quoteText(characters.slice(0, 10).join(""))}...` : quoteText(token.text);
}
