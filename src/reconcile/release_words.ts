import type { Artifact } from "../core/artifact.ts";
import { condition, isTrue } from "../core/condition.ts";
import type { ObjectKey } from "../core/object.ts";
import type { HelmReleaseSpec } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import { parseVersion, versionText } from "../format/semver.ts";
import type { RecordPatch, Run } from "./pipeline.ts";

/** Name and version of a chart as its Chart.yaml has them. */
export interface ChartName {
  readonly name: string;
  readonly version: string;
}

/** Characters of a digest in a version. */
const shownDigits = 12;

/**
 * A chart's version as conditions, events and revisions tell it: of an OCIRepository with the first digits of its artifact's
 * digest as build metadata, so that a tag that moved is another version (helm-controller 1.6 `mutateChartWithSourceRevision`).
 *
 * Differs: Flux renders with this version, so that labels and Pods change with a digest; here templates see the chart's own.
 */
export function toldVersion(spec: HelmReleaseSpec, artifact: Artifact, version: string): string {
  if (spec.chart.kind !== "ref") return version;
  const digest = digestIn(artifact.revision);
  const metadata = digest.slice(digest.indexOf(":") + 1, digest.indexOf(":") + 1 + shownDigits);
  try {
    return versionText({ ...parseVersion(version), metadata });
  } catch {
    // What is no version is shown as it is: a chart may be older than the rule.
    return version;
  }
}

/** Digest part of a revision (`tag@digest` or `digest`). */
function digestIn(revision: string): string {
  return revision.slice(revision.lastIndexOf("@") + 1);
}

/** `namespace/name`, with the revision behind it where one is told. */
export function releaseText(spec: HelmReleaseSpec, revision?: number): string {
  return `${spec.targetNamespace}/${spec.releaseName}${revision === undefined ? "" : `.v${revision}`}`;
}

/** `name@version`. */
export function chartText(spec: HelmReleaseSpec, artifact: Artifact, chart: ChartName): string {
  return `${chart.name}@${toldVersion(spec, artifact, chart.version)}`;
}

/** What is told of a release that stands, whatever has been told of its object since. */
export function standingMessage(run: Run<HelmReleaseSpec>): string {
  const { conditions, release } = run.record;
  const released = isTrue(conditions, "Released") ? condition(conditions, "Released") : undefined;
  const action = release?.action ?? "install";
  return released?.message ??
    `Helm ${action} succeeded for release ${releaseText(run.object.spec, release?.revision ?? 1)}`;
}

/** What the record of a release says that was found as it was left; the artifact may have another name since. */
export function standingRevision(
  { record }: Pick<Run<HelmReleaseSpec>, "record">,
  { revision }: Artifact,
): Pick<RecordPatch, "lastAppliedRevision" | "lastAttemptedRevision" | "release"> {
  const told = record.lastAppliedRevision ?? revision;
  return {
    lastAppliedRevision: told,
    lastAttemptedRevision: told,
    ...(record.release === undefined ? {} : { release: { ...record.release, source: revision } }),
  };
}

/** The digest that an event of a chart from an OCIRepository carries beside the chart's version. */
export function ociDigest(spec: HelmReleaseSpec, artifact: Artifact): { readonly "oci-digest"?: string } {
  return spec.chart.kind === "ref" ? { "oci-digest": digestIn(artifact.revision) } : {};
}

/**
 * The artifact of the source that `chartRef` names.
 *
 * @throws {StageError} ArtifactFailed when there is no such source, SourceNotReady when it has no artifact, in the words of
 *   helm-controller 1.6 (`getSource`, `isReady`)
 */
export function chartArtifactOf(run: Pick<Run<unknown>, "find">, ref: ObjectKey): Artifact {
  const source = run.find(ref);
  if (source === undefined) {
    throw new StageError(
      "ArtifactFailed",
      `could not get Source object: ${ref.kind}.source.toolkit.fluxcd.io "${ref.name}" not found`,
      { hint: "Add the source, or correct the reference" },
    );
  }
  const { record } = source;
  if (record?.artifact !== undefined) return record.artifact;
  const ready = condition(record?.conditions ?? [], "Ready");
  const stalled = condition(record?.conditions ?? [], "Stalled");
  const why = stalled?.status === "True"
    ? stalled.message
    : record === undefined || record.observedGeneration !== record.generation
    ? ready?.status === "False" ? ready.message : "latest generation of object has not been reconciled"
    : "does not have an artifact";
  throw new StageError("SourceNotReady", `${ref.kind} '${ref.namespace}/${ref.name}' is not ready: ${why}`);
}
