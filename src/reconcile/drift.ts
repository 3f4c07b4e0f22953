/**
 * What is done about changes that others made to what stands: one way for Kustomizations (annotation `pilotfish.dev/drift`) and
 * HelmReleases (`spec.driftDetection`). A change of the artifact or the document is no drift: it is applied in every mode.
 *
 * @module
 */
import { condition } from "../core/condition.ts";
import type { ObjectKey } from "../core/object.ts";
import { refText } from "../core/resource.ts";
import type { PlannedChange, Target, TargetRequest } from "../core/target.ts";
import { isUntouched } from "./inputs.ts";
import type { Run, RunResult } from "./pipeline.ts";
import { isReady, type ObjectRecord } from "./record.ts";

/** `enabled`: it is corrected; `warn`: it is told and left; `disabled`: it is left. */
export type DriftMode = "enabled" | "warn" | "disabled";

/** Annotation of a Kustomization with its {@linkcode DriftMode}. */
export const driftAnnotation = "pilotfish.dev/drift";

/** Fields of one resource that are named when it has drifted. */
const mostFields = 20;

/** A run's mode, and the digest of all that decides what it would apply. */
export interface DriftOrder {
  readonly mode: DriftMode;
  readonly inputs: string;
}

/** Whether nothing is to be done: nothing that decides the result has changed, and it stands as its mode wants. */
export async function standsAsWanted(run: Run<unknown>, target: Target, order: DriftOrder): Promise<boolean> {
  return order.mode === "disabled" && isOfLastRun(run, target, order.inputs) ||
    await isUntouched(run, target, order.inputs);
}

/** Whether what differs now can only be drift that is told and left. */
export function isOnlyTold(run: Run<unknown>, target: Target, order: DriftOrder): boolean {
  return order.mode === "warn" && isOfLastRun(run, target, order.inputs);
}

/**
 * Whether the last good run applied the very same. What is not repeatable may be another thing each time, a run that failed is
 * brought to its end, and a target that only takes notes is to hear what would stand.
 */
function isOfLastRun({ record, find }: Run<unknown>, target: Target, inputs: string): boolean {
  return target.stands !== undefined && record.inputs === inputs && record.isRepeatable !== false && isReady(record) &&
    record.children.every((key) => find(key) !== undefined);
}

/** The watch of what an owner applied; who leaves drift alone is not woken by it. */
export function watchMinding(target: Target, owner: ObjectKey, mode: DriftMode): Pick<RunResult, "watch"> {
  if (target.watch === undefined) return {};
  return {
    watch: (onChange, signal) =>
      target.watch?.(owner, (change) => {
        if (mode !== "disabled" || change.kind !== "drift") onChange(change);
      }, signal),
  };
}

/** Condition of what has no drift; none where it never had any. */
export function noDrift(record: ObjectRecord): NonNullable<RunResult["conditions"]> {
  if (condition(record.conditions, "Drifted") === undefined) return [];
  return [{ type: "Drifted", status: "False", reason: "NoDriftDetected", message: "No drift detected" }];
}

/** Whose drift is sought, and in what. */
export interface DriftQuestion extends Pick<TargetRequest, "resources" | "revision" | "options"> {
  /** Words for whose state it is: `release shop/web.v2`. */
  readonly what: string;
}

/** Condition and event of what has drifted, by resource and field; the same drift is an event once. Nothing is written. */
export async function tellDrift(
  run: Run<unknown>,
  target: Target,
  { what, ...wanted }: DriftQuestion,
): Promise<Required<Pick<RunResult, "conditions" | "events">>> {
  const { record, object: { key } } = run;
  const changes = await target.plan({ owner: key, previous: record.inventory, ...wanted }, run.signal);
  const lines = changes
    .filter(({ action, isTakeOver }) =>
      isTakeOver !== true && (action === "create" || action === "update" || action === "recreate")
    )
    .map((change) => `${refText(change.ref)} ${wayOf(change)}`);
  if (lines.length === 0) return { conditions: noDrift(record), events: [] };
  const message = `Cluster state of ${what} has drifted from the desired state:\n${lines.join("\n")}`;
  const known = condition(record.conditions, "Drifted");
  const isNews = known?.status !== "True" || known.message !== message;
  return {
    conditions: [{ type: "Drifted", reason: "DriftDetected", message }],
    events: isNews
      ? [{
        severity: "error",
        reason: "DriftDetected",
        message,
        metadata: { revision: record.lastAppliedRevision ?? wanted.revision },
      }]
      : [],
  };
}

/** How a resource has drifted: `removed`, `changed: /spec/replicas`. */
function wayOf({ action, fields = [], note }: PlannedChange): string {
  if (action === "create") return "removed";
  if (fields.length === 0) return note === undefined ? "changed" : `changed (${note})`;
  const more = fields.length > mostFields ? ` and ${fields.length - mostFields} more` : "";
  return `changed: ${fields.slice(0, mostFields).join(", ")}${more}`;
}
