import type { JsonObject, JsonValue } from "../../../../core/json.ts";
import { jsonEqual } from "../../../../core/json.ts";
import type { AppliedSchema } from "./applied_schema.ts";
import { isCount } from "./applied_schema.ts";
import { localCount, localNumber, quoted, shown } from "./fault_text.ts";
import { formatChecks } from "./formats.ts";
import { numberSource } from "./schema_text.ts";

/** Keywords for texts: length and pattern. */
export function textKeywords(applied: AppliedSchema, value: string): void {
  const { node } = applied;
  const length = isCount(node.minLength) || isCount(node.maxLength) ? [...value].length : 0;
  if (isCount(node.minLength) && length < node.minLength) {
    applied.say(`minLength: got ${localCount(length)}, want ${localCount(node.minLength)}`);
  }
  if (isCount(node.maxLength) && length > node.maxLength) {
    applied.say(`maxLength: got ${localCount(length)}, want ${localCount(node.maxLength)}`);
  }
  if (typeof node.pattern === "string" && !applied.pattern(node.pattern, "pattern").test(value)) {
    applied.say(`${quoted(value)} does not match pattern ${quoted(node.pattern)}`);
  }
}

function typeName(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "bigint" ? "number" : typeof value;
}

const typeOrder = ["null", "boolean", "number", "integer", "string", "array", "object"];

/** Why a value has none of the types that a schema wants. */
export function typeFault(node: JsonObject, value: JsonValue): string | undefined {
  const written = typeof node.type === "string"
    ? [node.type]
    : Array.isArray(node.type)
    ? node.type as readonly JsonValue[]
    : [];
  const wanted = typeOrder.filter((name) => written.includes(name));
  if (wanted.length === 0) return undefined;
  const got = typeName(value);
  const isWhole = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  if (wanted.includes(got) || (isWhole && wanted.includes("integer"))) return undefined;
  return `got ${got}, want ${wanted.join(" or ")}`;
}

/** Whether values are equal. Before 6.0.3 a number is equal to a text that stands behind it in the comparison and looks like it. */
export function isEqual(value: JsonValue, wanted: JsonValue, isMended: boolean): boolean {
  if (isMended || typeof wanted !== "string" || typeof value === "string") return jsonEqual(value, wanted);
  return typeof value === "number" && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(wanted) &&
    Number(wanted) === value;
}

/** Why a value is not the one that `const` wants. */
export function constFault(node: JsonObject, value: JsonValue, isMended: boolean): string | undefined {
  const wanted = node.const;
  if (wanted === undefined || isEqual(value, wanted, isMended)) return undefined;
  return typeof wanted === "object" && wanted !== null
    ? "'const' failed"
    : `value must be ${numberSource(node, "const") ?? shown(wanted)}`;
}

/** Why a value is none of those that `enum` wants. */
export function enumFault(node: JsonObject, value: JsonValue): string | undefined {
  if (!Array.isArray(node.enum)) return undefined;
  const wanted = node.enum as readonly JsonValue[];
  if (wanted.some((each) => jsonEqual(value, each))) return undefined;
  if (wanted.some((each) => typeof each === "object" && each !== null)) return "'enum' failed";
  const list = wanted.map((each, index) => numberSource(wanted, String(index)) ?? shown(each)).join(", ");
  return wanted.length === 1 ? `value must be ${list}` : `value must be one of ${list}`;
}

/** Why a text has not the `format` that a schema wants; formats that are not known are passed over. */
export function formatFault(node: JsonObject, value: JsonValue): string | undefined {
  if (typeof node.format !== "string" || typeof value !== "string") return undefined;
  const fault = formatChecks.get(node.format)?.(value);
  return fault === undefined ? undefined : `${quoted(value)} is not valid ${node.format}: ${fault}`;
}

/** Which limits of a schema a number breaks. */
export function numberFaults(node: JsonObject, value: number | bigint): readonly string[] {
  const faults: string[] = [];
  const number = Number(value);
  const limit = (keyword: string, bound: JsonValue | undefined, isFine: (bound: number) => boolean) => {
    if (typeof bound === "number" && !isFine(bound)) {
      faults.push(`${keyword}: got ${localNumber(value)}, want ${localNumber(bound)}`);
    }
  };
  if (node.exclusiveMinimum !== true) limit("minimum", node.minimum, (bound) => number >= bound);
  if (node.exclusiveMaximum !== true) limit("maximum", node.maximum, (bound) => number <= bound);
  const low = node.exclusiveMinimum === true ? node.minimum : node.exclusiveMinimum;
  const high = node.exclusiveMaximum === true ? node.maximum : node.exclusiveMaximum;
  limit("exclusiveMinimum", low, (bound) => number > bound);
  limit("exclusiveMaximum", high, (bound) => number < bound);
  limit("multipleOf", node.multipleOf, (bound) => isMultiple(number, bound));
  return faults;
}

/** Whether a number is a whole multiple of another, by their decimal digits. */
function isMultiple(value: number, step: number): boolean {
  const [a, b] = [fractionOf(value), fractionOf(step)];
  if (b.digits === 0n) return true;
  const scale = Math.max(a.scale, b.scale);
  return (a.digits * 10n ** BigInt(scale - a.scale)) % (b.digits * 10n ** BigInt(scale - b.scale)) === 0n;
}

function fractionOf(value: number): { readonly digits: bigint; readonly scale: number } {
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const [whole, fraction = ""] = mantissa.split(".") as [string, string?];
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}
