import { digestOf } from "../../core/digest.ts";
import type { Event } from "../../core/event.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { keyText } from "../../core/object.ts";

/** Bytes that the API server takes as an Event's message. */
const maxMessage = 1024;

/** Kinds of objects and the API they come from. */
const apiVersions: Readonly<Record<string, string>> = {
  Kustomization: "kustomize.toolkit.fluxcd.io/v1",
  HelmRelease: "helm.toolkit.fluxcd.io/v2",
  OCIRepository: "source.toolkit.fluxcd.io/v1",
  HelmRepository: "source.toolkit.fluxcd.io/v1",
};

/**
 * Writes an event of ours as a Kubernetes Event beside the objects, for `kubectl get events`. The same event at the same
 * second is written once.
 *
 * @param component name of the reporter, for example `pilotfish`
 * @throws {KubeError} for example when the namespace is not there
 */
export async function writeKubeEvent(
  api: KubeApi,
  event: Event,
  options: { readonly component: string; readonly signal?: AbortSignal },
): Promise<void> {
  const { kind, namespace, name } = event.object;
  const suffix = digestOf(`${keyText(event.object)}\n${event.reason}\n${event.message}\n${event.timestamp}`).slice(
    7,
    23,
  );
  await api.send({
    method: "PATCH",
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/events/${encodeURIComponent(`${name}.${suffix}`)}`,
    query: { fieldManager: options.component, force: "true" },
    contentType: "application/apply-patch+yaml",
    body: {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name}.${suffix}`, namespace },
      involvedObject: { apiVersion: apiVersions[kind] ?? "pilotfish.dev/v1alpha1", kind, namespace, name },
      reason: event.reason,
      message: event.message.length <= maxMessage ? event.message : `${event.message.slice(0, maxMessage - 1)}…`,
      type: event.severity === "error" ? "Warning" : "Normal",
      firstTimestamp: event.timestamp,
      lastTimestamp: event.timestamp,
      count: 1,
      source: { component: options.component },
      reportingComponent: options.component,
    },
  }, options.signal);
}
