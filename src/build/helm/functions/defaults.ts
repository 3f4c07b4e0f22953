/**
 * Sprig's functions about emptiness and choice (v3.3.0, defaults.go), and on types (reflect.go).
 *
 * @module
 */
import { deepEquals } from "../template/compare.ts";
import { goTypes } from "../template/go_type.ts";
import { GoObject, isTrue, kindOf, typeNameOf } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import { func, variadic } from "./registry.ts";
import type { FunctionTable } from "./registry.ts";

const { any, bool, string } = goTypes;

/** Whether a value is the zero of its kind: nil, false, 0, "", an empty list or map. Structs never are. */
export function isEmpty(value: Value): boolean {
  if (value instanceof GoObject && value.type.kind === "struct") return false;
  return !isTrue(value);
}

/** Functions by name. */
export const defaultFunctions: FunctionTable = {
  all: variadic([], any, bool, (_, ...values) => !values.some(isEmpty)),
  any: variadic([], any, bool, (_, ...values) => !values.every(isEmpty)),
  coalesce: variadic([], any, any, (_, ...values) => values.find((value) => !isEmpty(value)) ?? null),
  default: variadic(
    [any],
    any,
    any,
    (_, fallback, ...given) => given.length === 0 || isEmpty(given[0]) ? fallback : given[0],
  ),
  deepEqual: func([any, any], bool, (context, a, b) => deepEquals(context, a, b)),
  empty: func([any], bool, (_, value) => isEmpty(value)),
  kindIs: func([string, any], bool, (_, kind, value) => kindOf(value) === kind),
  kindOf: func([any], string, (_, value) => kindOf(value)),
  ternary: func([any, any, bool], any, (_, yes, no, choice) => choice ? yes : no),
  typeIs: func([string, any], bool, (_, type, value) => typeNameOf(value) === type),
  typeIsLike: func([string, any], bool, (_, type, value) => [type, `*${type}`].includes(typeNameOf(value))),
  typeOf: func([any], string, (_, value) => typeNameOf(value)),
};
