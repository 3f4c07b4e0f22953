import { createTwoFilesPatch } from "diff";

/** Names of the two sides, and whether lines are coloured for a terminal. */
export interface DiffOptions {
  readonly before: string;
  readonly after: string;
  readonly colour?: boolean;
}

const colours: readonly (readonly [string, string])[] = [
  ["---", "\x1b[1m"],
  ["+++", "\x1b[1m"],
  ["@@", "\x1b[36m"],
  ["+", "\x1b[32m"],
  ["-", "\x1b[31m"],
];

/** Unified diff of two texts with three lines around each change, as `diff -u` prints it; "" when they are the same. */
export function unifiedDiff(before: string, after: string, options: DiffOptions): string {
  if (before === after) return "";
  const patch = createTwoFilesPatch(options.before, options.after, before, after, "", "", { context: 3 });
  const lines = patch.split("\n").filter((line) => !line.startsWith("====="))
    .map((line) => line.startsWith("--- ") || line.startsWith("+++ ") ? line.trimEnd() : line);
  if (options.colour !== true) return lines.join("\n");
  return lines.map((line) => {
    const colour = colours.find(([start]) => line.startsWith(start))?.[1];
    return colour === undefined || line === "" ? line : `${colour}${line}\x1b[0m`;
  }).join("\n");
}
