import type { JsonValue } from "../../../../core/json.ts";
import { floatText } from "../../template/go_number.ts";
import { quoteText } from "../../template/go_quote.ts";

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
