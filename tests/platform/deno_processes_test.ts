import { equal, ok, rejects } from "node:assert/strict";
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

Deno.test("denoProcesses.run() waits for the program, not for what it left behind with its output open", async () => {
  const startedAt = performance.now();
  const result = await denoProcesses.run(["sh", "-c", "sleep 20 & echo $!; exit 4"]);
  Deno.kill(Number(result.stdout), "SIGKILL");

  equal(result.code, 4);
  ok(performance.now() - startedAt < 10_000);
});

Deno.test("denoProcesses.run() ends with its signal, whoever holds the output open", async () => {
  const pidFile = await Deno.makeTempFile();
  const startedAt = performance.now();
  // The shell is killed; the one that it started goes on.
  const command = ["sh", "-c", `sleep 20 & echo $! > ${pidFile}; wait`];
  await rejects(denoProcesses.run(command, { signal: AbortSignal.timeout(300) }), /abort|timed out/i);
  Deno.kill(Number(await Deno.readTextFile(pidFile)), "SIGKILL");
  await Deno.remove(pidFile);

  ok(performance.now() - startedAt < 10_000);
});
