import type { Artifact } from "../core/artifact.ts";
import { digestOf } from "../core/digest.ts";
import { canonicalJson, type JsonValue } from "../core/json.ts";
import type { DesiredObject } from "../core/object.ts";
import type { HelmReleaseSpec } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import type { Target } from "../core/target.ts";
import { newestTag } from "../format/newest_tag.ts";
import { compareVersions, parseStrictVersion } from "../format/semver.ts";
import type { Run } from "./pipeline.ts";
import type { ReleaseState } from "./record.ts";

/** What is to be done for a release. */
export interface ReleaseStep {
  /** `false`: what was applied last is applied again, without hooks and without a new revision. */
  readonly isChange: boolean;
  /** How templates see it: `.Release.IsInstall`, `.Release.IsUpgrade`. */
  readonly action: "install" | "upgrade";
  /** `.Release.Revision`. */
  readonly revision: number;
  /** What the document wants applied. */
  readonly digest: string;
  readonly before: ReleaseState;
  /** The release of the document before its install. */
  readonly fresh: ReleaseState;
  /** Whether what stands has another name or namespace: it is uninstalled first (helm-controller, `action/verify.go`). */
  readonly isElsewhere: boolean;
}

/**
 * Digest of what decides a release's manifests. Other fields of the document (intervals, timeouts, how it is removed)
 * make no new revision.
 *
 * Differs: Flux compares the merged values; here a value that moves from a reference to `spec.values` counts as a change.
 */
export function releaseDigest(
  object: DesiredObject<HelmReleaseSpec>,
  artifact: Artifact,
  target: string,
  values: readonly string[],
): string {
  const { spec } = object;
  const { chart } = spec;
  const { content } = artifact;
  return digestOf(canonicalJson([
    content.kind === "tree" ? content.digest : content.descriptor.digest,
    chart.kind === "repository" ? [chart.valuesFiles, chart.ignoreMissingValuesFiles] : null,
    spec.releaseName,
    spec.targetNamespace,
    target,
    spec.values,
    spec.valuesFrom as unknown as JsonValue,
    values,
    spec.postRenderers as unknown as JsonValue,
    spec.postRenderStrategy,
    (spec.commonMetadata ?? null) as unknown as JsonValue,
    (spec.kubeConfig ?? null) as unknown as JsonValue,
  ]));
}

/** The release of a document before its install. */
function freshRelease({ spec }: DesiredObject<HelmReleaseSpec>): ReleaseState {
  return {
    name: spec.releaseName,
    namespace: spec.targetNamespace,
    storageNamespace: spec.storageNamespace,
    chart: "",
    revision: 0,
    action: "install",
    attempted: "",
    applied: "",
  };
}

/**
 * The release that stands. Where our state knows none, what the target remembers says whether there is one: after the
 * disk was lost, or when a release changes hands with Flux, the next change is an upgrade, not an install.
 */
export async function standingRelease(run: Run<HelmReleaseSpec>, target: Target): Promise<ReleaseState> {
  const { record, object } = run;
  if (record.release !== undefined) return record.release;
  const fresh = freshRelease(object);
  const isNew = record.lastAttemptedRevision === undefined && record.inventory.entries.length === 0;
  const remembered = isNew ? await target.remembered(object.key) : undefined;
  const stands = record.lastAppliedRevision !== undefined || (remembered?.entries ?? []).length > 0;
  return stands ? { ...fresh, revision: 1 } : fresh;
}

/** What follows from the release that stands and what is wanted. Pure. */
export function nextStep(
  object: DesiredObject<HelmReleaseSpec>,
  before: ReleaseState,
  wanted: { readonly digest: string },
): ReleaseStep {
  const { digest } = wanted;
  const fresh = freshRelease(object);
  const isElsewhere = before.revision > 0 &&
    (before.name !== fresh.name || before.namespace !== fresh.namespace ||
      before.storageNamespace !== fresh.storageNamespace);
  const isChange = before.revision === 0 || before.attempted !== digest || before.applied !== digest || isElsewhere;
  return {
    isChange,
    action: before.revision === 0 ? "install" : isChange ? "upgrade" : before.action,
    revision: isChange ? before.revision + 1 : before.revision,
    digest,
    before,
    fresh,
    isElsewhere,
  };
}

/** Whether a chart of another name takes the release's place, which means a new release unless the document says otherwise. */
export function isOtherChart(spec: HelmReleaseSpec, before: ReleaseState, chart: string): boolean {
  return before.revision > 0 && before.chart !== "" && before.chart !== chart &&
    spec.upgrade.chartNameChangeStrategy !== "InPlaceUpdate";
}

/**
 * Checks the chart of an OCIRepository: a tag that is a version must be the chart's (helm-controller 1.6,
 * `mutateChartWithSourceRevision`), and a range that an old document asked for must hold.
 *
 * @throws {StageError} ChartMutateError for the tag, ArtifactFailed for the range
 */
export function checkChartVersion(
  spec: HelmReleaseSpec,
  artifact: Artifact,
  chart: { readonly name: string; readonly version: string },
): void {
  if (spec.chart.kind !== "ref") return;
  const at = artifact.revision.indexOf("@");
  const tag = versionOf(at < 0 ? "" : artifact.revision.slice(0, at).replaceAll("_", "+"));
  const version = versionOf(chart.version);
  if (tag !== undefined && version !== undefined && compareVersions(tag, version) !== 0) {
    throw new StageError(
      "ChartMutateError",
      `artifact revision ${artifact.revision.slice(0, at)} does not match chart version ${chart.version}`,
    );
  }
  const { version: range } = spec.chart;
  if (range !== undefined && newestTag([chart.version], range) === undefined) {
    throw new StageError("ArtifactFailed", `chart ${chart.name}@${chart.version} is not in the range "${range}"`, {
      hint: "Set spec.ref.semver of the OCIRepository, and name it in spec.chartRef",
    });
  }
}

function versionOf(text: string) {
  try {
    return parseStrictVersion(text, { leadingV: true });
  } catch {
    return undefined;
  }
}
