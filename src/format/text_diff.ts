import { structuredPatch } from "diff";

/** How {@linkcode textDiff} shows its lines. */
export interface TextDiffOptions {
  /** Names behind `---` and `+++`. Default `before` and `after`. */
  readonly names?: readonly [string, string];
  /** Unchanged lines around each change. Default 3. */
  readonly context?: number;
  /** ANSI colours: red, green, cyan. Default `false`. */
  readonly colors?: boolean;
}

/** More edits than this are not searched for: then everything old goes and everything new comes. */
const editLimit = 2_000;

/**
 * The unified diff of two texts by lines, ending with a line break; "" when they are equal. Two texts with almost nothing
 * in common are shown as a whole.
 */
export function textDiff(before: string, after: string, options: TextDiffOptions = {}): string {
  if (before === after) return "";
  const [oldName, newName] = options.names ?? ["before", "after"];
  const context = options.context ?? 3;
  const patch = structuredPatch(oldName, newName, before, after, "", "", { context, maxEditLength: editLimit });
  const hunks = patch?.hunks ?? [wholeHunk(before, after)];
  const paint = options.colors === true ? painted : (line: string) => line;
  const lines = [`--- ${oldName}`, `+++ ${newName}`];
  for (const hunk of hunks) {
    lines.push(`@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`, ...hunk.lines);
  }
  return lines.map((line) => `${paint(line)}\n`).join("");
}

function range(start: number, count: number): string {
  // Nothing stands behind the line in front of it.
  return count === 1 ? String(start) : `${count === 0 ? start - 1 : start},${count}`;
}

interface Hunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  readonly lines: readonly string[];
}

function wholeHunk(before: string, after: string): Hunk {
  const [old, fresh] = [linesOf(before), linesOf(after)];
  return {
    oldStart: 1,
    oldLines: old.length,
    newStart: 1,
    newLines: fresh.length,
    lines: [...old.map((line) => `-${line}`), ...fresh.map((line) => `+${line}`)],
  };
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

const escape = "\u001b[";

function painted(line: string): string {
  const color = line.startsWith("@@") ? "36" : line.startsWith("+") ? "32" : line.startsWith("-") ? "31" : undefined;
  return color === undefined ? line : `${escape}${color}m${line}${escape}0m`;
}
