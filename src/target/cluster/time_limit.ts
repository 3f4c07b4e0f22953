import type { Clock } from "../../core/clock.ts";
import { StageError } from "../../core/stage_error.ts";

/** A signal that ends by itself; `end` lets the clock and the outer signal go, and is called in any case. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  readonly end: () => void;
}

/** The signal of work that may take `timeoutMs` milliseconds, and ends with `outer`: then its reason is a StageError ReconciliationFailed. */
export function limited(clock: Clock, timeoutMs: number, outer: AbortSignal): TimeLimit {
  const stop = new AbortController();
  const onAbort = () => stop.abort(outer.reason);
  if (outer.aborted) onAbort();
  outer.addEventListener("abort", onAbort, { once: true });
  const cancel = clock.after(timeoutMs, () => {
    stop.abort(new StageError("ReconciliationFailed", `Cannot finish within ${timeoutMs / 1000} s`));
  });
  return {
    signal: stop.signal,
    end: () => {
      cancel();
      outer.removeEventListener("abort", onAbort);
    },
  };
}

/** The promise's outcome, or the signal's reason when it is aborted first. */
export async function aborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
