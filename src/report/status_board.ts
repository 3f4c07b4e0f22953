/**
 * Room `report`: tells the truth about every object, to people and machines.
 * In: changes from the loop. Out: statuses, events, log lines, metrics, HTTP answers. May fail: nothing that matters to
 * the loop. Called by `reconcile` (as the Reporter) and by whoever asks over HTTP.
 *
 * @module
 */
import { condition } from "../core/condition.ts";
import type { Event } from "../core/event.ts";
import type { Log } from "../core/log.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Change, Reporter } from "../core/reporter.ts";
import type { ObjectStatus } from "../core/status.ts";
import { logChange, logGone } from "./log_lines.ts";
import { Redactor } from "./redact.ts";

/** An event with its number: numbers grow by one, so that a listener that was away can ask for what it missed. */
export interface NumberedEvent extends Event {
  readonly id: number;
  /** How often it happened; the timestamp is that of the last time. */
  readonly count: number;
}

/** What a listener of the board hears. */
export type BoardNews =
  | { readonly kind: "event"; readonly event: NumberedEvent }
  | { readonly kind: "status"; readonly status: ObjectStatus }
  | { readonly kind: "gone"; readonly key: ObjectKey };

/** Where each change is counted. */
export interface ChangeMeter {
  count(change: Change): void;
  forget(key: ObjectKey): void;
}

/** Events kept. */
const longestRing = 1_000;
/** Repeats within this time are one event (Flux: `--rate-limit-interval` of 5 minutes). Milliseconds. */
const repeatMs = 5 * 60_000;

/**
 * The one mutable picture of every object. One `record` makes status, event, log line and metric. Everything passes the
 * {@linkcode Redactor} on its way in, so that nothing that is read from here holds a secret.
 */
export class StatusBoard implements Reporter {
  readonly #log: Log;
  readonly #meter: ChangeMeter;
  readonly #redactor = new Redactor();
  readonly #objects = new Map<string, ObjectStatus>();
  readonly #listeners = new Set<(news: BoardNews) => void>();
  #events: NumberedEvent[] = [];
  #lastId = 0;

  constructor(tools: { readonly log: Log; readonly meter: ChangeMeter }) {
    this.#log = tools.log;
    this.#meter = tools.meter;
  }

  /** Values that must never be shown, for example those of the Secrets among the documents. Replaces earlier ones. */
  hide(secrets: Iterable<string>): void {
    this.#redactor.learn(secrets);
  }

  /** A text as it would be shown: without secrets. */
  clean(text: string): string {
    return this.#redactor.clean(text);
  }

  record(change: Change): void {
    const status = this.#redactor.cleanStatus(change.status);
    const events = change.events.map((event) => this.#redactor.cleanEvent(event));
    const before = this.#objects.get(keyText(status.key));
    this.#objects.set(keyText(status.key), status);
    logChange(this.#log, { before, status, events, durationMs: change.durationMs });
    this.#meter.count({ ...change, status, events });
    this.#tell({ kind: "status", status });
    for (const event of events) this.#add(event);
  }

  forget(key: ObjectKey): void {
    if (this.#objects.delete(keyText(key))) logGone(this.#log, key);
    this.#meter.forget(key);
    this.#tell({ kind: "gone", key });
  }

  /** Statuses in the order in which people read them: sources first, then by namespace and name. */
  statuses(): readonly ObjectStatus[] {
    return [...this.#objects.values()].sort((a, b) =>
      rank(a.key.kind) - rank(b.key.kind) || compare(a.key.namespace, b.key.namespace) ||
      compare(a.key.name, b.key.name)
    );
  }

  /** Status of one object. */
  status(key: ObjectKey): ObjectStatus | undefined {
    return this.#objects.get(keyText(key));
  }

  /** Events after number `since`, oldest first; all of them where that number was given out by an earlier run. */
  events(since = 0): readonly NumberedEvent[] {
    return since === 0 || since > this.#lastId ? this.#events : this.#events.filter((event) => event.id > since);
  }

  /** Hears of everything from now on; the returned function ends it. */
  listen(listener: (news: BoardNews) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Keeps an event, or counts it as a repeat: it then moves to the end under a new number. */
  #add(event: Event): void {
    const at = this.#events.findLastIndex((one) => isSame(one, event));
    const old = this.#events[at];
    const isRepeat = old !== undefined && Date.parse(event.timestamp) - Date.parse(old.timestamp) < repeatMs;
    if (isRepeat) this.#events = this.#events.toSpliced(at, 1);
    const numbered: NumberedEvent = { ...event, id: ++this.#lastId, count: isRepeat ? old.count + 1 : 1 };
    this.#events.push(numbered);
    if (this.#events.length > longestRing) this.#events = this.#events.slice(-longestRing);
    this.#tell({ kind: "event", event: numbered });
  }

  #tell(news: BoardNews): void {
    for (const listener of this.#listeners) listener(news);
  }
}

/** How many objects are in which state: what a summary shows. */
export function summaryOf(statuses: readonly ObjectStatus[]): Readonly<Record<State, number>> {
  const counts = { ready: 0, failing: 0, working: 0, suspended: 0 };
  for (const status of statuses) counts[stateOf(status)]++;
  return counts;
}

/** State of an object in one word. */
export type State = "ready" | "failing" | "working" | "suspended";

/** State of an object in one word: suspended beats all; failing is Ready False; working is not decided yet. */
export function stateOf(status: ObjectStatus): State {
  if (status.isSuspended) return "suspended";
  const ready = condition(status.conditions, "Ready");
  if (ready?.status === "True") return "ready";
  return ready?.status === "False" ? "failing" : "working";
}

function isSame(a: Event, b: Event): boolean {
  return a.message === b.message && a.reason === b.reason && a.severity === b.severity &&
    a.metadata.revision === b.metadata.revision && keyText(a.object) === keyText(b.object);
}

const order = ["OCIRepository", "HelmRepository", "Kustomization", "HelmRelease", "Checkout"];

function rank(kind: string): number {
  const at = order.indexOf(kind);
  return at < 0 ? order.length : at;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
