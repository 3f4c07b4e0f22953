/**
 * Sprig's functions on lists (v3.3.0, list.go). All but `sortAlpha` leave their list as it is.
 *
 * @module
 */
import { deepEquals } from "../template/compare.ts";
import { GoError, nilDereference } from "../template/go_error.ts";
import { goTypes } from "../template/go_type.ts";
import type { GoType } from "../template/go_type.ts";
import { capacityOf, grown } from "../template/go_capacity.ts";
import { GoBytes, goGrownList, goList, GoSlice, kindOf, zeroOf } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import { toInt64 } from "./convert.ts";
import { isEmpty } from "./defaults.ts";
import { func, variadic } from "./registry.ts";
import type { CallContext, FunctionTable } from "./registry.ts";
import { itemsOfAny, itemsOrFail } from "./text_value.ts";

const { any, bool, list, lists } = goTypes;

/** The nil `[]interface {}` that sprig returns for what is left of an empty list. */
const nilList = new GoSlice(null);

const append = func([any, any], list, (context, value, item) => {
  const items = itemsOrFail(value, "Cannot push on type");
  return made(context, "append", [...items, item], grown(items.length, wordPair) - items.length - 1);
});
const prepend = func([any, any], list, (context, value, item) => {
  const items = itemsOrFail(value, "Cannot prepend on type");
  return made(context, "prepend", [item, ...items], items.length === 0 ? 0 : roomOfPrepended(items.length));
});
const first = func([any], any, (_, value) => itemsOrFail(value, "Cannot find first on type")[0] ?? null);
const last = func([any], any, (_, value) => itemsOrFail(value, "Cannot find last on type").at(-1) ?? null);
const rest = func([any], list, (_, value) => {
  const items = itemsOrFail(value, "Cannot find rest on type");
  return items.length === 0 ? nilList : goList(items.slice(1));
});
const initial = func([any], list, (_, value) => {
  const items = itemsOrFail(value, "Cannot find initial on type");
  return items.length === 0 ? nilList : goList(items.slice(0, -1));
});
const reverse = func([any], list, (_, value) => goList(itemsOrFail(value, "Cannot find reverse on type").toReversed()));
const compact = func(
  [any],
  list,
  (_, value) => goGrownList(itemsOrFail(value, "Cannot compact on type").filter((item) => !isEmpty(item))),
);
const uniq = func([any], list, (context, value) => {
  const kept: Value[] = [];
  for (const item of itemsOrFail(value, "Cannot find uniq on type")) {
    if (!isIn(context, kept, item)) kept.push(item);
  }
  return goGrownList(kept);
});
const without = variadic(
  [any],
  any,
  list,
  (context, value, ...omitted) =>
    goGrownList(itemsOrFail(value, "Cannot find without on type").filter((item) => !isIn(context, omitted, item))),
);
const has = func(
  [any, any],
  bool,
  (context, needle, value) =>
    value !== null && itemsOrFail(value, "Cannot find has on type").some((item) => deepEquals(context, needle, item)),
);
const chunk = func([goTypes.int, any], lists, (_, size, value) => chunks(size, value));
const slice = variadic([any], any, any, (context, value, ...indices) => {
  const result = sliced(value, indices);
  context.made(50 + 8 * (itemsOfAny(result)?.length ?? 0));
  return result;
});

/** Functions by name. */
export const listFunctions: FunctionTable = {
  append,
  chunk,
  compact,
  concat: variadic([], any, any, (context, ...values) => concat(context, values)),
  first,
  has,
  initial,
  last,
  list: variadic([], any, list, (_, ...values) => goList(values)),
  mustAppend: append,
  mustChunk: chunk,
  mustCompact: compact,
  mustFirst: first,
  mustHas: has,
  mustInitial: initial,
  mustLast: last,
  mustPrepend: prepend,
  mustPush: append,
  mustRest: rest,
  mustReverse: reverse,
  mustSlice: slice,
  mustUniq: uniq,
  mustWithout: without,
  prepend,
  push: append,
  rest,
  reverse,
  slice,
  tuple: variadic([], any, list, (_, ...values) => goList(values)),
  uniq,
  without,
};

/** Bytes of an interface or a string. */
const wordPair = 16;

/** Go appends all old items to a slice of one. */
function roomOfPrepended(count: number): number {
  return grown(1, wordPair, count + 1) - count - 1;
}

function made(context: CallContext, name: string, items: readonly Value[], room: number): GoSlice {
  context.reserve(name, items.length);
  return new GoSlice(items, list, room);
}

/** Whether a list has an item that is the same in type and content. */
function isIn(context: CallContext, items: readonly Value[], wanted: Value): boolean {
  return items.some((item) => deepEquals(context, wanted, item));
}

function concat(context: CallContext, values: readonly Value[]): Value {
  const items: Value[] = [];
  for (const value of values) {
    const more = itemsOfAny(value);
    if (more === undefined) {
      throw new GoError(value === null ? nilDereference : `Cannot concat type ${kindOf(value)} as list`);
    }
    context.reserve("concat", items.length + more.length);
    context.made(8 * more.length);
    for (const item of more) items.push(item);
  }
  return items.length === 0 ? nilList : goGrownList(items);
}

/** Pieces of `size` items; sizes for which Go cannot make them fail as its `make` does. */
function chunks(size: number, value: Value): Value {
  const items = itemsOrFail(value, "Cannot chunk type");
  const count = Math.floor((items.length - 1) / size) + 1;
  if (!Number.isFinite(count) || count < 0 || count > 0 && size < 0) {
    throw new GoError("runtime error: makeslice: len out of range");
  }
  const pieces = Array.from({ length: count }, (_, index) => goList(items.slice(index * size, (index + 1) * size)));
  return new GoSlice(pieces, lists as GoType);
}

/** Items from the first index to before the second; the type of the list stays. */
function sliced(value: Value, indices: readonly Value[]): Value {
  const items = itemsOfAny(value);
  if (items === undefined) {
    if (value === null) throw new GoError(nilDereference);
    throw new GoError(`list should be type of slice or array but ${kindOf(value)}`);
  }
  if (items.length === 0) return null;
  const start = indices.length > 0 ? toInt64(indices[0]) : 0;
  const end = indices.length > 1 ? toInt64(indices[1]) : items.length;
  const whole = value instanceof GoSlice && end > items.length ? [...items, ...behind(value)] : items;
  if (start < 0 || end < start || end > whole.length) {
    throw new GoError("reflect.Value.Slice: slice index out of bounds");
  }
  if (value instanceof GoBytes) {
    return new GoBytes((value.bytes as Uint8Array).slice(Number(start), Number(end)), value.type);
  }
  const slice = value as GoSlice;
  const rest = [...whole.slice(Number(end)), ...(whole === items ? behind(slice) : [])];
  return new GoSlice(whole.slice(Number(start), Number(end)), slice.type, rest);
}

/** What stands behind a slice, within its capacity. */
function behind(slice: GoSlice): readonly Value[] {
  const { room } = slice;
  if (room === undefined) return [];
  if (typeof room === "object") return room;
  const length = slice.items?.length ?? 0;
  const elem = slice.type.elem as GoType;
  const bytes = elem.kind === "interface" || elem.kind === "string" ? wordPair : elem.kind === "slice" ? 24 : 8;
  const count = room === "grown" ? capacityOf(length, bytes) - length : room;
  return new Array<Value>(count).fill(zeroOf(elem));
}
