/**
 * A Helm chart as values: what `load.ts` reads from files and archives, what `dependencies.ts` prunes, what a render
 * reads. Nothing here is changed after loading: each step makes a new chart that shares what it did not touch.
 *
 * @module
 */
import type { GoMap } from "../template/value.ts";
import type { ChartMetadata } from "./metadata.ts";

/** One file of a chart. `name` is relative to the chart's root, with `/`. */
export interface ChartFile {
  readonly name: string;
  readonly data: Uint8Array;
}

/** A chart with its sub-charts. */
export interface Chart {
  readonly metadata: ChartMetadata;
  /** Files below `templates/`, in the order of the source. */
  readonly templates: readonly ChartFile[];
  /** Everything that is neither metadata, values, schema, template nor sub-chart; `crds/` is here. */
  readonly files: readonly ChartFile[];
  /** Defaults of values.yaml; `undefined` where there is none. Never changed: copy before use. */
  readonly values: GoMap | undefined;
  /** values.schema.json as it is. */
  readonly schema?: Uint8Array;
  readonly dependencies: readonly Chart[];
  /** Full path of a sub-chart, where it is not that of its parent, `/charts/` and its name: Helm 3, below aliases. */
  readonly path?: string;
}

/** Full path of a sub-chart of a chart that stands at a path. */
export function subChartPath(child: Chart, path: string): string {
  return child.path ?? `${path}/charts/${child.metadata.name}`;
}

/** A CRD file of `crds/`, with the chart that it came from. */
export interface ChartCrd {
  /** Path inside its chart: `crds/x.yaml`. */
  readonly name: string;
  /** Path as `# Source:` shows it: `parent/charts/sub/crds/x.yaml`. */
  readonly path: string;
  readonly data: Uint8Array;
}

/** CRD files of a chart, then of its sub-charts (Helm 4.2.4 `Chart.CRDObjects`: `.yaml`, `.yml`, `.json` below `crds/`). */
export function crdsOf(chart: Chart, path: string = chart.metadata.name): readonly ChartCrd[] {
  const own = chart.files
    .filter((file) => file.name.startsWith("crds/") && /\.(?:ya?ml|json)$/i.test(file.name))
    .map((file) => ({ name: file.name, path: `${path}/${file.name}`, data: file.data }));
  return [
    ...own,
    ...chart.dependencies.flatMap((child) => crdsOf(child, subChartPath(child, path))),
  ];
}

/** Whether a chart only lends its definitions (`type: library`). */
export function isLibrary(chart: Chart): boolean {
  return chart.metadata.type.toLowerCase() === "library";
}
