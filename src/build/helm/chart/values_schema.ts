import type { Dialect } from "../dialect.ts";
import type { Notify } from "../notice.ts";
import type { Table } from "../values/tables.ts";
import type { Chart } from "./chart.ts";

export function checkSchemas(
  _chart: Chart,
  _values: Table,
  _options: { readonly dialect: Dialect; readonly notify: Notify },
): void {
}
