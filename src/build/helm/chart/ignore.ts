import type { Dialect } from "../dialect.ts";
import { defaultDialect, isHelm3 } from "../dialect.ts";
import { basePath, compilePattern } from "./go_path.ts";
import type { PathPattern } from "./go_path.ts";

/** Rules of a `.helmignore`, ready to ask. */
export interface IgnoreRules {
  /** Whether an entry of a chart's folder is left out. A folder that is left out takes everything below it along. */
  ignores(path: string, isFolder: boolean): boolean;
}

interface Rule {
  readonly isNegated: boolean;
  readonly mustBeFolder: boolean;
  readonly matches: PathPattern;
}

/** A `.helmignore` that Helm refuses. */
export class IgnoreSyntaxError extends Error {
  override readonly name = "IgnoreSyntaxError";
}

/**
 * Reads a `.helmignore` (Helm 4.2.4, `pkg/ignore`). It looks like a `.gitignore` and differs: no `**`; the first rule
 * that decides wins; a negated rule leaves out everything that it does *not* match. `templates/.?*` is always left out.
 * In Helm 3 a rule that begins with several slashes loses one each time it is asked, so that entries count in their order.
 *
 * @throws {IgnoreSyntaxError} with Helm's text for `**` and for malformed patterns
 */
export function parseIgnoreRules(text: string, dialect: Dialect = defaultDialect): IgnoreRules {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  const rules = [...lines, "templates/.?*"].map((line) => parseRule(line, dialect)).filter((rule) =>
    rule !== undefined
  );
  return {
    ignores(path, isFolder) {
      for (const rule of rules) {
        if (rule.isNegated) {
          if ((rule.mustBeFolder && !isFolder) || !rule.matches(path)) return true;
        } else if ((!rule.mustBeFolder || isFolder) && rule.matches(path)) return true;
      }
      return false;
    },
  };
}

function parseRule(line: string, dialect: Dialect): Rule | undefined {
  let rule = line.trim();
  if (rule === "" || rule.startsWith("#")) return undefined;
  if (rule.includes("**")) throw new IgnoreSyntaxError("double-star (**) syntax is not supported");
  if (compilePattern(rule) === undefined) throw new IgnoreSyntaxError("syntax error in pattern");
  const isNegated = rule.startsWith("!");
  if (isNegated) rule = rule.slice(1);
  const mustBeFolder = rule.endsWith("/");
  if (mustBeFolder) rule = rule.slice(0, -1);
  const isRooted = rule.startsWith("/");
  const pattern = isHelm3(dialect) && rule.startsWith("//")
    ? shrinkingPattern(rule)
    : compilePattern(isRooted ? rule.slice(1) : rule) ?? (() => false);
  const isWhole = isRooted || rule.includes("/");
  return { isNegated, mustBeFolder, matches: isWhole ? pattern : (path) => pattern(basePath(path)) };
}

function shrinkingPattern(rule: string): PathPattern {
  let rest = rule;
  return (path) => {
    if (rest.startsWith("/")) rest = rest.slice(1);
    return compilePattern(rest)?.(path) ?? false;
  };
}

/** A file or folder of a chart's folder, in the order of a walk. */
export interface WalkedFile {
  readonly path: string;
}

/** The files that rules leave in, each folder asked once. */
export function keptFiles<File extends WalkedFile>(files: Iterable<File>, rules: IgnoreRules): readonly File[] {
  const folders = new Map<string, boolean>();
  const isFolderOut = (folder: string): boolean => {
    if (folder === "") return false;
    let isOut = folders.get(folder);
    if (isOut === undefined) {
      const slash = folder.lastIndexOf("/");
      isOut = isFolderOut(slash < 0 ? "" : folder.slice(0, slash)) || rules.ignores(folder, true);
      folders.set(folder, isOut);
    }
    return isOut;
  };
  const kept: File[] = [];
  for (const file of files) {
    const slash = file.path.lastIndexOf("/");
    if (!isFolderOut(slash < 0 ? "" : file.path.slice(0, slash)) && !rules.ignores(file.path, false)) kept.push(file);
  }
  return kept;
}
