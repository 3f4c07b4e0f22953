import { equal, rejects } from "node:assert/strict";
import { openWorkerThread } from "../../src/platform/deno_worker.ts";

const never = new AbortController().signal;
const serving = import.meta.resolve("../../src/platform/deno_worker.ts");

function moduleOf(text: string): string {
  return `data:application/javascript,${encodeURIComponent(`import { serveCalls } from "${serving}";\n${text}`)}`;
}

Deno.test("openWorkerThread() asks a worker only once it listens, however long its modules take", async () => {
  using thread = openWorkerThread(moduleOf(`
    await new Promise((resolve) => setTimeout(resolve, 50));
    serveCalls(async (value) => value * 2);
  `));
  equal(await thread.call(2, { signal: never, timeoutMs: 30_000 }), 4);
  equal(await thread.call(3, { signal: never, timeoutMs: 30_000 }), 6);
});

Deno.test("openWorkerThread() says what cannot be sent, and goes on", async () => {
  using thread = openWorkerThread(moduleOf("serveCalls(async (value) => value);"));
  const isUnsendable = (error: unknown) => error instanceof DOMException && error.name === "DataCloneError";
  await rejects(thread.call(() => {}, { signal: never, timeoutMs: 30_000 }), isUnsendable);
  equal(await thread.call("fine", { signal: never, timeoutMs: 30_000 }), "fine");
});
