import type { HelmReleaseSpec } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import type { Run } from "./pipeline.ts";
import { exhausted, releaseFailure, withStrategy } from "./release_failure.ts";
import type { HelmReleaseTools, ReleaseOrder } from "./release_order.ts";
import type { ReleaseStep } from "./release_step.ts";
import { chartText, releaseText, toldVersion } from "./release_words.ts";

/** Failed tries of what is wanted now: a new document, chart or values begin anew (helm-controller 1.6 `MustResetFailures`). */
export function failedTries(run: Run<HelmReleaseSpec>, digest: string): number {
  const { release, generation } = run.record;
  return release?.attempted === digest && release.failed?.generation === generation ? release.failed.count : 0;
}

/**
 * Refuses a change that has failed as often as the document allows; a person may ask for one more try.
 *
 * @throws {StageError} as the last try did
 */
export function refuseFurtherTries(run: Run<HelmReleaseSpec>, step: ReleaseStep): void {
  if (!step.isChange || run.trigger === "request") return;
  const { action, digest } = step;
  const { spec } = run.object;
  const count = failedTries(run, digest);
  const end = exhausted(spec, action, count);
  if (end === undefined) return;
  const last = run.record.conditions.find(({ type, status }) => type === "Released" && status === "False");
  throw withStrategy(new StageError(failedReason(action), last?.message ?? end), { spec, action, failures: count });
}

/** The failure of a release's action, with what the document wants to follow it. What was tried is kept in the record. */
export async function failedRelease(
  run: Run<HelmReleaseSpec>,
  order: ReleaseOrder,
  failed: { readonly error: unknown; readonly tools: HelmReleaseTools },
): Promise<StageError> {
  const { spec } = run.object;
  const { artifact, step: { action, before, digest, isChange } } = order;
  const reason = failedReason(action);
  // A chart that cannot be read is the failure itself.
  const chart = await failed.tools.readChart?.(artifact).catch(() => undefined);
  const of = chart === undefined ? "" : ` with chart ${chartText(spec, artifact, chart)}`;
  const failure = releaseFailure(failed.error, reason, `Helm ${action} failed for release ${releaseText(spec)}${of}`);
  if (chart !== undefined) {
    const lastAttemptedRevision = toldVersion(spec, artifact, chart.version);
    await run.checkpoint({ release: run.record.release ?? before, lastAttemptedRevision });
  }
  return failure.reason === reason && isChange
    ? withStrategy(failure, { spec, action, failures: failedTries(run, digest) })
    : failure;
}

function failedReason(action: ReleaseStep["action"]): "InstallFailed" | "UpgradeFailed" {
  return action === "install" ? "InstallFailed" : "UpgradeFailed";
}
