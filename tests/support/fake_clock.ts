import type { Clock } from "../../src/core/clock.ts";

/** A clock that moves only when told: {@linkcode FakeClock.advance} runs what falls due, in order. */
export class FakeClock implements Clock {
  #now: number;
  #elapsed = 0;
  #timers: { dueMs: number; order: number; action: () => void }[] = [];
  #order = 0;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(ms, () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      });
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  after(ms: number, action: () => void): () => void {
    const timer = { dueMs: this.#elapsed + Math.max(0, ms), order: this.#order++, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Milliseconds until the next timer; `undefined` when none waits. */
  get nextInMs(): number | undefined {
    return this.#timers.length === 0
      ? undefined
      : Math.max(0, Math.min(...this.#timers.map((timer) => timer.dueMs)) - this.#elapsed);
  }

  /** Moves time on, runs each timer at its moment, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    while (true) {
      const next = this.#timers.filter((timer) =>
        timer.dueMs <= end
      ).sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now += next.dueMs - this.#elapsed;
      this.#elapsed = next.dueMs;
      next.action();
      await settle();
    }
    this.#now += end - this.#elapsed;
    this.#elapsed = end;
    await settle();
  }

  /** Makes the wall clock jump without any time passing. */
  jump(ms: number): void {
    this.#now += ms;
  }
}

/** Lets everything that is ready to run, run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  await new Promise<void>((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      channel.port2.close();
      resolve();
    };
    channel.port2.postMessage(null);
  });
}
