import type { Chart } from "../chart/chart.ts";
import { isLibrary, subChartPath } from "../chart/chart.ts";
import { basePath, joinPaths } from "../chart/go_path.ts";
import type { Dialect } from "../dialect.ts";
import { languageOf } from "../dialect.ts";
import { fromBytes } from "../template/go_string.ts";
import { capabilitiesObject } from "../template/root/capabilities_object.ts";
import { chartObject } from "../template/root/chart_object.ts";
import { filesObject } from "../template/root/files_object.ts";
import { releaseObject } from "../template/root/release_object.ts";
import { valuesObject, valuesTypes } from "../template/root/values_object.ts";
import type { TemplateScope, TemplateSource } from "../template/template_set.ts";
import { goDict, GoMap } from "../template/value.ts";
import type { GoStruct } from "../template/value.ts";
import { isMissing, newTable, tableAt } from "../values/tables.ts";
import type { Table } from "../values/tables.ts";
import type { Capabilities } from "./capabilities.ts";
import { capabilityValues } from "./capabilities.ts";

/** Which release is rendered. */
export interface ReleaseIdentity {
  readonly name: string;
  readonly namespace: string;
  /** From 1. */
  readonly revision: number;
  readonly isUpgrade: boolean;
}

/** A template of a chart, with the file that it stands in. */
export interface PlacedTemplate {
  /** Full path: `chart/charts/sub/templates/a.yaml`. */
  readonly name: string;
  readonly data: Uint8Array;
}

/** Templates of a chart and its sub-charts by their full path; of a library only those whose name starts with `_`. */
export function templatesOf(chart: Chart, path: string = chart.metadata.name): readonly PlacedTemplate[] {
  const onlyPartials = isLibrary(chart);
  const own = chart.templates
    .filter((file) => !onlyPartials || basePath(file.name).startsWith("_"))
    .map((file) => ({ name: joinPaths(path, file.name), data: file.data }));
  return [
    ...chart.dependencies.flatMap((child) => templatesOf(child, subChartPath(child, path))),
    ...own,
  ];
}

/** Sources for the parser. Where two charts have one path, the later one counts. */
export function sourcesOf(templates: readonly PlacedTemplate[]): readonly TemplateSource[] {
  const byName = new Map(templates.map((template) => [template.name, template.data]));
  return [...byName].map(([name, data]) => ({ name, text: fromBytes(data) }));
}

/** What the roots of all charts have in common. */
export interface ScopeInput {
  readonly values: Table;
  readonly release: ReleaseIdentity;
  readonly capabilities: Capabilities;
  readonly dialect: Dialect;
}

/**
 * Root of each template by its full path. All templates of one chart share one root and its `.Values`, so that what one
 * file sets another sees; `.Subcharts` of a parent are the roots of its children (Helm 4.2.4, `engine.recAllTpls`).
 *
 * @throws {ChartError} for a Kubernetes version that is none
 */
export function scopesOf(chart: Chart, input: ScopeInput): ReadonlyMap<string, TemplateScope> {
  const { release } = input;
  const shared: Shared = {
    dialect: languageOf(input.dialect),
    release: releaseObject({ ...release, isInstall: !release.isUpgrade }),
    capabilities: capabilitiesObject(capabilityValues(input.capabilities, input.dialect), languageOf(input.dialect)),
    found: new Map(),
  };
  addScopes(chart, chart.metadata.name, input.values, true, shared);
  return shared.found;
}

interface Shared {
  readonly dialect: "helm3" | "helm4.2.4";
  readonly release: GoMap;
  readonly capabilities: GoStruct;
  readonly found: Map<string, TemplateScope>;
}

function addScopes(chart: Chart, path: string, values: Table, isRoot: boolean, shared: Shared): GoMap {
  const children: [string, GoMap][] = [];
  for (const child of chart.dependencies) {
    const name = child.metadata.name;
    const inner = tableAt(values, name);
    const own = isMissing(inner) ? newTable() : inner;
    const scope = addScopes(child, subChartPath(child, path), own, false, shared);
    children.push([name, scope]);
  }
  const scope = goDict([
    ["Chart", chartObject(chart.metadata, isRoot, shared.dialect)],
    ["Files", filesObject(chart.files.map((file) => [file.name, file.data] as const))],
    ["Release", shared.release],
    ["Capabilities", shared.capabilities],
    ["Values", valuesObject(values, shared.dialect)],
    ["Subcharts", goDict(children)],
  ]);
  // A template sees its root as Helm's own type, a parent's `.Subcharts` as a plain map.
  const typed = new GoMap(scope.entries, valuesTypes[shared.dialect]);
  const placed: TemplateScope = { scope: typed, basePath: joinPaths(path, "templates") };
  const onlyPartials = isLibrary(chart);
  for (const file of chart.templates) {
    if (!onlyPartials || basePath(file.name).startsWith("_")) shared.found.set(joinPaths(path, file.name), placed);
  }
  return scope;
}
