import type { Event } from "./event.ts";
import type { ObjectKey } from "./object.ts";
import type { ObjectStatus } from "./status.ts";

/** What a run of an object gave. */
export interface Change {
  readonly status: ObjectStatus;
  /** What to tell people; absent when nothing worth telling happened. */
  readonly events: readonly Event[];
  /** Milliseconds of the run; absent when no run took place (suspended, reloaded). */
  readonly durationMs?: number;
}

/** Where the loop tells what happened: one call makes status, event, log line and metric. */
export interface Reporter {
  record(change: Change): void;
  /** An object is gone. */
  forget(key: ObjectKey): void;
}
