import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { KubeError } from "../../core/kube_api.ts";
import { listItems } from "./discovery.ts";
import { podSelector } from "./pod_watch.ts";
import type { Access } from "./access.ts";

/** Characters of a container's last words that are shown. */
const messageLength = 200;

/**
 * Why a workload is not well, in one line: the container of its worst Pod and what it waits for, how it ended last, or
 * the last warning about it. `undefined` when nothing tells.
 */
export async function failureReason(
  access: Access,
  object: JsonObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const pods = object.kind === "Pod" ? [object] : await podsOf(access, object, signal);
  const texts = pods.map(podReason).filter((text) => text !== undefined);
  if (texts[0] !== undefined) return texts[0];
  const refused = refusedPods(object);
  if (refused !== undefined) return refused;
  const suspects = [...pods.filter((pod) => !isReady(pod)).slice(0, 1), object];
  for (const suspect of suspects) {
    const text = await lastWarning(access, suspect, signal);
    if (text !== undefined) return text;
  }
  return undefined;
}

async function podsOf(access: Access, object: JsonObject, signal: AbortSignal): Promise<readonly JsonObject[]> {
  const selector = podSelector(object);
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  if (selector === undefined || typeof metadata.namespace !== "string") return [];
  const path = `/api/v1/namespaces/${metadata.namespace}/pods`;
  const list = await quietly(access.api.send({
    method: "GET",
    path,
    query: { labelSelector: selector, limit: "100" },
  }, signal));
  const pods = list === undefined ? [] : listItems(list, "items").map((pod) => ({ kind: "Pod", ...pod }));
  // The youngest Pod belongs to the newest revision.
  return pods.sort((a, b) => createdAt(b) - createdAt(a));
}

function createdAt(object: JsonObject): number {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  return Date.parse(String(metadata.creationTimestamp)) || 0;
}

function isReady(pod: JsonObject): boolean {
  const status = isJsonObject(pod.status) ? pod.status : {};
  return listItems(status, "conditions").some((condition) => condition.type === "Ready" && condition.status === "True");
}

function podReason(pod: JsonObject): string | undefined {
  const name = String((pod.metadata as JsonObject).name);
  const status = isJsonObject(pod.status) ? pod.status : {};
  for (const field of ["initContainerStatuses", "containerStatuses"]) {
    for (const container of listItems(status, field)) {
      const state = isJsonObject(container.state) ? container.state : {};
      const last = isJsonObject(container.lastState) ? container.lastState : {};
      const parts: string[] = [];
      if (isJsonObject(state.waiting) && typeof state.waiting.reason === "string") {
        if (["ContainerCreating", "PodInitializing"].includes(state.waiting.reason)) continue;
        parts.push(`waits in ${state.waiting.reason}`);
        if (typeof state.waiting.message === "string") parts.push(cut(state.waiting.message));
      }
      const ended = [state.terminated, last.terminated].find((end) => isJsonObject(end) && end.exitCode !== 0);
      if (isJsonObject(ended)) {
        const said = typeof ended.message === "string" && ended.message !== "" ? `: ${cut(ended.message)}` : "";
        parts.push(`ended with exit code ${String(ended.exitCode)} (${String(ended.reason ?? "Error")})${said}`);
      }
      if (parts.length > 0) return `Pod ${name}: container ${String(container.name)} ${parts.join("; ")}`;
    }
  }
  const scheduled = listItems(status, "conditions").find((item) =>
    item.type === "PodScheduled" && item.status === "False"
  );
  if (scheduled !== undefined) {
    return `Pod ${name}: ${String(scheduled.reason)}: ${cut(String(scheduled.message ?? ""))}`;
  }
  return undefined;
}

/** Why a workload's Pods are not even made: a quota, a policy, a ServiceAccount that is not there. */
function refusedPods(object: JsonObject): string | undefined {
  const status = isJsonObject(object.status) ? object.status : {};
  const refusal = listItems(status, "conditions").find((item) =>
    item.type === "ReplicaFailure" && item.status === "True"
  );
  return refusal === undefined
    ? undefined
    : `${String(object.kind)} ${String((object.metadata as JsonObject).name)}: ${String(refusal.reason)}: ${
      cut(String(refusal.message ?? ""))
    }`;
}

/** The last warning about an object. */
async function lastWarning(access: Access, object: JsonObject, signal: AbortSignal): Promise<string | undefined> {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  const namespace = typeof metadata.namespace === "string" ? metadata.namespace : "default";
  const list = await quietly(access.api.send({
    method: "GET",
    path: `/api/v1/namespaces/${namespace}/events`,
    query: {
      fieldSelector: `involvedObject.name=${String(metadata.name)},involvedObject.kind=${
        String(object.kind)
      },type=Warning`,
      limit: "50",
    },
  }, signal));
  const events = list === undefined ? [] : listItems(list, "items");
  const timeOf = (event: JsonObject) => Date.parse(String(event.lastTimestamp ?? event.eventTime ?? "")) || 0;
  const last = [...events].sort((a, b) => timeOf(b) - timeOf(a))[0];
  return last === undefined
    ? undefined
    : `${String(object.kind)} ${String(metadata.name)}: ${String(last.reason)}: ${cut(String(last.message ?? ""))}`;
}

/** An account that may not read Pods or events still gets the health itself. */
async function quietly(answer: Promise<JsonObject>): Promise<JsonObject | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KubeError) return undefined;
    throw error;
  }
}

function cut(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length <= messageLength ? line : `${line.slice(0, messageLength)}…`;
}
