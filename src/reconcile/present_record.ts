import type { DesiredObject } from "../core/object.ts";
import { isSameKey } from "../core/object.ts";
import { whileSuspended } from "./conditions.ts";
import { isSuspended, newRecord, type ObjectRecord, resting } from "./record.ts";

/**
 * The record of an object as its present document makes it: of the parent and file that it has now, with its generation
 * counted up when its spec changed. A changed spec ends a rest that was ordered, and failures count anew.
 */
export function presentRecord(
  kept: ObjectRecord | undefined,
  { object, specDigest }: { readonly object: DesiredObject; readonly specDigest: string },
): ObjectRecord {
  const record = kept === undefined ? newRecord(object) : withOwner(kept, object);
  if (record.specDigest === specDigest) return record;
  if (record.specDigest === "") return { ...record, specDigest, generation: object.generation };
  const { suspended: _, ...rest } = record;
  return { ...rest, specDigest, generation: record.generation + 1, failures: 0 };
}

/** An object may move between documents and artifacts. */
function withOwner(record: ObjectRecord, { parent, origin }: DesiredObject): ObjectRecord {
  if (isSameKey(record.parent, parent) && record.origin === origin) return record;
  const { parent: _parent, origin: _origin, ...rest } = record;
  return { ...rest, ...(parent === undefined ? {} : { parent }), ...(origin === undefined ? {} : { origin }) };
}

/** A run's record with what people ordered while it ran, as `kept` has it. */
export function withOrders(record: ObjectRecord, kept: ObjectRecord | undefined): ObjectRecord {
  if (kept === undefined) return record;
  const { suspended: _, lastHandledReconcileAt: _at, ...rest } = record;
  return {
    ...rest,
    // A new spec ends a rest that was ordered for the old one.
    ...(kept.suspended === undefined || kept.specDigest !== record.specDigest ? {} : { suspended: kept.suspended }),
    ...(kept.lastHandledReconcileAt === undefined ? {} : { lastHandledReconcileAt: kept.lastHandledReconcileAt }),
  };
}

/** A record as it is kept while its object rests in the state of `present`; as it is when the object does not. */
export function asResting(object: DesiredObject, record: ObjectRecord, present: ObjectRecord): ObjectRecord {
  if (isSuspended(object, present)) return { ...resting(record), conditions: whileSuspended(record.conditions) };
  return object.parent !== undefined && isPruneDisabled(object) ? resting(record) : record;
}

/** Whether an object of an artifact says that its parent's prune leaves it and its resources alone. */
function isPruneDisabled(object: DesiredObject): boolean {
  const key = "kustomize.toolkit.fluxcd.io/prune";
  return (object.labels[key] ?? object.annotations[key] ?? "").toLowerCase() === "disabled";
}
