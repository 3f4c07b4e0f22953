import { condition } from "../core/condition.ts";
import type { Event } from "../core/event.ts";
import type { Log, LogFields } from "../core/log.ts";
import { keyText, type ObjectKey } from "../core/object.ts";
import type { ObjectStatus } from "../core/status.ts";

/** A change as it is logged. */
export interface LoggedChange {
  readonly before: ObjectStatus | undefined;
  readonly status: ObjectStatus;
  readonly events: readonly Event[];
  readonly durationMs: number | undefined;
}

/**
 * Log lines of a change: one per event, and one when Ready or rest changed without an event. Nothing is logged when
 * nothing changed. `error` is for an object that stopped being Ready or failed anew; the texts are fixed, what varies
 * stands in fields: `object`, `reason`, `message`, `revision`, `hint`, `failures`, `durationMs`.
 */
export function logChange(log: Log, change: LoggedChange): void {
  const { before, status, events, durationMs } = change;
  const object = keyText(status.key);
  for (const event of events) {
    const fields: LogFields = {
      object,
      reason: event.reason,
      message: event.message,
      revision: event.metadata.revision,
      durationMs,
    };
    if (event.severity === "error") {
      log.error("object failed", { ...fields, hint: status.hint, failures: status.failures });
    } else if (event.severity === "trace") log.debug("object unchanged", fields);
    else log.info("object changed", fields);
  }
  if (before?.isSuspended !== status.isSuspended && (before !== undefined || status.isSuspended)) {
    log.info(status.isSuspended ? "object suspended" : "object resumed", { object });
  }
  const [old, now] = [readyOf(before), readyOf(status)];
  if (events.length === 0 && now !== undefined && old?.status !== now.status && !status.isSuspended) {
    const fields = { object, reason: now.reason, message: now.message, durationMs };
    if (now.status === "False") log.warn("object not ready", { ...fields, hint: status.hint });
    else if (now.status === "True") log.info("object ready", fields);
    else log.debug("object in progress", fields);
  }
  for (const warning of status.warnings) {
    if (!before?.warnings.includes(warning)) log.warn("object has a warning", { object, message: warning });
  }
}

/** Log line of an object that is gone. */
export function logGone(log: Log, key: ObjectKey): void {
  log.info("object gone", { object: keyText(key) });
}

function readyOf(status: ObjectStatus | undefined) {
  return status === undefined ? undefined : condition(status.conditions, "Ready");
}
