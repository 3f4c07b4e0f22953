/** Bounds of one path of an archive. */
export interface PathLimits {
  /** UTF-16 code units of the whole path. */
  readonly pathLength: number;
  /** Folders and file name. */
  readonly depth: number;
}

/** A path of an archive, cleaned, or why it is refused. `path` is "" for the root itself. */
export type EntryPath = { readonly path: string } | { readonly refusal: string };

/** Longest name that the usual file systems take, in bytes. */
const nameBytes = 255;

/**
 * Cleans a path of an archive: `./`, doubled and trailing slashes go. Refused, never mended: absolute paths, `..`
 * anywhere, backslashes (one system's name is another's path), zero bytes, and what is longer or deeper than the limits.
 * Flux refuses the same (fluxcd/pkg tar 1.2.0, `validRelPath`), and clips the rest at the file system's own limits.
 */
export function cleanEntryPath(raw: string, limits: PathLimits): EntryPath {
  if (raw.length > limits.pathLength) return { refusal: `its path is longer than ${limits.pathLength} characters` };
  if (raw.includes("\0")) return { refusal: "its path holds a zero byte" };
  if (raw.includes("\\")) return { refusal: "its path holds a backslash" };
  if (raw.startsWith("/")) return { refusal: "its path is absolute" };
  const parts: string[] = [];
  for (const part of raw.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") return { refusal: 'its path holds ".."' };
    if (part.length * 3 > nameBytes && new TextEncoder().encode(part).length > nameBytes) {
      return { refusal: `a name in its path is longer than ${nameBytes} bytes` };
    }
    parts.push(part);
  }
  if (parts.length > limits.depth) return { refusal: `its path is deeper than ${limits.depth} folders` };
  return { path: parts.join("/") };
}

/** Where a link at `path` leads, seen from the root; `undefined` when that is outside or absolute. */
export function linkDestination(path: string, target: string): string | undefined {
  if (target.startsWith("/") || target.includes("\\") || target.includes("\0")) return undefined;
  const parts = path.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** A text from an archive as it may stand in a message: quoted, control characters escaped, at most 200 characters. */
export function quoteEntry(raw: string): string {
  const clipped = raw.length > 200 ? `${raw.slice(0, 200)}…` : raw;
  return JSON.stringify(clipped).replace(
    /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
