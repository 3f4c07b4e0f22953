/**
 * Go's `filepath.Match` on one segment: `*`, `?`, `[a-z]`, `[^a-z]`, `\` before a sign. Time is at most the product of both
 * lengths, whatever the pattern. `!` negates nothing.
 *
 * @returns a function that says whether a name matches as a whole; `undefined` for a pattern that Go calls malformed
 */
export function compileSegment(pattern: string): ((name: string) => boolean) | undefined {
  if (!/[*?[\\]/.test(pattern)) return (name) => name === pattern;
  const tokens = parseTokens(pattern);
  if (tokens === undefined) return undefined;
  return (name) => matchTokens(tokens, [...name]);
}

/** A token of a pattern: any run of characters, any one, a given one, or one of ranges. */
export type SegmentToken =
  | { readonly kind: "star" }
  | { readonly kind: "any" }
  | { readonly kind: "character"; readonly character: string }
  | { readonly kind: "class"; readonly isNegated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/** Tokens of a pattern; `undefined` when it is malformed. */
export function parseTokens(pattern: string): readonly SegmentToken[] | undefined {
  const signs = [...pattern];
  const tokens: SegmentToken[] = [];
  for (let index = 0; index < signs.length; index++) {
    const sign = signs[index] as string;
    if (sign === "*") {
      if (tokens[tokens.length - 1]?.kind !== "star") tokens.push({ kind: "star" });
    } else if (sign === "?") tokens.push({ kind: "any" });
    else if (sign === "\\") {
      const character = signs[++index];
      if (character === undefined) return undefined;
      tokens.push({ kind: "character", character });
    } else if (sign === "[") {
      const parsed = parseClass(signs, index + 1);
      if (parsed === undefined) return undefined;
      tokens.push(parsed.token);
      index = parsed.end;
    } else tokens.push({ kind: "character", character: sign });
  }
  return tokens;
}

function parseClass(
  signs: readonly string[],
  start: number,
): { readonly token: SegmentToken; readonly end: number } | undefined {
  const isNegated = signs[start] === "^";
  const ranges: [number, number][] = [];
  let index = isNegated ? start + 1 : start;
  const read = (): number | undefined => {
    if (signs[index] === "-" || signs[index] === "]") return undefined;
    if (signs[index] === "\\") index++;
    const sign = signs[index++];
    // A bound at the very end leaves the class open.
    return sign === undefined || index >= signs.length ? undefined : sign.codePointAt(0);
  };
  while (signs[index] !== "]" || ranges.length === 0) {
    const low = read();
    if (low === undefined) return undefined;
    let high: number | undefined = low;
    if (signs[index] === "-") {
      index++;
      high = read();
    }
    if (high === undefined) return undefined;
    ranges.push([low, high]);
  }
  return { token: { kind: "class", isNegated, ranges }, end: index };
}

function matchesOne(token: SegmentToken, character: string): boolean {
  if (token.kind === "character") return token.character === character;
  if (token.kind !== "class") return token.kind === "any";
  const code = character.codePointAt(0) ?? 0;
  return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.isNegated;
}

/** Goes back to the last star only: what an earlier one took can stay as it is. */
function matchTokens(tokens: readonly SegmentToken[], name: readonly string[]): boolean {
  let at = 0;
  let token = 0;
  let starToken = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current?.kind === "star") {
      starToken = token++;
      starAt = at;
    } else if (current !== undefined && matchesOne(current, name[at] as string)) {
      token++;
      at++;
    } else if (starToken >= 0) {
      token = starToken + 1;
      at = ++starAt;
    } else return false;
  }
  while (tokens[token]?.kind === "star") token++;
  return token === tokens.length;
}
