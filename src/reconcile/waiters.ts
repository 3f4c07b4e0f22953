import type { Clock } from "../core/clock.ts";

/** Those who wait until the others of the loop are as far as they need. */
export class Waiters {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something has changed: everybody looks again. */
  tell(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Waits until `isSo`, which is asked at once and after each {@linkcode Waiters.tell}; gives up after `withinMs` or when aborted. */
  async until(isSo: () => boolean, limits: { readonly withinMs: number; readonly signal: AbortSignal }): Promise<void> {
    const { signal } = limits;
    let look = () => {};
    let isOver = false;
    const onTold = () => look();
    const giveUp = () => {
      isOver = true;
      look();
    };
    this.#waiting.add(onTold);
    signal.addEventListener("abort", giveUp, { once: true });
    const cancel = this.#clock.after(limits.withinMs, giveUp);
    try {
      while (!isOver && !signal.aborted && !isSo()) await new Promise<void>((resolve) => look = resolve);
    } finally {
      cancel();
      signal.removeEventListener("abort", giveUp);
      this.#waiting.delete(onTold);
    }
  }
}
