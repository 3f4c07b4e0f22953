import type { RetryClass } from "../core/reason.ts";

/** How a run ended, as far as the next one depends on it. */
export type Ending =
  | { readonly kind: "success" }
  /** `failures` counts this one too, so it is at least 1. */
  | { readonly kind: "failure"; readonly retry: RetryClass; readonly failures: number; readonly retryAfterMs?: number };

/** First pause after a failure, in milliseconds. */
const firstPauseMs = 1_000;
/** Longest pause between tries of class `backoff`, in milliseconds, where the interval is longer. */
const longestPauseMs = 5 * 60_000;

/**
 * Milliseconds until an object runs again by time alone; `undefined`: only a change wakes it.
 *
 * Success waits the interval, spread by ±5 % (Flux's `--interval-jitter-percentage`). Failures of class `backoff`
 * double from 1 s up to the retry interval (5 minutes at most) with full jitter of the upper half; `at-interval`
 * waits like a success, or the retry interval where that is shorter; `after-dependency` looks again at the interval, for the wake-up that was missed;
 * `on-change` never. A registry's `Retry-After` is a lower bound. Pure: `random` (0 to 1) comes from the caller.
 *
 * Differs: Flux's `retryInterval` is fixed; here it bounds a growing pause, so that a fault that passes is over sooner.
 */
export function nextDelayMs(
  ending: Ending,
  intervals: { readonly intervalMs: number; readonly retryIntervalMs?: number },
  random: number,
): number | undefined {
  const regular = Math.round(intervals.intervalMs * (0.95 + 0.1 * random));
  if (ending.kind === "success") return regular;
  switch (ending.retry) {
    case "on-change":
      return undefined;
    case "at-interval": {
      const retry = Math.round((intervals.retryIntervalMs ?? Infinity) * (0.95 + 0.1 * random));
      return Math.max(Math.min(regular, retry), ending.retryAfterMs ?? 0);
    }
    case "after-dependency":
      return Math.max(regular, ending.retryAfterMs ?? 0);
    case "backoff": {
      const bound = Math.min(intervals.retryIntervalMs ?? intervals.intervalMs, longestPauseMs);
      const pause = Math.min(firstPauseMs * 2 ** Math.min(ending.failures - 1, 20), Math.max(bound, firstPauseMs));
      return Math.max(Math.round(pause * (0.5 + 0.5 * random)), ending.retryAfterMs ?? 0);
    }
  }
}

/** Milliseconds between two tries of an object that names no interval. */
const defaultIntervalMs = 600_000;

/**
 * Milliseconds until an object runs again after a run, by what its spec says; `undefined`: only a change wakes it. A run that
 * names a time itself (`againAfterMs`) has the last word.
 */
export function delayAfterRun(
  ending: Ending,
  spec: { readonly intervalMs?: number; readonly retryIntervalMs?: number },
  options: { readonly random: number; readonly againAfterMs?: number | undefined },
): number | undefined {
  const { intervalMs, retryIntervalMs } = spec;
  if (options.againAfterMs !== undefined) return options.againAfterMs;
  if (intervalMs === undefined && ending.kind === "success") return undefined;
  return nextDelayMs(ending, {
    intervalMs: intervalMs ?? defaultIntervalMs,
    ...(retryIntervalMs === undefined ? {} : { retryIntervalMs }),
  }, options.random);
}
