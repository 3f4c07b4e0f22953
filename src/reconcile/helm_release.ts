import type { Artifact, ArtifactStore } from "../core/artifact.ts";
import type { BuildResult } from "../core/builder.ts";
import { digestOf } from "../core/digest.ts";
import type { Inventory } from "../core/inventory.ts";
import { subtract, union } from "../core/inventory.ts";
import type { DesiredObject } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Resource } from "../core/resource.ts";
import { refOf } from "../core/resource.ts";
import type { Source } from "../core/source.ts";
import type { HelmReleaseSpec, HelmRepositorySpec } from "../core/specs.ts";
import { asStageError, messageOf, StageError } from "../core/stage_error.ts";
import type { Target, TargetOptions } from "../core/target.ts";
import {
  applyAndPrune,
  type ApplyOutcome,
  changeEvents,
  targetAnnotation,
  targetOptions,
  waitFor,
} from "./apply_and_prune.ts";
import { inputsOf, isUntouched } from "./inputs.ts";
import type { Pipeline, Run, RunResult } from "./pipeline.ts";
import { isReady, type Removal } from "./record.ts";
import { driftMode, ignoredDrift, noDrift, tellDrift, watchOfRelease } from "./release_drift.ts";
import { exhausted, releaseFailure, withStrategy } from "./release_failure.ts";
import { refuseForeign, refuseWhatIsNotBuilt, refuseWithDirectory } from "./release_fields.ts";
import { keptOwner, removalHooks, runHooks } from "./release_hooks.ts";
import { releaseRemoval, uninstall, type UninstallTools } from "./release_removal.ts";
import {
  checkChartVersion,
  isOtherChart,
  nextStep,
  releaseDigest,
  type ReleaseStep,
  standingRelease,
} from "./release_step.ts";
import { type ResolvedValues, resolveValues } from "./release_values.ts";
import {
  chartArtifactOf,
  type ChartName,
  chartText,
  goDuration,
  ociDigest,
  releaseText,
  standingMessage,
  standingRevision,
  toldVersion,
} from "./release_words.ts";
import { parentDecryption, withOpenValues } from "./sealed_values.ts";

/** What is rendered for a HelmRelease. */
export interface ReleaseBuild {
  readonly object: DesiredObject<HelmReleaseSpec>;
  readonly artifact: Artifact;
  readonly valuesFrom: readonly ResolvedValues[];
  /** Which action the chart sees: `.Release.IsInstall`. */
  readonly action: "install" | "upgrade";
  /** `.Release.Revision`. */
  readonly revision: number;
}

/** A rendered release. */
export interface RenderedRelease extends BuildResult {
  readonly chart: ChartName;
}

/** What a HelmRelease's pipeline is handed. */
export interface HelmReleaseTools extends UninstallTools {
  readonly store: ArtifactStore;
  /** The chart of an OCI HelmRepository as a source. */
  readonly openChart: (
    object: DesiredObject<HelmReleaseSpec>,
    repository: DesiredObject<HelmRepositorySpec>,
  ) => Source;
  readonly render: (request: ReleaseBuild, signal: AbortSignal) => Promise<RenderedRelease>;
  /** Name and version of an artifact's chart, for what is told of one that could not be rendered; `undefined`: it has none. */
  readonly readChart?: (artifact: Artifact) => Promise<ChartName | undefined>;
}

/**
 * Pipeline of a HelmRelease: chart and values in, manifests through the same target as a Kustomization's. Hooks run in
 * weight order around a change, and around the removal. What stands is counted in revisions: each change of chart, values
 * or what is done to the manifests that succeeded is one. Release history, rollback, tests and Helm's own storage are not
 * built yet: documents that ask for them say so.
 *
 * Differs: Flux changes nothing of a release that was put out of shape unless `driftDetection` says so; here that is the
 * default, and `mode: disabled` leaves it. A directory runs no hooks.
 */
export function helmReleasePipeline(tools: HelmReleaseTools): Pipeline<HelmReleaseSpec> {
  return {
    kind: "HelmRelease",
    run: (run) => runRelease(run, tools),
    async remove(record, removal) {
      let kept = record;
      await uninstall({
        ...removal,
        get record() {
          return kept;
        },
        signal: removal.signal,
        async checkpoint(patch) {
          kept = { ...kept, ...patch };
          await removal.checkpoint(patch);
        },
        progress: () => {},
        offWorker: (work) => work(),
      }, tools);
      await tools.store.unpin(keyText(record.key));
    },
  };
}

/** What one run of a release works with. */
interface ReleaseOrder {
  readonly target: Target;
  readonly options: TargetOptions;
  readonly artifact: Artifact;
  readonly valuesFrom: readonly ResolvedValues[];
  readonly inputs: string;
  readonly step: ReleaseStep;
  readonly ownArtifact: { readonly artifact?: Artifact };
  readonly warnings: readonly string[];
}

async function runRelease(run: Run<HelmReleaseSpec>, tools: HelmReleaseTools): Promise<RunResult> {
  const { object } = run;
  const { spec } = object;
  refuseWhatIsNotBuilt(object);
  const target = tools.targetOf(object.annotations[targetAnnotation]);
  refuseWithDirectory(object, target);
  const { artifact, isOwn, warnings } = await chartOf(run, tools);
  const references = tools.referencesOf(object);
  const valuesFrom = await resolveValues(
    object,
    withOpenValues(references, {
      openValue: tools.openValue,
      decryption: () => parentDecryption(run, tools.referencesOf),
      isUsed: (name, key) => spec.valuesFrom.some((from) => from.name === name && from.valuesKey === key),
      signal: run.signal,
    }),
  );
  const valueDigests = valuesFrom.map((values) => digestOf(values.text));
  const step = nextStep(object, await standingRelease(run, target), {
    digest: releaseDigest(object, artifact, target.name, valueDigests),
  });
  const order: ReleaseOrder = {
    target,
    artifact,
    valuesFrom,
    step,
    warnings,
    inputs: inputsOf(object, artifact, target.name, valueDigests),
    ownArtifact: isOwn ? { artifact } : {},
    options: {
      ...await targetOptions(object, references),
      timeoutMs: actionTimeout(spec, step.action),
    },
  };
  if (!step.isChange && await isAsWanted(run, order)) return standingResult(run, order);
  refuseFurtherTries(run, step);
  try {
    return await makeRelease(run, order, tools);
  } catch (error) {
    if (run.signal.aborted) throw error;
    throw await failedRelease(run, order, { error, tools });
  }
}

/** Failed tries of what is wanted now: a new document, chart or values begin anew (helm-controller 1.6 `MustResetFailures`). */
function failedTries(run: Run<HelmReleaseSpec>, digest: string): number {
  const { release, generation } = run.record;
  return release?.attempted === digest && release.failed?.generation === generation ? release.failed.count : 0;
}

/**
 * Refuses a change that has failed as often as the document allows; a person may ask for one more try.
 *
 * @throws {StageError} as the last try did
 */
function refuseFurtherTries(run: Run<HelmReleaseSpec>, step: ReleaseStep): void {
  if (!step.isChange || run.trigger === "request") return;
  const { action, digest } = step;
  const { spec } = run.object;
  const count = failedTries(run, digest);
  const end = exhausted(spec, action, count);
  if (end === undefined) return;
  const last = run.record.conditions.find(({ type, status }) => type === "Released" && status === "False");
  const reason = action === "install" ? "InstallFailed" : "UpgradeFailed";
  throw withStrategy(new StageError(reason, last?.message ?? end), { spec, action, failures: count });
}

/** The failure of a release's action, with what the document wants to follow it. What was tried is kept in the record. */
async function failedRelease(
  run: Run<HelmReleaseSpec>,
  order: ReleaseOrder,
  failed: { readonly error: unknown; readonly tools: HelmReleaseTools },
): Promise<StageError> {
  const { spec } = run.object;
  const { artifact, step: { action, before, digest, isChange } } = order;
  const reason = action === "install" ? "InstallFailed" : "UpgradeFailed";
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

/** Whether nothing is to be done: nothing that decides the release has changed, and it stands as its drift detection wants. */
async function isAsWanted(run: Run<HelmReleaseSpec>, order: ReleaseOrder): Promise<boolean> {
  // A target that only takes notes is to hear what would stand.
  const isLeftAlone = driftMode(run.object.spec) === "disabled" && order.target.stands !== undefined;
  if (!isLeftAlone) return await isUntouched(run, order.target, order.inputs);
  return run.record.inputs === order.inputs && isReady(run.record);
}

/** Result of a run that found everything as it left it. */
function standingResult(run: Run<HelmReleaseSpec>, order: ReleaseOrder, more: Partial<RunResult> = {}): RunResult {
  const { artifact, step, target } = order;
  return {
    record: {
      ...order.ownArtifact,
      inputs: order.inputs,
      ...standingRevision(run, artifact),
    },
    reason: step.action === "install" ? "InstallSucceeded" : "UpgradeSucceeded",
    message: standingMessage(run),
    conditions: noDrift(run.record),
    events: [],
    warnings: order.warnings,
    target: target.name,
    ...watchOfRelease(run, target),
    ...more,
  };
}

/** Renders and applies: a change of the release, or the same one again where it lost its shape. */
async function makeRelease(
  run: Run<HelmReleaseSpec>,
  given: ReleaseOrder,
  tools: HelmReleaseTools,
): Promise<RunResult> {
  const { object } = run;
  const { spec } = object;
  let order = given;
  const render = async () => {
    const { action, revision } = order.step;
    run.progress(`Running '${action}' action with timeout of ${goDuration(actionTimeout(spec, action))}`);
    const { artifact, valuesFrom } = order;
    const built = await tools.render({ object, artifact, valuesFrom, action, revision }, run.signal);
    checkChartVersion(spec, artifact, built.chart);
    return built;
  };
  const startAnew = async () => {
    run.progress(`Running 'uninstall' action for release ${order.step.before.namespace}/${order.step.before.name}`);
    await uninstall(run, tools);
    await run.checkpoint({ release: order.step.fresh });
    order = { ...order, step: nextStep(object, order.step.fresh, { digest: order.step.digest }) };
  };
  if (order.step.isElsewhere) await startAnew();
  let built = await render();
  if (isOtherChart(spec, order.step.before, built.chart.name)) {
    await startAnew();
    built = await render();
  }
  const isOnlyTold = !order.step.isChange && driftMode(spec) === "warn" && order.target.stands !== undefined &&
    run.record.inputs === order.inputs && isReady(run.record);
  return isOnlyTold ? await tellDrift(run, order, built) : await applyRelease(run, { ...order, built }, tools);
}

/** Applies what was rendered. A change that fails from here on counts as a try. */
async function applyRelease(
  run: Run<HelmReleaseSpec>,
  order: ReleaseOrder & { readonly built: RenderedRelease },
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
  order: ReleaseOrder & { readonly built: RenderedRelease },
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
  if (target.kind === "directory" && built.hooks.some((hook) => !hook.events.includes("test"))) {
    warnings.push(`${built.hooks.length} hooks of the chart were left out: a directory does not run them`);
  }
  const hooks = async (event: string) => {
    if (target.kind !== "cluster" || settings.disableHooks === true || !step.isChange) return;
    const timeoutMs = actionTimeout(spec, action);
    await runHooks(target, { key: object.key, hooks: built.hooks, event, options, timeoutMs }, run);
  };
  await hooks(`pre-${action}`);
  const before = run.record.inventory;
  let applied: ApplyOutcome;
  let health: RunResult["health"];
  let removal: Removal;
  try {
    applied = await applyAndPrune(run, target, {
      resources: built.resources,
      revision: version,
      inputs: order.inputs,
      prune: true,
      removal: releaseRemoval(object, run.record.removal?.hooks),
      options,
    });
    removal = await keepRemovalHooks(run, order, tools);
    health = settings.disableWait === true ? undefined : await waitFor(run, target, {
      refs: built.resources
        .filter((resource) => !(settings.disableWaitForJobs === true && resource.kind === "Job"))
        .map(refOf),
      timeoutMs: actionTimeout(spec, action),
      expressions: spec.healthCheckExprs,
      options,
    });
    await hooks(`post-${action}`);
  } catch (error) {
    if (action === "upgrade" && settings.cleanupOnFail === true && step.isChange && !run.signal.aborted) {
      await cleanUp(run, target, { before, options });
    }
    throw error;
  }
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
    ...watchOfRelease(run, target),
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
  order: ReleaseOrder & { readonly built: RenderedRelease },
  tools: HelmReleaseTools,
): Promise<Removal> {
  const { object } = run;
  const { target, options } = order;
  const before = run.record.removal?.hooks;
  const isWanted = target.kind === "cluster" && object.spec.uninstall.disableHooks !== true;
  const hooks = isWanted ? removalHooks(order.built.hooks) : [];
  const keepOrder = { key: object.key, namespace: object.spec.targetNamespace, options };
  const kept = hooks.length === 0 ? undefined : await tools.hookKeep?.save(target, keepOrder, hooks, run.signal);
  const removal = releaseRemoval(object, kept);
  await run.checkpoint({ removal });
  if (before !== undefined && (before.name !== kept?.name || before.namespace !== kept.namespace)) {
    await tools.hookKeep?.forget(target, { ...keepOrder, namespace: before.namespace }, before, run.signal);
  }
  return removal;
}

/** The chart's artifact: of the source that `chartRef` names, or pulled for this release alone (`isOwn`). */
async function chartOf(
  run: Run<HelmReleaseSpec>,
  tools: HelmReleaseTools,
): Promise<{ readonly artifact: Artifact; readonly isOwn: boolean; readonly warnings: readonly string[] }> {
  const { chart } = run.object.spec;
  if (chart.kind === "ref") return { artifact: chartArtifactOf(run, chart.sourceRef), isOwn: false, warnings: [] };
  const repository = run.find(chart.sourceRef);
  const name = `HelmRepository '${chart.sourceRef.namespace}/${chart.sourceRef.name}'`;
  if (repository === undefined) throw new StageError("SourceNotReady", `${name} is not there`);
  const source = tools.openChart(run.object, repository.object as DesiredObject<HelmRepositorySpec>);
  const previous = run.record.artifact;
  const isKept = previous !== undefined && await tools.store.has(previous);
  try {
    const pulled = await source.pull(isKept ? previous : undefined, run.signal);
    if (pulled.changed || !isKept) await tools.store.pin(keyText(run.object.key), [pulled.artifact]);
    return { artifact: pulled.artifact, isOwn: true, warnings: pulled.warnings };
  } catch (error) {
    // What was pulled once is enough to go on without a network; a wrong document or signature is not.
    const stage = asStageError(error, "OCIArtifactPullFailed", "Cannot pull the chart");
    if (!isKept || stage.reason !== "OCIArtifactPullFailed" || run.signal.aborted) throw stage;
    const warning = `Cannot look for a newer chart, ${previous.revision} of the store is used: ${messageOf(stage)}`;
    return { artifact: previous, isOwn: true, warnings: [warning] };
  }
}

/** Resources that are made once and belong to nobody's prune: the namespace asked for, and the chart's CRDs. */
async function prepareNamespaceAndCrds(
  run: Run<HelmReleaseSpec>,
  order: ReleaseOrder & { readonly built: RenderedRelease },
): Promise<void> {
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

/** Milliseconds that an action may take. */
function actionTimeout(spec: HelmReleaseSpec, action: "install" | "upgrade"): number {
  return spec[action].timeoutMs ?? spec.timeoutMs;
}
