/** Places for objects that run at the same time. Waiting is by urgency (0 first), then by order of arrival. */
export class Gate {
  readonly #capacity: number;
  #busy = 0;
  #waiting: { readonly urgency: number; readonly enter: () => void }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Places taken. */
  get busy(): number {
    return this.#busy;
  }

  /** Takes a place, waiting for one where there is none. */
  enter(urgency: number): Promise<void> {
    if (this.#busy < this.#capacity) {
      this.#busy++;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const at = this.#waiting.findIndex((other) => other.urgency > urgency);
      const waiter = { urgency, enter: resolve };
      if (at < 0) this.#waiting.push(waiter);
      else this.#waiting.splice(at, 0, waiter);
    });
  }

  /** Gives a place back; whoever waits longest among the most urgent takes it. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy--;
    else next.enter();
  }
}
