import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { KubeError } from "../../core/kube_api.ts";
import { listItems } from "./discovery.ts";
import { readinessOf } from "./readiness.ts";
import type { Access } from "./access.ts";

/** Watches the Pods of a workload and calls back when one of them has failed, as kstatus counts. */
export class PodWatch {
  readonly #stop = new AbortController();

  constructor(access: Access, workload: JsonObject, onFailed: (pod: string, message: string) => void) {
    const selector = podSelector(workload);
    if (selector !== undefined) void this.#follow(access, { workload, selector, onFailed });
  }

  /** Ends the watch. */
  [Symbol.dispose](): void {
    this.#stop.abort(new Error("closed"));
  }

  async #follow(
    access: Access,
    what: {
      readonly workload: JsonObject;
      readonly selector: string;
      readonly onFailed: (pod: string, message: string) => void;
    },
  ): Promise<void> {
    const { signal } = this.#stop;
    const metadata = what.workload.metadata as JsonObject;
    const path = `/api/v1/namespaces/${String(metadata.namespace)}/pods`;
    const query = { labelSelector: what.selector };
    const look = (pod: JsonObject) => {
      const readiness = readinessOf(pod, access.clock.now());
      // A Pod without a node may still get one when the cluster grows.
      if (readiness.status !== "Failed" || readiness.reason === "PodUnschedulable") return;
      what.onFailed(String((pod.metadata as JsonObject).name), readiness.message);
    };
    while (!signal.aborted) {
      try {
        const list = await access.api.send({ method: "GET", path, query }, signal);
        for (const pod of listItems(list, "items")) look({ apiVersion: "v1", kind: "Pod", ...pod });
        const version = isJsonObject(list.metadata) ? String(list.metadata.resourceVersion) : "";
        for await (const event of access.api.watch({ path, query, resourceVersion: version }, signal)) {
          if (event.type !== "BOOKMARK" && event.type !== "DELETED") look(event.object);
        }
      } catch (error) {
        if (signal.aborted || error instanceof KubeError && (error.code === 403 || error.code === 404)) return;
      }
      await access.clock.sleep(1_000, signal).catch(() => {});
    }
  }
}

/** Label selector of a workload's Pods as text; `undefined` when it has none. */
export function podSelector(workload: JsonObject): string | undefined {
  const spec = isJsonObject(workload.spec) ? workload.spec : {};
  const selector = isJsonObject(spec.selector) ? spec.selector : {};
  const parts: string[] = [];
  if (isJsonObject(selector.matchLabels)) {
    for (const [key, value] of Object.entries(selector.matchLabels)) parts.push(`${key}=${String(value)}`);
  }
  for (const { key, operator, values } of listItems(selector, "matchExpressions")) {
    const list = Array.isArray(values) ? values.map(String).join(",") : "";
    if (operator === "In") parts.push(`${String(key)} in (${list})`);
    else if (operator === "NotIn") parts.push(`${String(key)} notin (${list})`);
    else if (operator === "Exists") parts.push(String(key));
    else if (operator === "DoesNotExist") parts.push(`!${String(key)}`);
  }
  return parts.length === 0 ? undefined : parts.join(",");
}
