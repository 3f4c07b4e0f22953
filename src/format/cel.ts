/**
 * CEL as Flux evaluates it for health checks and `readyExpr` (fluxcd/pkg/runtime/cel v0.110.3 on cel-go v0.26.1): cross-type
 * numbers, optional types, ext strings, sets and encoders. Parsing and type checking are @marcbachmann/cel-js; evaluation is
 * ours (cel_evaluate.ts), because its numbers, faults and regular expressions are Go's and its work is bounded.
 *
 * @module
 */
import { Environment } from "@marcbachmann/cel-js";
import type { ASTNode } from "@marcbachmann/cel-js";
import type { JsonObject } from "../core/json.ts";
import { callFunction, hasFunction } from "./cel_functions.ts";
import { registerSignatures } from "./cel_signatures.ts";
import { evaluateNode } from "./cel_evaluate.ts";
import { CelError } from "./cel_value.ts";
import type { CelValue } from "./cel_value.ts";
import { FormatError, lineAndColumn } from "./format_error.ts";

/** A parsed expression. */
export interface CelExpression {
  readonly text: string;
  readonly ast: ASTNode;
}

const maxLength = 32_768;
const limits = {
  maxAstNodes: 5_000,
  maxDepth: 100,
  maxListElements: 1_000,
  maxMapEntries: 1_000,
  maxCallArguments: 32,
};

const parser = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
  limits,
});

/**
 * Parses an expression without checking its types, as Flux does with health checks.
 *
 * @throws {FormatError} with line and column for a syntax fault, a constant that cannot be converted or compiled, or more than 32768 characters
 */
export function parseCel(text: string): CelExpression {
  if (text.length > maxLength) {
    throw new FormatError(`Cannot read the CEL expression: it has more than ${maxLength} characters`, {
      code: "limit",
    });
  }
  let ast: ASTNode;
  try {
    ast = parser.parse(text).ast;
  } catch (error) {
    throw asSyntaxFault(text, error);
  }
  checkNode(ast, text, false);
  return { text, ast };
}

/**
 * Parses an expression and checks that it gives a boolean when each of `variables` is a map of texts to anything, as Flux
 * does with `readyExpr` over `self` and `dep`.
 *
 * @throws {FormatError} as {@linkcode parseCel}, and for an unknown name or types that do not fit
 */
export function compileCel(text: string, variables: readonly string[]): CelExpression {
  const expression = parseCel(text);
  const environment = new Environment({ homogeneousAggregateLiterals: true, enableOptionalTypes: true, limits });
  for (const name of variables) environment.registerVariable(name, "map<string, dyn>");
  registerSignatures(environment);
  const checked = environment.check(text);
  if (!checked.valid) throw asSyntaxFault(text, checked.error);
  if (checked.type !== "bool") {
    throw new FormatError(`Cannot use the CEL expression: it gives ${checked.type}, where a bool is needed`);
  }
  return expression;
}

/** The value of an expression. @throws {FormatError} when the evaluation fails, or takes more than its share of work */
export function evaluateCel(expression: CelExpression, variables: JsonObject): CelValue {
  try {
    return evaluateNode(expression.ast, variables);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    throw new FormatError(`Cannot evaluate the CEL expression ${JSON.stringify(expression.text)}: ${error.message}`, {
      code: error.isLimit ? "limit" : "syntax",
    });
  }
}

/** The value of an expression that must be a boolean. @throws {FormatError} as {@linkcode evaluateCel}, and for any other value */
export function evaluateCelBoolean(expression: CelExpression, variables: JsonObject): boolean {
  const value = evaluateCel(expression, variables);
  if (typeof value === "boolean") return value;
  throw new FormatError(`Cannot evaluate the CEL expression ${JSON.stringify(expression.text)}: it gives no boolean`);
}

function asSyntaxFault(text: string, error: unknown): FormatError {
  const { summary, range } = error as { readonly summary?: string; readonly range?: { readonly start: number } };
  const why = summary ?? (error instanceof Error ? error.message : String(error));
  return new FormatError(`Cannot read the CEL expression: ${why}`, {
    ...(range === undefined ? {} : lineAndColumn(text, range.start)),
    source: text,
    cause: error,
  });
}

function refuse(text: string, node: ASTNode, why: string): never {
  throw new FormatError(`Cannot read the CEL expression: ${why}`, { ...lineAndColumn(text, node.start), source: text });
}

const conversions = new Set(["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "uint"]);

/** What cel-go refuses before an evaluation, and the parser does not. */
function checkNode(node: ASTNode, text: string, isNegated: boolean): void {
  const inner = childrenOf(node);
  for (const child of inner) checkNode(child, text, node.op === "-_");
  if (node.op === "value" && typeof node.args === "bigint" && node.args > (isNegated ? 2n ** 63n : 2n ** 63n - 1n)) {
    refuse(text, node, "the number does not fit 64 bits");
  }
  if (node.op === "?:") {
    const [condition, first] = node.args;
    if (first.op === "?:" && !text.slice(condition.end, first.start).includes("(")) {
      refuse(text, first, "a choice within a choice needs parentheses");
    }
  }
  if (node.op === "call") checkCall(node.args[0], node.args[1], node, text);
  const pattern = node.op === "rcall" && node.args[0] === "matches" ? node.args[2][0] : undefined;
  if (pattern?.op === "value") tryConstant(text, pattern, ".matches", ["", pattern.args as CelValue]);
}

function checkCall(name: string, args: readonly ASTNode[], node: ASTNode, text: string): void {
  const first = args[0];
  const isField = first?.op === "." || first?.op === ".?";
  if (name === "has" && args.length === 1 && !isField) refuse(text, node, "has() needs a selected field");
  if (args.length === 0 && !hasFunction(name)) refuse(text, node, `unknown function "${name}"`);
  const constant = first === undefined ? undefined : constantOf(first);
  if (args.length === 1 && constant !== undefined && conversions.has(name)) tryConstant(text, node, name, [constant]);
}

function constantOf(node: ASTNode): CelValue | undefined {
  if (node.op === "-_" && node.args.op === "value" && typeof node.args.args === "bigint") return -node.args.args;
  if (node.op !== "value") return undefined;
  const isPlain = typeof node.args !== "object" || node.args === null || node.args instanceof Uint8Array;
  return isPlain ? node.args as CelValue : undefined;
}

function tryConstant(text: string, node: ASTNode, name: string, args: readonly CelValue[]): void {
  try {
    callFunction(name, args);
  } catch (error) {
    refuse(text, node, error instanceof Error ? error.message : String(error));
  }
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [node.args[0]];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "list":
      return node.args;
    case "map":
      return node.args.flat();
    case "!_":
    case "-_":
      return [node.args];
    default:
      return node.args;
  }
}
