import { equal, rejects } from "node:assert/strict";
import { denoProcesses } from "../../src/platform/deno_processes.ts";

Deno.test("denoProcesses.run() feeds a program and gives back what it wrote", async () => {
  const result = await denoProcesses.run(["sh", "-c", 'cat; echo "to you" >&2; exit 3'], { stdin: "hello" });

  equal(result.stdout, "hello");
  equal(result.stderr, "to you\n");
  equal(result.code, 3);
});

Deno.test("denoProcesses.run() cuts long output and lets the program end", async () => {
  const result = await denoProcesses.run(["sh", "-c", "head -c 300000 /dev/zero"]);

  equal(result.stdout.length, 64 * 1024);
  equal(result.code, 0);
});

Deno.test("denoProcesses.run() kills the program when told to stop", async () => {
  await rejects(denoProcesses.run(["sleep", "60"], { signal: AbortSignal.timeout(20) }), /abort|timed out/i);
  await rejects(denoProcesses.run(["/nowhere/at-all"]));
  await rejects(denoProcesses.run([]), /empty/);
});
