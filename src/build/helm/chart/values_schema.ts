import type { Dialect } from "../dialect.ts";
import type { Notify } from "../notice.ts";
import type { RenderTools } from "../render_tools.ts";
import { templateModules } from "../template_modules.ts";
import { typeNameOf } from "../template/value.ts";
import { isTable } from "../values/tables.ts";
import type { Table } from "../values/tables.ts";
import type { Chart } from "./chart.ts";
import { ChartError } from "./metadata.ts";

/** How values are checked. */
export interface SchemaOptions {
  readonly dialect: Dialect;
  readonly notify: Notify;
  /** Reads schemas of http(s) addresses. Absent: they are refused. */
  readonly readSchema?: RenderTools["readSchema"];
}

/**
 * Checks values against the values.schema.json of a chart and of each sub-chart (Helm 4.2.4, `ValidateAgainstSchema`).
 *
 * Differs: nothing is fetched from the network unless `readSchema` does, and no file of this machine is read; a schema that
 * needs it is refused.
 * @throws {ChartError} with Helm's text, all charts' faults in it
 * @throws {MissingInput} when a schema must be fetched first
 */
export function checkSchemas(chart: Chart, values: Table, options: SchemaOptions): void {
  const text = chartFaults(chart, values, options);
  if (text !== "") {
    throw new ChartError(`values don't meet the specifications of the schema(s) in the following chart(s):\n${text}`);
  }
}

function chartFaults(chart: Chart, values: Table, options: SchemaOptions): string {
  const { name } = chart.metadata;
  let text = "";
  if (chart.schema !== undefined) {
    options.notify({ level: "DEBUG", message: "chart name", fields: { "chart-name": name } });
    const faults = templateModules.schema().schemaFaults(chart.schema, values, options);
    if (faults !== undefined) text += `${name}:\n${faults}`;
  }
  options.notify({
    level: "DEBUG",
    message: "number of dependencies in the chart",
    fields: { chart: name, dependencies: String(chart.dependencies.length) },
  });
  for (const child of chart.dependencies) {
    const inner = values.entries.get(child.metadata.name);
    if (inner === undefined || inner === null) continue;
    text += isTable(inner)
      ? chartFaults(child, inner, options)
      : `${child.metadata.name}:\ninvalid type for values: expected object (map), got ${typeNameOf(inner)}\n`;
  }
  return text;
}
