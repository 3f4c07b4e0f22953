/**
 * Sprig's functions on maps (v3.3.0, dict.go). `set`, `unset`, `merge` and `mergeOverwrite` change their map in place.
 * Maps have no order in Go, so `keys` and `values` come in any order there. `Differs:` here they come sorted by key, so
 * that the same input gives the same text.
 *
 * @module
 */
import type { Version } from "../../../format/semver.ts";
import { GoError } from "../template/go_error.ts";
import { sortedKeys } from "../template/go_string.ts";
import { goTypes } from "../template/go_type.ts";
import type { GoType } from "../template/go_type.ts";
import { GoBytes, goDict, goGrownList, GoMap, GoSlice, typeNameOf } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import { mergeInto } from "./merge.ts";
import { func, variadic } from "./registry.ts";
import type { CallContext, FunctionTable } from "./registry.ts";
import { GoVersion } from "./semver.ts";
import { strval } from "./text_value.ts";

const { any, bool, dict, list, string, strings } = goTypes;

const merge = variadic([dict], dict, any, (context, target, ...sources) => mergeInto(context, target, sources, false));
const mergeOverwrite = variadic(
  [dict],
  dict,
  any,
  (context, target, ...sources) => mergeInto(context, target, sources, true),
);

/** Functions by name. */
export const dictFunctions: FunctionTable = {
  deepCopy: func([any], any, (context, value) => copyOrFail(context, value)),
  dict: variadic([], any, dict, (context, ...values) => pairs(context, values)),
  dig: variadic([], any, any, (_, ...values) => dig(values)),
  get: func([dict, string], any, (_, map, key) => {
    const value = map.entries?.get(key);
    return value === undefined ? "" : value;
  }),
  hasKey: func([dict, string], bool, (_, map, key) => map.entries?.has(key) ?? false),
  keys: variadic(
    [],
    dict,
    strings,
    (_, ...maps) => new GoSlice(maps.flatMap((map) => sortedKeys(map.entries)), strings, "grown"),
  ),
  merge,
  mergeOverwrite,
  mustDeepCopy: func([any], any, (context, value) => copyOrFail(context, value)),
  mustMerge: merge,
  mustMergeOverwrite: mergeOverwrite,
  omit: variadic([dict], string, dict, (context, map, ...keys) => {
    context.made(100 + 50 * (map.entries?.size ?? 0));
    const omitted = new Set(keys);
    return goDict([...map.entries ?? []].filter(([key]) => !omitted.has(key)));
  }),
  pick: variadic(
    [dict],
    string,
    dict,
    (_, map, ...keys) =>
      goDict(keys.flatMap((key) => map.entries?.has(key) ? [[key, map.entries.get(key)] as const] : [])),
  ),
  pluck: variadic(
    [string],
    dict,
    list,
    (_, key, ...maps) => goGrownList(maps.flatMap((map) => map.entries?.has(key) ? [map.entries.get(key)] : [])),
  ),
  set: func([dict, string, any], dict, (context, map, key, value) => {
    if (map.entries === null) throw new GoError("assignment to entry in nil map");
    context.made(50);
    map.entries.set(key, value);
    return map;
  }),
  unset: func([dict, string], dict, (_, map, key) => {
    map.entries?.delete(key);
    return map;
  }),
  values: func([dict], list, (_, map) => goGrownList(sortedKeys(map.entries).map((key) => map.entries?.get(key)))),
};

function pairs(context: CallContext, values: readonly Value[]): GoMap {
  const entries = new Map<string, Value>();
  context.made(100 + 25 * values.length);
  for (let index = 0; index < values.length; index += 2) {
    const key = values[index];
    entries.set(
      typeof key === "string" ? key : strval(context, key),
      index + 1 < values.length ? values[index + 1] as Value : "",
    );
  }
  return new GoMap(entries);
}

function notOfType(value: Value, wanted: GoType): GoError {
  const found = value === null || value === undefined ? "nil" : typeNameOf(value);
  return new GoError(`interface conversion: interface {} is ${found}, not ${wanted.name}`);
}

/** `dig key… default map`: the value at the end of the keys. Every map on the way must be a `map[string]interface {}`. */
function dig(values: readonly Value[]): Value {
  if (values.length < 3) throw new GoError("dig needs at least three arguments");
  let map = values.at(-1) as Value;
  if (!isDict(map)) throw notOfType(map, dict);
  const keys = values.slice(0, -2).map((key) => {
    if (typeof key !== "string") throw notOfType(key, string);
    return key;
  });
  for (const [index, key] of keys.entries()) {
    if (!isDict(map)) throw notOfType(map, dict);
    const value: Value = map.entries?.get(key);
    if (value === undefined) return values.at(-2);
    if (index === keys.length - 1) return value;
    map = value;
  }
  return null;
}

function isDict(value: Value): value is GoMap {
  return value instanceof GoMap && value.type.name === dict.name;
}

function copyOrFail(context: CallContext, value: Value): Value {
  if (value === null || value === undefined) {
    throw new GoError("reflect: call of reflect.Value.Type on zero Value");
  }
  return deepCopy(context, value);
}

const noVersion: Version = { major: 0, minor: 0, patch: 0, prerelease: "", metadata: "", original: "" };

/** A copy that shares no map with the original. */
function deepCopy(context: CallContext, value: Value): Value {
  if (value instanceof GoMap) {
    if (value.entries === null) return value;
    context.made(100 + 50 * value.entries.size);
    const entries = new Map<string, Value>();
    for (const [key, item] of value.entries) entries.set(key, deepCopy(context, item));
    return new GoMap(entries, value.type);
  }
  if (value instanceof GoSlice) {
    context.made(50 + 8 * (value.items?.length ?? 0));
    return value.items === null ? value : new GoSlice(
      value.items.map((item) => deepCopy(context, item)),
      value.type,
      value.room,
    );
  }
  // Copies are made field by field, and a version's fields are its own.
  if (value instanceof GoVersion) return new GoVersion(noVersion, value.type);
  return value instanceof GoBytes ? new GoBytes(value.bytes?.slice() ?? null, value.type) : value;
}
