import type { Clock } from "../../core/clock.ts";
import type { Event } from "../../core/event.ts";
import { inParallel } from "../../core/in_parallel.ts";
import type { JsonObject } from "../../core/json.ts";
import { canonicalJson, isJsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { isKubeError, KubeError } from "../../core/kube_api.ts";
import type { Log } from "../../core/log.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText, parseKey } from "../../core/object.ts";
import { messageOf } from "../../core/stage_error.ts";
import type { ObjectStatus } from "../../core/status.ts";
import { listAll } from "./discovery.ts";
import type { EventSeries } from "./event_counter.ts";
import { EventCounter } from "./event_counter.ts";
import { inventoryName } from "./inventory_store.ts";
import { writeKubeEvent } from "./kube_event.ts";
import type { WriterLease } from "./lease.ts";
import { statusData, statusLabel, statusMap, statusName } from "./status_map.ts";

/** What a cluster is told, and how. */
export interface ClusterReporterOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Whether our events are written as Kubernetes Events. */
  readonly events: boolean;
  /** Whether each object has a ConfigMap with its status. */
  readonly status: boolean;
  /** Only its holder tells. Default: nobody else does. */
  readonly lease?: WriterLease;
  /** Where Events and ConfigMaps go. Default: the account's own namespace. */
  readonly namespace?: string;
}

/** Tells a cluster what happens, behind the back of whoever tells it. What cannot be told stops nothing. */
export interface ClusterReporter extends AsyncDisposable {
  event(event: Event): void;
  status(status: ObjectStatus): void;
  gone(key: ObjectKey): void;
  /** Every object has been told: ConfigMaps of others are left from an earlier run and go. */
  allTold(): void;
}

/** Name under which Events and ConfigMaps are ours. */
const component = "pilotfish";
/** Milliseconds that news are gathered. */
const gatherMs = 1_000;
/** Milliseconds after which the status of a run that still goes on is written too. */
const longRunMs = 5_000;
/** Events that may wait; older ones are dropped then. */
const mostWaiting = 500;
const parallel = 4;
/** Milliseconds between tries when the server cannot be reached, and when it refuses. */
const retryMs = 10_000;
const refusedMs = 300_000;
/** Longest that the end of the program waits for what is still to be told. */
const lastWordMs = 2_000;

/** Opens a reporter. Nothing is sent before there is something to tell. */
export function clusterReporter(api: KubeApi, options: ClusterReporterOptions): ClusterReporter {
  return new Reporting(api, options);
}

interface Waiting {
  readonly since: number;
  /** `undefined`: the object is gone. */
  readonly status: ObjectStatus | undefined;
  readonly key: ObjectKey;
}

/** A ConfigMap as it stands. */
interface Standing {
  readonly text: string;
  readonly uid: string;
}

class Reporting implements ClusterReporter {
  readonly #api: KubeApi;
  readonly #options: ClusterReporterOptions;
  readonly #namespace: string;
  readonly #counter = new EventCounter();
  readonly #stop = new AbortController();
  readonly #events = new Map<string, EventSeries>();
  readonly #statuses = new Map<string, Waiting>();
  /** The ConfigMaps that stand, by object; `undefined` before they were listed. */
  #standing: Map<string, Standing> | undefined;
  /** Objects that are there. */
  readonly #known = new Set<string>();
  #isWholeKnown = false;
  #cancelTimer: (() => void) | undefined;
  #working: Promise<void> | undefined;
  #lastFault = "";

  constructor(api: KubeApi, options: ClusterReporterOptions) {
    this.#api = api;
    this.#options = options;
    this.#namespace = options.namespace ?? api.namespace;
  }

  event(event: Event): void {
    if (!this.#options.events || event.severity === "trace") return;
    const series = this.#counter.count(event);
    if (series === undefined) return;
    this.#events.delete(series.name);
    this.#events.set(series.name, series);
    const oldest = this.#events.keys().next();
    if (this.#events.size > mostWaiting && oldest.done !== true) this.#events.delete(oldest.value);
    this.#later(gatherMs);
  }

  status(status: ObjectStatus): void {
    if (!this.#options.status) return;
    const name = keyText(status.key);
    this.#known.add(name);
    this.#put(name, { key: status.key, status, since: this.#statuses.get(name)?.since ?? this.#now() });
  }

  gone(key: ObjectKey): void {
    if (!this.#options.status) return;
    this.#known.delete(keyText(key));
    this.#put(keyText(key), { key, status: undefined, since: this.#now() });
  }

  allTold(): void {
    if (!this.#options.status || this.#isWholeKnown) return;
    this.#isWholeKnown = true;
    if (this.#working === undefined) this.#later(gatherMs);
    else void this.#working.then(() => this.#later(gatherMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelTimer?.();
    if (!this.#isWriter()) this.#stop.abort(new Error("closed"));
    // What is still to be told is told, if that can be done at once.
    const giveUp = this.#options.clock.after(lastWordMs, () => this.#stop.abort(new Error("closed")));
    try {
      await this.#working;
      if (this.#isWriter()) await this.#tellAll(true).catch(() => {});
    } finally {
      giveUp();
      this.#stop.abort(new Error("closed"));
      // What came in meanwhile, or a work that failed, may have set another.
      this.#cancelTimer?.();
    }
  }

  #put(name: string, waiting: Waiting): void {
    this.#statuses.set(name, waiting);
    this.#later(gatherMs);
  }

  #later(ms: number): void {
    if (this.#cancelTimer !== undefined || this.#working !== undefined || this.#stop.signal.aborted) return;
    this.#cancelTimer = this.#options.clock.after(ms, () => {
      this.#cancelTimer = undefined;
      this.#working = this.#work().finally(() => this.#working = undefined).then((pauseMs) => {
        if (pauseMs !== undefined) this.#later(pauseMs);
      });
    });
  }

  /** @returns milliseconds after which to go on; `undefined` when nothing is left */
  async #work(): Promise<number | undefined> {
    try {
      if (!this.#isWriter()) await this.#options.lease?.hold(this.#stop.signal);
      await this.#tellAll(false);
      this.#lastFault = "";
      return this.#events.size + this.#statuses.size > 0 ? gatherMs : undefined;
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      const text = messageOf(error);
      if (text !== this.#lastFault) this.#options.log.warn("the cluster could not be told", { error: text });
      this.#lastFault = text;
      return error instanceof KubeError && error.code === 403 ? refusedMs : retryMs;
    }
  }

  #isWriter(): boolean {
    try {
      this.#options.lease?.assertHeld();
      return true;
    } catch {
      return false;
    }
  }

  async #tellAll(isLast: boolean): Promise<void> {
    const { signal } = this.#stop;
    if (this.#options.status) await this.#tellStatuses(isLast);
    await inParallel([...this.#events.values()], parallel, async (series) => {
      const key = series.event.object;
      const configMap = this.#options.status ? statusName(key) : inventoryName(key);
      const uid = this.#standing?.get(keyText(key))?.uid ?? "";
      await writeKubeEvent(this.#api, series, { namespace: this.#namespace, configMap, uid, component }, signal);
      if (this.#events.get(series.name) === series) this.#events.delete(series.name);
    });
  }

  async #tellStatuses(isLast: boolean): Promise<void> {
    const standing = this.#standing ??= await this.#list();
    if (this.#isWholeKnown) {
      for (const name of standing.keys()) {
        if (!this.#known.has(name) && !this.#statuses.has(name)) {
          this.#statuses.set(name, { key: parseKey(name), status: undefined, since: 0 });
        }
      }
    }
    await inParallel([...this.#statuses], parallel, async ([name, waiting]) => {
      const { status, key, since } = waiting;
      // Most runs are over within a moment and change nothing.
      if (status?.isSettled === false && !isLast && this.#now() - since < longRunMs) return;
      if (status === undefined) await this.#remove(name, key, standing);
      else await this.#write(name, status, standing);
      if (this.#statuses.get(name) === waiting) this.#statuses.delete(name);
    });
  }

  async #write(name: string, status: ObjectStatus, standing: Map<string, Standing>): Promise<void> {
    const text = canonicalJson(statusData(status));
    if (standing.get(name)?.text === text) return;
    const { metadata } = await this.#api.send({
      method: "PATCH",
      path: this.#path(statusName(status.key)),
      query: { fieldManager: component, force: "true" },
      contentType: "application/apply-patch+yaml",
      body: statusMap(status, this.#namespace),
    }, this.#stop.signal);
    standing.set(name, { text, uid: isJsonObject(metadata) ? String(metadata.uid ?? "") : "" });
  }

  async #remove(name: string, key: ObjectKey, standing: Map<string, Standing>): Promise<void> {
    if (!standing.has(name)) return;
    try {
      await this.#api.send({ method: "DELETE", path: this.#path(statusName(key)) }, this.#stop.signal);
    } catch (error) {
      if (!isKubeError(error, 404)) throw error;
    }
    standing.delete(name);
  }

  async #list(): Promise<Map<string, Standing>> {
    const found = new Map<string, Standing>();
    const request = { path: this.#path(""), labelSelector: statusLabel };
    for (const item of await listAll(this.#api, request, this.#stop.signal)) {
      const data = isJsonObject(item.data) ? item.data : {};
      const uid = isJsonObject(item.metadata) ? String(item.metadata.uid ?? "") : "";
      if (isOurs(item, data)) found.set(String(data.object), { text: canonicalJson(data), uid });
    }
    return found;
  }

  #path(name: string): string {
    const root = `/api/v1/namespaces/${encodeURIComponent(this.#namespace)}/configmaps`;
    return name === "" ? root : `${root}/${encodeURIComponent(name)}`;
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}

/** Whether a ConfigMap's name is the one that the object it speaks of has: nothing else is ever taken away. */
function isOurs(item: JsonObject, data: JsonObject): boolean {
  try {
    const name = isJsonObject(item.metadata) ? item.metadata.name : "";
    return statusName(parseKey(String(data.object))) === name;
  } catch {
    return false;
  }
}
