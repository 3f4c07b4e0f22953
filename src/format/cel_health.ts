import type { JsonObject, JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import { evaluateCelBoolean, parseCel } from "./cel.ts";
import type { CelExpression } from "./cel.ts";
import { FormatError } from "./format_error.ts";

/** Texts of the expressions of one kind (Kustomization `spec.healthCheckExprs`). */
export interface HealthTexts {
  readonly current: string;
  readonly inProgress?: string;
  readonly failed?: string;
}

/** The same, parsed. */
export interface HealthExpressions {
  readonly current: CelExpression;
  readonly inProgress?: CelExpression;
  readonly failed?: CelExpression;
}

/** Parses the expressions of one kind. @throws {FormatError} naming the field that is wrong */
export function parseHealth(texts: HealthTexts): HealthExpressions {
  if (texts.current === "") throw new FormatError('Cannot read the health check: "current" must not be empty');
  const parse = (field: keyof HealthTexts): CelExpression | undefined => {
    const text = texts[field];
    if (text === undefined || text === "") return undefined;
    try {
      return parseCel(text);
    } catch (cause) {
      throw new FormatError(`Cannot read the health check's "${field}": ${(cause as Error).message}`, { cause });
    }
  };
  const [current, inProgress, failed] = [parse("current"), parse("inProgress"), parse("failed")];
  return {
    current: current as CelExpression,
    ...(inProgress === undefined ? {} : { inProgress }),
    ...(failed === undefined ? {} : { failed }),
  };
}

/**
 * Health of a resource by its kind's expressions (fluxcd/pkg/runtime/cel v0.110.3, StatusEvaluator): a status of another
 * generation is InProgress; then inProgress, failed, current are asked in that order; none of them true is InProgress.
 * The resource's own fields are the variables.
 *
 * @throws {FormatError} when an expression fails or gives no boolean
 */
export function evaluateHealth(
  expressions: HealthExpressions,
  resource: JsonObject,
): "InProgress" | "Failed" | "Current" {
  if (isBehind(resource)) return "InProgress";
  const { inProgress, failed, current } = expressions;
  if (inProgress !== undefined && evaluateCelBoolean(inProgress, resource)) return "InProgress";
  if (failed !== undefined && evaluateCelBoolean(failed, resource)) return "Failed";
  return evaluateCelBoolean(current, resource) ? "Current" : "InProgress";
}

function isBehind(resource: JsonObject): boolean {
  const observed = memberOf(resource["status"], "observedGeneration");
  const generation = memberOf(resource["metadata"], "generation");
  return typeof observed === "number" && typeof generation === "number" && observed !== generation;
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}
