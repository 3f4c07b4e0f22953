import { GoError, nilDereference } from "../template/go_error.ts";
import { fromBytes } from "../template/go_string.ts";
import type { GoType } from "../template/go_type.ts";
import { textOf } from "../template/printf.ts";
import { GoBytes, GoInt, GoSlice, kindOf } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import type { CallContext } from "./registry.ts";

/** A value as text (sprig `strval`): strings and bytes as they are, everything else as `%v` prints it. */
export function strval(context: CallContext, value: Value): string {
  if (typeof value === "string") return value;
  if (value instanceof GoBytes) return fromBytes(value.bytes ?? new Uint8Array());
  return textOf(context, value);
}

/** Items of any slice; `undefined` for everything else. */
export function itemsOfAny(value: Value): readonly Value[] | undefined {
  if (value instanceof GoSlice) return value.items ?? [];
  if (value instanceof GoBytes) {
    return Array.from(value.bytes ?? [], (byte) => new GoInt(value.type.elem as GoType, byte));
  }
  return undefined;
}

/** Items of any slice. `refusal` comes before the kind of what is none. @throws {GoError} also for nil, where Go panics */
export function itemsOrFail(value: Value, refusal: string, ending = ""): readonly Value[] {
  const items = itemsOfAny(value);
  if (items !== undefined) return items;
  if (value === undefined || value === null) throw new GoError(nilDereference);
  throw new GoError(`${refusal} ${kindOf(value)}${ending}`);
}

/** Texts of a value (sprig `strslice`): the items of a list without nils, or the value alone. */
export function textsOf(context: CallContext, value: Value): string[] {
  const items = itemsOfAny(value);
  if (items !== undefined) {
    return items.filter((item) => item !== null && item !== undefined).map((item) => strval(context, item));
  }
  return value === undefined || value === null ? [] : [strval(context, value)];
}
