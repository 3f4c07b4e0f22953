import type { Inventory, InventoryEntry } from "../core/inventory.ts";
import { inventoryOf, subtract, union } from "../core/inventory.ts";
import type { DesiredObject } from "../core/object.ts";
import type { References } from "../core/references.ts";
import type { Resource, ResourceRef } from "../core/resource.ts";
import { refOf, refText } from "../core/resource.ts";
import type { KustomizationSpec } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import type { AppliedChange, ApplyResult, Target, TargetOptions, TargetRequest, WaitRequest } from "../core/target.ts";
import { formatDuration } from "../format/duration.ts";
import { kubeconfigOf } from "./foreign_cluster.ts";
import type { RecordPatch, Run, RunResult } from "./pipeline.ts";
import type { ObjectRecord, Removal } from "./record.ts";
import type { OpenValue } from "./sealed_values.ts";

/** What is applied for an object: what the pipelines of Kustomization and HelmRelease share. */
export interface ApplyTools {
  /** The target that an annotation names, or the default one. @throws {StageError} InvalidDocument for an unknown form */
  readonly targetOf: (annotation: string | undefined) => Target;
  /** Lookup of Secrets and ConfigMaps for an object: documents, the artifact it came from, the cluster. */
  readonly referencesOf: (object: Pick<DesiredObject, "key" | "parent">) => References;
  /** Opens values of referenced Secrets that are encrypted files. */
  readonly openValue: OpenValue;
}

/** Annotation that gives one object a target of its own: `cluster`, or `directory:PATH`. */
export const targetAnnotation = "pilotfish.dev/target";
/** Annotation (value `confirmed`) that lets a guarded prune pass. */
export const pruneAnnotation = "pilotfish.dev/prune";

/** An object as if its document confirmed that what is guarded may be deleted. */
export function withConfirmedPrune(object: DesiredObject): DesiredObject {
  return { ...object, annotations: { ...object.annotations, [pruneAnnotation]: "confirmed" } };
}

/** Options of the target from what a Kustomization or HelmRelease says. */
export async function targetOptions(
  object: DesiredObject<Pick<KustomizationSpec, "serviceAccountName" | "kubeConfig"> & Partial<KustomizationSpec>>,
  references: References,
): Promise<TargetOptions> {
  const { spec } = object;
  return {
    force: spec.force ?? false,
    ignore: spec.ignore ?? [],
    defaultNamespace: spec.targetNamespace ?? object.key.namespace,
    ...(spec.timeoutMs === undefined ? {} : { timeoutMs: spec.timeoutMs }),
    ...(spec.serviceAccountName === undefined ? {} : { serviceAccountName: spec.serviceAccountName }),
    ...(spec.kubeConfig === undefined
      ? {}
      : { kubeconfig: await kubeconfigOf(object.key.namespace, spec.kubeConfig, references) }),
    ...(object.annotations[pruneAnnotation] === "confirmed" ? { pruneConfirmed: true } : {}),
  };
}

/** What {@linkcode applyAndPrune} is to bring about. */
export interface ApplyOrder {
  readonly resources: readonly Resource[];
  readonly revision: string;
  readonly inputs: string;
  readonly prune: boolean;
  readonly removal: Removal;
  readonly options: TargetOptions;
}

/** What an apply with its prune gave. */
export interface ApplyOutcome {
  readonly record: RecordPatch;
  readonly changes: readonly AppliedChange[];
  readonly warnings: readonly string[];
  readonly events: RunResult["events"];
  readonly options: TargetOptions;
}

/**
 * Applies resources and removes what is stale. The union of old and new inventory is kept before anything is created
 * and trimmed after it is gone, so a crash at any point leaves entries too many, never too few.
 *
 * @throws {StageError} ReconciliationFailed, PruneFailed
 */
export async function applyAndPrune(run: Run<unknown>, target: Target, order: ApplyOrder): Promise<ApplyOutcome> {
  const owner = run.object.key;
  const standsIn = await identityOf(target, run.signal);
  const isMoved = isElsewhere(run.record, standsIn);
  const moved = isMoved && run.record.inventory.entries.length > 0
    ? [
      `${run.record.inventory.entries.length} resources of another target are left there: ${
        standsIn === target.name ? "" : "the cluster is another one, "
      }now it is ${target.name}`,
    ]
    : [];
  // The next run knows no more of it.
  const movedEvents = moved.map((message) => ({
    severity: "error" as const,
    reason: "PruneGuarded",
    message,
    metadata: { revision: order.revision },
  }));
  const known = isMoved ? { entries: [] } : run.record.inventory;
  const previous = union(known, await target.remembered(owner, run.signal) ?? { entries: [] });
  // Where its namespace is not said, a cluster knows it, and keeps it in its own inventory before anything is made.
  const placed = order.resources.map(refOf).filter((ref) => target.kind !== "cluster" || ref.namespace !== "");
  const desired = inventoryOf(placed);
  const ahead = union(previous, desired);
  await run.checkpoint({
    inventory: ahead,
    ...(standsIn === undefined ? {} : { standsIn }),
    lastAttemptedRevision: order.revision,
    removal: order.removal,
  });
  let unwritten: readonly InventoryEntry[] = [];
  const request: TargetRequest = {
    owner,
    resources: order.resources,
    previous,
    revision: order.revision,
    inputs: order.inputs,
    options: order.options,
    ...(order.prune ? {} : { releasesStale: true }),
    onUnwritten: (entries) => unwritten = entries,
  };
  const applied = await target.apply(request, run.signal).catch(async (error: unknown) => {
    // What was refused before it was ever made would be sought for ever.
    const refused = subtract({ entries: unwritten }, previous);
    const made = { entries: subtract(ahead, { entries: refused }) };
    if (made.entries.length < ahead.entries.length) await run.checkpoint({ inventory: made });
    throw error;
  });
  run.applied?.();
  const stale = staleOf(previous, applied.inventory);
  if (!order.prune || stale.length === 0) {
    return {
      record: { inventory: applied.inventory, lastAttemptedRevision: order.revision, removal: order.removal },
      changes: applied.changes,
      warnings: moved,
      events: movedEvents,
      options: order.options,
    };
  }
  if (target.kind === "cluster") {
    // What is gone from here may be about to come up elsewhere. A file cannot: it must be free before another takes it.
    await run.offWorker(() => run.othersApplied?.() ?? Promise.resolve());
    run.signal.throwIfAborted();
  }
  const pruned = await prune(run, target, { ...order, applied, stale });
  return { ...pruned, warnings: [...moved, ...pruned.warnings], events: [...movedEvents, ...pruned.events] };
}

/**
 * Entries that are not applied any more. One without a namespace was written before it was known where it would stand: it is
 * the same resource as the one that stands now.
 */
function staleOf(previous: Inventory, applied: Inventory): readonly InventoryEntry[] {
  const unplaced = new Set(applied.entries.map(({ id }) => id.slice(id.indexOf("_"))));
  return subtract(previous, applied).filter(({ id }) => !unplaced.has(id));
}

/** The world that a target is; `undefined` where nobody can tell. */
export async function identityOf(target: Target, signal: AbortSignal): Promise<string | undefined> {
  return (target.identity === undefined ? target.name : await target.identity(signal)) || undefined;
}

/** Whether what a record lists stands in another world than this one: a list of another cluster says nothing about it. */
export function isElsewhere(record: ObjectRecord, standsIn: string | undefined): boolean {
  return record.standsIn !== undefined && standsIn !== undefined && record.standsIn !== standsIn;
}

async function prune(
  run: Run<unknown>,
  target: Target,
  order: ApplyOrder & { readonly applied: ApplyResult; readonly stale: readonly InventoryEntry[] },
): Promise<ApplyOutcome> {
  const { applied, stale } = order;
  await run.checkpoint({ inventory: union(applied.inventory, { entries: stale }) });
  const removed = await target.remove(run.object.key, stale, order.options, run.signal);
  const inventory: Inventory = union(applied.inventory, { entries: removed.kept.map((kept) => kept.entry) });
  await run.checkpoint({ inventory });
  const failed = removed.kept.filter((kept) => kept.reason === "failed");
  if (failed.length > 0) {
    throw new StageError("PruneFailed", failed.map((kept) => kept.message).join("\n"));
  }
  const guarded = removed.kept.filter((kept) => kept.reason === "guarded");
  return {
    record: { inventory, lastAttemptedRevision: order.revision, removal: order.removal },
    changes: [...applied.changes, ...removed.removed],
    warnings: [
      ...removed.kept.filter((kept) => kept.reason !== "failed").map((kept) => kept.message),
      ...removed.released.map((released) => released.message),
    ],
    events: guarded.length === 0 ? [] : [{
      severity: "error",
      reason: "PruneGuarded",
      message: [...new Set(guarded.map((kept) => kept.message))].join("\n"),
      metadata: { revision: order.revision },
    }],
    options: order.options,
  };
}

/**
 * Waits for resources without holding a worker; `undefined` when there is nothing to wait for. When they do not become healthy,
 * `told` is told all the same: what was changed, and what a guard kept.
 */
export async function waitFor(
  run: Run<unknown>,
  target: Target,
  what: {
    readonly refs: readonly ResourceRef[];
    readonly timeoutMs: number;
    readonly expressions: WaitRequest["expressions"];
    readonly options: TargetOptions;
    readonly told?: Pick<RunResult, "events" | "warnings">;
  },
): Promise<Awaited<ReturnType<Target["wait"]>> | undefined> {
  if (what.refs.length === 0) return undefined;
  const timeout = formatDuration(what.timeoutMs);
  run.progress(`Running health checks for ${what.refs.length} resources with a timeout of ${timeout}`);
  const { serviceAccountName, kubeconfig } = what.options;
  const waiting = run.offWorker(() =>
    target.wait({
      owner: run.object.key,
      refs: what.refs,
      timeoutMs: what.timeoutMs,
      expressions: what.expressions ?? [],
      ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
    }, run.signal)
  );
  return await waiting.catch((error: unknown) => {
    if (what.told !== undefined) run.tell?.(what.told);
    throw error;
  });
}

/** One event that lists what changed; none when nothing did. */
export function changeEvents(
  changes: readonly AppliedChange[],
  revision: string,
  origin: string | undefined,
): RunResult["events"] {
  const lines = changes
    .filter((change) => change.action !== "unchanged" && change.action !== "skipped")
    .map((change) => {
      const drifted = change.drifted === undefined || change.drifted.length === 0
        ? ""
        : ` (drift in ${change.drifted.join(", ")})`;
      return `${refText(change.ref)} ${change.action}${drifted}`;
    });
  if (lines.length === 0) return [];
  return [{
    severity: "info",
    reason: "ReconciliationSucceeded",
    message: lines.join("\n"),
    metadata: { revision, ...(origin === undefined ? {} : { originRevision: origin }) },
  }];
}
