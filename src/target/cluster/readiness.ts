/**
 * Health of one object from its own fields, by the rules of kstatus (fluxcd/cli-utils v1.2.2 `pkg/kstatus/status`): first
 * what holds for every kind (deletion, generation, `Reconciling`, `Stalled`), then the rule of its kind, then `Ready`.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { splitApiVersion } from "../../core/resource.ts";

/** What an object's own fields say of it. `reason` is kstatus's word for its condition; "" where it sets none. */
export interface Readiness {
  readonly status: "Current" | "InProgress" | "Failed" | "Terminating" | "Unknown";
  readonly message: string;
  readonly reason: string;
  /** Text of the condition where it says more than `message`. */
  readonly detail?: string;
}

/** Milliseconds after its creation from which a Pod that finds no node counts as failed. */
export const unschedulableAfterMs = 15_000;

interface Fields {
  readonly object: JsonObject;
  readonly spec: JsonObject;
  readonly status: JsonObject;
  readonly conditions: readonly StatusCondition[];
  readonly now: number;
}

interface StatusCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** Thrown for an object whose fields cannot be read; never leaves this file. */
class Unreadable extends Error {}

/**
 * Health of an object. One that cannot be read is `Unknown`, and the message says why.
 *
 * @param now wall time in milliseconds: a Pod without a node fails after a while
 */
export function readinessOf(object: JsonObject, now: number): Readiness {
  try {
    return compute(object, now);
  } catch (error) {
    if (error instanceof Unreadable) return { status: "Unknown", message: error.message, reason: "" };
    throw error;
  }
}

/**
 * Health as Flux sees it: a Job is in progress until it is complete, and current while it is suspended
 * (fluxcd/pkg runtime v0.110 `statusreaders`, `ComputeJobStatus`); every other kind as kstatus.
 */
export function fluxReadinessOf(object: JsonObject, now: number): Readiness {
  if (object.kind !== "Job" || splitApiVersion(String(object.apiVersion)).group !== "batch") {
    return readinessOf(object, now);
  }
  try {
    return common(object) ?? jobReadiness(object);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { status: "Unknown", message: `Failed to compute job status: ${error.message}`, reason: "" };
  }
}

function jobReadiness(object: JsonObject): Readiness {
  const { spec, status, conditions } = fieldsOf(object, 0);
  const parallelism = whole(spec, "parallelism", 1);
  const completions = whole(spec, "completions", parallelism);
  const active = whole(status, "active", 0);
  const succeeded = whole(status, "succeeded", 0);
  const failed = whole(status, "failed", 0);
  if (spec.suspend === true) return current("Job is suspended");
  for (const condition of conditions) {
    if (condition.status !== "True") continue;
    if (condition.type === "Complete") return current(`Job Completed. succeeded: ${succeeded}/${completions}`);
    if (condition.type === "Failed") return stalled("JobFailed", `Job Failed. failed: ${failed}/${completions}`);
  }
  if (!textAt(status, "startTime")) {
    return waiting("JobNotStarted", `Job not started. active: ${active}/${parallelism}`);
  }
  return waiting("JobInProgress", `Job in progress. success:${succeeded}, active: ${active}, failed: ${failed}`);
}

function compute(object: JsonObject, now: number): Readiness {
  const early = common(object);
  if (early !== undefined) return early;
  const { group } = splitApiVersion(String(object.apiVersion ?? ""));
  const rule = kindRules[`${group}/${String(object.kind)}`];
  const fields = fieldsOf(object, now);
  if (rule !== undefined) return rule(fields);
  const ready = fields.conditions.find((condition) =>
    condition.type === "Ready" && ["True", "False", "Unknown"].includes(condition.status)
  );
  if (ready === undefined) return current("Resource is current");
  return ready.status === "True" ? current("Resource is Ready") : waiting(ready.reason, ready.message);
}

/** What holds for every kind; `undefined` when the kind decides. */
function common(object: JsonObject): Readiness | undefined {
  const metadata = childOf(object, "metadata");
  const deletion = metadata.deletionTimestamp;
  if (deletion !== undefined && typeof deletion !== "string") {
    throw new Unreadable("cannot read metadata.deletionTimestamp: it must be a text");
  }
  if (deletion) return { status: "Terminating", message: "Resource scheduled for deletion", reason: "" };
  const generation = wholeOrNone(metadata, "generation");
  const observed = wholeOrNone(childOf(object, "status"), "observedGeneration");
  if (generation !== undefined && observed !== undefined && generation !== observed) {
    return waiting(
      "LatestGenerationNotObserved",
      `${String(object.kind)} generation is ${generation}, but latest observed generation is ${observed}`,
    );
  }
  for (const condition of conditionsOf(object)) {
    if (condition.status !== "True") continue;
    if (condition.type === "Reconciling") return waiting(condition.reason, condition.message);
    if (condition.type === "Stalled") return stalled(condition.reason, condition.message);
  }
  return undefined;
}

type Rule = (fields: Fields) => Readiness;
const alwaysReady: Rule = () => current("Resource is always ready");

/** Rules by `group/kind`; `extensions` is where three of them began. */
const kindRules: Readonly<Record<string, Rule>> = {
  "apps/Deployment": deployment,
  "extensions/Deployment": deployment,
  "apps/ReplicaSet": replicaSet,
  "extensions/ReplicaSet": replicaSet,
  "apps/StatefulSet": statefulSet,
  "apps/DaemonSet": daemonSet,
  "extensions/DaemonSet": daemonSet,
  "batch/Job": plainJob,
  "batch/CronJob": alwaysReady,
  "/Pod": pod,
  "/Service": service,
  "/PersistentVolumeClaim": persistentVolumeClaim,
  "/ConfigMap": alwaysReady,
  "/Secret": alwaysReady,
  "policy/PodDisruptionBudget": () => current("AllowedDisruptions has been computed."),
  "apiextensions.k8s.io/CustomResourceDefinition": customResourceDefinition,
};

function deployment({ spec, status, conditions }: Fields): Readiness {
  const deadline = wholeOrNone(spec, "progressDeadlineSeconds");
  let isProgressed = deadline === undefined || deadline === 2 ** 31 - 1;
  let isAvailable = false;
  for (const condition of conditions) {
    if (condition.type === "Progressing") {
      if (condition.reason === "ProgressDeadlineExceeded") {
        return {
          ...stalled("ProgressDeadlineExceeded", "Progress deadline exceeded"),
          detail: condition.message,
        };
      }
      if (condition.status === "True" && condition.reason === "NewReplicaSetAvailable") isProgressed = true;
    }
    if (condition.type === "Available" && condition.status === "True") isAvailable = true;
  }
  const wanted = whole(spec, "replicas", 1);
  const replicas = whole(status, "replicas", 0);
  const updated = whole(status, "updatedReplicas", 0);
  const ready = whole(status, "readyReplicas", 0);
  const available = whole(status, "availableReplicas", 0);
  if (replicas < wanted) return waiting("LessReplicas", `Replicas: ${replicas}/${wanted}`);
  if (updated < wanted) return waiting("LessUpdated", `Updated: ${updated}/${wanted}`);
  if (replicas > wanted) return waiting("ExtraPods", `Pending termination: ${replicas - wanted}`);
  if (available < updated) return waiting("LessAvailable", `Available: ${available}/${updated}`);
  if (ready < wanted) return waiting("LessReady", `Ready: ${ready}/${wanted}`);
  if (!isProgressed) return waiting("ReplicaSetNotAvailable", "ReplicaSet not Available");
  if (!isAvailable) return waiting("DeploymentNotAvailable", "Deployment not Available");
  return current(`Deployment is available. Replicas: ${replicas}`);
}

function replicaSet({ spec, status, conditions }: Fields): Readiness {
  if (conditions.some((condition) => condition.type === "ReplicaFailure" && condition.status === "True")) {
    return waiting("ReplicaFailure", "Replica Failure condition. Check Pods");
  }
  const wanted = whole(spec, "replicas", 1);
  const replicas = whole(status, "replicas", 0);
  const labelled = whole(status, "fullyLabeledReplicas", 0);
  const available = whole(status, "availableReplicas", 0);
  const ready = whole(status, "readyReplicas", 0);
  if (labelled < wanted) return waiting("LessLabelled", `Labelled: ${labelled}/${wanted}`);
  if (available < wanted) return waiting("LessAvailable", `Available: ${available}/${wanted}`);
  if (ready < wanted) return waiting("LessReady", `Ready: ${ready}/${wanted}`);
  if (replicas > wanted) return waiting("ExtraPods", `Pending termination: ${replicas - wanted}`);
  return current(`ReplicaSet is available. Replicas: ${replicas}`);
}

function statefulSet({ spec, status }: Fields): Readiness {
  const strategy = childOf(spec, "updateStrategy");
  if (strategy.type === "OnDelete") return current("StatefulSet is using the ondelete update strategy");
  const wanted = whole(spec, "replicas", 1);
  const replicas = whole(status, "replicas", 0);
  const ready = whole(status, "readyReplicas", 0);
  if (replicas < wanted) return waiting("LessReplicas", `Replicas: ${replicas}/${wanted}`);
  if (ready < wanted) return waiting("LessReady", `Ready: ${ready}/${wanted}`);
  if (replicas > wanted) return waiting("ExtraPods", `Pending termination: ${replicas - wanted}`);
  const partition = wholeOrNone(childOf(strategy, "rollingUpdate"), "partition");
  const updated = whole(status, "updatedReplicas", 0);
  if (partition !== undefined) {
    if (updated < wanted - partition) {
      return waiting("PartitionRollout", `updated: ${updated}/${wanted - partition}`);
    }
    return current(`Partition rollout complete. updated: ${updated}`);
  }
  const now = whole(status, "currentReplicas", 0);
  if (now < wanted) return waiting("LessCurrent", `current: ${now}/${wanted}`);
  if ((textAt(status, "currentRevision") ?? "") !== (textAt(status, "updateRevision") ?? "")) {
    return waiting("RevisionMismatch", "Waiting for updated revision to match current");
  }
  return current(`All replicas scheduled as expected. Replicas: ${replicas}`);
}

function daemonSet({ object, status }: Fields): Readiness {
  if (wholeOrNone(childOf(object, "metadata"), "generation") === undefined) {
    return waiting("NoGeneration", "DaemonSet metadata.generation not found");
  }
  if (wholeOrNone(status, "observedGeneration") === undefined) {
    return waiting("NoObservedGeneration", "DaemonSet status.observedGeneration not found");
  }
  const wanted = whole(status, "desiredNumberScheduled", -1);
  if (wanted < 0) return waiting("NoDesiredNumber", "Missing .status.desiredNumberScheduled");
  const scheduled = whole(status, "currentNumberScheduled", 0);
  const updated = whole(status, "updatedNumberScheduled", 0);
  const available = whole(status, "numberAvailable", 0);
  const ready = whole(status, "numberReady", 0);
  if (scheduled < wanted) return waiting("LessCurrent", `Current: ${scheduled}/${wanted}`);
  if (updated < wanted) return waiting("LessUpdated", `Updated: ${updated}/${wanted}`);
  if (available < wanted) return waiting("LessAvailable", `Available: ${available}/${wanted}`);
  if (ready < wanted) return waiting("LessReady", `Ready: ${ready}/${wanted}`);
  return current(`All replicas scheduled as expected. Replicas: ${wanted}`);
}

function plainJob({ spec, status, conditions }: Fields): Readiness {
  const parallelism = whole(spec, "parallelism", 1);
  const completions = whole(spec, "completions", parallelism);
  const succeeded = whole(status, "succeeded", 0);
  const active = whole(status, "active", 0);
  const failed = whole(status, "failed", 0);
  for (const condition of conditions) {
    if (condition.status !== "True") continue;
    if (condition.type === "Complete") return current(`Job Completed. succeeded: ${succeeded}/${completions}`);
    if (condition.type === "Failed") return stalled("JobFailed", `Job Failed. failed: ${failed}/${completions}`);
  }
  if (!textAt(status, "startTime")) return waiting("JobNotStarted", "Job not started");
  return current(`Job in progress. success:${succeeded}, active: ${active}, failed: ${failed}`);
}

function pod({ object, status, conditions, now }: Fields): Readiness {
  const phase = textAt(status, "phase") ?? "";
  switch (phase) {
    case "Succeeded":
      return current("Pod has completed successfully");
    case "Failed":
      return current("Pod has completed, but not successfully");
    case "Running": {
      if (conditions.some((condition) => condition.type === "Ready" && condition.status === "True")) {
        return current("Pod is Ready");
      }
      const looping = crashLooping(status);
      if (looping.length > 0) {
        return stalled("ContainerCrashLooping", `Containers in CrashLoop state: ${looping.join(",")}`);
      }
      return waiting("PodRunningNotReady", "Pod is running but is not Ready");
    }
    case "Pending": {
      const scheduled = conditions.find((condition) => condition.type === "PodScheduled");
      if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") {
        return waiting("PodPending", "Pod is in the Pending phase");
      }
      const created = Date.parse(textAt(childOf(object, "metadata"), "creationTimestamp") ?? "");
      return Number.isFinite(created) && now < created + unschedulableAfterMs
        ? waiting("PodNotScheduled", "Pod has not been scheduled")
        : stalled("PodUnschedulable", "Pod could not be scheduled");
    }
    case "":
      return waiting("PodNotObserved", "Pod phase not available");
    default:
      throw new Unreadable(`unknown phase ${phase}`);
  }
}

function crashLooping(status: JsonObject): string[] {
  const containers = Array.isArray(status.containerStatuses) ? status.containerStatuses.filter(isJsonObject) : [];
  return containers
    .filter((container) => childOf(childOf(container, "state"), "waiting").reason === "CrashLoopBackOff")
    .flatMap((container) => typeof container.name === "string" && container.name !== "" ? [container.name] : []);
}

function service({ spec }: Fields): Readiness {
  const type = textAt(spec, "type") || "ClusterIP";
  if (type === "LoadBalancer" && !textAt(spec, "clusterIP")) {
    return waiting("NoIPAssigned", `ClusterIP not set. Service type: ${type}`);
  }
  return current("Service is ready");
}

function persistentVolumeClaim({ status }: Fields): Readiness {
  const phase = textAt(status, "phase") ?? "unknown";
  return phase === "Bound" ? current("PVC is Bound") : waiting("NotBound", `PVC is not Bound. phase: ${phase}`);
}

function customResourceDefinition({ conditions }: Fields): Readiness {
  for (const condition of conditions) {
    if (condition.type === "NamesAccepted" && condition.status === "False") {
      return stalled(condition.reason, condition.message);
    }
    if (condition.type === "Established") {
      if (condition.status === "False" && condition.reason !== "Installing") {
        return stalled(condition.reason, condition.message);
      }
      if (condition.status === "True") return current("CRD is established");
    }
  }
  return waiting("Installing", "Install in progress");
}

function current(message: string): Readiness {
  return { status: "Current", message, reason: "" };
}

function waiting(reason: string, message: string): Readiness {
  return { status: "InProgress", message, reason };
}

function stalled(reason: string, message: string): Readiness {
  return { status: "Failed", message, reason };
}

function fieldsOf(object: JsonObject, now: number): Fields {
  const status = childOf(object, "status");
  return { object, spec: childOf(object, "spec"), status, conditions: conditionsOf(object), now };
}

function conditionsOf(object: JsonObject): readonly StatusCondition[] {
  const status = object.status;
  if (status !== undefined && status !== null && !isJsonObject(status)) {
    throw new Unreadable(`cannot restore struct from: ${kindOf(status)}`);
  }
  const list = isJsonObject(status) ? status.conditions : undefined;
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new Unreadable(`cannot restore slice from ${kindOf(list)}`);
  return list.map((item) => {
    if (!isJsonObject(item)) throw new Unreadable(`cannot restore struct from: ${kindOf(item as JsonValue)}`);
    const text = (field: string): string => {
      const value = item[field];
      if (value === undefined || value === null) return "";
      if (typeof value !== "string") throw new Unreadable("unrecognized type: string");
      return value;
    };
    return { type: text("type"), status: text("status"), reason: text("reason"), message: text("message") };
  });
}

function kindOf(value: JsonValue): string {
  if (Array.isArray(value)) return "slice";
  return isJsonObject(value) ? "map" : typeof value;
}

function childOf(object: JsonObject, field: string): JsonObject {
  const child = object[field];
  return isJsonObject(child) ? child : {};
}

function textAt(object: JsonObject, field: string): string | undefined {
  const value = object[field];
  return typeof value === "string" ? value : undefined;
}

function whole(object: JsonObject, field: string, otherwise: number): number {
  const value = object[field];
  return typeof value === "number" && Number.isInteger(value) ? value : otherwise;
}

function wholeOrNone(object: JsonObject, field: string): number | undefined {
  const value = object[field];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new Unreadable(`cannot read ${field}: it must be a whole number`);
  }
  return value;
}
