/** The program as it is released: bundled, and the binary made of it. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { bundleProgram } from "../../.ci/bundle.ts";
import { type Frame, frameOf, readFrames, valueOf } from "../../src/platform/value_frames.ts";
import { labProgram } from "../support/lab.ts";
import { fromFileUrl } from "../support/paths.ts";

const project = fromFileUrl(new URL("../..", import.meta.url));
/** Flags that `deno task start` gives the runtime. */
const v8Flags = "--v8-flags=--expose-gc,--max-semi-space-size=2,--no-memory-pool,--stack-size=3400";
/** Deno of the runtime that the lab recovers: tool and runtime must be of one version. */
const compiler = "deno@2.7.14";

async function output(command: string, args: readonly string[], options: Deno.CommandOptions = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { ...options, args: [...args] }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${decoder.decode(stderr).slice(-2_000)}`);
  return decoder.decode(stdout).trim();
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyFolder(`${from}/${entry.name}`, `${to}/${entry.name}`);
    else await Deno.copyFile(`${from}/${entry.name}`, `${to}/${entry.name}`);
  }
}

/** Runs the quickstart's documents, asks the probes, stops with SIGTERM. */
async function runQuickstart(command: readonly string[], folder: string): Promise<void> {
  await copyFolder(`${project}/examples`, `${folder}/examples`);
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args: [
      ...args,
      ...["run", "--config", `${folder}/examples/quickstart`, "--store", `${folder}/state`],
      ...["--listen", "127.0.0.1:0"],
    ],
    cwd: folder,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  const address = Promise.withResolvers<string>();
  const read = (async () => {
    for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += piece;
      const found = /"address":"([^"]+)\/"/.exec(text)?.[1];
      if (found !== undefined) address.resolve(found);
    }
    address.reject(new Error(`it ended before it served: ${text}`));
  })();
  try {
    const base = await address.promise;
    const status = async (path: string) => {
      const response = await fetch(`${base}${path}`);
      await response.body?.cancel();
      return response.status;
    };
    equal(await status("/healthz"), 200);
    equal(await status("/startupz"), 200);
    await reached(async () => await status("/readyz") === 200, () => text);
    const objects = await (await fetch(`${base}/api/v1/objects`)).text();
    ok(objects.includes("Kustomization"), objects);
    ok((await (await fetch(`${base}/`)).text()).includes("site"), "the page lists the objects");
    await reached(() => exists(`${folder}/quickstart-state/out`), () => text);
    await reached(() => exists(`${folder}/quickstart-state/page/deployment.yaml`), () => text);
  } finally {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself: its exit code tells.
    }
    await read;
  }
  equal((await child.status).code, 0, text);
}

/** Starts the program as it starts itself for large builds, and sends it a build of a store that is not there. */
async function askForBuild(command: readonly string[], folder: string): Promise<void> {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args: [...args, "serve-builds"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const object = { key: { kind: "Kustomization", namespace: "default", name: "app" }, spec: { path: "" } };
  const writer = child.stdin.getWriter();
  const place = { storeFolder: `${folder}/none`, isDirectory: true, allowHttp: false };
  await writer.write(frameOf("order", { ...place, kind: "kustomization", request: { object, artifact: {} } }));
  const closed = writer.close();
  const frames = await Array.fromAsync(readFrames(child.stdout));
  await closed;
  deepEqual(frames.map(({ kind }) => kind), ["ready", "part", "end"]);
  equal((valueOf(frames[1] as Frame) as { readonly kind: string }).kind, "failed");
  equal((await child.status).code, 0);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Asks again for a while: the program is another process, with a clock of its own. */
async function reached(ask: () => Promise<boolean>, log: () => string): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it was not reached: ${log()}`);
}

Deno.test("the bundled program runs the quickstart, answers probes and ends with 0", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pilotfish-bundle-" });
  try {
    const program = await bundleProgram(`${folder}/program`);
    const command = [Deno.execPath(), "run", "-A", "--no-config", v8Flags, program];
    await runQuickstart(command, folder);
    await askForBuild(command, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The runtime for a binary, or why there is none. */
async function recoverRuntime(): Promise<{ readonly path: string } | { readonly missing: string }> {
  const lab = labProgram();
  if (lab === undefined) return { missing: "the lab is not here" };
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return { missing: "the lab's runtime is for x86_64" };
  try {
    const path = (await output(lab, ["denort"])).split("\n").at(-1) ?? "";
    await output("npx", ["-y", compiler, "--version"], { env: tlsRoots });
    return { path };
  } catch (error) {
    return { missing: `npm does not give the runtime: ${String(error).slice(0, 200)}` };
  }
}

/** Older Deno trusts the machine's own roots only when told so. */
const tlsRoots = { DENO_TLS_CA_STORE: "system,mozilla" };
const runtime = await recoverRuntime();

Deno.test({
  name: "missing" in runtime
    ? `the compiled program (skipped: ${runtime.missing})`
    : "the compiled program runs the quickstart, answers probes and ends with 0",
  ignore: "missing" in runtime,
  async fn() {
    if ("missing" in runtime) return;
    const folder = await Deno.makeTempDir({ prefix: "pilotfish-compile-" });
    try {
      const script = await bundleProgram(`${folder}/program`);
      await Deno.writeTextFile(`${folder}/deno.json`, "{}");
      await output("npx", [
        ...["-y", compiler, "compile", "--quiet", "--no-check", "--no-code-cache", "--no-prompt", v8Flags, "-A"],
        ...["--include", `${folder}/program`, "-o", `${folder}/pilotfish`, script],
      ], { cwd: folder, env: { ...tlsRoots, DENORT_BIN: runtime.path } });
      equal(/^pilotfish \d/.test(await output(`${folder}/pilotfish`, ["version"])), true);
      await runQuickstart([`${folder}/pilotfish`], folder);
      await askForBuild([`${folder}/pilotfish`], folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
