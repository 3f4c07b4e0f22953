import type { JsonValue } from "../../../core/json.ts";
import type { FunctionRecord } from "../functions/registry.ts";
import type { Value } from "./value.ts";

/** Kinds of Go's `reflect` that a template can meet; the texts are those of `reflect.Kind.String`. */
export type Kind =
  | "bool"
  | "int"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "float64"
  | "complex128"
  | "string"
  | "slice"
  | "map"
  | "struct"
  | "ptr"
  | "interface"
  | "func";

/** A field of a struct type, in the order of declaration. */
export interface GoField {
  readonly name: string;
  readonly type: GoType;
  /** Key in JSON; absent: the name itself. `-` leaves the field out. */
  readonly json?: string;
  /** Whether an empty value is left out of JSON. */
  readonly omitEmpty?: boolean;
  /** Whether templates cannot reach it (a lower-case name); it still shows in `%v`. */
  readonly isPrivate?: boolean;
  /** Whether the fields of its struct can be named without it, and stand beside the others in JSON. */
  readonly isEmbedded?: boolean;
}

/** A Go type as `reflect.Type` sees it. Two types are the same when their names are. */
export interface GoType<_Native = unknown> {
  readonly kind: Kind;
  /** As `reflect.Type.String` prints it: `map[string]interface {}`, `time.Time`, `*semver.Version`. */
  readonly name: string;
  /** Element of slices, maps and pointers. */
  readonly elem?: GoType;
  /** Key of maps. */
  readonly key?: GoType;
  /** For a named type: the type literal behind it; values of the two are assignable to each other. */
  readonly underlying?: GoType;
  readonly fields?: readonly GoField[];
  /** Methods by name; the receiver is the first argument of `call` and does not stand in `params`. */
  readonly methods?: Readonly<Record<string, FunctionRecord>>;
  /** Whether `String` belongs to the pointer: printing a copy of the value does not use it. */
  readonly hidesString?: boolean;
  /** `MarshalJSON` or `MarshalText`, where the type has one. */
  readonly toJson?: (value: Value) => JsonValue;
}

/** What JS value a parameter of a Go type arrives as. */
export type Native<T> = T extends GoType<infer N> ? N : never;

function basic<N>(kind: Kind): GoType<N> {
  return { kind, name: kind };
}

/** `[]elem` */
export function sliceType(elem: GoType): GoType {
  return { kind: "slice", name: `[]${elem.name}`, elem };
}

/** `map[string]elem` */
export function mapType(elem: GoType): GoType {
  return { kind: "map", name: `map[string]${elem.name}`, key: goTypes.string, elem };
}

/** `*elem`, with the methods of `elem` and more. */
export function pointerType(elem: GoType): GoType {
  return {
    kind: "ptr",
    name: `*${elem.name}`,
    elem,
    ...(elem.methods === undefined ? {} : { methods: elem.methods }),
    ...(elem.toJson === undefined ? {} : { toJson: elem.toJson }),
  };
}

/** A named type over a type literal, for example `common.Values` over `map[string]interface {}`. */
export function namedType(
  name: string,
  underlying: GoType,
  extra: Pick<GoType, "methods" | "toJson"> = {},
): GoType {
  return { ...underlying, name, underlying, ...extra };
}

const string = basic<string>("string");
const any: GoType<Value> = { kind: "interface", name: "interface {}" };
const uint8 = basic<number>("uint8");

/** The types that functions are declared with. The type argument says how a parameter arrives in a JS function. */
export const goTypes = {
  bool: basic<boolean>("bool"),
  string,
  float64: basic<number>("float64"),
  complex128: basic<unknown>("complex128"),
  /** Integer parameters arrive as JS numbers: exact up to 2^53, the nearest number beyond. */
  int: basic<number>("int"),
  int8: basic<number>("int8"),
  int16: basic<number>("int16"),
  int32: basic<number>("int32"),
  int64: basic<number>("int64"),
  uint: basic<number>("uint"),
  uint8,
  uint16: basic<number>("uint16"),
  uint32: basic<number>("uint32"),
  uint64: basic<number>("uint64"),
  /** `interface {}`: any value; nil arrives as `null`, never as `undefined`. */
  any,
  /** `reflect.Value`: only for Go's own functions; what is missing arrives as `undefined`. */
  reflect: { kind: "struct", name: "reflect.Value" } as GoType<Value>,
  bytes: { kind: "slice", name: "[]uint8", elem: uint8 } as GoType,
  strings: { kind: "slice", name: "[]string", elem: string } as GoType<import("./value.ts").GoSlice>,
  list: { kind: "slice", name: "[]interface {}", elem: any } as GoType<import("./value.ts").GoSlice>,
  lists: {
    kind: "slice",
    name: "[][]interface {}",
    elem: { kind: "slice", name: "[]interface {}", elem: any },
  } as GoType,
  /** `map[string]interface {}` */
  dict: { kind: "map", name: "map[string]interface {}", key: string, elem: any } as GoType<
    import("./value.ts").GoMap
  >,
  stringMap: { kind: "map", name: "map[string]string", key: string, elem: string } as GoType<
    import("./value.ts").GoMap
  >,
  func: { kind: "func", name: "func()" } as GoType,
} as const;

/** Whether a value of type `from` may be given where `to` is wanted (Go specification, "Assignability"). */
export function isAssignable(from: GoType, to: GoType): boolean {
  if (from === to || from.name === to.name) return true;
  if (to.kind === "interface") return to.name === "interface {}";
  if (from.underlying !== undefined && to.underlying !== undefined) return false;
  return (from.underlying ?? from).name === (to.underlying ?? to).name &&
    (from.underlying !== undefined || to.underlying !== undefined) && from.kind !== "string" && !isNumeric(from);
}

function isNumeric(type: GoType): boolean {
  return /^(u?int|float|complex|bool)/.test(type.kind);
}

/** Whether nil can stand where the type is wanted. */
export function canBeNil(type: GoType): boolean {
  return type.kind === "interface" || type.kind === "map" || type.kind === "slice" || type.kind === "ptr" ||
    type.kind === "func" || type.name === "reflect.Value";
}

/** A field of a struct that holds a text. */
export function textField(name: string, extra: Partial<GoField> = {}): GoField {
  return { name, type: goTypes.string, ...extra };
}
