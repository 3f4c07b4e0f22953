/**
 * Work that several callers want at the same time and that is done once. It goes on as long as one of them waits; each
 * caller's own signal ends only its own wait.
 */
export class SharedWork<Value> {
  readonly #running = new Map<
    string,
    { readonly result: Promise<Value>; readonly stop: AbortController; waiting: number; isDone: boolean }
  >();

  /** Result of `work`, or of the same work that is under way under this key. */
  async run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    signal.throwIfAborted();
    let entry = this.#running.get(key);
    if (entry === undefined) {
      const stop = new AbortController();
      const started = { result: work(stop.signal), stop, waiting: 0, isDone: false };
      const forget = () => {
        started.isDone = true;
        if (this.#running.get(key) === started) this.#running.delete(key);
      };
      started.result.then(forget, forget);
      this.#running.set(key, started);
      entry = started;
    }
    const { result, stop } = entry;
    const joined = entry;
    joined.waiting++;
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([result, left.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
      if (--joined.waiting === 0) {
        // Nobody waits any more: what comes later starts anew.
        if (this.#running.get(key) === joined) this.#running.delete(key);
        if (!joined.isDone) stop.abort(signal.reason);
      }
    }
  }
}
