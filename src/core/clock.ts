/** Time, as everything but `src/platform` sees it. */
export interface Clock {
  /** Wall time in milliseconds since 1970: for people, certificates and tokens, never for measuring a span. */
  now(): number;
  /** Milliseconds of a clock that never jumps: for intervals and durations. */
  monotonic(): number;
  /** Waits. @throws the signal's reason when it is aborted first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs `action` once after `ms` unless the returned function is called first. */
  after(ms: number, action: () => void): () => void;
}

/** RFC 3339 text in seconds, UTC, as Kubernetes writes times. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
