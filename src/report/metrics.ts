import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { condition } from "../core/condition.ts";
import type { ObjectKey } from "../core/object.ts";
import type { Change } from "../core/reporter.ts";
import type { ObjectStatus } from "../core/status.ts";
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
  readonly #registry = new Registry();
  readonly #duration: Histogram<"kind" | "namespace" | "name">;
  readonly #total: Counter<"controller" | "result">;
  readonly #errors: Counter<"controller">;
  readonly #events: Counter<"kind" | "severity" | "reason">;

  /** `statuses` and `figures` are read when the metrics are asked for. */
  constructor(statuses: () => readonly ObjectStatus[], figures: () => ProcessFigures) {
    const registers = [this.#registry];
    this.#duration = new Histogram({
      name: "gotk_reconcile_duration_seconds",
      help: "Duration of runs of an object in seconds",
      labelNames: ["kind", "namespace", "name"],
      buckets: [0.01, 0.1, 1, 10, 60, 300],
      registers,
    });
    this.#total = new Counter({
      name: "controller_runtime_reconcile_total",
      help: "Runs by kind and outcome",
      labelNames: ["controller", "result"],
      registers,
    });
    this.#errors = new Counter({
      name: "controller_runtime_reconcile_errors_total",
      help: "Failed runs by kind",
      labelNames: ["controller"],
      registers,
    });
    this.#events = new Counter({
      name: "pilotfish_events_total",
      help: "Events by kind, severity and reason",
      labelNames: ["kind", "severity", "reason"],
      registers,
    });
    this.#perObject("gotk_reconcile_condition", "1 for the present status of the Ready condition of an object", [
      "type",
      "status",
    ], (status) => {
      const present = condition(status.conditions, "Ready")?.status ?? "Unknown";
      return ["True", "False", "Unknown"].map((value) => [{ type: "Ready", status: value }, value === present ? 1 : 0]);
    }, statuses);
    this.#perObject(
      "gotk_suspend_status",
      "1 when an object is suspended",
      [],
      (status) => [[{}, status.isSuspended ? 1 : 0]],
      statuses,
    );
    this.#perObject(
      "pilotfish_object_failures",
      "Failures of an object in a row",
      [],
      (status) => [[{}, status.failures]],
      statuses,
    );
    this.#perObject(
      "pilotfish_object_resources",
      "Resources in the inventory of an object",
      [],
      (status) => status.inventory === undefined ? [] : [[{}, status.inventory.entries.length]],
      statuses,
    );
    this.#perObject(
      "pilotfish_artifact_size_bytes",
      "Bytes of a source's artifact",
      [],
      (status) => status.artifact === undefined ? [] : [[{}, status.artifact.sizeBytes]],
      statuses,
    );
    new Gauge({
      name: "pilotfish_objects",
      help: "Objects by kind and state",
      labelNames: ["kind", "state"],
      registers,
      collect() {
        this.reset();
        for (const status of statuses()) this.inc({ kind: status.key.kind, state: stateOf(status) });
      },
    });
    this.#single("process_resident_memory_bytes", "Resident memory in bytes", () => figures().residentBytes);
    this.#single("pilotfish_store_bytes", "Bytes in the store", () => figures().storeBytes ?? 0);
    this.#single(
      "pilotfish_config_last_reload_successful",
      "1 when the documents were read without a problem",
      () => figures().isConfigGood ? 1 : 0,
    );
    new Gauge({
      name: "pilotfish_build_info",
      help: "Always 1; the version is a label",
      labelNames: ["version"],
      registers,
      collect() {
        this.set({ version: figures().version }, 1);
      },
    });
  }

  count(change: Change): void {
    const { kind } = change.status.key;
    for (const { severity, reason } of change.events) this.#events.inc({ kind, severity, reason });
    if (change.durationMs === undefined) return;
    const { key, conditions } = change.status;
    this.#duration.observe({ ...key }, change.durationMs / 1000);
    const isGood = condition(conditions, "Ready")?.status === "True";
    const controller = key.kind.toLowerCase();
    this.#total.inc({ controller, result: isGood ? "success" : "error" });
    if (!isGood) this.#errors.inc({ controller });
  }

  forget(key: ObjectKey): void {
    this.#duration.remove({ ...key });
  }

  /** Prometheus' text form. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #perObject(
    name: string,
    help: string,
    labels: readonly string[],
    values: (status: ObjectStatus) => readonly (readonly [Record<string, string>, number])[],
    statuses: () => readonly ObjectStatus[],
  ): void {
    new Gauge<string>({
      name,
      help,
      labelNames: ["kind", "namespace", "name", ...labels],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const status of statuses()) {
          for (const [extra, value] of values(status)) this.set({ ...status.key, ...extra }, value);
        }
      },
    });
  }

  #single(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(value());
      },
    });
  }
}
