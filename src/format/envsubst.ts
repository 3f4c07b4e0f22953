/**
 * Variables in a text, as Flux's `postBuild` puts them in (github.com/fluxcd/pkg/envsubst v1.8.0): `${v}`, `${#v}`, `${v:-d}`,
 * `${v=d}`, `${v^}` `${v^^}` `${v,}` `${v,,}`, `${v:n}` `${v:n:len}`, `${v#p}` `##` `%` `%%`, `${v/a/b}` `//` `/#` `/%`; `$$` is a dollar sign.
 * `:+` and `:?` behave as `:-`. Lengths and positions count bytes. A NUL ends the text. The reading of the text is in envsubst_parse.ts.
 *
 * Differs: up to a hundred faults are found at once, patterns take linear time, and what values are looked through and put
 * in is bounded.
 * @module
 */
import { parseSubstitutions } from "./envsubst_parse.ts";
import type { CallNode, SubstitutionNode } from "./envsubst_parse.ts";
import { lineAndColumn } from "./format_error.ts";
import { parseTokens } from "./go_path_match.ts";
import type { SegmentToken } from "./go_path_match.ts";
import { compileRegexp, quoteRegexp } from "./go_regexp.ts";

/** One fault of a text. Lines and columns count from 1 and stand at the `${`. */
export interface SubstitutionProblem {
  /** What is wrong, for people; never a value. */
  readonly message: string;
  /** The variable that is missing, where that is the fault. */
  readonly variable?: string;
  readonly line: number;
  readonly column: number;
}

/** The text with its variables put in, or why that is not possible. */
export type Substitution =
  | { readonly kind: "done"; readonly text: string }
  | { readonly kind: "failed"; readonly problems: readonly SubstitutionProblem[] };

/** Most faults of one text that are told. */
const mostProblems = 100;
/** Most characters of values that are looked through and put into one text: small texts can use a long value often. */
const maxWork = 64 * 1024 * 1024;

/** How a text is filled in. */
export interface SubstituteOptions {
  /** A variable without a value and without a default is a fault. Default: it is empty. */
  readonly strict?: boolean;
}

/** Puts variables in. `lookup` gives a variable's value; `undefined` when it has none. */
export function substitute(
  text: string,
  lookup: (name: string) => string | undefined,
  options: SubstituteOptions = {},
): Substitution {
  if (!text.includes("$") && !text.includes("\0")) return { kind: "done", text };
  const parsed = parseSubstitutions(text);
  if (parsed.fault !== undefined) {
    const problem = { message: parsed.fault.message, ...lineAndColumn(text, parsed.fault.offset) };
    return { kind: "failed", problems: [problem] };
  }
  const problems: SubstitutionProblem[] = [];
  let work = 0;
  const isWithin = (characters: number): boolean => (work += characters) <= maxWork;
  const valueOf = (call: CallNode): string => {
    const args = call.args.map(textOf);
    const value = lookup(call.variable);
    const isMissing = value === undefined && options.strict === true && !isDefault(call.operator);
    if (isMissing && problems.length < mostProblems) {
      problems.push({
        message: `Variable "${call.variable}" is not set`,
        variable: call.variable,
        ...lineAndColumn(text, call.offset),
      });
    }
    if (!isWithin(madeOf(call.operator, value ?? "", args))) return "";
    return apply(call.operator, value ?? "", args);
  };
  const textOf = (node: SubstitutionNode): string => node.kind === "text" ? node.text : valueOf(node);
  const pieces = parsed.nodes.map(textOf);
  if (work > maxWork) {
    const message = `Cannot put the variables in: their values make more than ${
      maxWork.toLocaleString("en")
    } characters`;
    return { kind: "failed", problems: [{ message, line: 1, column: 1 }] };
  }
  const result = pieces.join("");
  return problems.length === 0 ? { kind: "done", text: result } : { kind: "failed", problems };
}

/** Characters that an operator reads and writes, at the most. */
function madeOf(operator: string, value: string, args: readonly string[]): number {
  const [first = "", second = ""] = args;
  const given = value.length + first.length + second.length;
  if (operator !== "//") return given + args.slice(2).reduce((sum, arg) => sum + arg.length, 0);
  const places = first === "" ? value.length + 1 : value.split(first).length - 1;
  return given + places * second.length;
}

function isDefault(operator: string): boolean {
  return operator === "=" || /^:[-=+?]$/.test(operator);
}

function apply(operator: string, value: string, args: readonly string[]): string {
  const [first = "", second = ""] = args;
  switch (operator) {
    case ",":
      return mapFirst(value, lower);
    case ",,":
      return mapEach(value, lower);
    case "^":
      return mapFirst(value, upper);
    case "^^":
      return mapEach(value, upper);
    case "#":
      return args.length === 0 ? String(new TextEncoder().encode(value).length) : trimPrefix(value, first, false);
    case "##":
      return trimPrefix(value, first, true);
    case "%":
      return reversed(trimPrefix(reversed(value), reversed(first), false));
    case "%%":
      return reversed(trimPrefix(reversed(value), reversed(first), true));
    case ":":
      return slice(value, args);
    case "/":
      return replaceOnce(value, first, second);
    case "//":
      return first === "" ? between(value, second) : value.replaceAll(first, () => second);
    case "/#":
      return args.length === 2 && value.startsWith(first) ? replaceOnce(value, first, second) : value;
    case "/%":
      return args.length === 2 && value.endsWith(first) ? value.slice(0, value.length - first.length) + second : value;
    default:
      return value === "" ? args.join("") : value;
  }
}

function replaceOnce(value: string, from: string, to: string): string {
  return value.replace(from, () => to);
}

/** Go puts the replacement of "" in front of each character and at the end. */
function between(value: string, separator: string): string {
  return [...value].map((character) => separator + character).join("") + separator;
}

function mapFirst(value: string, change: (character: string) => string): string {
  const [first] = value;
  return first === undefined ? value : change(first) + value.slice(first.length);
}

function mapEach(value: string, change: (character: string) => string): string {
  // deno-lint-ignore no-control-regex
  return /^[\x00-\x7f]*$/.test(value) ? change(value) : [...value].map(change).join("");
}

/** One character for one, as Go has it: `ß` stays, `İ` becomes `i`. */
function lower(text: string): string {
  return text === "İ" ? "i" : text.toLowerCase();
}

function upper(text: string): string {
  const changed = text.toUpperCase();
  return [...changed].length === [...text].length ? changed : text;
}

function slice(value: string, args: readonly string[]): string {
  const position = integer(args[0] ?? "");
  const length = args[1] === undefined ? Infinity : integer(args[1]);
  if (position === undefined || length === undefined) return value;
  const bytes = new TextEncoder().encode(value);
  const start = position < 0 ? Math.max(0, bytes.length + position) : position;
  const end = length < 0 ? bytes.length + length : Math.min(bytes.length, start + length);
  return end <= start ? "" : new TextDecoder().decode(bytes.subarray(start, end));
}

function integer(text: string): number | undefined {
  if (!/^[-+]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.replace("+", ""));
  return value >= -(2n ** 63n) && value < 2n ** 63n ? Number(value) : undefined;
}

function reversed(text: string): string {
  return [...text].reverse().join("");
}

/** Takes the longest or shortest start away that a pattern matches; at least one character. */
function trimPrefix(value: string, pattern: string, longest: boolean): string {
  const tokens = parseTokens(pattern);
  if (tokens === undefined || tokens.length === 0) return value;
  const isAnything = tokens.every((token) => token.kind === "star");
  const star = longest ? ".*" : isAnything ? ".+?" : ".*?";
  const match = compileRegexp(`(?s)^(?:${tokens.map((token) => source(token, star)).join("")})`).match(value);
  return match === undefined ? value : value.slice(match[1]);
}

function source(token: SegmentToken, star: string): string {
  if (token.kind === "star") return star;
  if (token.kind === "any") return ".";
  if (token.kind === "character") return quoteRegexp(token.character);
  const ranges = token.ranges.filter(([low, high]) => low <= high);
  if (ranges.length === 0) return token.isNegated ? "." : "[^\\x{0}-\\x{10FFFF}]";
  const code = (value: number) => `\\x{${value.toString(16)}}`;
  return `[${token.isNegated ? "^" : ""}${ranges.map(([low, high]) => `${code(low)}-${code(high)}`).join("")}]`;
}
