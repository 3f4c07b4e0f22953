/**
 * Regular expressions in Go's syntax (sprig 3.3.0, regex.go), in time linear in the text.
 *
 * @module
 */
import { FormatError } from "../../../format/format_error.ts";
import type { GoRegexp } from "../../../format/go_regexp.ts";
import { GoError } from "../template/go_error.ts";
import { canBackquote, quoteText } from "../template/go_quote.ts";
import { hasRawBytes, rejoin } from "../template/go_string.ts";
import { capacityOf } from "../template/go_capacity.ts";
import { goTypes } from "../template/go_type.ts";
import { GoSlice, goStrings } from "../template/value.ts";
import { templateModules } from "../template_modules.ts";
import { regexpFault } from "./regexp_fault.ts";
import { func } from "./registry.ts";
import type { CallContext, FunctionRecord, FunctionTable } from "./registry.ts";

const { bool, int, string, strings } = goTypes;

/** What a pattern takes from the render's steps for each character beyond a usual length. */
const stepsPerSign = 32;
const usualLength = 256;
/** A match as it is counted. */
const bytesPerMatch = 256;
/** Instructions of a pattern that each character of a text may pass for one step. */
const sizePerStep = 8;

/** The expression, or Go's reason why it is none. */
function compiled(context: CallContext, pattern: string): GoRegexp | string {
  if (pattern.length > usualLength) context.spend(stepsPerSign * pattern.length);
  if (hasRawBytes(pattern)) {
    const from = pattern.search(/[\udc80-\udcff](?<![\ud800-\udbff].)/);
    return `error parsing regexp: invalid UTF-8: \`${pattern.slice(from)}\``;
  }
  try {
    return templateModules.regexp().compileRegexp(pattern);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return regexpFault(error);
  }
}

/** `regexp.Compile`: the reason is the error. */
function compileOrFail(context: CallContext, pattern: string): GoRegexp {
  const found = compiled(context, pattern);
  if (typeof found === "string") throw new GoError(found);
  return found;
}

/** `regexp.MustCompile`: panics, with the pattern in front of the reason. */
function compileOrPanic(context: CallContext, pattern: string): GoRegexp {
  const found = compiled(context, pattern);
  if (typeof found !== "string") return found;
  const shown = canBackquote(pattern) ? `\`${pattern}\`` : quoteText(pattern);
  throw new GoError(`regexp: Compile(${shown}): ${found}`);
}

type Compile = (context: CallContext, pattern: string) => GoRegexp;

function find(compile: Compile): FunctionRecord {
  return func([string, string], string, (context, pattern, text) => {
    const expression = compile(context, pattern);
    prepare(context, expression, text);
    const found = expression.match(text);
    return found === undefined ? "" : text.slice(found[0], found[1]);
  });
}

function findAll(compile: Compile): FunctionRecord {
  return func([string, string, int], strings, (context, pattern, text, limit) => {
    const expression = compile(context, pattern);
    prepare(context, expression, text);
    const found = expression.matchAll(text, limit < 0 ? -1 : limit, searching(context));
    if (found.length === 0) return goStrings(null);
    // Go makes room for ten from the first match on.
    const texts = found.map((offsets) => text.slice(offsets[0], offsets[1]));
    return new GoSlice(texts, strings, capacityOf(texts.length, 16, 10) - texts.length);
  });
}

function split(compile: Compile): FunctionRecord {
  return func([string, string, int], strings, (context, pattern, text, limit) => {
    const expression = compile(context, pattern);
    prepare(context, expression, text);
    if (limit === 0) return goStrings(null);
    const pieces = [...expression.split(text, limit < 0 ? -1 : limit, searching(context))];
    // Go makes room for as many pieces as there are matches.
    if (limit > 0) return goStrings(pieces);
    return new GoSlice(pieces, strings, capacityOf(pieces.length, 16, pieces.length - 1) - pieces.length);
  });
}

function replace(compile: Compile, isLiteral: boolean): FunctionRecord {
  return func([string, string, string], string, (context, pattern, text, replacement) => {
    const expression = compile(context, pattern);
    prepare(context, expression, text);
    // At most one match before each character and one at the end.
    if (text.length * replacement.length > 2 ** 24) {
      const count = expression.matchAll(text, -1, searching(context)).length;
      context.reserve("regexReplaceAll", text.length + count * replacement.length);
    }
    const result = isLiteral
      ? expression.replaceAllLiteral(text, replacement, searching(context))
      : expression.replaceAll(text, replacement, searching(context));
    return rejoin(result);
  });
}

/** Pays for a search: the engine is slow, but linear in the text and in the pattern. */
function prepare(context: CallContext, expression: GoRegexp, text: string): void {
  context.spend(text.length * Math.ceil(expression.size / sizePerStep));
}

/** What each search of many takes: a match that is kept, and a look at the clock, since it may read all that is left. */
function searching(context: CallContext): () => void {
  return () => {
    context.made(bytesPerMatch);
    context.checkTime();
  };
}

/** Functions by name. */
export const regexFunctions: FunctionTable = {
  mustRegexFind: find(compileOrFail),
  mustRegexFindAll: findAll(compileOrFail),
  mustRegexMatch: func([string, string], bool, (context, pattern, text) => {
    const expression = compileOrFail(context, pattern);
    prepare(context, expression, text);
    return expression.test(text);
  }),
  mustRegexReplaceAll: replace(compileOrFail, false),
  mustRegexReplaceAllLiteral: replace(compileOrFail, true),
  mustRegexSplit: split(compileOrFail),
  regexFind: find(compileOrPanic),
  regexFindAll: findAll(compileOrPanic),
  regexMatch: func([string, string], bool, (context, pattern, text) => {
    const expression = compiled(context, pattern);
    if (typeof expression === "string") return false;
    prepare(context, expression, text);
    return expression.test(text);
  }),
  regexQuoteMeta: func([string], string, (_, text) => templateModules.regexp().quoteRegexp(text)),
  regexReplaceAll: replace(compileOrPanic, false),
  regexReplaceAllLiteral: replace(compileOrPanic, true),
  regexSplit: split(compileOrPanic),
};
