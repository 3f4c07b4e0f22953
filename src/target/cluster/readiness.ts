/**
 * Health of one object from its own fields, by the rules of kstatus (fluxcd/cli-utils v1.2.2 `pkg/kstatus/status`): first
 * what holds for every kind (deletion, generation, `Reconciling`, `Stalled`), then the rule of its kind, then `Ready`.
 *
 * @module
 */
import type { JsonObject } from "../../core/json.ts";
import { splitApiVersion } from "../../core/resource.ts";
import type { Fields, Readiness, Rule } from "./readiness_fields.ts";
import {
  childOf,
  conditionsOf,
  current,
  fieldsOf,
  stalled,
  textAt,
  Unreadable,
  waiting,
  wholeOrNone,
} from "./readiness_fields.ts";
import { daemonSet, deployment, fluxJob, plainJob, pod, replicaSet, statefulSet } from "./workload_readiness.ts";

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
    return common(object) ?? fluxJob(fieldsOf(object, 0));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { status: "Unknown", message: `Failed to compute job status: ${error.message}`, reason: "" };
  }
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
