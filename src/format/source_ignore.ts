/**
 * Which files of a source are left out: `.sourceignore` files and `spec.ignore`, by the rules of
 * github.com/fluxcd/pkg/sourceignore v0.19.0 (close to gitignore; an ignored folder is still walked, `!` keeps files in it).
 *
 * @module
 */
import { compileSegment } from "./go_path_match.ts";

/** Always ignored. */
const versionControl = [".git/", ".gitignore", ".gitmodules", ".gitattributes"];
/** Ignored as long as nobody writes a pattern of their own: pictures and archives, files of CI systems, extras. */
const defaults = [
  ...["*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip"],
  ...[".github/", ".circleci/", ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml", "cloudbuild.yaml"],
  ...["codeship-services.yml", "codeship-steps.yml"],
  ...["**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml"],
];

/** Name of the file of patterns that may stand in every folder. */
export const ignoreFileName = ".sourceignore";

/** What decides. */
export interface IgnoreRules {
  /** Texts of `.sourceignore` files by folder (clean relative path; "" or "." is the root). Those below a `.git` do not count. */
  readonly patternsByFolder?: ReadonlyMap<string, string>;
  /** Text of `spec.ignore`; it comes after all files. */
  readonly extra?: string;
}

/**
 * A function that says whether a path (clean, relative, `/`-separated) is left out. Patterns of which Go says that they are
 * malformed match nothing. As soon as there is one pattern, only the version control defaults stay.
 */
export function createIgnore(rules: IgnoreRules = {}): (path: string, isFolder: boolean) => boolean {
  const own: Pattern[] = [];
  for (const [folder, text] of sortedFolders(rules.patternsByFolder ?? new Map())) {
    own.push(...linesOf(text).map((line) => parsePattern(line, folder)));
  }
  own.push(...linesOf(rules.extra ?? "").map((line) => parsePattern(line, [])));
  const builtIn = own.length === 0 ? [...versionControl, ...defaults] : versionControl;
  const patterns = [...builtIn.map((line) => parsePattern(line, [])), ...own].reverse();
  return (path, isFolder) => {
    const parts = path === "" || path === "." ? [] : path.split("/");
    const decisive = patterns.find((pattern) => matches(pattern, parts, isFolder));
    return decisive !== undefined && !decisive.keeps;
  };
}

/** Folders with their files of patterns, each before what is below it, siblings by name. */
function sortedFolders(texts: ReadonlyMap<string, string>): readonly (readonly [readonly string[], string])[] {
  return [...texts]
    .map(([folder, text]) => [folder === "" || folder === "." ? [] : folder.split("/"), text] as const)
    .filter(([folder]) => !folder.includes(".git"))
    .sort(([a], [b]) => compareFolders(a, b));
}

function compareFolders(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a[index] as string, b[index] as string];
    if (left !== right) return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").map((line) => line.replace(/\r$/, ""))
    .filter((line) => !line.startsWith("#") && line.trim() !== "");
}

type Step = ((name: string) => boolean) | "gap" | "nothing" | "never";

interface Pattern {
  /** Folder that it speaks of. */
  readonly folder: readonly string[];
  /** `!`: what it matches stays. */
  readonly keeps: boolean;
  readonly foldersOnly: boolean;
  /** Without a slash a pattern is compared with every part of a path, else with the path from the folder on. */
  readonly hasSlash: boolean;
  readonly steps: readonly Step[];
}

function parsePattern(line: string, folder: readonly string[]): Pattern {
  const keeps = line.startsWith("!");
  let text = keeps ? line.slice(1) : line;
  if (!text.endsWith("\\ ")) text = text.replace(/ +$/, "");
  const foldersOnly = text.endsWith("/");
  if (foldersOnly) text = text.slice(0, -1);
  const hasSlash = text.includes("/");
  const steps: readonly Step[] = hasSlash ? text.split("/").map(stepOf) : [compileSegment(text) ?? "never"];
  return { folder, keeps, foldersOnly, hasSlash, steps };
}

function stepOf(text: string): Step {
  if (text === "") return "nothing";
  if (text === "**") return "gap";
  return text.includes("**") ? "never" : compileSegment(text) ?? "never";
}

function matches(pattern: Pattern, path: readonly string[], isFolder: boolean): boolean {
  if (path.length <= pattern.folder.length) return false;
  if (pattern.folder.some((name, index) => path[index] !== name)) return false;
  const inner = pattern.folder.length === 0 ? path : path.slice(pattern.folder.length);
  return pattern.hasSlash ? matchesPath(pattern, inner, isFolder) : matchesAnyPart(pattern, inner, isFolder);
}

function matchesAnyPart(pattern: Pattern, path: readonly string[], isFolder: boolean): boolean {
  const step = pattern.steps[0];
  if (typeof step !== "function") return false;
  const index = path.findIndex(step);
  // Only the last part can be a file.
  return index >= 0 && (!pattern.foldersOnly || isFolder || index < path.length - 1);
}

function matchesPath(pattern: Pattern, path: readonly string[], isFolder: boolean): boolean {
  let at = 0;
  let matched = false;
  let mayJump = false;
  for (const [index, step] of pattern.steps.entries()) {
    if (step === "nothing") mayJump = false;
    else if (step === "gap") {
      if (index === pattern.steps.length - 1) break;
      mayJump = true;
    } else {
      if (step === "never" || at === path.length) return false;
      if (mayJump) {
        mayJump = false;
        const found = path.findIndex((name, place) => place >= at && step(name));
        matched = found >= 0;
        at = found < 0 ? path.length : found + 1;
      } else {
        if (!step(path[at] as string)) return false;
        matched = true;
        at++;
      }
    }
  }
  return matched && (!pattern.foldersOnly || isFolder || at < path.length);
}
