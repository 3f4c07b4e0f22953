import type { Clock } from "../../src/core/clock.ts";

/**
 * A clock for what must not take time: a sleep ends at once and moves the time on, and is written down. Timers
 * ({@linkcode Clock.after}) fire only through {@linkcode SkippingClock.fire}.
 */
export class SkippingClock implements Clock {
  /** Milliseconds of each sleep. */
  readonly slept: number[] = [];
  #elapsed = 0;
  #timers = new Set<{ readonly dueMs: number; readonly action: () => void }>();

  readonly startMs: number;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.startMs = startMs;
  }

  now(): number {
    return this.startMs + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.slept.push(ms);
    this.#elapsed += ms;
    return Promise.resolve();
  }

  after(ms: number, action: () => void): () => void {
    const timer = { dueMs: this.#elapsed + ms, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass without anybody sleeping. */
  skip(ms: number): void {
    this.#elapsed += ms;
  }

  /** Moves time on and runs the timers that fall due. */
  fire(ms: number): void {
    this.#elapsed += ms;
    for (const timer of [...this.#timers]) {
      if (timer.dueMs > this.#elapsed) continue;
      this.#timers.delete(timer);
      timer.action();
    }
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }
}
