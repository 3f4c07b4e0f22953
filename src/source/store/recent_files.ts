import type { Clock } from "../../core/clock.ts";

/** How long a file that was touched is safe from collection without a pin. */
const graceMs = 10 * 60_000;

/** Files of an open store that were written, found or opened in the last ten minutes: what is between its pull and its pin. */
export class RecentFiles {
  readonly #clock: Clock;
  /** When a file was last touched, by its path, on the monotonic clock. */
  readonly #touched = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  touch(path: string): void {
    this.#touched.set(path, this.#clock.monotonic());
  }

  has(path: string): boolean {
    const at = this.#touched.get(path);
    return at !== undefined && this.#clock.monotonic() - at < graceMs;
  }

  /** Lets go of what is recent no longer. */
  forgetOld(): void {
    for (const path of this.#touched.keys()) if (!this.has(path)) this.#touched.delete(path);
  }
}
