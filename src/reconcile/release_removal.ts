import type { HookResource } from "../core/builder.ts";
import type { DesiredObject } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { HelmReleaseSpec } from "../core/specs.ts";
import { type ApplyTools, targetAnnotation } from "./apply_and_prune.ts";
import type { RecordPatch } from "./pipeline.ts";
import type { ObjectRecord, Removal } from "./record.ts";
import { releaseFailure } from "./release_failure.ts";
import { type HookKeep, type HookPlaces, placesOf } from "./release_hooks.ts";
import { isWithinReach, removalOptions, removeApplied } from "./remove_applied.ts";
import { type HookTools, runHooks } from "./run_hooks.ts";

/** What a removal of a release works with. */
export interface UninstallTools extends ApplyTools {
  /** Absent: no hooks are kept, and none run when a release is removed. */
  readonly hookKeep?: HookKeep;
}

/** What a removal is handed: a run, or the end of an object. */
export interface UninstallRun extends HookTools {
  readonly record: ObjectRecord;
  checkpoint(patch: RecordPatch): Promise<void>;
}

/** How a release is removed once its document is gone; `kept`: where its hooks are. */
export function releaseRemoval(
  object: DesiredObject<HelmReleaseSpec>,
  kept: HookPlaces = {},
): Removal {
  const { uninstall, serviceAccountName, kubeConfig, targetNamespace, timeoutMs } = object.spec;
  const target = object.annotations[targetAnnotation];
  return {
    prune: true,
    wait: uninstall.disableWait !== true,
    defaultNamespace: targetNamespace,
    timeoutMs: uninstall.timeoutMs ?? timeoutMs,
    ...(target === undefined ? {} : { target }),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(kubeConfig === undefined ? {} : { kubeConfig }),
    ...(uninstall.deletionPropagation === undefined ? {} : { deletionPropagation: uninstall.deletionPropagation }),
    ...(kept.hooks === undefined ? {} : { hooks: kept.hooks }),
    ...(kept.spareHooks === undefined ? {} : { spareHooks: kept.spareHooks }),
  };
}

/**
 * Removes a release: `pre-delete` hooks, resources, `post-delete` hooks (Helm 4.2.4, `pkg/action/uninstall.go`). Only the
 * record is needed. Each step is kept, so that what was done is not done again after a failure or restart; a hook that
 * was running is run again.
 *
 * @throws {StageError} UninstallFailed, PruneFailed
 */
export async function uninstall(run: UninstallRun, tools: UninstallTools): Promise<void> {
  const policy = run.record.removal;
  if (policy === undefined || !policy.prune) return;
  const places = placesOf(policy);
  if (places.length === 0 || tools.hookKeep === undefined) {
    await removeApplied(run.record, tools, run);
    return;
  }
  const { key } = run.record;
  const target = tools.targetOf(policy.target);
  if (!await isWithinReach(run.record, target, run)) return;
  const options = await removalOptions(run.record, policy, tools);
  const owner = { key, options };
  const hooks: readonly HookResource[] = policy.hooks === undefined
    ? []
    : await tools.hookKeep.load(target, owner, policy.hooks, run.signal);
  const round = async (event: string) => {
    try {
      await runHooks(target, { key, hooks, event, options, timeoutMs: policy.timeoutMs ?? defaultTimeoutMs }, run);
    } catch (error) {
      if (run.signal.aborted) throw error;
      throw releaseFailure(error, "UninstallFailed", `Helm uninstall failed for ${keyText(key)}`);
    }
  };
  if (policy.isPrepared !== true) {
    await round("pre-delete");
    await run.checkpoint({ removal: { ...policy, isPrepared: true } });
  }
  await removeApplied(run.record, tools, run);
  await round("post-delete");
  await tools.hookKeep.forget(target, owner, places, run.signal);
}

/** Milliseconds of a hook whose release says nothing (helm-controller, `spec.timeout`). */
const defaultTimeoutMs = 300_000;
