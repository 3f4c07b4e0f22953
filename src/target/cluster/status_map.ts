import { digestOf } from "../../core/digest.ts";
import { condition } from "../../core/condition.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { canonicalJson } from "../../core/json.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import type { ObjectStatus } from "../../core/status.ts";

/** Label of every ConfigMap that holds a status. */
export const statusLabel = "pilotfish.dev/status";
/** Warnings of an object that are shown. */
const mostWarnings = 20;

/** Name of the ConfigMap with an object's status. */
export function statusName(key: ObjectKey): string {
  const name = `pilotfish-status.${key.kind.toLowerCase()}.${key.namespace}.${key.name}`;
  return name.length <= 253 ? name : `pilotfish-status.${digestOf(keyText(key)).slice(7, 47)}`;
}

/**
 * What a ConfigMap says of an object: `object`, `ready`, `reason`, `message`, `revision` for `kubectl get`, and `status` as
 * JSON (conditions and revisions as Flux's status has them). Nothing that moves with every look: the same again means that
 * there is nothing to write.
 */
export function statusData(status: ObjectStatus): Readonly<Record<string, string>> {
  const ready = condition(status.conditions, "Ready");
  const revision = status.lastAppliedRevision ?? status.artifact?.revision;
  const whole: Record<string, JsonValue | undefined> = {
    apiVersion: status.apiVersion,
    generation: status.generation,
    observedGeneration: status.observedGeneration,
    conditions: status.conditions as unknown as JsonValue,
    suspended: status.isSuspended,
    lastAppliedRevision: status.lastAppliedRevision,
    lastAttemptedRevision: status.lastAttemptedRevision,
    lastHandledReconcileAt: status.lastHandledReconcileAt,
    artifact: status.artifact === undefined ? undefined : { revision: status.artifact.revision },
    parent: status.parent === undefined ? undefined : keyText(status.parent),
    source: status.source === undefined ? undefined : keyText(status.source),
    target: status.target,
    hint: status.hint,
    warnings: status.warnings.length === 0 ? undefined : status.warnings.slice(0, mostWarnings),
  };
  const known = Object.entries(whole).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined);
  return {
    object: keyText(status.key),
    ready: ready?.status ?? "Unknown",
    reason: ready?.reason ?? "",
    message: ready?.message ?? "",
    ...(revision === undefined ? {} : { revision }),
    status: canonicalJson(Object.fromEntries(known)),
  };
}

/** The ConfigMap of a status. */
export function statusMap(status: ObjectStatus, namespace: string): JsonObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: statusName(status.key),
      namespace,
      labels: { [statusLabel]: "true", "app.kubernetes.io/managed-by": "pilotfish" },
    },
    data: statusData(status),
  };
}
