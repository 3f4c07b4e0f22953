/**
 * Comparison of values: Go's `eq` and `lt` in templates, and `reflect.DeepEqual`.
 *
 * @module
 */
import type { CallContext } from "../functions/registry.ts";
import { GoError } from "./go_error.ts";
import { compareStrings, rejoin } from "./go_string.ts";
import { sprintf } from "./printf.ts";
import { GoBytes, GoComplex, GoInt, GoMap, GoSlice, GoStruct, isNil, typeNameOf, typeOf } from "./value.ts";
import type { Value } from "./value.ts";

type BasicKind = "bool" | "complex" | "int" | "uint" | "float" | "string" | undefined;

/** The kinds that comparisons tell apart. */
function basicKind(value: Value): BasicKind {
  switch (typeof value) {
    case "string":
      return "string";
    case "number":
      return "float";
    case "boolean":
      return "bool";
  }
  if (value instanceof GoInt) return value.type.kind.startsWith("uint") ? "uint" : "int";
  return value instanceof GoComplex ? "complex" : undefined;
}

function isIntegral(a: BasicKind, b: BasicKind): boolean {
  return (a === "int" || a === "uint") && (b === "int" || b === "uint");
}

function sameInteger(a: GoInt, b: GoInt): boolean {
  return a.value === b.value;
}

/** `eq a b…`: whether the first equals one of the others. @throws {GoError} when they cannot be compared */
export function equalsAny(context: CallContext, first: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new GoError("missing argument for comparison");
  return others.some((other) => equals(context, first, other));
}

function equals(context: CallContext, a: Value, b: Value): boolean {
  const kindA = basicKind(a);
  const kindB = basicKind(b);
  if (kindA !== kindB) {
    if (isIntegral(kindA, kindB)) return sameInteger(a as GoInt, b as GoInt);
    if (a !== undefined && a !== null && b !== undefined && b !== null) {
      throw new GoError(`incompatible types for comparison: ${typeNameOf(a)} and ${typeNameOf(b)}`);
    }
    return false;
  }
  switch (kindA) {
    case "bool":
    case "float":
      return a === b;
    case "string":
      return a === b || rejoin(a as string) === rejoin(b as string);
    case "int":
    case "uint":
      return sameInteger(a as GoInt, b as GoInt);
    case "complex":
      return (a as GoComplex).re === (b as GoComplex).re && (a as GoComplex).im === (b as GoComplex).im;
  }
  const reflectKind = (value: Value) => typeOf(value)?.kind;
  if (reflectKind(a) !== reflectKind(b) && reflectKind(a) !== undefined && reflectKind(b) !== undefined) {
    throw new GoError(
      sprintf(context, "non-comparable types %s: %s, %s: %v", [a, typeNameOf(a), typeNameOf(b), b]),
    );
  }
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  if (!isComparable(b)) {
    throw new GoError(sprintf(context, "non-comparable type %s: %s", [b, typeNameOf(b)]));
  }
  return typeOf(a)?.kind === "ptr" ? a === b : deepEquals(context, a, b);
}

function isComparable(value: Value): boolean {
  const type = typeOf(value);
  if (type?.kind !== "struct") return type?.kind === "ptr";
  return (type.fields ?? []).every((field) => field.type.kind !== "map" && field.type.kind !== "slice");
}

/** `lt a b`. @throws {GoError} when there is no order between them */
export function isLess(a: Value, b: Value): boolean {
  const kindA = basicKind(a);
  const kindB = kindA === undefined ? undefined : basicKind(b);
  if (kindA === undefined || kindB === undefined) throw new GoError("invalid type for comparison");
  if (kindA !== kindB && !isIntegral(kindA, kindB)) {
    throw new GoError(`incompatible types for comparison: ${typeNameOf(a)} and ${typeNameOf(b)}`);
  }
  switch (kindA) {
    case "bool":
    case "complex":
      throw new GoError("invalid type for comparison");
    case "string":
      return compareStrings(a as string, b as string) < 0;
    case "float":
      return (a as number) < (b as number);
  }
  return (a as GoInt).value < (b as GoInt).value;
}

/** `reflect.DeepEqual`: same types, same content; NaN differs from itself, a nil list from an empty one. */
export function deepEquals(context: CallContext, a: Value, b: Value): boolean {
  context.spend(1);
  if (a === undefined || a === null || b === undefined || b === null) return (a ?? null) === (b ?? null);
  if (typeof a !== "object" || typeof b !== "object") {
    return a === b || typeof a === "string" && typeof b === "string" && rejoin(a) === rejoin(b);
  }
  if (a.type.name !== b.type.name) return false;
  if (a instanceof GoInt) return a.value === (b as GoInt).value;
  if (a instanceof GoComplex) return a.re === (b as GoComplex).re && a.im === (b as GoComplex).im;
  if (a instanceof GoMap) {
    const other = (b as GoMap).entries;
    const { entries } = a;
    if (entries === null || other === null) return entries === other;
    if (entries === other) return true;
    if (entries.size !== other.size) return false;
    for (const [key, value] of entries) {
      if (!other.has(key) || !deepEquals(context, value, other.get(key))) return false;
    }
    return true;
  }
  if (a instanceof GoSlice) {
    const { items } = a;
    const other = (b as GoSlice).items;
    if (items === null || other === null) return items === other;
    return items === other ||
      items.length === other.length && items.every((item, index) => deepEquals(context, item, other[index]));
  }
  if (a instanceof GoBytes) {
    const { bytes } = a;
    const other = (b as GoBytes).bytes;
    if (bytes === null || other === null) return bytes === other;
    return bytes.length === other.length && bytes.every((byte, index) => byte === other[index]);
  }
  // Values of classes of their own (times) hide their fields: they say themselves whether they are equal.
  const equal = a.type.methods?.Equal;
  if (equal !== undefined) return a === b || equal.call(context, a, b) === true;
  if (a instanceof GoStruct) {
    const { fields } = a;
    const other = (b as GoStruct).fields;
    if (fields === null || other === null) return fields === other;
    return fields === other || Object.keys(fields).every((key) => deepEquals(context, fields[key], other[key]));
  }
  return a === b;
}
