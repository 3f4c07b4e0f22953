import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { BuildLimitError, openBuildProcess } from "../../src/platform/build_process.ts";
import { UnsendableError } from "../../src/platform/value_frames.ts";
import { fromFileUrl } from "../support/paths.ts";
import { until } from "../support/program.ts";

const never = new AbortController().signal;
const options = { signal: never, timeoutMs: 30_000 };
const isLinux = Deno.build.os === "linux";

/** A program that answers `value` so. */
function answering(body: string): string {
  const server = import.meta.resolve("../../src/platform/build_server.ts");
  const text = `import { serveCalls } from "${server}";\nserveCalls(async (value) => { ${body} });`;
  return `data:application/javascript,${encodeURIComponent(text)}`;
}

function open(body: string) {
  return openBuildProcess(answering(body), { limitBytes: () => 256 * 2 ** 20 });
}

/** Whether a process is there; one that waits to be taken away is not. */
async function isThere(pid: number): Promise<boolean> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
  return text !== undefined && !/\) [ZX] /.test(text);
}

Deno.test("openBuildProcess() answers calls in order, from one process, in parts", async () => {
  await using process = open("return [Deno.pid, value, new Map([[value, undefined]])];");
  const answers = await Promise.all([1, 2n, "three"].map((value) => process.call(value, options)));
  deepEqual(answers.map(([, value]) => value), [1, 2n, "three"]);
  deepEqual(answers[2]?.[2], new Map([["three", undefined]]));
  equal(new Set(answers.map(([pid]) => pid)).size, 1);
});

Deno.test("openBuildProcess() says what cannot be sent and what the other one failed with, and goes on", async () => {
  await using process = open('if (value === "bad") throw new Error("broken"); return [value];');
  await rejects(process.call(() => {}, options), UnsendableError);
  await rejects(process.call("bad", options), /broken/);
  deepEqual(await process.call("fine", options), ["fine"]);
});

Deno.test({
  name: "openBuildProcess() ends it when it takes more than there is at the moment",
  ignore: !isLinux,
  async fn() {
    let room = 200 * 2 ** 20;
    const grow = "all.push(new Uint8Array(1e6).fill(1)); await new Promise((run) => setTimeout(run, 1));";
    const work = `const all = []; for (;;) { ${grow} }`;
    await using process = openBuildProcess(answering(`if (value === "rest") return [1]; ${work}`), {
      limitBytes: () => 2 ** 30,
      roomBytes: () => room,
    });
    deepEqual(await process.call("rest", options), [1]);
    room = 90 * 2 ** 20;
    const isLimit = (error: unknown) =>
      error instanceof BuildLimitError && /more than 90 MiB of memory/.test(error.message);
    await rejects(process.call("work", options), isLimit);
  },
});

Deno.test({
  name: "openBuildProcess() leaves nothing behind, and starts another one when it was ended while it rested",
  ignore: !isLinux,
  async fn() {
    const process = open("return [Deno.pid];");
    const [first] = await process.call("", options) as [number];
    Deno.kill(first, "SIGKILL");
    await until(() => isThere(first), (is) => !is);
    const second = await until(
      () => process.call("", options).then(([pid]) => pid as number, () => first),
      (pid) => pid !== first,
    );
    ok(await isThere(second));
    await process[Symbol.asyncDispose]();
    ok(!await isThere(second));
    await rejects(Deno.stat(`/proc/${second}`), Deno.errors.NotFound, "nobody waits to be taken away");
    await rejects(process.call("", options), /stopped/);
  },
});

Deno.test({
  name: "openBuildProcess() hands over no file, lock or socket, and gives permissions and its place in memory up",
  ignore: !isLinux,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "pilotfish-process-" });
    try {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      ok(listener.addr);
      using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
      await lock.lock(true);
      await using process = open(`
        const names = ["run", "write", "ffi", "read"];
        return [Deno.pid, names.map((name) => Deno.permissions.querySync({ name }).state)];
      `);
      const [pid, states] = await process.call("", options) as [number, readonly string[]];
      deepEqual(states.map((state) => state === "granted"), [false, false, false, true]);
      equal((await Deno.readTextFile(`/proc/${pid}/oom_score_adj`)).trim(), "1000");
      const own = new Set<string>();
      for await (const { name } of Deno.readDir("/proc/self/fd")) {
        own.add(await Deno.readLink(`/proc/self/fd/${name}`).catch(() => ""));
      }
      const shared: string[] = [];
      for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
        const file = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
        if (own.has(file) && (file.startsWith("socket:") || file.startsWith(folder))) shared.push(file);
      }
      deepEqual(shared, []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "a build process ends with the process that started it, busy or not, and leaves signals of a terminal to it",
  ignore: !isLinux,
  async fn() {
    // A promise that nobody settles would end it: nothing would be left to wait for.
    for (const work of ["await new Promise((resolve) => setTimeout(resolve, 60_000));", "for (;;);"]) {
      const opener = fromFileUrl(new URL("../../src/platform/build_process.ts", import.meta.url));
      const told = "const pid = (await process.call('pid', options))[0]; console.log(pid);";
      const text = `
        import { openBuildProcess } from "file://${opener}";
        const options = { signal: new AbortController().signal, timeoutMs: 60_000 };
        const process = openBuildProcess(${
        JSON.stringify(answering(`if (value === "pid") return [Deno.pid]; ${work}`))
      },
          { limitBytes: () => 256 * 2 ** 20 });
        ${told}
        await process.call("work", options);
      `;
      const parent = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", `data:application/typescript,${encodeURIComponent(text)}`],
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const reader = parent.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const pid = Number((await reader.read()).value);
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.kill(pid, signal);
      ok(await isThere(pid));
      parent.kill("SIGKILL");
      await parent.status;
      await reader.cancel();
      await until(() => isThere(pid), (is) => !is, { withinMs: 5_000, what: "the end of the build process" });
    }
  },
});
