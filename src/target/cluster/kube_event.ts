import { digestOf } from "../../core/digest.ts";
import type { Event } from "../../core/event.ts";
import type { JsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { keyText } from "../../core/object.ts";
import { inventoryName } from "./inventory_store.ts";

/** Characters of an Event's message that are sent (apiserver `NoteLengthLimit`). */
const maxMessage = 1024;
/** Milliseconds after which the same event begins a new series (client-go `EventCorrelator`). */
const seriesMs = 600_000;
/** Events of one object that may come at once, and milliseconds until one more may (client-go `EventSourceObjectSpamFilter`). */
const burst = 25;
const refillMs = 300_000;
/** Series and objects that are remembered. */
const mostKnown = 1_000;

/** API groups and versions of our kinds, for those who read the Event. */
const apiVersions: Readonly<Record<string, string>> = {
  Kustomization: "kustomize.toolkit.fluxcd.io/v1",
  HelmRelease: "helm.toolkit.fluxcd.io/v2",
  OCIRepository: "source.toolkit.fluxcd.io/v1",
  HelmRepository: "source.toolkit.fluxcd.io/v1",
};

/** An event of ours as it stands in the cluster: how often it happened, and since when. */
export interface EventSeries {
  readonly event: Event;
  /** Name of the Kubernetes Event. */
  readonly name: string;
  readonly count: number;
  /** RFC 3339. */
  readonly firstTimestamp: string;
}

/**
 * Makes series of events: the same one again within ten minutes is counted. What an object tells too often is dropped:
 * 25 at once, then one in five minutes, the same one again included. One of these lives as long as the program.
 */
export class EventCounter {
  readonly #series = new Map<string, EventSeries & { readonly lastAt: number }>();
  readonly #budgets = new Map<string, { readonly left: number; readonly at: number }>();

  /** What to write for an event; `undefined` when its object has told too much. */
  count(event: Event): EventSeries | undefined {
    const at = Date.parse(event.timestamp);
    if (!this.#isWithinBudget(keyText(event.object), at)) return undefined;
    const { timestamp: _, ...what } = event;
    const key = digestOf(JSON.stringify([keyText(event.object), what.severity, what.reason, what.message]));
    const known = this.#series.get(key);
    const isAgain = known !== undefined && at - known.lastAt < seriesMs;
    const firstTimestamp = isAgain ? known.firstTimestamp : event.timestamp;
    const series = {
      event,
      name: `${inventoryName(event.object).slice(0, 200)}.${digestOf(`${key} ${firstTimestamp}`).slice(7, 23)}`,
      count: isAgain ? known.count + 1 : 1,
      firstTimestamp,
      lastAt: at,
    };
    remember(this.#series, key, series);
    return series;
  }

  #isWithinBudget(object: string, at: number): boolean {
    const known = this.#budgets.get(object) ?? { left: burst, at };
    const refilled = Math.floor(Math.max(0, at - known.at) / refillMs);
    const left = Math.min(burst, known.left + refilled);
    remember(this.#budgets, object, { left: Math.max(0, left - 1), at: known.at + refilled * refillMs });
    return left > 0;
  }
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > mostKnown && oldest.done !== true) map.delete(oldest.value);
}

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
