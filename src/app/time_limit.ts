import { denoClock } from "../platform/deno_clock.ts";

/** A signal that is aborted after a time or with another one; disposing it lets the program end at once. */
export function timeLimit(ms: number, signal: AbortSignal): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const stop = () => controller.abort(signal.reason);
  const cancel = denoClock.after(ms, () => controller.abort(new Error(`The time limit of ${ms} ms is over`)));
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      cancel();
      signal.removeEventListener("abort", stop);
    },
  };
}

/** Waits for work. @returns `true` when the signal was aborted first */
export function cutShort(work: Promise<void>, signal: AbortSignal): Promise<boolean> {
  return Promise.race([work.then(() => false), aborted(signal).then(() => true)]);
}

/** Resolves when a signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
