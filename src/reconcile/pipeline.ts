import type { Artifact } from "../core/artifact.ts";
import type { Condition } from "../core/condition.ts";
import type { Event } from "../core/event.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import type { GoodReason } from "../core/reason.ts";
import type { ResourceHealth, WatchedChange } from "../core/target.ts";
import type { ObjectRecord, Removal } from "./record.ts";
import type { Trigger } from "./trigger.ts";

/** Fields of a record that a run may set. */
export type RecordPatch = Partial<
  Pick<
    ObjectRecord,
    | "artifact"
    | "inventory"
    | "standsIn"
    | "inputs"
    | "isRepeatable"
    | "lastAppliedRevision"
    | "lastAttemptedRevision"
    | "lastAppliedOriginRevision"
    | "removal"
    | "release"
    | "foundIn"
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
  /** Tells what is to be told however the run ends. */
  tell?(told: Pick<RunResult, "events" | "warnings">): void;
  /** Says that what this run wants stands: nobody need wait for it any more. */
  applied?(): void;
  /** Waits until others have applied what they are about to apply: before something is deleted that may have moved to them. */
  othersApplied?(): Promise<void>;
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
  readonly conditions?:
    readonly (Pick<Condition, "type" | "reason" | "message"> & Partial<Pick<Condition, "status">>)[];
  /** What to tell people; none when nothing changed. */
  readonly events: readonly Pick<Event, "severity" | "reason" | "message" | "metadata">[];
  readonly warnings: readonly string[];
  /** Objects found in the artifact; absent: as before. */
  readonly children?: readonly DesiredObject[];
  /** Objects that were found before and are not among `children` stay as they were. Default `false`. */
  readonly keepMissingChildren?: boolean;
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
  /** What a document says of the removal of its object: it counts from the moment it is read, before it has run. */
  removalOf?(object: DesiredObject<Spec>): Removal;
  /**
   * Takes away what a removed object left in the world. Only the record is there: the document is gone.
   *
   * @throws {StageError} when something could not be removed; it is tried again
   */
  remove(record: ObjectRecord, tools: RemovalTools): Promise<void>;
  /**
   * The objects that the last good run found in its artifact, built anew without a change to the world: what a start
   * needs while the object itself rests or cannot be built. Absent for kinds that bring none.
   *
   * @throws {StageError} when the artifact is not in the store any more or cannot be built
   */
  children?(run: Pick<Run<Spec>, "object" | "record" | "signal">): Promise<readonly DesiredObject[]>;
}

/** Pipelines by kind. */
// deno-lint-ignore no-explicit-any -- the kind of an object decides its spec's type; config has checked it
export type Pipelines = ReadonlyMap<string, Pipeline<any>>;

/** What a removal is handed. */
export interface RemovalTools {
  readonly signal: AbortSignal;
  /** Tells people what stays behind, and why. */
  tell?(message: string): void;
  /** Waits until others have applied what they are about to apply: what is removed may have another name now. */
  othersApplied?(): Promise<void>;
  /** Keeps what is left to remove. */
  checkpoint(patch: RecordPatch): Promise<void>;
}
