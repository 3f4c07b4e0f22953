import type { Clock } from "../core/clock.ts";

/** The host's clock. */
export const denoClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    }),
  after: (ms, action) => {
    // The runtime's timers hold 31 bits: a longer wait is made of several.
    const longest = 2 ** 31 - 1;
    let rest = ms;
    let timer = setTimeout(step, Math.min(rest, longest));
    function step() {
      rest -= longest;
      if (rest > 0) timer = setTimeout(step, Math.min(rest, longest));
      else action();
    }
    return () => clearTimeout(timer);
  },
};
