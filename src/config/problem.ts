import { excerptOf } from "../format/format_error.ts";
import type { ObjectKey, Place } from "../core/object.ts";
import { keyText, placeText } from "../core/object.ts";
import type { Finding } from "./finding.ts";
import { pathText } from "./finding.ts";

/** Something wrong or doubtful with what a person wrote. */
export interface Problem {
  /** An `error` keeps the object out (or, for a missing reference, waiting); a `warning` does not. */
  readonly severity: "error" | "warning";
  /** Absent for flags, variables, and objects out of an artifact. */
  readonly place?: Place;
  /** `spec.interval`; the flag or variable for settings. */
  readonly path: string;
  /** What, and what is allowed. Never holds a secret. */
  readonly message: string;
  readonly hint: string;
  /** The object that it belongs to, where its name could be read. */
  readonly object?: ObjectKey;
  /** The line of the text with a caret below; absent where it may show a secret. */
  readonly excerpt?: string;
}

/** A text whose values have places. */
export interface Placed {
  /** The text of one document, as it stands in its file from line `firstLine` on. */
  readonly text: string;
  readonly firstLine: number;
  placeOf(path: Finding["path"], options?: { readonly key?: boolean }): Place;
}

/** A line that may show a secret beside what is wrong in it: credentials in a URL, a value whose name gives it away. */
const mayHoldSecret = /:\/\/[^\s/]*@|(?:password|passwd|token|credential|private_?key|api_?key)["']?\s*:\s*[^\s{]/i;

/** A finding with its place in the text; the line is shown unless it may hold a secret. */
export function placeFinding(
  finding: Finding,
  options: { readonly document?: Placed; readonly object?: ObjectKey; readonly isSecret?: boolean },
): Problem {
  const { document, object, isSecret = false } = options;
  const place = document?.placeOf(finding.path, { key: finding.atKey === true });
  const excerpt = document === undefined || place === undefined || isSecret || finding.isSecret === true
    ? undefined
    : excerptAt(document, place);
  return {
    severity: finding.severity,
    path: pathText(finding.path),
    message: finding.message,
    hint: finding.hint,
    ...(place === undefined ? {} : { place }),
    ...(object === undefined ? {} : { object }),
    ...(excerpt === undefined || mayHoldSecret.test(excerpt) ? {} : { excerpt }),
  };
}

/** The excerpt, cut from the document's own text but numbered by the file. */
function excerptAt(document: Placed, place: Place): string {
  const line = place.line - document.firstLine + 1;
  const [shown = "", caret = ""] = excerptOf(document.text, line, place.column).split("\n");
  const wider = String(place.line).length - String(line).length;
  return `${shown.replace(/^\d+/, String(place.line))}\n${" ".repeat(wider)}${caret}`;
}

/** A problem for people: `file:line:column: what, what is allowed`, the line with a caret, and the hint. */
export function problemText(problem: Problem): string {
  const where = problem.place !== undefined
    ? `${placeText(problem.place)}: `
    : problem.object !== undefined
    ? `${keyText(problem.object)}: `
    : "";
  const lines = [`${where}${problem.severity === "warning" ? "warning: " : ""}${problem.message}`];
  if (problem.excerpt !== undefined) lines.push(...problem.excerpt.split("\n").map((line) => `    ${line}`));
  lines.push(`    hint: ${problem.hint}`);
  return lines.join("\n");
}

/** Problems in the order in which a reader meets them: by file, line, column; errors before warnings at one place. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const order = (problem: Problem) => problem.place ?? { file: "\uffff", line: 0, column: 0 };
  return [...problems].sort((a, b) => {
    const [x, y] = [order(a), order(b)];
    return (x.file < y.file ? -1 : x.file > y.file ? 1 : 0) || x.line - y.line || x.column - y.column ||
      (a.severity < b.severity ? -1 : a.severity > b.severity ? 1 : 0);
  });
}
