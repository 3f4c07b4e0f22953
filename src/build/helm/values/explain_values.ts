import type { JsonValue } from "../../../core/json.ts";
import type { Chart } from "../chart/chart.ts";
import { compareStrings } from "../template/go_string.ts";
import type { Value } from "../template/value.ts";
import { isTable, tableOf } from "./tables.ts";
import type { Table } from "./tables.ts";
import { jsonOf } from "./value_json.ts";
import type { ValuesLayer } from "./values_from.ts";

/** Where one value came from. */
export interface ExplainedValue {
  /** Dotted path; dots in keys are written `\.`. */
  readonly path: string;
  /** The value; `undefined` where it comes from a Secret. */
  readonly value: JsonValue | undefined;
  /** `values.yaml of CHART`, `ConfigMap/name/key`, `spec.values`, … */
  readonly source: string;
}

/**
 * For each value that templates see, the layer that decided it: the chart's own defaults, a parent's block, or the last
 * of the user's layers that says something there. In order of paths.
 */
export function explainValues(
  chart: Chart,
  values: Table,
  layers: readonly ValuesLayer[],
): readonly ExplainedValue[] {
  const rows: ExplainedValue[] = [];
  const defaults = defaultLayers(chart);
  const explain = (value: Value, path: readonly string[]) => {
    if (isTable(value) && value.entries.size > 0) {
      for (const key of [...value.entries.keys()].sort(compareStrings)) explain(value.entries.get(key), [...path, key]);
      return;
    }
    const layer = layers.findLast((each) => decides(each.values, path)) ??
      defaults.find((each) => decides(each.values, path));
    const isGlobal = path.includes("global");
    rows.push({
      path: path.map((key) => key.replaceAll(".", "\\.")).join("."),
      value: layer?.isSecret === true ? undefined : jsonOf(value),
      source: layer?.source ?? (isGlobal ? "global values of the parent" : "made by Helm"),
    });
  };
  explain(values, []);
  return rows;
}

/** Defaults of a chart and its sub-charts, parents first: a parent's block beats the child's own values. */
function defaultLayers(
  chart: Chart,
  path: readonly string[] = [],
  name: string = chart.metadata.name,
): readonly ValuesLayer[] {
  const own: ValuesLayer = {
    source: `values.yaml of ${name}`,
    isSecret: false,
    values: path.reduceRight((inner, key) => tableUnder(key, inner), tableOf(chart.values)),
  };
  return [
    own,
    ...chart.dependencies.flatMap((child) =>
      defaultLayers(child, [...path, child.metadata.name], `${name}/${child.metadata.name}`)
    ),
  ];
}

function tableUnder(key: string, inner: Table): Table {
  const outer = tableOf(undefined);
  outer.entries.set(key, inner);
  return outer;
}

/** Whether a layer says something at a path: the value itself, or something other than a table above it. */
function decides(table: Table, path: readonly string[]): boolean {
  let current: Value = table;
  for (const key of path) {
    if (!isTable(current)) return true;
    if (!current.entries.has(key)) return false;
    current = current.entries.get(key);
  }
  return true;
}
