import type { Artifact } from "../core/artifact.ts";
import type { Condition } from "../core/condition.ts";
import type { Event } from "../core/event.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import type { GoodReason } from "../core/reason.ts";
import type { ResourceHealth, WatchedChange } from "../core/target.ts";
import type { ObjectRecord } from "./record.ts";

/** Why an object runs. */
export type Trigger =
  | "start"
  | "config"
  | "interval"
  | "retry"
  | "revision"
  | "dependency"
  | "reference"
  | "drift"
  | "request";

/** Fields of a record that a run may set. */
export type RecordPatch = Partial<
  Pick<
    ObjectRecord,
    | "artifact"
    | "inventory"
    | "inputs"
    | "lastAppliedRevision"
    | "lastAttemptedRevision"
    | "lastAppliedOriginRevision"
    | "removal"
  >
>;

/** One run of one object, as its pipeline sees it. */
export interface Run<Spec> {
  readonly object: DesiredObject<Spec>;
  /** The record as the run found it, with what {@linkcode Run.checkpoint} has added since. */
  readonly record: ObjectRecord;
  readonly trigger: Trigger;
  /** Aborted when the daemon stops, the object goes, or a newer revision or spec replaces this run. */
  readonly signal: AbortSignal;
  /** The object and record of another key: how a consumer finds its source. */
  find(key: ObjectKey): { readonly object: DesiredObject; readonly record: ObjectRecord | undefined } | undefined;
  /** Keeps something durably in the middle of a run: the inventory before anything is created. */
  checkpoint(patch: RecordPatch): Promise<void>;
  /** Says what is going on now. */
  progress(message: string): void;
  /** Does something that only waits, without holding a place among the objects that run at the same time. */
  offWorker<T>(work: () => Promise<T>): Promise<T>;
}

/** What a successful run gives. */
export interface RunResult {
  readonly record: RecordPatch;
  readonly reason: GoodReason;
  /** Message of the Ready condition. */
  readonly message: string;
  /** Conditions of the kind beside Ready. */
  readonly conditions?: readonly Pick<Condition, "type" | "reason" | "message">[];
  /** What to tell people; none when nothing changed. */
  readonly events: readonly Pick<Event, "severity" | "reason" | "message" | "metadata">[];
  readonly warnings: readonly string[];
  /** Objects found in the artifact; absent: as before. */
  readonly children?: readonly DesiredObject[];
  readonly health?: readonly ResourceHealth[];
  /** Where it goes, for people. */
  readonly target?: string;
  /** Watches what was applied until the next run; see {@linkcode Target.watch}. */
  readonly watch?: (onChange: (change: WatchedChange) => void, signal: AbortSignal) => void;
  /** Whether consumers should run: the artifact is new. */
  readonly newArtifact?: Artifact;
  /** Milliseconds from now at which to run again, where it is not the interval. */
  readonly againAfterMs?: number;
}

/** What one kind of object does when it runs. */
export interface Pipeline<Spec> {
  readonly kind: string;
  /** @throws {StageError} with the reason that decides the next try */
  run(run: Run<Spec>): Promise<RunResult>;
  /**
   * Takes away what a removed object left in the world. Only the record is there: the document is gone.
   *
   * @throws {StageError} when something could not be removed; it is tried again
   */
  remove(record: ObjectRecord, tools: RemovalTools): Promise<void>;
}

/** What a removal is handed. */
export interface RemovalTools {
  readonly signal: AbortSignal;
  /** Keeps what is left to remove. */
  checkpoint(patch: RecordPatch): Promise<void>;
}
