import { condition } from "../core/condition.ts";
import type { ObjectKey } from "../core/object.ts";
import type { Change } from "../core/reporter.ts";
import type { ObjectStatus } from "../core/status.ts";
import { type Counter, type Histogram, type Labels, MetricRegistry } from "./metric_registry.ts";
import { type ChangeMeter, stateOf } from "./status_board.ts";

/** Figures of the process that are read when somebody asks. */
export interface ProcessFigures {
  readonly residentBytes: number;
  readonly version: string;
  /** Bytes in the store; absent when not known. */
  readonly storeBytes?: number;
  /** Whether the last reload of the documents was good. */
  readonly isConfigGood: boolean;
}

/**
 * The metrics, by Flux's names where Flux has one (`gotk_*`, `controller_runtime_*`), so that its dashboards and
 * alerts work; ours start with `pilotfish_`. Labels come from documents only, never from what a registry says.
 */
export class Metrics implements ChangeMeter {
  readonly #registry = new MetricRegistry();
  readonly #duration: Histogram;
  readonly #total: Counter;
  readonly #errors: Counter;
  readonly #events: Counter;

  /** `statuses` and `figures` are read when the metrics are asked for. */
  constructor(statuses: () => readonly ObjectStatus[], figures: () => ProcessFigures) {
    const registry = this.#registry;
    this.#duration = registry.histogram(
      "gotk_reconcile_duration_seconds",
      "Duration of runs of an object in seconds",
      [0.01, 0.1, 1, 10, 60, 300],
    );
    this.#total = registry.counter("controller_runtime_reconcile_total", "Runs by kind and outcome");
    this.#errors = registry.counter("controller_runtime_reconcile_errors_total", "Failed runs by kind");
    this.#events = registry.counter("pilotfish_events_total", "Events by kind, severity and reason");
    this.#perObject(
      "gotk_reconcile_condition",
      "1 for the present status of the Ready condition of an object",
      (status) => {
        const present = condition(status.conditions, "Ready")?.status ?? "Unknown";
        return ["True", "False", "Unknown"].map((value) => [
          { type: "Ready", status: value },
          value === present ? 1 : 0,
        ]);
      },
      statuses,
    );
    this.#perObject(
      "gotk_suspend_status",
      "1 when an object is suspended",
      (status) => [[{}, status.isSuspended ? 1 : 0]],
      statuses,
    );
    this.#perObject(
      "pilotfish_object_failures",
      "Failures of an object in a row",
      (status) => [[{}, status.failures]],
      statuses,
    );
    this.#perObject(
      "pilotfish_object_resources",
      "Resources in the inventory of an object",
      (status) => status.inventory === undefined ? [] : [[{}, status.inventory.entries.length]],
      statuses,
    );
    this.#perObject(
      "pilotfish_artifact_size_bytes",
      "Bytes of a source's artifact",
      (status) => status.artifact === undefined ? [] : [[{}, status.artifact.sizeBytes]],
      statuses,
    );
    registry.gauge("pilotfish_objects", "Objects by kind and state", () => countsByState(statuses()));
    registry.gauge(
      "process_resident_memory_bytes",
      "Resident memory in bytes",
      () => [[{}, figures().residentBytes]],
    );
    registry.gauge("pilotfish_store_bytes", "Bytes in the store", () => [[{}, figures().storeBytes ?? 0]]);
    registry.gauge(
      "pilotfish_config_last_reload_successful",
      "1 when the documents were read without a problem",
      () => [[{}, figures().isConfigGood ? 1 : 0]],
    );
    registry.gauge(
      "pilotfish_build_info",
      "Always 1; the version is a label",
      () => [[{ version: figures().version }, 1]],
    );
  }

  count(change: Change): void {
    const { kind } = change.status.key;
    for (const { severity, reason } of change.events) this.#events.add({ kind, severity, reason });
    if (change.durationMs === undefined) return;
    const { key, conditions } = change.status;
    this.#duration.observe(labelsOf(key), change.durationMs / 1000);
    const isGood = condition(conditions, "Ready")?.status === "True";
    const controller = key.kind.toLowerCase();
    this.#total.add({ controller, result: isGood ? "success" : "error" });
    if (!isGood) this.#errors.add({ controller });
  }

  forget(key: ObjectKey): void {
    this.#duration.remove(labelsOf(key));
  }

  /** Prometheus' text form. */
  text(): string {
    return this.#registry.text();
  }

  #perObject(
    name: string,
    help: string,
    values: (status: ObjectStatus) => readonly (readonly [Labels, number])[],
    statuses: () => readonly ObjectStatus[],
  ): void {
    this.#registry.gauge(
      name,
      help,
      () =>
        statuses().flatMap((status) =>
          values(status).map(([extra, value]) => [{ ...labelsOf(status.key), ...extra }, value] as const)
        ),
    );
  }
}

function labelsOf({ kind, namespace, name }: ObjectKey): Labels {
  return { kind, namespace, name };
}

function* countsByState(statuses: readonly ObjectStatus[]): Iterable<readonly [Labels, number]> {
  const counts = new Map<string, { readonly labels: Labels; count: number }>();
  for (const status of statuses) {
    const labels = { kind: status.key.kind, state: stateOf(status) };
    const key = `${labels.kind} ${labels.state}`;
    const known = counts.get(key) ?? { labels, count: 0 };
    counts.set(key, known);
    known.count++;
  }
  for (const { labels, count } of counts.values()) yield [labels, count];
}
