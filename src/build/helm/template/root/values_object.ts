/**
 * `.Values` as Go types (helm `pkg/chart/common/values.go`, 3.22 and 4.2.4).
 *
 * @module
 */
import { printYaml } from "../../../../format/yaml_print.ts";
import { method } from "../../functions/registry.ts";
import type { Dialect, FunctionRecord } from "../../functions/registry.ts";
import { jsonOf } from "../../values/value_json.ts";
import { GoError } from "../go_error.ts";
import { quoteText } from "../go_quote.ts";
import { goTypes, namedType } from "../go_type.ts";
import type { GoType } from "../go_type.ts";
import { goDict, GoMap } from "../value.ts";
import type { Value } from "../value.ts";

const { any, dict, string } = goTypes;

const isTable = (value: Value): value is GoMap =>
  value instanceof GoMap && (value.type.name === dict.name || value.type.methods === valuesMethods);

/** Table at a dotted path. @throws {GoError} when a part is none */
function table(values: GoMap, path: string, type: GoType): GoMap {
  let current = values;
  for (const key of path.split(".")) {
    const next = current.entries?.get(key);
    if (!isTable(next)) throw new GoError(`${quoteText(key)} is not a table`);
    current = next;
  }
  return new GoMap(current.entries, type);
}

/** Value at a dotted path that is no table itself. @throws {GoError} when there is none */
function pathValue(values: GoMap, path: string): Value {
  if (path === "") throw new GoError("YAML path cannot be empty");
  const parts = path.split(".");
  const key = parts.pop() as string;
  const missing = new GoError(`${quoteText(key)} is not a value`);
  let owner = values;
  for (const part of parts) {
    const next = owner.entries?.get(part);
    if (!isTable(next)) throw missing;
    owner = next;
  }
  const value = owner.entries?.get(key);
  if (value === undefined || value instanceof GoMap && value.type.name === dict.name) throw missing;
  return value;
}

const valuesMethods: Readonly<Record<string, FunctionRecord>> = {
  AsMap: method(
    [],
    dict,
    (_, values: GoMap) => values.entries === null || values.entries.size === 0 ? goDict() : new GoMap(values.entries),
  ),
  Encode: method([{ kind: "interface", name: "io.Writer" } as GoType], any, () => null),
  PathValue: method([string], any, (_, values: GoMap, path) => pathValue(values, path)),
  Table: method([string], dict, (_, values: GoMap, path) => table(values, path, values.type)),
  YAML: method([], string, (_, values: GoMap) => printYaml(jsonOf(values))),
};

/** Type of `.Values`, `.Template` and of the root itself. */
export const valuesTypes: Readonly<Record<Dialect, GoType>> = {
  "helm3": namedType("chartutil.Values", dict, { methods: valuesMethods }),
  "helm4.2.4": namedType("common.Values", dict, { methods: valuesMethods }),
};

/** The same map as `.Values` of a dialect: entries are shared, only the type differs. */
export function valuesObject(values: GoMap, dialect: Dialect): GoMap {
  return new GoMap(values.entries, valuesTypes[dialect]);
}
