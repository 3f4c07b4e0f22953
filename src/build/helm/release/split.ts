import type { Dialect } from "../dialect.ts";

/**
 * Documents of one rendered file, in order; blank ones are left out.
 *
 * - Helm 3 and 4.1: `---` after a line break or at the start cuts, with all blanks around it; documents are trimmed.
 * - Helm 4.2.4: `---` and blanks at the start of any line cut; only leading blanks are trimmed, so that a block scalar
 *   at the end keeps its line break.
 *
 * Either way any line that starts with `---` cuts, even inside a block scalar (`pkg/release/v1/util/manifest.go`).
 */
export function splitManifests(text: string, dialect: Dialect): readonly string[] {
  return dialect === "helm4.2.4" ? splitAtLines(text) : splitWithBlanks(text);
}

function splitAtLines(text: string): readonly string[] {
  const documents: string[] = [];
  const add = (from: number, to: number) => {
    const document = trimStart(text.slice(from, to));
    if (document !== "") documents.push(document);
  };
  let start = text.length - trimStart(text).length;
  let at = text.startsWith("---", start) ? start : lineFrom(text, start);
  while (at >= 0) {
    add(start, at);
    start = at + 3;
    while (text[start] === " " || text[start] === "\t") start++;
    at = lineFrom(text, start);
  }
  add(start, text.length);
  return documents;
}

function lineFrom(text: string, from: number): number {
  const found = text.indexOf("\n---", from);
  return found < 0 ? -1 : found + 1;
}

function splitWithBlanks(whole: string): readonly string[] {
  const text = trim(whole);
  const documents: string[] = [];
  const add = (from: number, to: number) => {
    const piece = text.slice(from, to);
    if (piece !== "") documents.push(trim(piece));
  };
  let start = 0;
  const blanks = /[\t\n\f\r ]*/y;
  const passMarker = (at: number) => {
    blanks.lastIndex = at;
    blanks.test(text);
    return blanks.lastIndex;
  };
  if (text.startsWith("---")) start = passMarker(3);
  for (let at = text.indexOf("\n---", start); at >= 0; at = text.indexOf("\n---", start)) {
    let end = at;
    while (end > start && /[\t\n\f\r ]/.test(text[end - 1] as string)) end--;
    add(start, end);
    start = passMarker(at + 4);
  }
  add(start, text.length);
  return documents;
}

/** Blanks as Go's `unicode.IsSpace` has them; a byte order mark is none. */
const leading = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const space = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** Text without leading blanks, as Go's `strings.TrimSpace` on the left. */
export function trimStart(text: string): string {
  return leading.test(text) ? text.replace(leading, "") : text;
}

/** Text without blanks at both ends, as Go's `strings.TrimSpace`. */
export function trim(text: string): string {
  let end = text.length;
  while (end > 0 && space.test(text[end - 1] as string)) end--;
  return trimStart(text.slice(0, end));
}
