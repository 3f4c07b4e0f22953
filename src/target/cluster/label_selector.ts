import { StageError } from "../../core/stage_error.ts";

/** Whether a set of labels (or annotations) meets a selector. */
export type LabelMatch = (labels: Readonly<Record<string, string>>) => boolean;

const requirement =
  /^\s*(?:(!)\s*([^\s!=,()]+)|([^\s!=,()]+)\s*(?:(==|=|!=)\s*([^\s,()=!]*)|\s(in|notin)\s*\(([^)]*)\))?)\s*(?:,|$)/;

/**
 * Reads a label selector: `a=b`, `a==b`, `a!=b`, `a in (b, c)`, `a notin (b)`, `a`, `!a`, joined by commas
 * (apimachinery `labels.Parse`). The empty one matches everything.
 *
 * @throws {StageError} InvalidDocument on any other text
 */
export function parseLabelSelector(text: string): LabelMatch {
  const tests: LabelMatch[] = [];
  let rest = text;
  while (rest.trim() !== "") {
    const match = requirement.exec(rest);
    if (match === null) {
      throw new StageError("InvalidDocument", `Cannot read label selector "${text.slice(0, 200)}"`);
    }
    tests.push(testOf(match));
    rest = rest.slice(match[0].length);
  }
  return (labels) => tests.every((test) => test(labels));
}

function testOf(match: RegExpExecArray): LabelMatch {
  const [, , absent, key = "", operator, value = "", set, list = ""] = match;
  if (absent !== undefined) return (labels) => !Object.hasOwn(labels, absent);
  const has = (labels: Readonly<Record<string, string>>) => Object.hasOwn(labels, key);
  if (set !== undefined) {
    const values = list.split(",").map((item) => item.trim());
    return set === "in"
      ? (labels) => has(labels) && values.includes(labels[key] ?? "")
      : (labels) => !has(labels) || !values.includes(labels[key] ?? "");
  }
  if (operator === undefined) return has;
  return operator === "!="
    ? (labels) => !has(labels) || labels[key] !== value
    : (labels) => has(labels) && labels[key] === value;
}
