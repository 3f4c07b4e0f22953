import type { Artifact, ArtifactStore } from "../core/artifact.ts";
import type { BuildResult } from "../core/builder.ts";
import { digestOf } from "../core/digest.ts";
import type { DesiredObject } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Ownership } from "../core/ownership.ts";
import type { Source } from "../core/source.ts";
import type { HelmReleaseSpec, HelmRepositorySpec } from "../core/specs.ts";
import { asStageError, messageOf, StageError } from "../core/stage_error.ts";
import type { Target, TargetOptions } from "../core/target.ts";
import { targetAnnotation, targetOptions } from "./apply_and_prune.ts";
import { inputsOf } from "./inputs.ts";
import type { Run } from "./pipeline.ts";
import { refuseWhatIsNotBuilt, refuseWithDirectory } from "./release_fields.ts";
import type { UninstallTools } from "./release_removal.ts";
import { nextStep, releaseDigest, type ReleaseStep, standingRelease } from "./release_step.ts";
import { type ResolvedValues, resolveValues } from "./release_values.ts";
import { chartArtifactOf, type ChartName } from "./release_words.ts";
import { parentDecryption, withOpenValues } from "./sealed_values.ts";

/** What is rendered for a HelmRelease. */
export interface ReleaseBuild {
  readonly object: DesiredObject<HelmReleaseSpec>;
  readonly artifact: Artifact;
  readonly valuesFrom: readonly ResolvedValues[];
  /** Which action the chart sees: `.Release.IsInstall`. */
  readonly action: "install" | "upgrade";
  /** Which owner labels. Default `flux`. */
  readonly ownership?: Ownership;
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

/** What one run of a release works with. */
export interface ReleaseOrder {
  readonly target: Target;
  readonly options: TargetOptions;
  /** The chart. */
  readonly artifact: Artifact;
  readonly valuesFrom: readonly ResolvedValues[];
  /** Digest of everything that decides what is applied. */
  readonly inputs: string;
  readonly step: ReleaseStep;
  /** The chart again where it was pulled for this release alone: its record keeps it. */
  readonly ownArtifact: { readonly artifact?: Artifact };
  readonly warnings: readonly string[];
}

/**
 * What a run of a release is to do: chart, values, target and the step from what stands to what is wanted.
 *
 * @throws {StageError} for fields that are not built, a chart that cannot be had, values that cannot be read
 */
export async function orderOf(run: Run<HelmReleaseSpec>, tools: HelmReleaseTools): Promise<ReleaseOrder> {
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
  return {
    target,
    artifact,
    valuesFrom,
    step,
    warnings,
    inputs: inputsOf(object, artifact, target, valueDigests),
    ownArtifact: isOwn ? { artifact } : {},
    options: {
      ...await targetOptions(object, references),
      timeoutMs: actionTimeout(spec, step.action),
    },
  };
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

/** Milliseconds that an action may take. */
export function actionTimeout(spec: HelmReleaseSpec, action: "install" | "upgrade"): number {
  return spec[action].timeoutMs ?? spec.timeoutMs;
}
