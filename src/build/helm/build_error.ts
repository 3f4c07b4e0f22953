import { StageError } from "../../core/stage_error.ts";
import { UnmarshalError } from "./chart/go_struct.ts";
import { ChartError } from "./chart/metadata.ts";
import { YamlConversionError } from "./chart/read_yaml.ts";
import { RenderError } from "./release/render.ts";
import { RenderLimitError } from "./template/run.ts";

/** A failure in the room's words. Helm's own text stays as it is. */
export function asBuildError(error: unknown): unknown {
  if (error instanceof RenderError) {
    // A render that was too long here may be worth another try elsewhere: it keeps its class.
    if (error.cause instanceof RenderLimitError) return error.cause;
    return error.step === "values"
      ? new StageError("ValuesError", error.message, { cause: error, hint: valuesHint })
      : new StageError("BuildFailed", error.message, { cause: error, hint: chartHint });
  }
  if (error instanceof ChartError || error instanceof YamlConversionError || error instanceof UnmarshalError) {
    return new StageError("BuildFailed", error.message, { cause: error, hint: chartHint });
  }
  if (error instanceof RangeError) {
    return new StageError("BuildFailed", "Cannot read what the chart gives: it is nested too deep", { cause: error });
  }
  return error;
}

const chartHint = "See where its values come from: pilotfish render --explain values hr NAME";
const valuesHint = "Check the values against the chart's values.schema.json: pilotfish render --explain values hr NAME";
