/**
 * Health of what runs Pods, and of Pods (fluxcd/cli-utils v1.2.2 `pkg/kstatus/status`, `core.go`).
 *
 * @module
 */
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Fields, Readiness } from "./readiness_fields.ts";
import { childOf, current, stalled, textAt, Unreadable, waiting, whole, wholeOrNone } from "./readiness_fields.ts";

/** Milliseconds after its creation from which a Pod that finds no node counts as failed. */
export const unschedulableAfterMs = 15_000;

/** A Deployment: all replicas are updated and available, and its progress is told. */
export function deployment({ spec, status, conditions }: Fields): Readiness {
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

/** A ReplicaSet: all replicas are labelled, available and ready. */
export function replicaSet({ spec, status, conditions }: Fields): Readiness {
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

/** A StatefulSet: all replicas, or those of the partition, have the newest revision. */
export function statefulSet({ spec, status }: Fields): Readiness {
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

/** A DaemonSet: a Pod on each node, updated, available and ready. */
export function daemonSet({ object, status }: Fields): Readiness {
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

/** A Job as kstatus sees it: current as soon as it has started. */
export function plainJob({ spec, status, conditions }: Fields): Readiness {
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

/** A Job as Flux sees it: in progress until it is complete. */
export function fluxJob({ spec, status, conditions }: Fields): Readiness {
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

/** A Pod: ready, done, or failed when it crashes or finds no node. */
export function pod({ object, status, conditions, now }: Fields): Readiness {
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
