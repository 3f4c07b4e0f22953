import type { Artifact } from "../core/artifact.ts";
import type { BuildResult, HookResource } from "../core/builder.ts";
import { digestOf } from "../core/digest.ts";
import { entryOf } from "../core/inventory.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { References } from "../core/references.ts";
import type { Resource } from "../core/resource.ts";
import { refOf, refText } from "../core/resource.ts";
import type { Source } from "../core/source.ts";
import type { ArtifactStore } from "../core/artifact.ts";
import type { HelmReleaseSpec, HelmRepositorySpec, ValuesReference } from "../core/specs.ts";
import { asStageError, messageOf, StageError } from "../core/stage_error.ts";
import type { Target, TargetOptions } from "../core/target.ts";
import {
  applyAndPrune,
  type ApplyTools,
  artifactOf,
  changeEvents,
  inputsOf,
  isUntouched,
  removeApplied,
  targetAnnotation,
  targetOptions,
  waitFor,
  watchOf,
} from "./kustomization.ts";
import type { Pipeline, Run, RunResult } from "./pipeline.ts";
import { parentDecryption, withOpenValues } from "./sealed_values.ts";

/** A text that `valuesFrom` found, with the reference that asked for it. */
export interface ResolvedValues {
  readonly reference: ValuesReference;
  readonly text: string;
}

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
  readonly chart: { readonly name: string; readonly version: string };
}

/** What a HelmRelease's pipeline is handed. */
export interface HelmReleaseTools extends ApplyTools {
  readonly store: ArtifactStore;
  /** The chart of an OCI HelmRepository as a source. */
  readonly openChart: (
    object: DesiredObject<HelmReleaseSpec>,
    repository: DesiredObject<HelmRepositorySpec>,
  ) => Source;
  readonly render: (request: ReleaseBuild, signal: AbortSignal) => Promise<RenderedRelease>;
}

/**
 * Pipeline of a HelmRelease: chart and values in, manifests through the same target as a Kustomization's. Hooks run in
 * weight order around the apply. Release history, rollback, tests and Helm's own storage are not built yet: documents
 * that ask for them say so.
 */
export function helmReleasePipeline(tools: HelmReleaseTools): Pipeline<HelmReleaseSpec> {
  return {
    kind: "HelmRelease",
    run: (run) => runRelease(run, tools),
    async remove(record, removal) {
      await removeApplied(record, tools, removal);
      await tools.store.unpin(keyText(record.key));
    },
  };
}

async function runRelease(run: Run<HelmReleaseSpec>, tools: HelmReleaseTools): Promise<RunResult> {
  const { object } = run;
  const { spec } = object;
  refuseWhatIsNotBuilt(spec);
  const { artifact, isOwn, warnings } = await chartOf(run, tools);
  const target = tools.targetOf(object.annotations[targetAnnotation]);
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
  const inputs = inputsOf(
    object,
    artifact,
    target.name,
    valuesFrom.map((values) => digestOf(values.text)),
  );
  const action = run.record.lastAppliedRevision === undefined ? "install" : "upgrade";
  const ownArtifact = isOwn ? { artifact } : {};

  if (await isUntouched(run, target, inputs)) {
    const last = run.record.conditions.find((condition) => condition.type === "Ready");
    return {
      record: {
        ...ownArtifact,
        inputs,
        lastAppliedRevision: artifact.revision,
        lastAttemptedRevision: artifact.revision,
      },
      reason: last?.reason === "InstallSucceeded" ? "InstallSucceeded" : "UpgradeSucceeded",
      message: last?.message ?? `Release of revision ${artifact.revision} stands`,
      events: [],
      warnings,
      target: target.name,
      ...watchOf(target, object.key),
    };
  }

  run.progress(`Running '${action}' action with timeout of ${actionTimeout(spec, action) / 1000}s`);
  const revision = (run.record.history[0]?.totalReconciliations ?? 0) + 1;
  const built = await tools.render({ object, artifact, valuesFrom, action, revision }, run.signal);
  const options = await targetOptions(object, references);
  const failure = action === "install" ? "InstallFailed" : "UpgradeFailed";
  try {
    return await applyRelease(run, target, {
      spec,
      built,
      artifact,
      inputs,
      action,
      options,
      ownArtifact,
      warnings,
    });
  } catch (error) {
    if (run.signal.aborted) throw error;
    const stage = asStageError(error, failure, `Helm ${action} failed for release ${releaseText(spec)}`);
    throw stage.reason === "ReconciliationFailed" || stage.reason === "HealthCheckFailed"
      ? new StageError(failure, `Helm ${action} failed for release ${releaseText(spec)}: ${stage.message}`, {
        cause: stage.cause,
        hint: stage.hint,
      })
      : stage;
  }
}

/** What {@linkcode applyRelease} works with. */
interface ReleaseOrder {
  readonly spec: HelmReleaseSpec;
  readonly built: RenderedRelease;
  readonly artifact: Artifact;
  readonly inputs: string;
  readonly action: "install" | "upgrade";
  readonly options: TargetOptions;
  readonly ownArtifact: { readonly artifact?: Artifact };
  readonly warnings: readonly string[];
}

async function applyRelease(run: Run<HelmReleaseSpec>, target: Target, order: ReleaseOrder): Promise<RunResult> {
  const { spec, built, artifact, action, options } = order;
  const { object } = run;
  const settings = spec[action];
  const warnings = [...order.warnings, ...built.warnings];
  await prepareNamespaceAndCrds(run, target, order);
  const runsHooks = target.kind === "cluster" && settings.disableHooks !== true;
  if (target.kind === "directory" && built.hooks.some((hook) => !hook.events.includes("test"))) {
    warnings.push(`${built.hooks.length} hooks of the chart were left out: a directory does not run them`);
  }
  if (runsHooks) await runHooks(run, target, { hooks: built.hooks, event: `pre-${action}`, options, spec });
  const applied = await applyAndPrune(run, target, {
    resources: built.resources,
    revision: artifact.revision,
    inputs: order.inputs,
    prune: true,
    removal: {
      prune: true,
      wait: spec.uninstall.disableWait !== true,
      ...(object.annotations[targetAnnotation] === undefined ? {} : { target: object.annotations[targetAnnotation] }),
      ...(spec.serviceAccountName === undefined ? {} : { serviceAccountName: spec.serviceAccountName }),
    },
    options,
  });
  const health = settings.disableWait === true ? undefined : await waitFor(run, target, {
    refs: built.resources
      .filter((resource) => !(settings.disableWaitForJobs === true && resource.kind === "Job"))
      .map(refOf),
    timeoutMs: actionTimeout(spec, action),
    expressions: spec.healthCheckExprs,
    options,
  });
  if (runsHooks) await runHooks(run, target, { hooks: built.hooks, event: `post-${action}`, options, spec });
  const message = `Helm ${action} succeeded for release ${
    releaseText(spec)
  } with chart ${built.chart.name}@${built.chart.version}`;
  const reason = action === "install" ? "InstallSucceeded" : "UpgradeSucceeded";
  const changes = changeEvents(applied.changes, artifact.revision, undefined);
  return {
    record: {
      ...applied.record,
      ...order.ownArtifact,
      inputs: order.inputs,
      lastAppliedRevision: artifact.revision,
    },
    reason,
    message,
    conditions: [{ type: "Released", reason, message }],
    events: [
      { severity: "info", reason, message, metadata: { revision: artifact.revision } },
      ...changes,
      ...applied.events,
    ],
    warnings: [...warnings, ...applied.warnings],
    ...(health === undefined ? {} : { health }),
    target: target.name,
    ...watchOf(target, object.key),
  };
}

/** The chart's artifact: of the source that `chartRef` names, or pulled for this release alone (`isOwn`). */
async function chartOf(
  run: Run<HelmReleaseSpec>,
  tools: HelmReleaseTools,
): Promise<{ readonly artifact: Artifact; readonly isOwn: boolean; readonly warnings: readonly string[] }> {
  const { chart } = run.object.spec;
  if (chart.kind === "ref") return { artifact: artifactOf(run, chart.sourceRef), isOwn: false, warnings: [] };
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

/** Texts of `valuesFrom` in order. @throws {StageError} ValuesError for a reference or key that is missing and not optional */
export async function resolveValues(
  object: DesiredObject<HelmReleaseSpec>,
  references: References,
): Promise<readonly ResolvedValues[]> {
  const resolved: ResolvedValues[] = [];
  for (const reference of object.spec.valuesFrom) {
    const name = `${reference.kind} '${object.key.namespace}/${reference.name}'`;
    const found = reference.kind === "Secret"
      ? await references.secret(object.key.namespace, reference.name)
      : await references.configMap(object.key.namespace, reference.name);
    const value = found?.data.get(reference.valuesKey);
    if (value === undefined) {
      if (reference.optional) continue;
      throw new StageError(
        "ValuesError",
        found === undefined
          ? `could not resolve values: ${name} is not there`
          : `could not resolve values: ${name} has no key '${reference.valuesKey}'`,
      );
    }
    resolved.push({ reference, text: new TextDecoder().decode(value) });
  }
  return resolved;
}

/** Resources that are made once and belong to nobody's prune: the namespace asked for, and the chart's CRDs. */
async function prepareNamespaceAndCrds(run: Run<HelmReleaseSpec>, target: Target, order: ReleaseOrder): Promise<void> {
  const { spec, built, action, options } = order;
  const settings = spec[action];
  const policy = settings.skipCRDs === true ? "Skip" : settings.crds ?? "Create";
  const namespace: Resource[] = spec.install.createNamespace === true && action === "install"
    ? [{ apiVersion: "v1", kind: "Namespace", metadata: { name: spec.targetNamespace } }]
    : [];
  const owner = keptOwner(run.object.key);
  const request = { owner, previous: { entries: [] }, revision: order.artifact.revision };
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

/** Owner under which a target remembers what a release makes and never prunes: namespace, CRDs, hooks. */
function keptOwner(key: ObjectKey): ObjectKey {
  return { ...key, kind: `${key.kind}Kept` };
}

/**
 * Runs the hooks of one event, by weight, then name; each is waited for before the next. What policy `hook-succeeded`
 * deletes goes when all of the event have run, last one first: an earlier hook may be what a later one needs. A hook
 * that is a CustomResourceDefinition is never deleted (Helm 4.2.4 `execHook`, `deleteHookByPolicy`).
 */
async function runHooks(
  run: Run<HelmReleaseSpec>,
  target: Target,
  order: {
    readonly hooks: readonly HookResource[];
    readonly event: string;
    readonly options: TargetOptions;
    readonly spec: HelmReleaseSpec;
  },
): Promise<void> {
  const due = order.hooks.filter((hook) => hook.events.includes(order.event));
  const owner = keptOwner(run.object.key);
  const timeoutMs = order.spec.timeoutMs;
  const remove = async (hook: HookResource, policy: string) => {
    const policies = hook.deletePolicies.length === 0 ? ["before-hook-creation"] : hook.deletePolicies;
    if (!policies.includes(policy) || hook.resource.kind === "CustomResourceDefinition") return;
    const entry = entryOf(refOf(hook.resource));
    await target.remove(owner, [entry], { ...order.options, isWholeRemoval: true }, run.signal);
  };
  const succeeded: HookResource[] = [];
  const removeSucceeded = async () => {
    for (const hook of succeeded.toReversed()) await remove(hook, "hook-succeeded");
  };
  for (const hook of due.toSorted(byWeightAndName)) {
    run.progress(`Running ${order.event} hook ${refText(refOf(hook.resource))}`);
    await remove(hook, "before-hook-creation");
    try {
      await target.apply({
        owner,
        resources: [hook.resource],
        previous: { entries: [] },
        revision: order.event,
        options: order.options,
      }, run.signal);
      // Only what runs to an end is waited for (Helm waits for Jobs and Pods of a hook).
      if (hook.resource.kind === "Job" || hook.resource.kind === "Pod") {
        await waitFor(run, target, {
          refs: [refOf(hook.resource)],
          timeoutMs,
          expressions: [],
          options: order.options,
        });
      }
    } catch (error) {
      if (run.signal.aborted) throw error;
      await remove(hook, "hook-failed");
      await removeSucceeded();
      throw error;
    }
    succeeded.push(hook);
  }
  await removeSucceeded();
}

function byWeightAndName(a: HookResource, b: HookResource): number {
  if (a.weight !== b.weight) return a.weight - b.weight;
  const [left, right] = [a.resource.metadata.name, b.resource.metadata.name];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Milliseconds that an action may take. */
function actionTimeout(spec: HelmReleaseSpec, action: "install" | "upgrade"): number {
  return spec[action].timeoutMs ?? spec.timeoutMs;
}

function releaseText(spec: HelmReleaseSpec): string {
  return `${spec.targetNamespace}/${spec.releaseName}`;
}

/** Fields whose work is not built make the release fail closed, by name: they are never skipped. */
function refuseWhatIsNotBuilt(spec: HelmReleaseSpec): void {
  const asked = [
    spec.test.enable ? "spec.test.enable" : undefined,
    spec.chart.kind === "repository" && spec.chart.verify !== undefined ? "spec.chart.spec.verify" : undefined,
  ].filter((field) => field !== undefined);
  if (asked.length > 0) {
    throw new StageError("NotBuiltYet", `Cannot act on ${asked.join(", ")}: not built yet`);
  }
}
