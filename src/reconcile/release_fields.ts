import type { DesiredObject } from "../core/object.ts";
import type { HelmReleaseSpec } from "../core/specs.ts";
import { entryOf } from "../core/inventory.ts";
import { isJsonObject } from "../core/json.ts";
import type { Resource } from "../core/resource.ts";
import { refOf, refText } from "../core/resource.ts";
import { StageError } from "../core/stage_error.ts";
import type { Target, TargetOptions } from "../core/target.ts";
import type { Run } from "./pipeline.ts";

/**
 * Refuses a release that asks for what is not built, with all such fields by name: none of them is ever skipped in
 * silence. What only follows a failure (`remediation`, `rollback`) is named by that failure.
 *
 * @throws {StageError} NotBuiltYet
 */
export function refuseWhatIsNotBuilt({ spec }: DesiredObject<HelmReleaseSpec>): void {
  const { chart, install, upgrade, uninstall, test, waitStrategy } = spec;
  const sourceKind = chart.sourceRef.kind;
  const asked = [
    chart.kind === "ref" && sourceKind !== "OCIRepository" ? `spec.chartRef.kind "${sourceKind}"` : undefined,
    chart.kind === "repository" && sourceKind !== "HelmRepository"
      ? `spec.chart.spec.sourceRef.kind "${sourceKind}"`
      : undefined,
    chart.kind === "repository" && chart.verify !== undefined ? "spec.chart.spec.verify" : undefined,
    install.serverSideApply === false ? "spec.install.serverSideApply: false" : undefined,
    upgrade.serverSideApply === "disabled" ? "spec.upgrade.serverSideApply: disabled" : undefined,
    upgrade.preserveValues === true ? "spec.upgrade.preserveValues" : undefined,
    uninstall.keepHistory === true ? "spec.uninstall.keepHistory" : undefined,
    test.enable ? "spec.test.enable" : undefined,
    waitStrategy === "legacy" ? "spec.waitStrategy.name: legacy" : undefined,
  ].filter((field) => field !== undefined);
  if (asked.length > 0) {
    throw new StageError("NotBuiltYet", `Cannot act on ${asked.join(", ")}: not built yet`);
  }
}

/** Refuses fields that only a cluster can act on. @throws {StageError} ReconciliationFailed */
export function refuseWithDirectory({ spec }: DesiredObject<HelmReleaseSpec>, target: Target): void {
  if (target.kind !== "directory" || (spec.driftDetection?.ignore ?? []).length === 0) return;
  throw new StageError("ReconciliationFailed", "Cannot use spec.driftDetection.ignore with a directory", {
    hint: "Remove the field, or use the target cluster",
  });
}

/**
 * Refuses resources that are there already and are not marked as this release's (`disableTakeOwnership`; Helm 4.2.4,
 * `pkg/action/validate.go`). Without that field they are taken over, as helm-controller does.
 *
 * @throws {StageError} ReconciliationFailed with every one of them
 */
export async function refuseForeign(
  run: Run<HelmReleaseSpec>,
  order: {
    readonly target: Target;
    readonly options: TargetOptions;
    readonly built: { readonly resources: readonly Resource[] };
  },
): Promise<void> {
  const { target, options } = order;
  const { spec, key } = run.object;
  const ours = new Set(run.record.inventory.entries.map((entry) => entry.id));
  const foreign: string[] = [];
  for (const resource of order.built.resources) {
    const ref = refOf(resource);
    const placed = ref.namespace === "" ? { ...ref, namespace: spec.targetNamespace } : ref;
    if (ours.has(entryOf(ref).id) || ours.has(entryOf(placed).id)) continue;
    const live = await target.read?.(key, ref, options, run.signal);
    if (live !== undefined && !isOfRelease(live, spec)) foreign.push(refText(placed));
  }
  if (foreign.length === 0) return;
  throw new StageError(
    "ReconciliationFailed",
    `${foreign.join(", ")} exist and belong to another release or to nobody`,
    { hint: "Remove disableTakeOwnership to take them over, or delete them" },
  );
}

function isOfRelease(live: Resource, spec: HelmReleaseSpec): boolean {
  const texts = (field: "labels" | "annotations") => {
    const value = live.metadata[field];
    return isJsonObject(value) ? value : {};
  };
  return texts("labels")["app.kubernetes.io/managed-by"] === "Helm" &&
    texts("annotations")["meta.helm.sh/release-name"] === spec.releaseName &&
    texts("annotations")["meta.helm.sh/release-namespace"] === spec.targetNamespace;
}
