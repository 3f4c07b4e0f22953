import type { Dialect } from "../dialect.ts";
import { tableOf } from "../values/tables.ts";
import type { Chart } from "./chart.ts";
import { ChartError } from "./metadata.ts";
import { mergeMaps, readValues } from "./read_yaml.ts";

/** What a release changes of its chart before it is rendered. */
export interface ChartChange {
  /** Values files of the chart that take the place of its values.yaml, in order (`spec.chart.spec.valuesFiles`). */
  readonly valuesFiles?: readonly string[];
  readonly ignoreMissingValuesFiles?: boolean;
  /** Build metadata for the chart's version, for example the first 12 hex digits of the artifact's digest, as Flux shows it to templates. */
  readonly versionMetadata?: string;
}

/** The chart with the version and the default values that a release asks for. @throws {ChartError} for a file that is missing */
export function changedChart(chart: Chart, change: ChartChange, dialect: Dialect): Chart {
  const { versionMetadata } = change;
  const files = change.valuesFiles ?? [];
  const versioned = versionMetadata === undefined ? chart : {
    ...chart,
    metadata: { ...chart.metadata, version: `${chart.metadata.version.split("+", 1)[0]}+${versionMetadata}` },
  };
  if (files.length === 0) return versioned;
  let values = tableOf(undefined);
  for (const path of files) {
    if (path === "values.yaml") {
      values = tableOf(mergeMaps(values, tableOf(chart.values)));
      continue;
    }
    const file = chart.files.find((each) => each.name === path);
    if (file !== undefined) values = tableOf(mergeMaps(values, readValues(file.data, dialect)));
    else if (change.ignoreMissingValuesFiles !== true) throw new ChartError(`no values file found at path '${path}'`);
  }
  return { ...versioned, values };
}
