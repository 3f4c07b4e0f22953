import type { Artifact } from "./artifact.ts";
import type { Condition } from "./condition.ts";
import type { Inventory } from "./inventory.ts";
import type { ObjectKey, Place } from "./object.ts";
import type { ResourceHealth } from "./target.ts";

/** One row of an object's history: the same digest and outcome are counted, not repeated (Kustomization `status.history`). */
export interface HistoryRow {
  readonly digest: string;
  readonly status: string;
  readonly firstReconciled: string;
  readonly lastReconciled: string;
  /** Milliseconds of the last run. */
  readonly lastDurationMs: number;
  readonly totalReconciliations: number;
  readonly revision: string;
}

/** Everything known of one object: what `get` and `describe` print and `/api/v1/objects` returns. Never holds a secret. */
export interface ObjectStatus {
  readonly key: ObjectKey;
  readonly apiVersion: string;
  readonly place?: Place;
  readonly parent?: ObjectKey;
  /** The source whose artifact it uses; absent for a source itself. */
  readonly source?: ObjectKey;
  readonly isSuspended: boolean;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  /** Sources: what is in the store. */
  readonly artifact?: Artifact;
  /** Consumers. */
  readonly lastAppliedRevision?: string;
  readonly lastAttemptedRevision?: string;
  readonly lastAppliedOriginRevision?: string;
  readonly lastHandledReconcileAt?: string;
  readonly inventory?: Inventory;
  readonly health?: readonly ResourceHealth[];
  readonly history: readonly HistoryRow[];
  readonly warnings: readonly string[];
  /** Hint of the reason that stands in the Ready condition, when it is not True. */
  readonly hint?: string;
  /** Failures in a row. */
  readonly failures: number;
  /** RFC 3339; absent while running or when nothing is planned. */
  readonly nextRunAt?: string;
  /** Whether no run of it is under way or due at once. */
  readonly isSettled?: boolean;
  /** Where it goes, for consumers. */
  readonly target?: string;
}
