import type { BuildResult } from "../core/builder.ts";
import { condition } from "../core/condition.ts";
import { isJsonObject } from "../core/json.ts";
import type { Resource } from "../core/resource.ts";
import { refOf, refText } from "../core/resource.ts";
import type { HelmReleaseSpec } from "../core/specs.ts";
import type { Target, TargetOptions } from "../core/target.ts";
import type { Run, RunResult } from "./pipeline.ts";
import type { ObjectRecord } from "./record.ts";
import type { ReleaseOrder } from "./release_order.ts";
import { releaseText, standingMessage, standingRevision } from "./release_words.ts";

/** Annotation that leaves one resource out of drift detection (helm-controller). */
const driftAnnotation = "helm.toolkit.fluxcd.io/driftDetection";

/**
 * What is done about drift.
 *
 * Differs: Flux's default is `disabled`; here drift is corrected unless the document says otherwise.
 */
export function driftMode(spec: HelmReleaseSpec): "enabled" | "warn" | "disabled" {
  return spec.driftDetection?.mode ?? "enabled";
}

/** Drift that is left alone: what the document says, and resources that say it themselves. */
export function ignoredDrift(
  spec: HelmReleaseSpec,
  resources: readonly Resource[],
): NonNullable<TargetOptions["ignore"]> {
  const own = resources.filter((resource) => {
    const { annotations, labels } = resource.metadata;
    return [annotations, labels].some((texts) => isJsonObject(texts) && texts[driftAnnotation] === "disabled");
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

/** Condition of a release that has no drift; none where it never had any. */
export function noDrift(record: ObjectRecord): NonNullable<RunResult["conditions"]> {
  if (condition(record.conditions, "Drifted") === undefined) return [];
  return [{ type: "Drifted", status: "False", reason: "NoDriftDetected", message: "No drift detected" }];
}

/** The watch of what a release applied; who leaves drift alone is not woken by it. */
export function watchOfRelease(run: Run<HelmReleaseSpec>, target: Target): Pick<RunResult, "watch"> {
  if (target.watch === undefined) return {};
  const isMinded = driftMode(run.object.spec) !== "disabled";
  const { key } = run.object;
  return {
    watch: (onChange, signal) =>
      target.watch?.(key, (change) => {
        if (isMinded || change.kind !== "drift") onChange(change);
      }, signal),
  };
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
    ...watchOfRelease(run, target),
    ...more,
  };
}

/** Tells what has drifted and leaves it as it is (`driftDetection.mode: warn`). */
export async function tellDrift(
  run: Run<HelmReleaseSpec>,
  order: ReleaseOrder,
  built: BuildResult,
): Promise<RunResult> {
  const { target, artifact } = order;
  const { spec, key } = run.object;
  const changes = await target.plan({
    owner: key,
    resources: built.resources,
    previous: run.record.inventory,
    revision: artifact.revision,
    options: { ...order.options, ignore: ignoredDrift(spec, built.resources) },
  }, run.signal);
  const lines = changes
    .filter(({ action }) => action === "create" || action === "update" || action === "recreate")
    .map(({ action, ref }) => `${refText(ref)} ${action === "create" ? "removed" : "changed"}`);
  const message = `Cluster state of release ${
    releaseText(spec, order.step.revision)
  } has drifted from the desired state:\n${lines.join("\n")}`;
  const known = condition(run.record.conditions, "Drifted");
  const isNews = lines.length > 0 && (known?.status !== "True" || known.message !== message);
  return standingResult(run, order, {
    conditions: lines.length === 0 ? noDrift(run.record) : [{ type: "Drifted", reason: "DriftDetected", message }],
    events: isNews
      ? [{
        severity: "error",
        reason: "DriftDetected",
        message,
        metadata: { revision: run.record.lastAppliedRevision ?? artifact.revision },
      }]
      : [],
    warnings: [...order.warnings, ...built.warnings],
  });
}
