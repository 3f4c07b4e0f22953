/**
 * How many requests may be under way. It halves when the server says it is overloaded and grows by one after as many
 * successes as it is wide (additive increase, multiplicative decrease), so that we never fight API priority and fairness.
 */
export class RequestGate {
  readonly #most: number;
  #width: number;
  #running = 0;
  #successes = 0;
  #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
    this.#width = most;
  }

  /** Requests that may run at once now. */
  get width(): number {
    return this.#width;
  }

  /** Waits for a place. Give it back with {@linkcode RequestGate.leave}. @throws the signal's reason */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#width) {
      this.#running++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", stop);
        resolve();
      };
      const stop = () => {
        this.#waiting = this.#waiting.filter((other) => other !== go);
        reject(signal.reason);
      };
      this.#waiting.push(go);
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** Ends a request that had a place. */
  leave(outcome: "done" | "overloaded"): void {
    this.#running--;
    if (outcome === "overloaded") {
      this.#width = Math.max(1, this.#width >> 1);
      this.#successes = 0;
    } else if (this.#width < this.#most && ++this.#successes >= this.#width) {
      this.#width++;
      this.#successes = 0;
    }
    while (this.#running < this.#width) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running++;
      next();
    }
  }
}
