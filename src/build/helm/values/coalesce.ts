import type { Chart } from "../chart/chart.ts";
import { ChartError } from "../chart/metadata.ts";
import type { Notify } from "../notice.ts";
import { plainNotice } from "../notice.ts";
import { quoteText } from "../template/go_quote.ts";

import type { GoMap } from "../template/value.ts";
import { goFormat } from "./go_format.ts";
import type { NullRules } from "./null_rules.ts";
import { copyValue, isTable, newTable, tableOf } from "./tables.ts";
import type { Table } from "./tables.ts";

/** How values are joined. */
export interface JoinOptions {
  /** Nulls stay (`MergeValues`) instead of deleting what they cover (`CoalesceValues`). Default `false`. */
  readonly keepsNulls?: boolean;
  readonly rules: NullRules;
  /** Takes the warnings about values that do not fit each other. */
  readonly notify: Notify;
}

/**
 * A user's values over a chart's defaults, with each sub-chart's scope filled from its own defaults and the globals
 * handed down (Helm 4.2.4, `pkg/chart/common/util`). The result is new throughout.
 *
 * @throws {ChartError} when the value of a sub-chart's name is no table
 */
export function coalesceValues(chart: Chart, values: GoMap | undefined, options: JoinOptions): Table {
  const made = copyValue(tableOf(values));
  joinChart(chart, made, "", options.keepsNulls === true, options);
  return made;
}

function joinChart(chart: Chart, target: Table, prefix: string, keepsNulls: boolean, options: JoinOptions): void {
  joinDefaults(chart, target, prefix, keepsNulls, options);
  const path = joined(prefix, chart.metadata.name);
  for (const child of chart.dependencies) {
    const name = child.metadata.name;
    if (!target.entries.has(name)) target.entries.set(name, newTable());
    const scope = target.entries.get(name);
    if (!isTable(scope)) {
      throw new ChartError(goFormat("type mismatch on %s: %t", name, scope));
    }
    joinGlobals(scope, target, path, options);
    joinChart(child, scope, path, keepsNulls, options);
  }
}

/** A chart's own defaults under what is there. */
function joinDefaults(chart: Chart, target: Table, prefix: string, keepsNulls: boolean, options: JoinOptions): void {
  const path = joined(prefix, chart.metadata.name);
  const { rules, notify } = options;
  for (const [key, shared] of tableOf(chart.values).entries) {
    const value = copyValue(shared);
    if (!target.entries.has(key)) {
      if (!keepsNulls && rules.dropsDefaultNulls) {
        if (value === null) continue;
        if (isTable(value)) dropNulls(value);
      }
      target.entries.set(key, value);
      continue;
    }
    const present = target.entries.get(key);
    if (present === null && !keepsNulls) target.entries.delete(key);
    else if (isTable(present)) {
      if (isTable(value)) {
        const isForChild = chart.dependencies.some((child) => child.metadata.name === key);
        const staysNull = keepsNulls || isForChild;
        if (!staysNull && rules.dropsDefaultNulls) dropNulls(value);
        joinInto(present, value, joined(path, key), staysNull, notify);
      } else if (value !== null) {
        notify(plainNotice(`warning: skipped value for ${path}.${key}: Not a table.`, "coalesce.go:237"));
      }
    }
  }
}

/** The parent's globals into a sub-chart's scope: the parent wins where both say something. */
function joinGlobals(scope: Table, parent: Table, prefix: string, options: JoinOptions): void {
  const { notify } = options;
  const own = scope.entries.has("global") ? scope.entries.get("global") : newTable();
  if (!isTable(own)) {
    notify(plainNotice("warning: skipping globals because destination global is not a table.", "coalesce.go:138"));
    return;
  }
  const given = parent.entries.has("global") ? parent.entries.get("global") : newTable();
  if (!isTable(given)) {
    notify(plainNotice("warning: skipping globals because source global is not a table.", "coalesce.go:145"));
    return;
  }
  for (const [key, value] of given.entries) {
    const present = own.entries.get(key);
    if (isTable(value)) {
      const copy = newTable(value.entries);
      if (!own.entries.has(key)) own.entries.set(key, copy);
      else if (!isTable(present)) {
        notify(
          plainNotice(`Conflict: cannot merge map onto non-map for ${quoteText(key)}. Skipping.`, "coalesce.go:161"),
        );
      } else {
        joinInto(copy, present, joined(prefix, key), true, notify);
        own.entries.set(key, copy);
      }
    } else if (isTable(present)) {
      notify(plainNotice(`key ${key} is table. Skipping`, "coalesce.go:175"));
    } else own.entries.set(key, value);
  }
  scope.entries.set("global", own);
}

/**
 * Adds to `target` what it lacks of `source`; both are changed. Nulls of the target delete what they cover, or stay
 * with `keepsNulls` (Helm's `CoalesceTables` and `MergeTables`).
 */
export function joinTables(target: Table, source: Table, options: JoinOptions): Table {
  joinInto(target, source, "", options.keepsNulls === true, options.notify);
  return target;
}

function joinInto(target: Table, source: Table, prefix: string, keepsNulls: boolean, notify: Notify): void {
  const present = new Set<string>();
  for (const [key, value] of source.entries) if (value !== null) present.add(key);
  for (const [key, value] of target.entries) if (value === null) source.entries.set(key, null);
  for (const [key, value] of source.entries) {
    const path = joined(prefix, key);
    const there = target.entries.get(key);
    if (target.entries.has(key) && !keepsNulls && there === null && present.has(key)) target.entries.delete(key);
    else if (!target.entries.has(key)) target.entries.set(key, value);
    else if (isTable(value)) {
      if (isTable(there)) joinInto(there, value, path, keepsNulls, notify);
      else {
        const text = goFormat("warning: cannot overwrite table with non table for %s (%v)", path, value);
        notify(plainNotice(text, "coalesce.go:316"));
      }
    } else if (isTable(there) && value !== null) {
      const text = goFormat("warning: destination for %s is a table. Ignoring non-table value (%v)", path, value);
      notify(plainNotice(text, "coalesce.go:319"));
    }
  }
}

function dropNulls(table: Table): void {
  for (const [key, value] of table.entries) {
    if (value === null) table.entries.delete(key);
    else if (isTable(value)) dropNulls(value);
  }
}

/** Values without nulls, copied (`trimNilValues`). */
export function withoutNulls(table: Table): Table {
  const copy = copyValue(table);
  dropNulls(copy);
  return copy;
}

function joined(prefix: string, key: string): string {
  return prefix === "" ? key : `${prefix}.${key}`;
}
