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
 * A failed action with what the document wants to follow: strategy `RetryOnFailure` decides the pause; remediation is
 * named, because it is not built.
 *
 * Differs: Flux gives up after `remediation.retries` tries (none, where it is not set) and stalls; here the action is
 * tried again with growing pauses, and what stands stays.
 */
export function withStrategy(error: StageError, spec: HelmReleaseSpec, action: "install" | "upgrade"): StageError {
  const { strategy, remediation } = spec[action];
  const hasRemediation = remediation !== undefined && strategy?.name !== "RetryOnFailure" &&
    (remediation.retries !== undefined && remediation.retries !== 0 || remediation.remediateLastFailure === true);
  const pauseMs = strategy?.name === "RetryOnFailure" ? strategy.retryIntervalMs ?? retryPauseMs : undefined;
  if (pauseMs === undefined && !hasRemediation) return error;
  const retryAfterMs = Math.max(pauseMs ?? 0, error.retryAfterMs ?? 0);
  return new StageError(
    error.reason,
    hasRemediation
      ? `${error.message}; spec.${action}.remediation is not built yet: nothing is rolled back or uninstalled, and the ${action} is tried again`
      : error.message,
    { cause: error.cause, hint: error.hint, ...(retryAfterMs === 0 ? {} : { retryAfterMs }) },
  );
}
