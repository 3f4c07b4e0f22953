import { floatText } from "../../template/go_number.ts";
import { quoteText } from "../../template/go_quote.ts";
import type { JsonValue } from "../../../../core/json.ts";

/** One thing that does not fit, with what led to it. Layout and words are those that Helm shows. */
export interface SchemaFault {
  /** Keys and indexes from the root of the values. */
  readonly path: readonly string[];
  readonly text: string;
  /** `group`: only holds its causes; `reference`: is passed over where it has one cause. */
  readonly role: "fault" | "group" | "reference";
  readonly causes: readonly SchemaFault[];
}

/** Lines of faults: `- at '/path': what`, causes indented below. */
export function faultLines(faults: readonly SchemaFault[], depth = 0): readonly string[] {
  return faults.flatMap((fault) => {
    if (fault.role === "reference" && fault.causes.length === 1) return faultLines(fault.causes, depth);
    const line = `${"  ".repeat(depth)}- at ${quoted(pointerOf(fault.path))}: ${fault.text}`;
    return [line, ...faultLines(fault.causes, depth + 1)];
  });
}

/** What stands at the top: the causes of a group, or the fault itself. */
export function topFaults(fault: SchemaFault): readonly SchemaFault[] {
  return fault.role === "group" ? fault.causes : [fault];
}

/** JSON pointer of a path. */
function pointerOf(path: readonly string[]): string {
  return path.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** A text in single quotes, escaped as Go's `%q` apart from the quotes. */
export function quoted(text: string): string {
  const inner = quoteText(text).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner.slice(1, -1)}'`;
}

/** Texts in quotes, joined by commas. */
export function quotedList(texts: readonly string[]): string {
  return texts.map(quoted).join(", ");
}

/** A scalar as messages show it. */
export function shown(value: JsonValue): string {
  if (typeof value === "string") return quoted(value);
  if (value === null) return "<nil>";
  if (typeof value === "object") return "value";
  return String(value);
}

const raised = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A number as the English printer of golang.org/x/text shows it: `70,000`, `0.1`, `1×10²¹`. */
export function localNumber(value: number | bigint): string {
  const text = floatText(Number(value));
  const exponent = /^(.+)e([+-])(\d+)$/.exec(text);
  if (exponent !== null) {
    const [, mantissa, sign, digits] = exponent as unknown as [string, string, string, string];
    return `${mantissa}×10${sign === "-" ? "⁻" : ""}${[...digits].map((digit) => raised[Number(digit)]).join("")}`;
  }
  return grouped(text);
}

/** A count with commas between thousands. */
export function localCount(value: number): string {
  return grouped(String(value));
}

function grouped(text: string): string {
  const [whole, fraction] = text.split(".") as [string, string | undefined];
  const commas = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? commas : `${commas}.${fraction}`;
}
