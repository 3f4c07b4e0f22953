import { deepEqual, equal, rejects } from "node:assert/strict";
import { inParallel } from "../../src/core/in_parallel.ts";

Deno.test("inParallel() does each once, never more than its width at a time, and answers in their order", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    done.push(item);
  });
  deepEqual(done, [1, 2, 3, 4, 5, 6, 7]);
  equal(most, 3);
  deepEqual(
    await inParallel([30, 10, 20], 3, async (turns) => {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      return turns;
    }),
    [30, 10, 20],
  );
  await inParallel([], 3, () => Promise.reject(new Error("never called")));
});

Deno.test("inParallel() starts nothing after a failure, and throws it once the others have ended", async () => {
  const ended: number[] = [];
  let started = 0;
  await rejects(
    inParallel([1, 2, 3, 4, 5], 2, async (item) => {
      started++;
      if (item === 1) throw new Error("the first");
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      ended.push(item);
      throw new Error("the second");
    }),
    /the first/,
  );
  deepEqual([started, ended], [2, [2]]);
});
