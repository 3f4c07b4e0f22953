import { FormatError } from "../../format/format_error.ts";
import { buildModules } from "./build_modules.ts";
import { fault } from "./fault.ts";

/** Whether a text fits. */
export type TextTest = (text: string) => boolean;

const literal = /^[A-Za-z0-9_-]*$/;
const simple = /^[A-Za-z0-9_:/@-]*(?:\.[*+]?[A-Za-z0-9_:/@-]*)*$/;

/** Whether a pattern is a text without any sign that means something. */
export function isLiteral(pattern: string): boolean {
  return literal.test(pattern);
}

/**
 * Test of a selector's part: a Go regular expression that must match as a whole; the empty one fits everything.
 * Linear in the text, whatever the pattern.
 *
 * @throws {StageError} BuildFailed for a pattern that Go refuses
 */
export function wholeMatch(pattern: string, field: string): TextTest {
  if (pattern === "") return () => true;
  if (literal.test(pattern)) return (text) => text === pattern;
  return compile(`^(?:${pattern})$`, field);
}

/** Test of a Go regular expression anywhere in a text. @throws {StageError} BuildFailed for a pattern that Go refuses */
export function anyMatch(pattern: string, field: string): TextTest {
  if (literal.test(pattern)) return (text) => text.includes(pattern);
  return compile(pattern, field);
}

/** Letters and dots with at most one sign that repeats: Go and JavaScript read it alike, and nothing backtracks far. */
const plain = /^[A-Za-z0-9_-]*(?:\.[*+]?[A-Za-z0-9_-]*)?$/;

function compile(pattern: string, field: string): TextTest {
  const inner = /^\^\(\?:(.*)\)\$$/.exec(pattern)?.[1];
  if (inner !== undefined && plain.test(inner)) {
    const expression = new RegExp(`^(?:${inner.replace(".", "[^\\n]")})$`);
    return (text) => expression.test(text);
  }
  const { compileRegexp } = buildModules.regexp();
  try {
    const expression = compileRegexp(pattern);
    return (text) => expression.test(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw fault(`Cannot compile ${field} "${pattern}": ${error.message}`);
  }
}

/**
 * Test of an image's name with its tag and digest (kustomize 5.8.1: the name is a piece of a regular expression, and
 * only sha256 digests count).
 *
 * @throws {StageError} BuildFailed for a name that Go refuses as an expression
 */
export function imageMatch(name: string): TextTest {
  const pattern = `^${name}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`;
  if (simple.test(name) && !/[*+]/.test(name)) {
    // Nothing in it that JavaScript reads in another way than Go, and nothing that backtracks.
    const expression = new RegExp(pattern);
    return (text) => expression.test(text);
  }
  return compile(pattern, "image name");
}

type Requirement = (labels: ReadonlyMap<string, string>) => boolean;

/** Test of labels or annotations. */
export type LabelTest = (labels: ReadonlyMap<string, string>) => boolean;

const operators =
  /^(?:([^\s!=,()<>]+)\s*(==|=|!=|>|<)\s*([^\s!=,()<>]*)|([^\s!=,()<>]+)\s+(in|notin)\s*\(([^()]*)\)|(!?)\s*([^\s!=,()<>]+))\s*(?:,|$)\s*/;

/**
 * Test of a Kubernetes label selector: `a=b`, `a==b`, `a!=b`, `a in (b, c)`, `a notin (b)`, `a`, `!a`, joined by
 * commas (apimachinery `labels.Parse`). The empty one fits everything.
 *
 * @throws {StageError} BuildFailed for any other text
 */
export function labelMatch(text: string, field: string): LabelTest {
  let rest = text.trim();
  const requirements: Requirement[] = [];
  while (rest !== "") {
    const found = operators.exec(rest);
    if (found === null) throw fault(`Cannot parse ${field} "${text}" at "${rest.slice(0, 40)}"`);
    requirements.push(requirement(found, text, field));
    const next = rest.slice(found[0].length);
    if (next === "" && found[0].trimEnd().endsWith(",")) {
      throw fault(`Cannot parse ${field} "${text}": it ends with a comma`);
    }
    rest = next;
  }
  return (labels) => requirements.every((test) => test(labels));
}

const namePart = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)$/;
const labelValue = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)?$/;

function requirement(found: RegExpExecArray, text: string, field: string): Requirement {
  const [, equalKey, operator, value = "", setKey, setOperator, set = "", not, bareKey] = found;
  const key = equalKey ?? setKey ?? bareKey ?? "";
  const slash = key.indexOf("/");
  const name = slash < 0 ? key : key.slice(slash + 1);
  if (!namePart.test(name) || name.length > 63) {
    throw fault(`Cannot parse ${field} "${text}": "${key}" is no label key`);
  }
  const check = (part: string) => {
    if (!labelValue.test(part) || part.length > 63) {
      throw fault(`Cannot parse ${field} "${text}": "${part}" is no label value`);
    }
    return part;
  };
  if (operator === "=" || operator === "==") {
    check(value);
    return (labels) => labels.get(key) === value;
  }
  if (operator === "!=") {
    check(value);
    return (labels) => labels.get(key) !== value;
  }
  if (operator === ">" || operator === "<") {
    if (!/^[+-]?\d+$/.test(value)) throw fault(`Cannot parse ${field} "${text}": "${value}" is no whole number`);
    const limit = BigInt(value);
    return (labels) => {
      const own = labels.get(key);
      if (own === undefined || !/^[+-]?\d+$/.test(own)) return false;
      return operator === ">" ? BigInt(own) > limit : BigInt(own) < limit;
    };
  }
  if (setOperator !== undefined) {
    const values = new Set(set.split(",").map((part) => check(part.trim())));
    return setOperator === "in"
      ? (labels) => labels.has(key) && values.has(labels.get(key) as string)
      : (labels) => !labels.has(key) || !values.has(labels.get(key) as string);
  }
  return not === "!" ? (labels) => !labels.has(key) : (labels) => labels.has(key);
}
