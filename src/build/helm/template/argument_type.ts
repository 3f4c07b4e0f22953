import type { Evaluate } from "./closure.ts";
import { canBeNil, goTypes, isAssignable } from "./go_type.ts";
import type { GoType } from "./go_type.ts";
import type { Run } from "./run.ts";
import { GoInt, GoMap, GoSlice, GoStruct, typeOf, zeroOf } from "./value.ts";
import type { Value } from "./value.ts";

/** A value where a type is wanted: nil becomes the type's zero, a pointer may be followed once. */
export function validated(run: Run, value: Value, type: GoType): Value {
  if (type === goTypes.any) return value ?? null;
  if (type === goTypes.reflect) return value;
  if (type === goTypes.string && typeof value === "string") return value;
  if (value === undefined) {
    if (canBeNil(type)) return zeroOf(type);
    return run.fail(`invalid value; expected ${type.name}`);
  }
  if (value === null) return run.fail(`wrong type for value; expected ${type.name}; got interface {}`);
  const actual = typeOf(value) as GoType;
  if (isAssignable(actual, type)) return value;
  if (actual.kind === "ptr" && actual.elem !== undefined && isAssignable(actual.elem, type)) return pointed(value);
  return run.fail(`wrong type for value; expected ${type.name}; got ${actual.name}`);
}

/** The form in which functions get their arguments: numbers for integers, maps and slices under the parameter's type. */
export function nativeOf(evaluate: Evaluate, type: GoType): Evaluate {
  switch (type.kind) {
    case "interface":
    case "string":
    case "bool":
    case "float64":
      return evaluate;
    case "map":
    case "slice":
      return (run, final) => {
        const value = evaluate(run, final);
        if (value instanceof GoMap && value.type !== type) return new GoMap(value.entries, type);
        if (value instanceof GoSlice && value.type !== type) return new GoSlice(value.items, type, value.room);
        return value;
      };
  }
  if (!/^u?int/.test(type.kind)) return evaluate;
  return (run, final) => {
    const value = evaluate(run, final);
    return value instanceof GoInt ? Number(value.value) : value;
  };
}

/** What a pointer points at; any other value as it is. */
export function pointed(value: Value): Value {
  if (value instanceof GoStruct && value.type.kind === "ptr" && value.fields !== null) {
    return value.as(value.type.elem as GoType);
  }
  return value;
}
