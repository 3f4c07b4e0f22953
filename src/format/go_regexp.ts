/**
 * Regular expressions of users: Go's syntax and results (package regexp, Go 1.26), in time linear in the text. Over re2js.
 * Offsets are UTF-16 code units.
 *
 * @module
 */
import { RE2JS } from "re2js";
import { FormatError } from "./format_error.ts";

/** Start and end of a match and of its groups, flat as in Go: `[start, end, start1, end1, …]`; -1 where a group took no part. */
export type MatchOffsets = readonly number[];

/** A compiled expression. Patterns are kept, so compiling one again is cheap. */
export interface GoRegexp {
  readonly pattern: string;
  /** Names of the groups; index 0 is the whole, unnamed groups are "". */
  readonly groupNames: readonly string[];
  /** Instructions of its program: what each character of a text may cost at worst. */
  readonly size: number;
  /** Whether it matches anywhere in a text. */
  test(text: string): boolean;
  /** Whether it matches a text from its start to its end. */
  matchesWhole(text: string): boolean;
  /** Leftmost match at or behind `from`. */
  match(text: string, from?: number): MatchOffsets | undefined;
  /**
   * Matches from left to right that do not overlap, at most `limit` of them (-1: all). One search is linear, but many of them may
   * look at the rest of the text: `onSearch`, here and below, is called before each and may throw.
   */
  matchAll(text: string, limit?: number, onSearch?: () => void): readonly MatchOffsets[];
  /** Every match replaced by a template with `$1`, `${name}`, `$$`. */
  replaceAll(text: string, template: string, onSearch?: () => void): string;
  /** Every match replaced by a text as it is. */
  replaceAllLiteral(text: string, replacement: string, onSearch?: () => void): string;
  /** Pieces between matches, at most `limit` of them (-1: all). */
  split(text: string, limit?: number, onSearch?: () => void): readonly string[];
}

/** Instructions and characters of all kept patterns together: some hundred bytes each. A usual pattern has 40. */
const maxKept = 30_000;
/** The same of one from which on it is not kept. */
const maxKeptOne = 3000;
/** Characters that kept patterns search before all are forgotten: what they learn of texts takes some hundred bytes for each. */
const maxSearched = 250_000;
/** Compiled patterns, oldest first. A memory only: what is in it never changes an answer. */
const cache = new Map<string, GoRegexp>();
let kept = 0;
let searched = 0;

/**
 * Compiles a pattern.
 *
 * @throws {FormatError} for what Go refuses: look-around, back references, bad repeats, unclosed groups
 */
export function compileRegexp(pattern: string): GoRegexp {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const compiled = build(pattern);
  const weight = weightOf(compiled);
  if (weight > maxKeptOne) return compiled;
  cache.set(pattern, compiled);
  kept += weight;
  for (const [oldest, one] of cache) {
    if (kept <= maxKept) break;
    cache.delete(oldest);
    kept -= weightOf(one);
  }
  return compiled;
}

function weightOf({ pattern, size }: GoRegexp): number {
  return pattern.length + size;
}

/** Counts what is searched. */
function count(text: string): void {
  searched += text.length;
  if (searched < maxSearched) return;
  searched = 0;
  kept = 0;
  cache.clear();
}

/** The pattern that matches a text as it is (Go's `regexp.QuoteMeta`). */
export function quoteRegexp(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

function build(pattern: string): GoRegexp {
  const distinct = withDistinctNames(pattern);
  const program = compile(distinct.pattern);
  const names = Object.entries(program.namedGroups());
  const groupNames = Array.from({ length: program.groupCount() + 1 }, () => "");
  for (const [name, index] of names) groupNames[index] = distinct.originals.get(name) ?? name;
  let whole: RE2JS | undefined;

  const match = (text: string, from = 0): MatchOffsets | undefined => {
    const matcher = program.matcher(text);
    if (!matcher.find(from)) return undefined;
    const offsets: number[] = [];
    for (let group = 0; group < groupNames.length; group++) offsets.push(matcher.start(group), matcher.end(group));
    return offsets;
  };

  const matchAll = (text: string, limit = -1, onSearch?: () => void): readonly MatchOffsets[] => {
    const found: MatchOffsets[] = [];
    let end = -1;
    count(text);
    for (let from = 0; from <= text.length && found.length !== limit;) {
      onSearch?.();
      const offsets = match(text, from);
      if (offsets === undefined) break;
      const [start = 0, stop = 0] = offsets;
      // An empty match right behind another one does not count.
      if (stop !== from || start !== end) found.push(offsets);
      from = stop === from ? from + widthAt(text, from) : stop;
      end = stop;
    }
    return found;
  };

  const replace = (
    text: string,
    replacementOf: (offsets: MatchOffsets) => string,
    onSearch: (() => void) | undefined,
  ): string => {
    let result = "";
    let done = 0;
    count(text);
    for (let from = 0; from <= text.length;) {
      onSearch?.();
      const offsets = match(text, from);
      if (offsets === undefined) break;
      const [start = 0, stop = 0] = offsets;
      result += text.slice(done, start);
      if (stop > done || start === 0) result += replacementOf(offsets);
      done = stop;
      const next = from + widthAt(text, from);
      from = next > stop ? next : stop;
    }
    return result + text.slice(done);
  };

  return {
    pattern,
    groupNames,
    size: program.programSize(),
    test: (text) => {
      count(text);
      return program.test(text);
    },
    matchesWhole: (text) => (whole ??= compile(`^(?:${pattern})$`)).test(text),
    match: (text, from) => {
      count(text);
      return match(text, from);
    },
    matchAll,
    replaceAll: (text, template, onSearch) => {
      if (!template.includes("$")) return replace(text, () => template, onSearch);
      return replace(text, (offsets) => expand(template, text, offsets, groupNames), onSearch);
    },
    replaceAllLiteral: (text, replacement, onSearch) => replace(text, () => replacement, onSearch),
    split(text, limit = -1, onSearch) {
      if (limit === 0) return [];
      if (pattern !== "" && text === "") return [""];
      const pieces: string[] = [];
      let begin = 0;
      let end = 0;
      for (const [start = 0, stop = 0] of matchAll(text, limit, onSearch)) {
        if (limit > 0 && pieces.length === limit - 1) break;
        end = start;
        if (stop !== 0) pieces.push(text.slice(begin, end));
        begin = stop;
      }
      if (end !== text.length) pieces.push(text.slice(begin));
      return pieces;
    },
  };
}

/** A pattern whose groups all have names of their own: Go lets two have the same one. */
function withDistinctNames(
  pattern: string,
): { readonly pattern: string; readonly originals: ReadonlyMap<string, string> } {
  const seen = new Set<string>();
  const originals = new Map<string, string>();
  if ((pattern.match(/\(\?P?</g)?.length ?? 0) < 2) return { pattern, originals };
  const changed = pattern.replace(/\\[^]|\(\?P?<([A-Za-z0-9_]+)>/g, (part, name: string | undefined) => {
    if (name === undefined) return part;
    if (!seen.has(name)) {
      seen.add(name);
      return part;
    }
    const fresh = `${name}_again${originals.size}`;
    originals.set(fresh, name);
    return `(?P<${fresh}>`;
  });
  return { pattern: changed, originals };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`Cannot compile the regular expression: ${why}`, { cause });
  }
}

/** Code units of the character at an offset; one at the end, so that a search goes on behind it. */
function widthAt(text: string, offset: number): number {
  return (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
}

function expand(template: string, text: string, offsets: MatchOffsets, names: readonly string[]): string {
  return template.replace(/\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu, (_, dollar, braced, bare) => {
    if (dollar !== undefined) return "$";
    const name: string = braced ?? bare;
    const isNumber = /^(?:0|[1-9][0-9]{0,8})$/.test(name);
    const group = isNumber
      ? Number(name)
      : names.findIndex((other, index) => index > 0 && other === name && (offsets[2 * index] ?? -1) >= 0);
    const start = group < 0 ? -1 : offsets[2 * group] ?? -1;
    return start < 0 ? "" : text.slice(start, offsets[2 * group + 1]);
  });
}
