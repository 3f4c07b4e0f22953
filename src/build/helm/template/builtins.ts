/**
 * Go's own template functions (text/template, funcs.go). `and`, `or` and `call` are run by the evaluator; here stand
 * only their signatures.
 *
 * @module
 */
import { func, variadic } from "../functions/registry.ts";
import type { CallContext, FunctionTable } from "../functions/registry.ts";
import { equalsAny, isLess } from "./compare.ts";
import { GoError } from "./go_error.ts";
import { isPrintable } from "./go_quote.ts";
import { byteLength, hasRawBytes, rejoin, toBytes } from "./go_string.ts";
import { goTypes } from "./go_type.ts";
import type { GoType } from "./go_type.ts";
import { sprint, sprintf, sprintln } from "./printf.ts";
import { GoBytes, GoInt, goInt, GoMap, GoSlice, GoStruct, isNil, isTrue, typeNameOf, typeOf, zeroOf } from "./value.ts";
import type { Value } from "./value.ts";

const { any, bool, int, reflect, string } = goTypes;

/** What Go panics with when it asks nothing for its type. */
const typeOfNothing = "reflect: call of reflect.Value.Type on zero Value";

const runByEvaluator = variadic([reflect], reflect, reflect, () => undefined);

/** Functions by name. */
export const builtins: FunctionTable = {
  and: runByEvaluator,
  or: runByEvaluator,
  call: runByEvaluator,
  not: func([reflect], bool, (_, value) => !isTrue(value)),
  len: func([reflect], int, (_, value) => goInt(lengthOf(value))),
  index: variadic([reflect], reflect, reflect, (_, item, ...indexes) => indexed(item, indexes)),
  print: variadic([], any, string, (context, ...args) => sprint(context, args)),
  printf: variadic([string], any, string, (context, format, ...args) => sprintf(context, format, args)),
  println: variadic([], any, string, (context, ...args) => sprintln(context, args)),
  html: variadic([], any, string, (context, ...args) => escapeHtml(joined(context, args))),
  js: variadic([], any, string, (context, ...args) => escapeJs(joined(context, args))),
  urlquery: variadic([], any, string, (context, ...args) => escapeQuery(joined(context, args))),
  eq: variadic([reflect], reflect, bool, (context, first, ...others) => equalsAny(context, first, others)),
  ne: func([reflect, reflect], bool, (context, a, b) => !equalsAny(context, a, [b])),
  lt: func([reflect, reflect], bool, (_, a, b) => isLess(a, b)),
  le: func([reflect, reflect], bool, (context, a, b) => isLess(a, b) || equalsAny(context, a, [b])),
  gt: func([reflect, reflect], bool, (context, a, b) => !(isLess(a, b) || equalsAny(context, a, [b]))),
  ge: func([reflect, reflect], bool, (_, a, b) => !isLess(a, b)),
};

/** What `call` says of its first argument: no value of a template is a function. @throws {GoError} always */
export function callee(name: string, target: Value): never {
  if (target === undefined || target === null) throw new GoError("call of nil");
  throw new GoError(`non-function ${name} of type ${typeNameOf(target)}`);
}

/** `len`. @throws {GoError} for what has no length */
function lengthOf(value: Value): number {
  if (typeof value === "string") return byteLength(value);
  if (value instanceof GoMap) return value.entries?.size ?? 0;
  if (value instanceof GoSlice) return value.items?.length ?? 0;
  if (value instanceof GoBytes) return value.bytes?.length ?? 0;
  if (value === undefined) throw new GoError(typeOfNothing);
  if (isNil(value)) throw new GoError("len of nil pointer");
  throw new GoError(`len of type ${concrete(value)?.name}`);
}

/** Type of a value, or of what a pointer points at. */
function concrete(value: Value): GoType | undefined {
  const type = typeOf(value);
  return type?.kind === "ptr" ? type.elem : type;
}

/** `index item i…`: an element of lists and maps, one step per index. @throws {GoError} */
function indexed(item: Value, indexes: readonly Value[]): Value {
  if (item === undefined || item === null) throw new GoError("index of untyped nil");
  let value: Value = item;
  for (const index of indexes) {
    if (value === null || value === undefined || value instanceof GoStruct && value.fields === null) {
      throw new GoError("index of nil pointer");
    }
    if (typeof value === "string") {
      const bytes = toBytes(value);
      value = new GoInt(goTypes.uint8, bytes[position(index, bytes.length, "string")] as number);
    } else if (value instanceof GoSlice) {
      const items: readonly Value[] = value.items ?? [];
      value = items[position(index, items.length)];
    } else if (value instanceof GoBytes) {
      const bytes = value.bytes ?? new Uint8Array();
      value = new GoInt(goTypes.uint8, bytes[position(index, bytes.length)] as number);
    } else if (value instanceof GoMap) {
      if (index === undefined || index === null) throw new GoError("value is nil; should be of type string");
      if (typeof index !== "string") throw new GoError(`value has type ${typeNameOf(index)}; should be string`);
      const found: Value = value.entries?.get(index);
      value = found === undefined ? zeroOf(value.type.elem as GoType) : found;
    } else throw new GoError(`can't index item of type ${concrete(value)?.name}`);
  }
  return value;
}

function position(index: Value, length: number, kind: "slice" | "string" = "slice"): number {
  if (index === undefined || index === null) throw new GoError("cannot index slice/array with nil");
  if (!(index instanceof GoInt)) throw new GoError(`cannot index slice/array with type ${typeNameOf(index)}`);
  const at = index.type.kind === "uint64" ? BigInt.asIntN(64, BigInt(index.value)) : index.value;
  if (at < 0 || at > length) throw new GoError(`index out of range: ${at}`);
  // Go checks against the capacity first, so the index just behind the end reaches reflect, which panics.
  if (Number(at) === length) throw new GoError(`reflect: ${kind} index out of range`);
  return Number(at);
}

/** Operands as one text: a single string as it is, else as `print` writes them. */
function joined(context: CallContext, args: readonly Value[]): string {
  const [only] = args;
  if (args.length === 1 && typeof only === "string") return only;
  return sprint(
    context,
    args.map((arg) =>
      arg === null || arg === undefined
        ? "<no value>"
        : arg instanceof GoStruct && arg.type.kind === "ptr" && arg.fields !== null &&
            arg.type.methods?.String === undefined
        ? arg.as(arg.type.elem as GoType)
        : arg
    ),
  );
}

const htmlEscapes: Readonly<Record<string, string>> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

function escapeHtml(text: string): string {
  return text.replace(/[\0"'&<>]/g, (character) => htmlEscapes[character] as string);
}

function escapeJs(text: string): string {
  let result = "";
  for (const character of rejoin(text)) {
    const code = character.codePointAt(0) as number;
    if (character === "\\" || character === "'" || character === '"') result += `\\${character}`;
    else if ("<>&=".includes(character) || code < 0x20) {
      result += `\\u00${code.toString(16).toUpperCase().padStart(2, "0")}`;
    } else if (code < 0x80 || hasRawBytes(character) || isPrintable(character)) result += character;
    else result += `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`;
  }
  return result;
}

function escapeQuery(text: string): string {
  let result = "";
  for (const byte of toBytes(text)) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.~]/.test(character)) result += character;
    else if (byte === 0x20) result += "+";
    else result += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return result;
}
