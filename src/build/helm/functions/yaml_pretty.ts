/**
 * `toYamlPretty`: template values through go-yaml v3 (sigs.k8s.io/yaml/goyaml.v3), which sees Go's values and not their
 * JSON: floats as `%g`, structs by lower-case field names in their own order, invalid UTF-8 as `!!binary`.
 *
 * @module
 */
import { emitJson, keepsOrder, PlainText } from "../../../format/yaml_node/emitter.ts";
import type { PrintableValue } from "../../../format/yaml_node/emitter.ts";
import { GoError } from "../template/go_error.ts";
import { floatText } from "../template/go_number.ts";
import { hasRawBytes, rejoin, toBytes, withoutRawBytes } from "../template/go_string.ts";
import type { GoType } from "../template/go_type.ts";
import { GoBytes, GoInt, GoMap, GoSlice, GoStruct, typeNameOf } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import { checkMadeLength } from "./registry.ts";
import type { CallContext } from "./registry.ts";

/** Nesting from which a value is held for one that contains itself. */
const maxDepth = 500;

/** YAML text of a value, ending with a line break. @throws {GoError} for what YAML cannot say */
export function prettyYaml(context: CallContext, value: Value): string {
  const text = emitJson(printable(context, value, 0));
  checkMadeLength("toYamlPretty", text.length);
  return text;
}

function printable(context: CallContext, value: Value, depth: number): PrintableValue {
  context.spend(1);
  if (depth > maxDepth) throw new GoError(`yaml: cannot marshal type: ${typeNameOf(value)}`);
  switch (typeof value) {
    case "number":
      return new PlainText(yamlFloat(value));
    case "string":
      return hasRawBytes(rejoin(value)) ? new PlainText(`!!binary ${toBytes(value).toBase64()}`) : rejoin(value);
    case "boolean":
      return value;
  }
  if (value === undefined || value === null) return null;
  const { type } = value;
  if (value instanceof GoInt) {
    const text = type.name === "time.Duration" ? type.methods?.String?.call(context, value) : undefined;
    return typeof text === "string" ? new PlainText(text) : value.value;
  }
  if (value instanceof GoStruct && value.fields === null) return null;
  if (type.toJson !== undefined) {
    const json = type.toJson(value);
    const isTime = type.name === "time.Time" && typeof json === "string";
    return isTime ? new PlainText(json) : json;
  }
  if (value instanceof GoBytes) return Array.from(value.bytes ?? []);
  if (value instanceof GoSlice) return (value.items ?? []).map((item) => printable(context, item, depth + 1));
  if (value instanceof GoMap) {
    const made: Record<string, PrintableValue> = Object.create(null);
    for (const [key, item] of value.entries ?? []) made[withoutRawBytes(key)] = printable(context, item, depth + 1);
    return made;
  }
  if (value instanceof GoStruct) return structFields(context, value, depth);
  throw new GoError(`cannot marshal type: ${typeNameOf(value)}`);
}

/** Fields that can be seen, by their names in lower case. */
function structFields(context: CallContext, value: GoStruct, depth: number): PrintableValue {
  const type = value.type.kind === "ptr" ? value.type.elem as GoType : value.type;
  const made: Record<string, PrintableValue> & { [keepsOrder]?: true } = Object.create(null);
  Object.defineProperty(made, keepsOrder, { value: true });
  for (const field of type.fields ?? []) {
    if (!field.isPrivate) {
      made[field.name.toLowerCase()] = printable(context, value.fields?.[field.name] ?? null, depth + 1);
    }
  }
  return made;
}

function yamlFloat(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  return Number.isFinite(value) ? floatText(value) : value > 0 ? ".inf" : "-.inf";
}
