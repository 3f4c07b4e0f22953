/** A part of a stream between two `---` lines: one document, unless a `...` line stands in it. */
export interface YamlPart {
  /** Without a bare `---` line in front; where something follows the dashes on their line, that line belongs to the part. */
  readonly text: string;
  /** Line of the whole text, from 1, on which `text` starts. */
  readonly line: number;
  /** Whether a `---` opens it: then it is a document even where nothing stands in it. */
  readonly isMarked: boolean;
}

/**
 * Parts of a stream, cut at each line that begins with `---` and a blank or the line's end (YAML 1.2.2, section 9.1.4: such
 * a line ends any document, whatever it stands in). Directives stay with the document that they speak of. A stream with a
 * `...` line is left whole.
 */
export function splitYaml(text: string): readonly YamlPart[] {
  const whole = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  if (/^\.\.\.(?:\s|$)/m.test(whole)) return [{ text: whole, line: 1, isMarked: true }];
  const parts: YamlPart[] = [];
  let start = 0;
  let line = 1;
  let isMarked = false;
  for (let at = nextMarker(whole, 0); at >= 0; at = nextMarker(whole, at + 3)) {
    const before = whole.slice(start, at);
    if (!isMarked && isPreamble(before)) {
      isMarked = true;
      if (/^%/m.test(before)) continue;
    } else parts.push({ text: before, line, isMarked });
    isMarked = true;
    line += countLines(before);
    start = at;
    const bare = /---[ \t]*\r?\n/y;
    bare.lastIndex = at;
    if (bare.test(whole)) {
      start = bare.lastIndex;
      line++;
    } else if (/^---[ \t]*$/.test(whole.slice(at, at + 100))) start = whole.length;
  }
  const rest = whole.slice(start);
  if (isMarked || rest !== "") parts.push({ text: rest, line, isMarked });
  return parts;
}

function nextMarker(text: string, from: number): number {
  if (from === 0 && text.startsWith("---") && isEnd(text.charCodeAt(3))) return 0;
  for (let at = text.indexOf("\n---", from); at >= 0; at = text.indexOf("\n---", at + 4)) {
    if (isEnd(text.charCodeAt(at + 4))) return at + 1;
  }
  return -1;
}

function isEnd(code: number): boolean {
  return Number.isNaN(code) || code === 32 || code === 9 || code === 10 || code === 13;
}

/** Nothing but blanks, comments and directives. */
function isPreamble(text: string): boolean {
  const line = /[ \t\r]*(?:[#%][^\n]*)?(?:\n|$)/y;
  while (line.lastIndex < text.length) if (!line.test(text)) return false;
  return true;
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
