import { goTypes } from "../template/go_type.ts";
import { GoMap, GoSlice } from "../template/value.ts";
import type { Value } from "../template/value.ts";

/** A map with its entries there: what Helm calls a table. */
export type Table = GoMap & { readonly entries: Map<string, Value> };

/** Whether a value is a table (`map[string]interface {}`). */
export function isTable(value: Value): value is Table {
  return value instanceof GoMap && value.entries !== null && value.type === goTypes.dict;
}

/** An empty table. */
export function newTable(entries?: Iterable<readonly [string, Value]>): Table {
  return new GoMap(new Map(entries)) as Table;
}

/** A table with the same entries; a nil or absent one is empty. */
export function tableOf(map: GoMap | undefined): Table {
  return map !== undefined && map.entries !== null ? map as Table : newTable();
}

/** A deep copy: maps are new (templates change them), lists are new where they hold maps, scalars are shared. */
export function copyValue<T extends Value>(value: T): T {
  if (value instanceof GoMap) {
    if (value.entries === null) return value;
    const entries = new Map<string, Value>();
    for (const [key, item] of value.entries) entries.set(key, copyValue(item));
    return new GoMap(entries, value.type) as GoMap as T & GoMap;
  }
  if (value instanceof GoSlice && value.items !== null) {
    return value.items.some((item) => typeof item === "object" && item !== null)
      ? new GoSlice(value.items.map(copyValue), value.type, value.room) as GoSlice as T & GoSlice
      : value;
  }
  return value;
}

/** Value at a dotted path of tables (Helm's `Values.PathValue`): `undefined` where there is none. A table itself is no value. */
export function pathValue(values: Table, path: string): Value | undefined {
  if (path === "") return undefined;
  const parts = path.split(".");
  const last = parts.pop() as string;
  const table = parts.length === 0 ? values : tableAt(values, parts.join("."));
  if (table === undefined || isMissing(table)) return undefined;
  const found = table.entries.get(last);
  return isTable(found) ? undefined : found;
}

/** A path that leads nowhere; carries the key that is no table. */
export interface MissingTable {
  readonly missing: string;
}

/** Whether a look-up of a table failed. */
export function isMissing(found: Table | MissingTable): found is MissingTable {
  return "missing" in found;
}

/** Table at a dotted path, or the first key that is none (Helm's `Values.Table`). */
export function tableAt(values: Table, path: string): Table | MissingTable {
  let table = values;
  for (const part of path.split(".")) {
    const next = table.entries.get(part);
    if (!(next instanceof GoMap) || next.entries === null) return { missing: part };
    table = next as Table;
  }
  return table;
}
