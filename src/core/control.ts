import type { ObjectKey } from "./object.ts";

/** What people and webhooks may tell the loop. Every call answers at once; the work goes on behind it. */
export interface EngineControl {
  /**
   * Runs an object now. `withSource` runs its source first. `token` is echoed as `lastHandledReconcileAt`. `confirmPrune`: what a
   * guard keeps from deletion may go in this one run.
   *
   * @returns `false` when there is no such object
   */
  reconcile(
    key: ObjectKey,
    options?: { readonly withSource?: boolean; readonly token?: string; readonly confirmPrune?: boolean },
  ): boolean;
  /** Lets an object rest until {@linkcode EngineControl.resume}, over restarts. @returns `false` when there is no such object */
  suspend(key: ObjectKey): Promise<boolean>;
  /** Ends a rest and runs the object. @returns `false` when there is no such object */
  resume(key: ObjectKey): Promise<boolean>;
  /** Whether every object has been run once since the start. */
  readonly firstPassDone: boolean;
  /** Whether the loop turns: its last beat is less than ten seconds old. */
  readonly isAlive: boolean;
}
