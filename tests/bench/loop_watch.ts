/** What a piece of work cost: time, memory above the idle process, longest pause of the event loop. */
export interface Cost {
  readonly ms: number;
  readonly peakAboveIdleMb: number;
  readonly longestPauseMs: number;
}

/** Does the work and measures it. Memory is resident memory, looked at every 2 ms. */
export async function costOf(work: () => Promise<void>): Promise<Cost> {
  (globalThis as { gc?: () => void }).gc?.();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const idle = Deno.memoryUsage().rss;
  let peak = idle;
  let longestPauseMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longestPauseMs = Math.max(longestPauseMs, now - last);
    last = now;
    peak = Math.max(peak, Deno.memoryUsage().rss);
  }, 2);
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  longestPauseMs = Math.max(longestPauseMs, performance.now() - last);
  clearInterval(timer);
  return { ms, peakAboveIdleMb: (peak - idle) / 1024 ** 2, longestPauseMs };
}

/** One line of a report. */
export function costText(name: string, cost: Cost, bytes?: number): string {
  const rate = bytes === undefined ? "" : `, ${(bytes / 1024 ** 2 / (cost.ms / 1000)).toFixed(0)} MB/s`;
  return `${name}: ${cost.ms.toFixed(1)} ms${rate}, peak ${cost.peakAboveIdleMb.toFixed(1)} MB above idle, ` +
    `longest pause ${cost.longestPauseMs.toFixed(1)} ms`;
}
