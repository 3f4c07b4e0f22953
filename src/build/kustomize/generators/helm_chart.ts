import type { JsonObject } from "../../../core/json.ts";
import type { Decoded } from "../decode.ts";
import { object } from "../decode.ts";
import { fault, wrapFault } from "../fault.ts";
import { helmChartFields, helmGlobalFields } from "../kustomization_file.ts";
import type { Loader } from "../load.ts";
import { cleanJoin } from "../origin.ts";

/** A chart with the globals, as the plugin `HelmChartInflationGenerator` is configured. */
export const chartEntry = object({ ...helmGlobalFields, ...helmChartFields });

type ChartEntry = Decoded<typeof chartEntry>;

/** A chart to be rendered, as `helmCharts` asks for it. */
export interface ChartRequest {
  readonly name: string;
  readonly version: string;
  /** `oci://…` or `https://…`; `""`: the chart stands in `chartHome`. */
  readonly repo: string;
  readonly releaseName: string;
  readonly namespace: string;
  /** Folder of the tree with charts, clean and relative to its root. */
  readonly chartHome: string;
  /** Files of the tree with values, in order; `undefined` for the first: the chart's own. */
  readonly valuesFile: string | undefined;
  readonly additionalValuesFiles: readonly string[];
  readonly valuesInline: JsonObject | undefined;
  /** How inline values meet the file's: they win, they give way, or they stand alone. */
  readonly valuesMerge: "override" | "merge" | "replace";
  readonly includeCRDs: boolean;
  readonly skipHooks: boolean;
  readonly skipTests: boolean;
  readonly apiVersions: readonly string[];
  readonly kubeVersion: string;
  readonly nameTemplate: string;
  readonly devel: boolean;
}

/** Renders a chart and gives its manifests as YAML. */
export type RenderChart = (request: ChartRequest, signal?: AbortSignal) => Promise<string>;

const merges = ["merge", "override", "replace"] as const;

/** @throws {StageError} BuildFailed for a chart without a name, unknown `valuesMerge`, files that may not be read */
export function chartRequest(
  chart: Omit<ChartEntry, "chartHome" | "configHome">,
  globals: { readonly chartHome: string },
  loader: Loader,
): ChartRequest {
  if (chart.name === "") throw fault("Chart name cannot be empty");
  const merge = merges.find((known) => known === (chart.valuesMerge || "override"));
  if (merge === undefined) {
    throw fault(`ValuesMerge must be one of [${merges.join(" ")}], not "${chart.valuesMerge}"`);
  }
  for (const file of chart.additionalValuesFiles) {
    try {
      loader.read(file);
    } catch (error) {
      throw wrapFault("Could not load additionalValuesFile", error);
    }
  }
  if (globals.chartHome.startsWith("/")) {
    throw fault(`Cannot use chartHome "${globals.chartHome}": it must be relative, charts come from the tree`);
  }
  if (chart.valuesFile !== "") loader.read(chart.valuesFile);
  else refuseOutside(`${globals.chartHome || "charts"}/${chart.name}/values.yaml`, loader);
  return {
    name: chart.name,
    version: chart.version,
    repo: chart.repo,
    releaseName: chart.releaseName,
    namespace: chart.namespace,
    chartHome: cleanJoin(loader.folder, globals.chartHome || "charts"),
    valuesFile: chart.valuesFile === "" ? undefined : cleanJoin(loader.folder, chart.valuesFile),
    additionalValuesFiles: chart.additionalValuesFiles.map((file) => cleanJoin(loader.folder, file)),
    valuesInline: chart.valuesInline,
    valuesMerge: merge,
    includeCRDs: chart.includeCRDs,
    skipHooks: chart.skipHooks,
    skipTests: chart.skipTests,
    apiVersions: chart.apiVersions,
    kubeVersion: chart.kubeVersion,
    nameTemplate: chart.nameTemplate,
    devel: chart.devel,
  };
}

/** A chart's own values are read under the restrictions of the kustomization's files. */
function refuseOutside(path: string, loader: Loader): void {
  if (loader.hasFile(path)) loader.read(path);
}
