/** Last element of a path as Go's `path.Base`: "" gives ".", "/" gives "/". */
export function basePath(path: string): string {
  if (path === "") return ".";
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "") return "/";
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/** A path without `.`, `..` and doubled slashes, as Go's `path.Clean`; "" gives ".". */
export function cleanPath(path: string): string {
  const isRooted = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!isRooted) parts.push("..");
  }
  const text = parts.join("/");
  return isRooted ? `/${text}` : text === "" ? "." : text;
}

/** Elements joined and cleaned, as Go's `path.Join`: empty ones are passed over; nothing gives "". */
export function joinPaths(...elements: readonly string[]): string {
  const present = elements.filter((element) => element !== "");
  return present.length === 0 ? "" : cleanPath(present.join("/"));
}

/** A shell pattern of Go's `path/filepath`, ready to match. */
export type PathPattern = (name: string) => boolean;

/**
 * A compiled pattern of Go's `filepath.Match`: `*` and `?` stay inside one element, `[a-z]`, `[^a]`, `\` escapes.
 * `undefined` for a malformed pattern (Go: "syntax error in pattern").
 *
 * Differs: Go finds some malformed patterns only when matching gets that far; here they are always found.
 */
export function compilePattern(pattern: string): PathPattern | undefined {
  // The forms that most patterns have.
  if (/^[\w./ -]*$/.test(pattern)) return (name) => name === pattern;
  if (/^\*[\w. -]+$/.test(pattern)) {
    const end = pattern.slice(1);
    return (name) => name.endsWith(end) && !name.includes("/");
  }
  const parts: Part[] = [];
  const symbols = [...pattern];
  for (let index = 0; index < symbols.length; index++) {
    const symbol = symbols[index] as string;
    if (symbol === "*") {
      if (parts.at(-1)?.kind !== "any") parts.push({ kind: "any" });
    } else if (symbol === "?") parts.push({ kind: "one" });
    else if (symbol === "[") {
      const read = readClass(symbols, index + 1);
      if (read === undefined) return undefined;
      parts.push(read.part);
      index = read.end;
    } else if (symbol === "\\") {
      const next = symbols[++index];
      if (next === undefined) return undefined;
      parts.push({ kind: "symbol", symbol: next });
    } else parts.push({ kind: "symbol", symbol });
  }
  return (name) => matchParts(parts, [...name]);
}

type Part =
  | { readonly kind: "any" }
  | { readonly kind: "one" }
  | { readonly kind: "symbol"; readonly symbol: string }
  | { readonly kind: "class"; readonly isNegated: boolean; readonly ranges: readonly (readonly [string, string])[] };

function readClass(
  symbols: readonly string[],
  start: number,
): { readonly part: Part; readonly end: number } | undefined {
  let index = start;
  const isNegated = symbols[index] === "^";
  if (isNegated) index++;
  const ranges: [string, string][] = [];
  while (symbols[index] !== "]" || ranges.length === 0) {
    const low = readSymbol(symbols, index);
    if (low === undefined) return undefined;
    index = low.next;
    let high = low.symbol;
    if (symbols[index] === "-") {
      const read = readSymbol(symbols, index + 1);
      if (read === undefined) return undefined;
      high = read.symbol;
      index = read.next;
    }
    ranges.push([low.symbol, high]);
    if (index >= symbols.length) return undefined;
  }
  return { part: { kind: "class", isNegated, ranges }, end: index };
}

function readSymbol(
  symbols: readonly string[],
  index: number,
): { readonly symbol: string; readonly next: number } | undefined {
  let at = index;
  if (symbols[at] === undefined || symbols[at] === "-" || symbols[at] === "]") return undefined;
  if (symbols[at] === "\\") at++;
  const symbol = symbols[at];
  return symbol === undefined ? undefined : { symbol, next: at + 1 };
}

/** Matches with one place to go back to: the last `*` (linear in pattern times name). */
function matchParts(parts: readonly Part[], name: readonly string[]): boolean {
  let part = 0;
  let at = 0;
  let starPart = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = parts[part];
    if (current?.kind === "any") {
      starPart = part++;
      starAt = at;
    } else if (current !== undefined && matchesOne(current, name[at] as string)) {
      part++;
      at++;
    } else if (starPart >= 0 && name[starAt] !== "/") {
      at = ++starAt;
      part = starPart + 1;
    } else return false;
  }
  while (parts[part]?.kind === "any") part++;
  return part === parts.length;
}

function matchesOne(part: Part, symbol: string): boolean {
  if (part.kind === "symbol") return part.symbol === symbol;
  if (symbol === "/") return false;
  if (part.kind === "one") return true;
  if (part.kind !== "class") return false;
  const code = symbol.codePointAt(0) as number;
  const isInside = part.ranges.some(([low, high]) =>
    code >= (low.codePointAt(0) as number) && code <= (high.codePointAt(0) as number)
  );
  return isInside !== part.isNegated;
}
