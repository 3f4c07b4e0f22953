import type { JsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import type { EventSeries } from "./event_counter.ts";

/** Characters of an Event's message that are sent (apiserver `NoteLengthLimit`). */
const maxMessage = 1024;

/** API groups and versions of our kinds, for those who read the Event. */
const apiVersions: Readonly<Record<string, string>> = {
  Kustomization: "kustomize.toolkit.fluxcd.io/v1",
  HelmRelease: "helm.toolkit.fluxcd.io/v2",
  OCIRepository: "source.toolkit.fluxcd.io/v1",
  HelmRepository: "source.toolkit.fluxcd.io/v1",
};

/** Where an Event goes, and what it is about. */
export interface EventPlace {
  /** Namespace of the ConfigMap and of the Event. */
  readonly namespace: string;
  /** Name of the ConfigMap that it is about. */
  readonly configMap: string;
  /** Its identity, by which `kubectl describe` finds Events; "" where it is not known. */
  readonly uid: string;
  /** Who tells. */
  readonly component: string;
}

/**
 * Writes a series as one Kubernetes Event, for `kubectl get events`. It is about the ConfigMap that we keep of the object,
 * since the object itself is not in the cluster; the object stands in `related`.
 *
 * @throws {KubeError} for example when the account may not write Events
 */
export async function writeKubeEvent(
  api: KubeApi,
  series: EventSeries,
  place: EventPlace,
  signal?: AbortSignal,
): Promise<void> {
  const { namespace, component } = place;
  await api.send({
    method: "PATCH",
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/events/${encodeURIComponent(series.name)}`,
    query: { fieldManager: component, force: "true" },
    contentType: "application/apply-patch+yaml",
    body: eventBody(series, place),
  }, signal);
}

function eventBody(series: EventSeries, place: EventPlace): JsonObject {
  const { event, name, count, firstTimestamp } = series;
  const { namespace, component } = place;
  const apiVersion = apiVersions[event.object.kind] ?? "pilotfish.dev/v1alpha1";
  const group = apiVersion.slice(0, apiVersion.indexOf("/"));
  const annotations = Object.fromEntries(
    Object.entries(event.metadata).map(([key, value]) => [keyOf(group, key), value]),
  );
  const characters = [...event.message];
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace, labels: { "app.kubernetes.io/managed-by": "pilotfish" }, annotations },
    involvedObject: {
      apiVersion: "v1",
      kind: "ConfigMap",
      namespace,
      name: place.configMap,
      ...(place.uid === "" ? {} : { uid: place.uid }),
    },
    related: { apiVersion, ...event.object },
    reason: event.reason,
    message: characters.length <= maxMessage ? event.message : `${characters.slice(0, maxMessage - 1).join("")}…`,
    type: event.severity === "error" ? "Warning" : "Normal",
    firstTimestamp,
    lastTimestamp: event.timestamp,
    count,
    source: { component },
    reportingComponent: component,
  };
}

/** Annotation of an event's field: Flux prefixes the object's group. */
function keyOf(group: string, key: string): string {
  return key.includes("/") ? key : `${group}/${key}`;
}
