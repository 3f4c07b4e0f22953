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
import { checkMadeLength, func } from "./registry.ts";
import type { CallContext, FunctionRecord, FunctionTable } from "./registry.ts";

const { bool, int, string, strings } = goTypes;

/** The expression, or Go's reason why it is none. */
function compiled(pattern: string): GoRegexp | string {
  if (hasRawBytes(pattern)) {
    const from = pattern.search(/[\udc80-\udcff](?<![\ud800-\udbff].)/);
    return `error parsing regexp: invalid UTF-8: \`${pattern.slice(from)}\``;
  }
  try {
    return templateModules.regexp().compileRegexp(pattern);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { cause } = error;
    const why = cause instanceof Error ? cause.message : error.message;
    // Go shows the part that is wrong even where it is empty.
    return why.endsWith("trailing backslash at end of expression") ? `${why}: \`\`` : why;
  }
}

/** `regexp.Compile`: the reason is the error. */
function compileOrFail(pattern: string): GoRegexp {
  const found = compiled(pattern);
  if (typeof found === "string") throw new GoError(found);
  return found;
}

/** `regexp.MustCompile`: panics, with the pattern in front of the reason. */
function compileOrPanic(pattern: string): GoRegexp {
  const found = compiled(pattern);
  if (typeof found !== "string") return found;
  const shown = canBackquote(pattern) ? `\`${pattern}\`` : quoteText(pattern);
  throw new GoError(`regexp: Compile(${shown}): ${found}`);
}

type Compile = (pattern: string) => GoRegexp;

function find(compile: Compile): FunctionRecord {
  return func([string, string], string, (context, pattern, text) => {
    const expression = compile(pattern);
    const found = prepared(context, text) ? expression.match(text) : undefined;
    return found === undefined ? "" : text.slice(found[0], found[1]);
  });
}

function findAll(compile: Compile): FunctionRecord {
  return func([string, string, int], strings, (context, pattern, text, limit) => {
    const expression = compile(pattern);
    prepared(context, text);
    const found = expression.matchAll(text, limit < 0 ? -1 : limit);
    if (found.length === 0) return goStrings(null);
    // Go makes room for ten from the first match on.
    const texts = found.map((offsets) => text.slice(offsets[0], offsets[1]));
    return new GoSlice(texts, strings, capacityOf(texts.length, 16, 10) - texts.length);
  });
}

function split(compile: Compile): FunctionRecord {
  return func([string, string, int], strings, (context, pattern, text, limit) => {
    const expression = compile(pattern);
    prepared(context, text);
    if (limit === 0) return goStrings(null);
    const pieces = [...expression.split(text, limit < 0 ? -1 : limit)];
    // Go makes room for as many pieces as there are matches.
    if (limit > 0) return goStrings(pieces);
    return new GoSlice(pieces, strings, capacityOf(pieces.length, 16, pieces.length - 1) - pieces.length);
  });
}

function replace(compile: Compile, isLiteral: boolean): FunctionRecord {
  return func([string, string, string], string, (context, pattern, text, replacement) => {
    const expression = compile(pattern);
    prepared(context, text);
    // At most one match before each character and one at the end.
    if (text.length * replacement.length > 2 ** 24) {
      const count = expression.matchAll(text).length;
      checkMadeLength("regexReplaceAll", text.length + count * replacement.length);
    }
    const result = isLiteral
      ? expression.replaceAllLiteral(text, replacement)
      : expression.replaceAll(text, replacement);
    return rejoin(result);
  });
}

/** Pays for a search: the engine is slow, but linear. */
function prepared(context: CallContext, text: string): boolean {
  context.spend(text.length);
  return true;
}

/** Functions by name. */
export const regexFunctions: FunctionTable = {
  mustRegexFind: find(compileOrFail),
  mustRegexFindAll: findAll(compileOrFail),
  mustRegexMatch: func([string, string], bool, (context, pattern, text) => {
    const expression = compileOrFail(pattern);
    return prepared(context, text) && expression.test(text);
  }),
  mustRegexReplaceAll: replace(compileOrFail, false),
  mustRegexReplaceAllLiteral: replace(compileOrFail, true),
  mustRegexSplit: split(compileOrFail),
  regexFind: find(compileOrPanic),
  regexFindAll: findAll(compileOrPanic),
  regexMatch: func([string, string], bool, (context, pattern, text) => {
    const expression = compiled(pattern);
    return typeof expression !== "string" && prepared(context, text) && expression.test(text);
  }),
  regexQuoteMeta: func([string], string, (_, text) => templateModules.regexp().quoteRegexp(text)),
  regexReplaceAll: replace(compileOrPanic, false),
  regexReplaceAllLiteral: replace(compileOrPanic, true),
  regexSplit: split(compileOrPanic),
};
