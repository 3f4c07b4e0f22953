import type { Clock } from "../core/clock.ts";

/** Milliseconds between two beats. */
const beatMs = 2_000;
/** Age of the last beat, in milliseconds, from which on the loop counts as hanging. */
const deadAfterMs = 10_000;

/** Beats as long as timers run: whoever blocks the loop stops it. Beats from the start until {@linkcode Heartbeat.stop}. */
export class Heartbeat {
  readonly #clock: Clock;
  #lastMs: number;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastMs = clock.monotonic();
    this.#beat();
  }

  /** Whether the last beat is less than ten seconds old. */
  get isAlive(): boolean {
    return this.#clock.monotonic() - this.#lastMs < deadAfterMs;
  }

  stop(): void {
    this.#cancel?.();
  }

  #beat(): void {
    this.#lastMs = this.#clock.monotonic();
    this.#cancel = this.#clock.after(beatMs, () => this.#beat());
  }
}
