/**
 * `merge` and `mergeOverwrite` (dario.cat/mergo 1.0.1 on maps, as sprig calls it).
 *
 * @module
 */
import { GoBytes, GoMap, GoSlice, GoStruct, isTrue } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import type { CallContext } from "./registry.ts";

/**
 * Merges sources into a map, the first one first, and gives the map.
 *
 * - `merge`: what the target has stays, unless it is empty (0, "", false, nil, an empty list or map).
 * - `mergeOverwrite`: every value of a source wins, empty ones and nil too.
 * - In both, a map meets a map key by key; a list is taken whole; a map that the target does not have is taken over as
 *   it is, not copied, so later changes are seen on both sides.
 */
export function mergeInto(context: CallContext, target: GoMap, sources: readonly GoMap[], overwrites: boolean): GoMap {
  let result = target;
  for (const source of sources) {
    if (source.entries === null) continue;
    if (result.entries === null) result = new GoMap(new Map(), result.type);
    mergeEntries(context, result.entries as Map<string, Value>, source.entries, overwrites);
  }
  return result;
}

function mergeEntries(
  context: CallContext,
  target: Map<string, Value>,
  source: ReadonlyMap<string, Value>,
  overwrites: boolean,
): void {
  for (const [key, value] of [...source]) {
    context.made(50);
    const old = target.get(key);
    if (isNilValue(value)) {
      if (overwrites) target.set(key, value);
      continue;
    }
    if (value instanceof GoMap && old instanceof GoMap && value.entries !== null && old.entries !== null) {
      mergeEntries(context, old.entries, value.entries, overwrites);
    }
    if (!isEmptyValue(old)) {
      const isList = value instanceof GoSlice || value instanceof GoBytes;
      if (isList) {
        if (overwrites) target.set(key, value);
        continue;
      }
      if (value instanceof GoMap && old instanceof GoMap) continue;
    }
    if (overwrites || isEmptyValue(old)) target.set(key, value);
  }
}

/** Nil in an interface; a typed nil is none. */
function isNilValue(value: Value): boolean {
  return value === null || value === undefined;
}

function isEmptyValue(value: Value): boolean {
  return !(value instanceof GoStruct && value.type.kind === "struct") && !isTrue(value);
}
