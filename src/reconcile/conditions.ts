import type { Condition } from "../core/condition.ts";
import { condition, dropCondition, setCondition } from "../core/condition.ts";
import { reasons, toldReason } from "../core/reason.ts";
import type { StageError } from "../core/stage_error.ts";

/** When and for which generation conditions are made. */
export interface Moment {
  /** RFC 3339. */
  readonly at: string;
  readonly generation: number;
}

/** Longest message that a condition carries, in characters (Kubernetes' limit is 32,768). */
const longestMessage = 8_192;

function made(moment: Moment, type: string, status: Condition["status"], reason: string, message: string): Condition {
  const text = message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message;
  return { type, status, reason, message: text, lastTransitionTime: moment.at, observedGeneration: moment.generation };
}

/** Conditions while a run goes on: `Reconciling` is true; `Ready` becomes Unknown, and says what goes on, only when it never was decided or the spec changed. */
export function whileRunning(
  conditions: readonly Condition[],
  moment: Moment,
  message: string,
): readonly Condition[] {
  const ready = condition(conditions, "Ready");
  const running = setCondition(
    dropCondition(conditions, "Stalled"),
    made(moment, "Reconciling", "True", "Progressing", message),
  );
  const isDecided = ready !== undefined && ready.status !== "Unknown" && ready.observedGeneration === moment.generation;
  if (isDecided) return running;
  return setCondition(running, made(moment, "Ready", "Unknown", "Progressing", message));
}

/** Conditions after success. `extra` are the kind's own (`ArtifactInStorage`, `Healthy`, `SourceVerified`). */
export function afterSuccess(
  conditions: readonly Condition[],
  moment: Moment,
  result: {
    readonly reason: string;
    readonly message: string;
    readonly extra?: readonly {
      readonly type: string;
      readonly status?: Condition["status"];
      readonly reason: string;
      readonly message: string;
    }[];
  },
): readonly Condition[] {
  let next = conditions;
  for (const type of ["Reconciling", "Stalled", "FetchFailed", "StorageOperationFailed", "ArtifactOutdated"]) {
    next = dropCondition(next, type);
  }
  next = setCondition(next, made(moment, "Ready", "True", result.reason, result.message));
  for (const extra of result.extra ?? []) {
    next = setCondition(next, made(moment, extra.type, extra.status ?? "True", extra.reason, extra.message));
  }
  return next;
}

/** Conditions after a failure: `Ready` is false; `Stalled` when only a change helps, else `Reconciling` with a retry to come. `kind` is the object's. */
export function afterFailure(
  conditions: readonly Condition[],
  moment: Moment,
  { error, kind }: { readonly error: StageError; readonly kind: string },
): readonly Condition[] {
  const row = reasons[error.reason];
  const told = toldReason(error.reason, kind);
  let next = setCondition(conditions, made(moment, "Ready", "False", told, error.message));
  if (error.exhausted !== undefined) {
    next = dropCondition(next, "Reconciling");
    next = setCondition(next, made(moment, "Stalled", "True", "RetriesExceeded", error.exhausted));
  } else if (row.retry === "on-change") {
    next = dropCondition(next, "Reconciling");
    next = setCondition(next, made(moment, "Stalled", "True", told, error.message));
  } else {
    next = dropCondition(next, "Stalled");
    next = setCondition(next, made(moment, "Reconciling", "True", "ProgressingWithRetry", error.message));
  }
  // A HelmRelease that pulls its chart itself has the conditions of its kind, not those of a source.
  if (row.stage === "source" && told === error.reason) {
    const type = error.reason === "StorageOperationFailed" || error.reason === "ReadOperationFailed"
      ? "StorageOperationFailed"
      : error.reason === "VerificationError"
      ? "SourceVerified"
      : "FetchFailed";
    next = setCondition(
      next,
      made(moment, type, type === "SourceVerified" ? "False" : "True", error.reason, error.message),
    );
  }
  if (error.reason === "InstallFailed" || error.reason === "UpgradeFailed") {
    next = setCondition(next, made(moment, "Released", "False", error.reason, error.message));
  }
  if (error.reason === "HealthCheckFailed") {
    next = setCondition(next, made(moment, "Healthy", "False", error.reason, error.message));
  }
  return next;
}

/** Conditions of an object that rests: the last ones stay, nothing is under way. */
export function whileSuspended(conditions: readonly Condition[]): readonly Condition[] {
  return dropCondition(conditions, "Reconciling");
}
