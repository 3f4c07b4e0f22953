import type { GoRegexp } from "./go_regexp.ts";
import { compileRegexp, quoteRegexp } from "./go_regexp.ts";
import { FormatError } from "./format_error.ts";

/**
 * A glob over `/`-separated paths, whole and in linear time (the syntax of github.com/gobwas/glob with separator `/`, as
 * Helm's `.Files.Glob` uses it): `*` and `?` stay within a segment, `**` does not; `[abc]`, `[a-z]`, `[!a-z]`, `{a,b}`, `\` before a sign.
 *
 * A brace left open closes at the end, as in that library.
 *
 * @throws {FormatError} for an unclosed bracket
 */
export function compileGlob(pattern: string): (path: string) => boolean {
  const expression: GoRegexp = compileRegexp(`(?s)^(?:${translate(pattern)})$`);
  return (path) => expression.test(path);
}

function translate(pattern: string): string {
  let result = "";
  let depth = 0;
  for (let index = 0; index < pattern.length; index++) {
    const sign = pattern[index] as string;
    if (sign === "*") {
      const isDouble = pattern[index + 1] === "*";
      result += isDouble ? ".*" : "[^/]*";
      while (isDouble && pattern[index + 1] === "*") index++;
    } else if (sign === "?") result += "[^/]";
    else if (sign === "\\") {
      index++;
      if (index === pattern.length) throw new FormatError("Cannot read the glob: it ends with a backslash");
      const [escaped = ""] = String.fromCodePoint(pattern.codePointAt(index) ?? 0);
      result += quoteRegexp(escaped);
    } else if (sign === "[") {
      const end = pattern.indexOf("]", index + 2);
      if (end < 0) throw new FormatError('Cannot read the glob: "[" is not closed');
      result += classOf(pattern.slice(index + 1, end));
      index = end;
    } else if (sign === "{") {
      depth++;
      result += "(?:";
    } else if (sign === "}" && depth > 0) {
      depth--;
      result += ")";
    } else if (sign === "," && depth > 0) result += "|";
    else result += quoteRegexp(sign);
  }
  // gobwas/glob takes a brace that is left open for one that closes at the end.
  return result + ")".repeat(depth);
}

function classOf(content: string): string {
  const isNegated = content.startsWith("!");
  const members = isNegated ? content.slice(1) : content;
  if (members === "") throw new FormatError("Cannot read the glob: a class in brackets is empty");
  const range = /^(.)-(.)$/su.exec(members);
  const quote = (sign: string) => sign.replace(/[\\\]^[-]/g, "\\$&");
  const body = range === null ? [...members].map(quote).join("") : `${quote(range[1] ?? "")}-${quote(range[2] ?? "")}`;
  return `[${isNegated ? "^" : ""}${body}]`;
}
