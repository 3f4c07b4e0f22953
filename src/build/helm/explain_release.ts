import { asBuildError } from "./build_error.ts";
import { processDependencies } from "./chart/dependencies.ts";
import { ChartError } from "./chart/metadata.ts";
import { defaultDialect } from "./dialect.ts";
import type { HelmBuildRequest } from "./helm.ts";
import type { LoadedChart } from "./loaded_chart.ts";
import { RenderError } from "./release/render.ts";
import { coalesceValues } from "./values/coalesce.ts";
import { type ExplainedValue, explainValues } from "./values/explain_values.ts";
import { nullRulesOf } from "./values/null_rules.ts";
import { fluxValueLayers, mergeFluxValues } from "./values/values_from.ts";

/**
 * Where each value of a release came from: the chart's defaults, a reference of `valuesFrom`, or `spec.values`.
 *
 * @throws {StageError} ValuesError, BuildFailed
 */
export function explainRelease(
  loaded: LoadedChart,
  request: Pick<HelmBuildRequest, "values" | "valuesFrom" | "dialect">,
): readonly ExplainedValue[] {
  const dialect = request.dialect ?? defaultDialect;
  const references = request.valuesFrom ?? [];
  const joining = { rules: nullRulesOf(dialect), notify: () => {} };
  try {
    const given = mergeFluxValues(request.values, references, dialect);
    const chart = processDependencies(loaded.chart, given, { ...joining, sharesAliases: dialect === "helm3" });
    const values = coalesceValues(chart, given, joining);
    return explainValues(chart, values, fluxValueLayers(request.values, references, dialect));
  } catch (error) {
    throw asBuildError(
      error instanceof ChartError ? new RenderError("values", error.message, { cause: error }) : error,
    );
  }
}
