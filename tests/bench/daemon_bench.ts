/** The daemon against its targets, on loopback: `deno run -A tests/bench/daemon_bench.ts [NAME…]` (Linux). */
import { randomBytes } from "node:crypto";
import { fromFileUrl, vectorsFolder } from "../support/paths.ts";
import { artifactOf, bundle, CountingRegistry, pause, startDaemon, until } from "./bundled_daemon.ts";

const examples = fromFileUrl(new URL("../../examples", import.meta.url));
/** Milliseconds after which a daemon without work has given its memory back. */
const settledMs = 9_000;

function source(
  name: string,
  url: string,
  options: { readonly interval: string; readonly insecure?: boolean },
): string {
  return `---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: ${name}, namespace: default}
spec: {interval: ${options.interval}, url: "${url}", ref: {tag: stable}, insecure: ${options.insecure === true}}
`;
}

function kustomization(name: string, sourceName: string, path: string): string {
  return `---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: default}
spec:
  interval: 10m
  sourceRef: {kind: OCIRepository, name: ${sourceName}}
  path: "${path}"
  prune: true
  targetNamespace: ${name}
  postBuild: {substitute: {place: here}}
`;
}

function repeated(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join("");
}

function report(what: string, value: number, target: number, unit: string): void {
  const text = `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  console.log(`${value <= target ? "met   " : "MISSED"}  ${what.padEnd(64)} ${text.padStart(9)}  of ${target}`);
}

/** `GET` latencies until `done`, one after the other. */
async function latencies(url: string, done: () => boolean): Promise<readonly number[]> {
  const taken: number[] = [];
  while (!done()) {
    const startedAt = performance.now();
    const response = await fetch(url);
    await response.body?.cancel();
    taken.push(performance.now() - startedAt);
    await pause(2);
  }
  return taken.sort((a, b) => a - b);
}

/** Does work, watches resident memory and status answers meanwhile, and reports both, and the memory after a rest. */
async function watchedWork(
  daemon: Awaited<ReturnType<typeof startDaemon>>,
  watched: { readonly name: string; readonly mostMb: number; readonly restMs: number },
  work: () => Promise<void>,
): Promise<void> {
  const idleMb = await daemon.residentMb();
  let isDone = false;
  let peakMb = 0;
  const watch = (async () => {
    while (!isDone) {
      peakMb = Math.max(peakMb, await daemon.residentMb());
      await pause(20);
    }
  })();
  const asked = latencies(`${daemon.url}/api/v1/objects`, () => isDone);
  await work();
  isDone = true;
  await watch;
  const taken = await asked;
  report(`resident above idle, ${watched.name}, peak`, peakMb - idleMb, watched.mostMb, "MB");
  report(
    `status answers meanwhile, 99th of 100 (${taken.length} asked)`,
    taken[Math.floor(taken.length * 0.99)] ?? NaN,
    50,
    "ms",
  );
  await pause(watched.restMs);
  report("resident above idle afterwards", await daemon.residentMb() - idleMb, 20, "MB");
}

const pageManifest = (text: string) => ({
  path: "app/page.yaml",
  content: `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: page}\ndata: {text: "${text}"}\n`,
});

type Bench = (program: string, folder: string) => Promise<void>;

const benches: Readonly<Record<string, Bench>> = {
  async start(program, folder) {
    const taken: number[] = [];
    for (let run = 0; run < 5; run++) {
      await using daemon = await startDaemon(
        program,
        `${folder}/${run}`,
        source("site", "oci-layout:///none", minutes),
      );
      // The first run fills the runtime's cache of parsed modules; a compiled binary carries it.
      if (run > 0) taken.push(daemon.firstAnswerMs);
    }
    report("first status answer after start, best of 4", Math.min(...taken), 150, "ms");
  },
  async idle(program, folder) {
    const documents = repeated(100, (index) =>
      source(`site-${index}`, `oci-layout://${examples}/artifacts`, minutes) +
      kustomization(`site-${index}`, `site-${index}`, "./overlays/edge"));
    await using daemon = await startDaemon(program, folder, documents);
    await daemon.ready();
    await pause(settledMs);
    report("resident, 100 sources and 100 Kustomizations, idle", await daemon.residentMb(), 80, "MB");
    const before = await daemon.processorMs();
    await pause(5_000);
    report("processor time of 5 idle seconds", await daemon.processorMs() - before, 50, "ms");
  },
  async poll(program, folder) {
    const count = 1_000;
    await using registry = new CountingRegistry(artifactOf([pageManifest("one")]));
    const host = await registry.start();
    const documents = repeated(
      count,
      (index) => source(`site-${index}`, `oci://${host}/site-${index}`, { interval: "20s", insecure: true }),
    );
    await using daemon = await startDaemon(program, folder, documents);
    await daemon.ready();
    await pause(200);
    const { requests, connections } = registry;
    const before = await daemon.processorMs();
    await until(() => registry.requests >= requests + count, 20);
    const processorMs = await daemon.processorMs() - before;
    await pause(500);
    report(
      `requests per source of a poll without change (${count} sources)`,
      (registry.requests - requests) / count,
      1.1,
      "",
    );
    report("connections opened by it", registry.connections - connections, 0, "");
    report("processor time of it", processorMs, 1_000, "ms");
    report("resident after it", await daemon.residentMb(), 120, "MB");
  },
  async change(program, folder) {
    await using registry = new CountingRegistry(artifactOf([pageManifest("one")]));
    const host = await registry.start();
    const documents = source("site", `oci://${host}/site`, { interval: "2s", insecure: true }) +
      kustomization("site", "site", "./app");
    await using daemon = await startDaemon(program, folder, documents);
    await daemon.ready();
    const out = await onlyFile(`${folder}/out`);
    const taken: number[] = [];
    for (let move = 0; move < 3; move++) {
      const before = (await Deno.stat(out)).mtime?.getTime();
      registry.move(artifactOf([pageManifest(`move ${move}`)]));
      await until(async () => (await Deno.stat(out)).mtime?.getTime() !== before, 20);
      taken.push(((await Deno.stat(out)).mtime?.getTime() ?? NaN) - registry.toldNewAt);
    }
    report(
      "from the poll that saw a new tag to the written file, median",
      taken.sort((a, b) => a - b)[1] ?? NaN,
      100,
      "ms",
    );
  },
  async large(program, folder) {
    const small = artifactOf([pageManifest("one")]);
    await using registry = new CountingRegistry(small);
    const host = await registry.start();
    const documents = source("site", `oci://${host}/site`, { interval: "5s", insecure: true }) +
      kustomization("site", "site", "./app");
    await using daemon = await startDaemon(program, folder, documents);
    await daemon.ready();
    await pause(settledMs);
    const files = Array.from({ length: 10_000 }, (_, index) => ({
      path: `data/${index % 100}/${index}.bin`,
      content: new Uint8Array(randomBytes(5_000)),
    }));
    const out = await onlyFile(`${folder}/out`);
    const before = (await Deno.stat(out)).mtime?.getTime();
    const large = artifactOf([pageManifest("two"), ...files]);
    const size = Math.round(large.layer.length / 1024 / 1024);
    const watched = { name: `layer of ${size} MB with 10,000 files`, mostMb: 40, restMs: 35_000 };
    await watchedWork(daemon, watched, async () => {
      registry.move(large);
      await until(() => registry.toldNewAt > 0 && registry.requests > 0, 20);
      await until(async () => (await Deno.stat(out)).mtime?.getTime() !== before, 20);
    });
  },
  async chart(program, folder) {
    const vectors = vectorsFolder();
    if (vectors === undefined) return console.log("The shared vectors are not here: no chart was rendered");
    await Deno.mkdir(folder, { recursive: true });
    const archive = `${vectors}/helm-corpus.tar.xz`;
    const inner = `helm-corpus/${largestChart}`;
    await new Deno.Command("tar", { args: ["-xJf", archive, "-C", folder, inner] }).output();
    const chart = artifactOf(filesBelow(`${folder}/${inner}`));
    await using registry = new CountingRegistry(chart);
    const host = await registry.start();
    const documents = source("chart", `oci://${host}/chart`, { interval: "10m", insecure: true });
    await using daemon = await startDaemon(program, folder, documents);
    await daemon.ready();
    await pause(settledMs);
    const renders = 20;
    const watched = { name: `${renders} renders of a chart with 3.5 MB of output`, mostMb: 150, restMs: 45_000 };
    await watchedWork(daemon, watched, async () => {
      for (let render = 0; render < renders; render++) {
        await Deno.writeTextFile(`${folder}/documents.yaml`, documents + release("web", "chart", `round-${render}`));
        await until(() => holds(`${folder}/out`, `round-${render}`), 50);
      }
    });
  },
};

/** The chart of the corpus with the largest output. */
const largestChart = "charts/kyverno__kyverno__charts_kyverno";

function release(name: string, sourceName: string, mark: string): string {
  return `---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ${name}, namespace: default}
spec:
  interval: 10m
  chartRef: {kind: OCIRepository, name: ${sourceName}}
  values: {admissionController: {podAnnotations: {mark: "${mark}"}}}
`;
}

/** Whether a file below the folder holds a text. */
async function holds(folder: string, text: string): Promise<boolean> {
  const found = await new Deno.Command("grep", { args: ["-rqsF", "--", text, folder] }).output();
  return found.success;
}

/** Files of a folder, as parts of a layer. */
function filesBelow(root: string): { path: string; content: Uint8Array }[] {
  const found: { path: string; content: Uint8Array }[] = [];
  const walk = (inner: string) => {
    for (const entry of Deno.readDirSync(`${root}/${inner}`)) {
      const path = `${inner}${entry.name}`;
      if (entry.isDirectory) walk(`${path}/`);
      else found.push({ path, content: Deno.readFileSync(`${root}/${path}`) });
    }
  };
  walk("");
  return found;
}

const minutes = { interval: "10m" };

/** Path of the one file that a Kustomization wrote. */
async function onlyFile(folder: string): Promise<string> {
  let found: string | undefined;
  const look = async (path: string) => {
    for await (const entry of Deno.readDir(path)) {
      if (entry.isDirectory) await look(`${path}/${entry.name}`);
      else if (entry.name.endsWith(".yaml") && !entry.name.startsWith(".")) found = `${path}/${entry.name}`;
    }
  };
  await until(async () => {
    await look(folder).catch(() => {});
    return found !== undefined;
  }, 50);
  return found ?? "";
}

const folder = await Deno.makeTempDir({ prefix: "pilotfish-bench-" });
try {
  const program = await bundle(folder);
  let size = 0;
  for await (const { name } of Deno.readDir(`${folder}/program`)) {
    size += (await Deno.stat(`${folder}/program/${name}`)).size;
  }
  console.log(
    `bundle ${(size / 1e6).toFixed(1)} MB, Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} processors`,
  );
  // Once, so that the runtime has parsed the bundle.
  await (await startDaemon(program, `${folder}/warm`, source("site", "oci-layout:///none", minutes)))
    [Symbol.asyncDispose]();
  for (const [name, bench] of Object.entries(benches)) {
    if (Deno.args.length === 0 || Deno.args.includes(name)) await bench(program, `${folder}/${name}`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
