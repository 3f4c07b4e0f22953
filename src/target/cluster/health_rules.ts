import type { JsonObject } from "../../core/json.ts";
import type { ResourceRef } from "../../core/resource.ts";
import { splitApiVersion } from "../../core/resource.ts";
import { messageOf, StageError } from "../../core/stage_error.ts";
import type { HealthExpression } from "../../core/target.ts";
import { fluxReadinessOf } from "./readiness.ts";
import type { Readiness } from "./readiness_fields.ts";

/** How health is told: by expressions where there are some for a kind, else by the kind's own rule. */
export interface HealthRules {
  /** Whether an expression decides about a kind. */
  decides(ref: Pick<ResourceRef, "group" | "kind">): boolean;
  judge(object: JsonObject, now: number): Readiness;
}

const plainRules: HealthRules = { decides: () => false, judge: fluxReadinessOf };

/**
 * Rules with the expressions of an owner (Kustomization `spec.healthCheckExprs`). An expression counts for its group and
 * kind, or for the whole group where it names no kind; versions do not count. An object that is being deleted is
 * `Terminating` whatever they say; one on which an expression cannot be evaluated is `Unknown`.
 *
 * @throws {StageError} InvalidCELExpression when one cannot be parsed, or two are for the same kind
 */
export async function healthRules(expressions: readonly HealthExpression[]): Promise<HealthRules> {
  if (expressions.length === 0) return plainRules;
  // The evaluator costs memory: it is loaded by those who use it.
  const { parseHealth, evaluateHealth } = await import("../../format/cel_health.ts");
  const rules = new Map<string, ReturnType<typeof parseHealth>>();
  for (const expression of expressions) {
    const key = `${splitApiVersion(expression.apiVersion).group}/${expression.kind ?? ""}`;
    const name = `${expression.apiVersion}${expression.kind === undefined ? "" : `/${expression.kind}`}`;
    if (rules.has(key)) {
      throw new StageError("InvalidCELExpression", `Cannot use health check expressions: two are for "${name}"`);
    }
    try {
      rules.set(key, parseHealth(expression));
    } catch (error) {
      throw new StageError(
        "InvalidCELExpression",
        `Cannot read health check expression for "${name}": ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
  const ruleOf = (group: string, kind: string) => rules.get(`${group}/${kind}`) ?? rules.get(`${group}/`);
  return {
    decides: (ref) => ruleOf(ref.group, ref.kind) !== undefined,
    judge: (object, now) => {
      const rule = ruleOf(splitApiVersion(String(object.apiVersion)).group, String(object.kind));
      if (rule === undefined) return fluxReadinessOf(object, now);
      const metadata = object.metadata as JsonObject | undefined;
      if (typeof metadata?.deletionTimestamp === "string") {
        return { status: "Terminating", message: "Resource scheduled for deletion", reason: "" };
      }
      try {
        const status = evaluateHealth(rule, object);
        return { status, message: `the health check expression says ${status}`, reason: "" };
      } catch (error) {
        return { status: "Unknown", message: messageOf(error), reason: "" };
      }
    },
  };
}
