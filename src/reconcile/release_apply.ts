import type { Inventory } from "../core/inventory.ts";
import { subtract, union } from "../core/inventory.ts";
import type { Resource } from "../core/resource.ts";
import { refOf } from "../core/resource.ts";
import type { HelmReleaseSpec } from "../core/specs.ts";
import type { Target, TargetOptions } from "../core/target.ts";
import { applyAndPrune, type ApplyOutcome, changeEvents, waitFor } from "./apply_and_prune.ts";
import { noDrift, watchMinding } from "./drift.ts";
import type { Run, RunResult } from "./pipeline.ts";
import type { Removal } from "./record.ts";
import { driftMode, ignoredDrift } from "./release_drift.ts";
import { refuseForeign } from "./release_fields.ts";
import { type HookPlaces, keepHooks, removalHooks } from "./release_hooks.ts";
import { actionTimeout, type HelmReleaseTools, type ReleaseOrder, type RenderedRelease } from "./release_order.ts";
import { releaseRemoval } from "./release_removal.ts";
import { failedTries } from "./release_tries.ts";
import { chartText, ociDigest, releaseText, toldVersion } from "./release_words.ts";
import { keptOwner, runHooks } from "./run_hooks.ts";

/** What a run is to do, with what was rendered for it. */
export interface RenderedOrder extends ReleaseOrder {
  readonly built: RenderedRelease;
}

/** Applies what was rendered. A change that fails from here on counts as a try. */
export async function applyRelease(
  run: Run<HelmReleaseSpec>,
  order: RenderedOrder,
  tools: HelmReleaseTools,
): Promise<RunResult> {
  const { step, built } = order;
  if (!step.isChange) return await bringAbout(run, order, tools);
  const { generation } = run.record;
  const count = failedTries(run, step.digest);
  const release = {
    ...step.before,
    chart: built.chart.name,
    attempted: step.digest,
    failed: { count, generation },
  };
  await run.checkpoint({ release });
  try {
    return await bringAbout(run, order, tools);
  } catch (error) {
    if (!run.signal.aborted) {
      await run.checkpoint({ release: { ...release, failed: { count: count + 1, generation } } });
    }
    throw error;
  }
}

async function bringAbout(
  run: Run<HelmReleaseSpec>,
  order: RenderedOrder,
  tools: HelmReleaseTools,
): Promise<RunResult> {
  const { built, artifact, step, target } = order;
  const { object } = run;
  const { spec } = object;
  const { action } = step;
  const settings = spec[action];
  const warnings = [...order.warnings, ...built.warnings];
  const version = toldVersion(spec, artifact, built.chart.version);
  if (step.isChange && settings.disableTakeOwnership === true) await refuseForeign(run, order);
  const options: TargetOptions = step.isChange
    ? order.options
    : { ...order.options, ignore: ignoredDrift(spec, built.resources) };
  await prepareNamespaceAndCrds(run, order);
  const hookCount = built.hooks.filter((hook) => !hook.events.includes("test")).length;
  if (target.kind === "directory" && hookCount > 0) {
    warnings.push(`${hookCount} hooks of the chart were left out: a directory does not run them`);
  }
  const hooks = async (event: string) => {
    if (target.kind !== "cluster" || settings.disableHooks === true || !step.isChange) return;
    const timeoutMs = actionTimeout(spec, action);
    await runHooks(target, { key: object.key, hooks: built.hooks, event, options, timeoutMs }, run);
  };
  await hooks(`pre-${action}`);
  const before = run.record.inventory;
  try {
    const applied = await applyAndPrune(run, target, {
      resources: built.resources,
      revision: version,
      inputs: order.inputs,
      prune: true,
      removal: releaseRemoval(object, run.record.removal),
      options,
    });
    const removal = await keepRemovalHooks(run, order, tools);
    const health = settings.disableWait === true ? undefined : await waitFor(run, target, {
      told: { events: applied.events, warnings: [...warnings, ...applied.warnings] },
      refs: built.resources
        .filter((resource) => !(settings.disableWaitForJobs === true && resource.kind === "Job"))
        .map(refOf),
      timeoutMs: actionTimeout(spec, action),
      expressions: spec.healthCheckExprs,
      options,
    });
    await hooks(`post-${action}`);
    return changedResult(run, order, { applied, removal, health, warnings });
  } catch (error) {
    if (action === "upgrade" && settings.cleanupOnFail === true && step.isChange && !run.signal.aborted) {
      await cleanUp(run, target, { before, options });
    }
    throw error;
  }
}

/** Result of a run that applied what was rendered. */
function changedResult(
  run: Run<HelmReleaseSpec>,
  order: RenderedOrder,
  done: {
    readonly applied: ApplyOutcome;
    readonly removal: Removal;
    readonly health: RunResult["health"];
    readonly warnings: readonly string[];
  },
): RunResult {
  const { built, artifact, step, target } = order;
  const { spec } = run.object;
  const { action } = step;
  const { applied, removal, health, warnings } = done;
  const version = toldVersion(spec, artifact, built.chart.version);
  const chart = chartText(spec, artifact, built.chart);
  const message = `Helm ${action} succeeded for release ${releaseText(spec, step.revision)} with chart ${chart}`;
  const reason = action === "install" ? "InstallSucceeded" : "UpgradeSucceeded";
  return {
    record: {
      ...applied.record,
      ...order.ownArtifact,
      removal,
      release: {
        ...step.fresh,
        chart: built.chart.name,
        revision: step.revision,
        action,
        attempted: step.digest,
        applied: step.digest,
        source: artifact.revision,
      },
      inputs: order.inputs,
      lastAppliedRevision: version,
    },
    reason,
    message,
    conditions: [{ type: "Released", reason, message }, ...noDrift(run.record)],
    events: [
      ...(step.isChange
        ? [{
          severity: "info" as const,
          reason,
          message,
          metadata: { revision: version, ...ociDigest(spec, artifact) },
        }]
        : []),
      ...changeEvents(applied.changes, version, undefined),
      ...applied.events,
    ],
    warnings: [...warnings, ...applied.warnings],
    ...(health === undefined ? {} : { health }),
    target: target.name,
    ...watchMinding(target, run.object.key, driftMode(spec)),
  };
}

/** Deletes what a failed upgrade made and what was not there before (`upgrade.cleanupOnFail`). What cannot be deleted stays in the inventory. */
async function cleanUp(
  run: Run<HelmReleaseSpec>,
  target: Target,
  state: { readonly before: Inventory; readonly options: TargetOptions },
): Promise<void> {
  const added = subtract(run.record.inventory, state.before);
  if (added.length === 0) return;
  const { kept } = await target.remove(run.object.key, added, state.options, run.signal);
  await run.checkpoint({ inventory: union(state.before, { entries: kept.map(({ entry }) => entry) }) });
}

/** Keeps the hooks of the release's removal where they run, and says in the record where. */
async function keepRemovalHooks(
  run: Run<HelmReleaseSpec>,
  order: RenderedOrder,
  tools: HelmReleaseTools,
): Promise<Removal> {
  const { object } = run;
  const { target, options } = order;
  const places = run.record.removal ?? {};
  const checkpoint = (kept: HookPlaces) => run.checkpoint({ removal: releaseRemoval(object, kept) });
  if (tools.hookKeep === undefined) {
    await checkpoint({});
    return releaseRemoval(object);
  }
  const isWanted = target.kind === "cluster" && object.spec.uninstall.disableHooks !== true;
  const kept = await keepHooks(tools.hookKeep, {
    target,
    owner: { key: object.key, options },
    namespace: object.spec.targetNamespace,
    hooks: isWanted ? removalHooks(order.built.hooks) : [],
  }, { places, signal: run.signal, checkpoint });
  return releaseRemoval(object, kept);
}

/** Resources that are made once and belong to nobody's prune: the namespace asked for, and the chart's CRDs. */
async function prepareNamespaceAndCrds(run: Run<HelmReleaseSpec>, order: RenderedOrder): Promise<void> {
  const { built, options, target, step: { action, isChange } } = order;
  const { spec } = run.object;
  const settings = spec[action];
  const policy = settings.skipCRDs === true ? "Skip" : settings.crds ?? "Create";
  const namespace: Resource[] = spec.install.createNamespace === true && action === "install" && isChange
    ? [{ apiVersion: "v1", kind: "Namespace", metadata: { name: spec.targetNamespace } }]
    : [];
  const owner = keptOwner(run.object.key);
  const revision = toldVersion(spec, order.artifact, built.chart.version);
  const request = { owner, previous: { entries: [] }, revision };
  if (namespace.length > 0) {
    await target.apply({ ...request, resources: namespace, options: { ...options, createOnly: true } }, run.signal);
  }
  if (policy !== "Skip" && built.crds !== undefined && built.crds.length > 0) {
    await target.apply({
      ...request,
      resources: built.crds,
      options: { ...options, createOnly: policy === "Create" },
    }, run.signal);
  }
}
