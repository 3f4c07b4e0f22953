import type { JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { Notify } from "../notice.ts";
import { quoteText } from "../template/go_quote.ts";
import { fromJson } from "../template/value.ts";
import type { GoMap } from "../template/value.ts";
import { coalesceValues, joinTables } from "../values/coalesce.ts";
import type { JoinOptions } from "../values/coalesce.ts";
import { goText } from "../values/go_format.ts";
import type { NullRules } from "../values/null_rules.ts";
import { copyValue, isMissing, newTable, pathValue, tableAt, tableOf } from "../values/tables.ts";
import type { Table } from "../values/tables.ts";
import { AliasSharing } from "./alias_sharing.ts";
import type { Chart } from "./chart.ts";
import { ChartError } from "./metadata.ts";
import type { Dependency } from "./metadata.ts";
import { isCompatibleRange } from "./version_range.ts";

/** How dependencies are decided. */
export interface DependencyOptions {
  readonly rules: NullRules;
  readonly notify: Notify;
  /**
   * Helm 3: charts that are taken in under several aliases share their declarations and sub-charts (`AliasSharing`). Default
   * `false`.
   */
  readonly sharesAliases?: boolean;
}

type Deciding = DependencyOptions & { readonly sharing: AliasSharing | undefined };

/**
 * The chart with those sub-charts that its conditions and tags leave enabled, named by their aliases, and with the
 * values that it imports from them among its defaults (Helm 4.2.4, `ProcessDependencies`).
 *
 * @throws {ChartError} when the value of a sub-chart's name is no table
 */
export function processDependencies(chart: Chart, values: GoMap | undefined, options: DependencyOptions): Chart {
  const sharing = options.sharesAliases === true ? new AliasSharing(chart) : undefined;
  const deciding = { ...options, sharing };
  const whole = withImports(withEnabled(chart, tableOf(values), "", deciding), deciding);
  return sharing?.settled(whole) ?? whole;
}

/**
 * Names of dependencies that are declared and not in `charts/`.
 *
 * @throws {ChartError} with Helm's text when there are any
 */
export function checkDependencies(chart: Chart): void {
  const present = new Set(chart.dependencies.map((child) => child.metadata.name));
  const missing = (chart.metadata.dependencies ?? []).filter((dependency) => !present.has(dependency.name));
  if (missing.length > 0) {
    throw new ChartError(
      `found in Chart.yaml, but missing in charts/ directory: ${missing.map((each) => each.name).join(", ")}`,
    );
  }
}

interface Decided extends Dependency {
  isEnabled: boolean;
}

function withEnabled(chart: Chart, values: Table, path: string, options: Deciding): Chart {
  const written = chart.metadata.dependencies;
  if (written === undefined) return chart;
  const declared = written.map((dependency) => ({
    ...dependency,
    name: options.sharing?.aliasOf(dependency) ?? dependency.name,
  }));
  const named = withAliases(chart, declared);
  options.sharing?.adopt(chart, named);
  const decided = declared.map((dependency): Decided => ({
    ...dependency,
    name: dependency.alias === "" ? dependency.name : dependency.alias,
    isEnabled: true,
  }));
  const joined = coalesceValues({ ...chart, dependencies: named }, values, options);
  applyTags(decided, joined, options.notify);
  applyConditions(decided, joined, path, options.notify);
  decided.forEach((dependency, index) => options.sharing?.decide(written[index] as Dependency, dependency));
  const disabled = new Set(decided.filter((dependency) => !dependency.isEnabled).map((dependency) => dependency.name));
  const kept = named.filter((child) => !disabled.has(child.metadata.name))
    .map((child) => withEnabled(child, joined, `${path}${child.metadata.name}.`, options));
  const keptDeclared = decided.flatMap((each, index) => {
    if (disabled.has(each.name)) return [];
    const { isEnabled, ...dependency } = each;
    const made = { ...dependency, enabled: isEnabled };
    options.sharing?.keepDeclaration(written[index] as Dependency, made);
    return [made];
  });
  const whole = {
    ...chart,
    metadata: { ...chart.metadata, dependencies: keptDeclared.length === 0 ? undefined : keptDeclared },
    dependencies: kept,
  };
  options.sharing?.keepChart(chart, whole);
  return whole;
}

/** Sub-charts that nothing declares, then one for each declaration that one of them meets, under its alias. */
function withAliases(chart: Chart, declared: readonly Dependency[]): readonly Chart[] {
  const undeclared = chart.dependencies.filter((child) => !declared.some((dependency) => meets(child, dependency)));
  const found = declared.flatMap((dependency) => {
    const child = chart.dependencies.find((candidate) => meets(candidate, dependency));
    if (child === undefined) return [];
    const name = dependency.alias === "" ? child.metadata.name : dependency.alias;
    return [{ ...child, metadata: { ...child.metadata, name } }];
  });
  return [...undeclared, ...found];
}

function meets(child: Chart, dependency: Dependency): boolean {
  return child.metadata.name === dependency.name && isCompatibleRange(dependency.version, child.metadata.version);
}

function applyTags(dependencies: readonly Decided[], values: Table, notify: Notify): void {
  const tags = tableAt(values, "tags");
  if (isMissing(tags)) return;
  for (const dependency of dependencies) {
    let hasTrue = false;
    let hasFalse = false;
    for (const tag of dependency.tags) {
      if (!tags.entries.has(tag)) continue;
      const value = tags.entries.get(tag);
      if (value === true) hasTrue = true;
      else if (value === false) hasFalse = true;
      else {
        notify({
          level: "WARN",
          message: "returned non-bool value",
          fields: { tag, chart: dependency.name },
          helm3: `dependencies.go:95: Warning: Tag '${tag}' for chart ${dependency.name} returned non-bool value`,
        });
      }
    }
    dependency.isEnabled = hasTrue || !hasFalse;
  }
}

function applyConditions(dependencies: readonly Decided[], values: Table, prefix: string, notify: Notify): void {
  for (const dependency of dependencies) {
    for (const path of dependency.condition.trim().split(",")) {
      if (path === "") continue;
      const value = pathValue(values, prefix + path);
      if (value === undefined) continue;
      if (typeof value === "boolean") {
        dependency.isEnabled = value;
        break;
      }
      notify({
        level: "WARN",
        message: "returned non-bool value",
        fields: { path, chart: dependency.name },
        helm3:
          `dependencies.go:64: Warning: Condition path '${path}' for chart ${dependency.name} returned non-bool value`,
      });
    }
  }
}

/** Import-values, sub-charts first: what is imported becomes a default of the parent, under the parent's own ones. */
function withImports(chart: Chart, options: Deciding): Chart {
  const children = chart.dependencies.map((child) => withImports(child, options));
  const whole: Chart = { ...chart, dependencies: children };
  options.sharing?.keepChart(chart, whole);
  const declared = chart.metadata.dependencies;
  if (declared === undefined) return whole;
  const joining: JoinOptions = { ...options, keepsNulls: true };
  const values = coalesceValues(whole, undefined, joining);
  // Helm shares tables between what is imported and where it comes from, so that nulls of one import reach the other.
  const imported = newTable();
  for (const dependency of declared) {
    if (options.sharing?.imports(dependency) === false) continue;
    for (const item of dependency.importValues) importOne(item, dependency, values, imported, joining);
  }
  // Templates see what was imported in one form.
  const named = declared.map((dependency) => {
    const made = { ...dependency, importValues: dependency.importValues.flatMap(pairOf) };
    options.sharing?.keepDeclaration(dependency, made);
    return made;
  });
  const made = {
    ...whole,
    metadata: { ...whole.metadata, dependencies: named },
    values: joinTables(copyValue(values), imported, joining),
  };
  options.sharing?.keepChart(chart, made);
  return made;
}

/** An import as child and parent path; nothing for what is neither text nor map. */
function pairOf(item: JsonValue): readonly JsonValue[] {
  if (typeof item === "string") return [{ child: `exports.${item}`, parent: "." }];
  if (!isJsonObject(item)) return [];
  return [{ child: goText(fromJson(item.child ?? null)), parent: goText(fromJson(item.parent ?? null)) }];
}

function importOne(
  item: JsonValue,
  dependency: Dependency,
  values: Table,
  imported: Table,
  options: JoinOptions,
): void {
  if (typeof item === "string") {
    const table = tableAt(values, `${dependency.name}.exports.${item}`);
    if (!isMissing(table)) {
      joinTables(imported, table, options);
      return;
    }
    const error = `${quoteText(table.missing)} is not a table`;
    options.notify({
      level: "WARN",
      message: "ImportValues missing table",
      fields: { error },
      helm3: `dependencies.go:287: Warning: ImportValues missing table: ${error}`,
    });
    return;
  }
  if (!isJsonObject(item)) return;
  const child = goText(fromJson(item.child ?? null));
  const parent = goText(fromJson(item.parent ?? null));
  const table = tableAt(values, `${dependency.name}.${child}`);
  if (isMissing(table)) {
    const error = `${quoteText(table.missing)} is not a table`;
    options.notify({
      level: "WARN",
      message: "ImportValues missing table from chart",
      fields: { chart: dependency.name, error },
      helm3: `dependencies.go:270: Warning: ImportValues missing table from chart ${dependency.name}: ${error}`,
    });
    return;
  }
  joinTables(imported, atPath(parent, table), options);
}

/** A table under a dotted path; "." is the root. */
function atPath(path: string, table: Table): Table {
  if (path === ".") return table;
  return path.split(".").reduceRight((inner, key) => newTable([[key, inner]]), table);
}
