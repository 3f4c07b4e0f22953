import { reasons } from "../core/reason.ts";
import type { HelmReleaseSpec } from "../core/specs.ts";
import { asStageError, StageError } from "../core/stage_error.ts";

/** Pause between the tries of strategy `RetryOnFailure` where none is written, in milliseconds (helm-controller 1.6). */
const retryPauseMs = 300_000;

/**
 * A failure of an action in the words of a release: of its templates, its values against the chart's schema, its target. What
 * failed before the action began keeps its own reason (helm-controller 1.6).
 */
export function releaseFailure(
  error: unknown,
  reason: "InstallFailed" | "UpgradeFailed" | "UninstallFailed",
  action: string,
): StageError {
  const stage = asStageError(error, reason, action);
  const isRefused = stage.reason === "ValuesError" && stage.message.startsWith("values don't meet the specifications");
  const isActions = ["ReconciliationFailed", "HealthCheckFailed", "BuildFailed"].includes(stage.reason);
  if (!isActions && !isRefused) return stage;
  return new StageError(reason, `${action}: ${stage.message.trimEnd()}`, {
    // What the schema says is the whole message already.
    ...(isRefused ? {} : { cause: stage.cause }),
    hint: stage.hint,
    ...(stage.retryAfterMs === undefined ? {} : { retryAfterMs: stage.retryAfterMs }),
  });
}

/**
 * What is said when all tries that `remediation.retries` allows have failed; `undefined` while there is one left.
 *
 * Differs: Flux gives up after the first failure where `retries` is not set; here the action is tried again with growing
 * pauses then, and what stands stays.
 */
export function exhausted(
  spec: HelmReleaseSpec,
  action: "install" | "upgrade",
  failures: number,
): string | undefined {
  const { strategy, remediation } = spec[action];
  const retries = strategy?.name === "RetryOnFailure" ? undefined : remediation?.retries;
  if (retries === undefined || retries < 0 || failures <= retries) return undefined;
  return `Failed to ${action} after ${failures} attempt(s)`;
}

/**
 * A failed action with what the document wants to follow: strategy `RetryOnFailure` decides the pause, `remediation.retries`
 * the number of tries. What else remediation does is named, because it is not built.
 */
export function withStrategy(
  error: StageError,
  tried: { readonly spec: HelmReleaseSpec; readonly action: "install" | "upgrade"; readonly failures: number },
): StageError {
  const { spec, action, failures } = tried;
  const { strategy, remediation } = spec[action];
  const hasRemediation = remediation !== undefined && strategy?.name !== "RetryOnFailure" &&
    (remediation.retries !== undefined && remediation.retries !== 0 || remediation.remediateLastFailure === true);
  const pauseMs = strategy?.name === "RetryOnFailure" ? strategy.retryIntervalMs ?? retryPauseMs : undefined;
  const end = exhausted(spec, action, failures);
  if (pauseMs === undefined && !hasRemediation && end === undefined) return error;
  const retryAfterMs = Math.max(pauseMs ?? 0, error.retryAfterMs ?? 0);
  return new StageError(
    error.reason,
    error.message,
    {
      cause: error.cause,
      hint: [
        ...(hasRemediation
          ? [`spec.${action}.remediation is not built yet: nothing is rolled back or uninstalled`]
          : []),
        end === undefined ? error.hint : reasons.RetriesExceeded.hint,
      ].join(". "),
      ...(retryAfterMs === 0 ? {} : { retryAfterMs }),
      ...(end === undefined ? {} : { exhausted: end }),
    },
  );
}
