import type { BuildResult } from "../core/builder.ts";
import { isJsonObject } from "../core/json.ts";
import type { Resource } from "../core/resource.ts";
import { refOf } from "../core/resource.ts";
import type { HelmReleaseSpec } from "../core/specs.ts";
import type { TargetOptions } from "../core/target.ts";
import { type DriftMode, noDrift, tellDrift, watchMinding } from "./drift.ts";
import type { Run, RunResult } from "./pipeline.ts";
import type { ReleaseOrder } from "./release_order.ts";
import { releaseText, standingMessage, standingRevision } from "./release_words.ts";

/** Annotation that leaves one resource out of drift detection (helm-controller). */
const leftAloneAnnotation = "helm.toolkit.fluxcd.io/driftDetection";

/**
 * What is done about drift.
 *
 * Differs: Flux's default is `disabled`; here drift is corrected unless the document says otherwise.
 */
export function driftMode(spec: HelmReleaseSpec): DriftMode {
  return spec.driftDetection?.mode ?? "enabled";
}

/** Drift that is left alone: what the document says, and resources that say it themselves. */
export function ignoredDrift(
  spec: HelmReleaseSpec,
  resources: readonly Resource[],
): NonNullable<TargetOptions["ignore"]> {
  const own = resources.filter((resource) => {
    const { annotations, labels } = resource.metadata;
    return [annotations, labels].some((texts) => isJsonObject(texts) && texts[leftAloneAnnotation] === "disabled");
  });
  return [
    ...spec.driftDetection?.ignore ?? [],
    ...own.map((resource) => {
      const { group, kind, namespace, name } = refOf(resource);
      const fields = Object.keys(resource).filter((field) => !["apiVersion", "kind", "metadata"].includes(field));
      return {
        paths: [...fields.map((field) => `/${field.replaceAll("~", "~0").replaceAll("/", "~1")}`), "/metadata/labels"],
        target: {
          group: escaped(group),
          kind: escaped(kind),
          name: escaped(name),
          ...(namespace === "" ? {} : { namespace: escaped(namespace) }),
        },
      };
    }),
  ];
}

/** A text as a regular expression that matches it alone. */
function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Result of a run that changes nothing: everything is as it was left, or is told and left (`more`). */
export function standingResult(
  run: Run<HelmReleaseSpec>,
  order: ReleaseOrder,
  more: Partial<Pick<RunResult, "conditions" | "events" | "warnings">> = {},
): RunResult {
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
    ...watchMinding(target, run.object.key, driftMode(run.object.spec)),
    ...more,
  };
}

/** Result of a run that tells what has drifted and leaves it as it is (`driftDetection.mode: warn`). */
export async function toldResult(
  run: Run<HelmReleaseSpec>,
  order: ReleaseOrder,
  built: BuildResult,
): Promise<RunResult> {
  const { target, artifact } = order;
  const { spec } = run.object;
  const told = await tellDrift(run, target, {
    what: `release ${releaseText(spec, order.step.revision)}`,
    resources: built.resources,
    revision: artifact.revision,
    options: { ...order.options, ignore: ignoredDrift(spec, built.resources) },
  });
  return standingResult(run, order, { ...told, warnings: [...order.warnings, ...built.warnings] });
}
