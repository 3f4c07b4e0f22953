/**
 * The cluster target and the bundled daemon against a real API server: `deno run -A tests/bench/cluster_bench.ts [NAME…]`
 * (Linux); needs the lab. `apply`: first apply of 1,000 ConfigMaps against 1,000 bare requests, and passes without a change.
 * `owners`: client and target alone with 1,000 owners. `daemon`: the whole program with 1,000 Kustomizations. `ready`: how
 * soon it is seen that a workload is ready.
 */
import type { JsonObject } from "../../src/core/json.ts";
import type { KubeApi } from "../../src/core/kube_api.ts";
import type { Resource } from "../../src/core/resource.ts";
import { denoClock } from "../../src/platform/deno_clock.ts";
import { denoRandom } from "../../src/platform/deno_random.ts";
import { clusterTarget } from "../../src/target/cluster/cluster_target.ts";
import { inParallel } from "../../src/core/in_parallel.ts";
import type { LabCluster } from "../support/lab.ts";
import { connectLab, labProgram, startCluster } from "../support/lab.ts";
import type { Daemon } from "./bundled_daemon.ts";
import { artifactOf, bundle, CountingRegistry, pause, startDaemon, until } from "./bundled_daemon.ts";

const count = 1_000;
const rounds = 6;

const benches: Readonly<Record<string, () => Promise<void>>> = {
  async apply() {
    await using cluster = await startCluster({ isBare: true });
    using open = await connectLab(cluster.kubeconfig);
    const bare: number[] = [];
    const first: number[] = [];
    const again: number[] = [];
    const stands: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const took = [await measureBare(open.api, round), ...await measureApply(open.api, round)];
      // The first round warms both sides up.
      if (round === 0) continue;
      [bare, first, again, stands].forEach((list, index) => list.push(took[index] ?? NaN));
    }
    const base = median(bare);
    console.log(`${count} bare applies: ${base.toFixed(0)} ms`);
    report("first apply, times that", median(first) / base, 1.5, "");
    report("pass over what stands, % of it", (median(again) / base) * 100, 2, "%");
    report("pass with the same inputs, % of it", (median(stands) / base) * 100, 2, "%");
  },
  async owners() {
    await using cluster = await startCluster({ isBare: true });
    using open = await connectLab(cluster.kubeconfig);
    await measureOwners(open.api);
  },
  async daemon() {
    await using cluster = await startCluster({ isBare: true, isAudited: true });
    await withDaemon(cluster, { documents: (host) => owners(host, count), files: fourResources }, async (daemon) => {
      const startedAt = performance.now();
      await daemon.ready();
      await untilReady(daemon, count);
      console.log(
        `${count} Kustomizations of 4, first pass: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`,
      );
      console.log(`resident right after it: ${Math.round(await daemon.residentMb())} MB`);
      await pause(8_000);
      const from = (await requestsOf(cluster)).length;
      const before = await daemon.processorMs();
      // Each Kustomization runs at least once more within its interval.
      await pause(35_000);
      const processorMs = await daemon.processorMs() - before;
      const requests = (await requestsOf(cluster)).slice(from);
      const writes = requests.filter((request) => request.isWrite && request.resource !== "leases");
      report("writes of a round without a change", writes.length, 0, "");
      report(
        "reads of it",
        requests.filter((request) => !request.isWrite && request.resource !== "leases").length,
        4,
        "",
      );
      const all = await requestsOf(cluster);
      if (Deno.args.includes("--requests")) console.log(requestTable(all));
      // ConfigMaps are listed for inventories, for what their labels tell, and for the watch.
      for (const verb of ["list", "watch"]) {
        report(
          `most ${verb} requests for one resource since the start`,
          mostOf(all, verb),
          verb === "list" ? 3 : 1,
          "",
        );
      }
      report("resident", await daemon.residentMb(), 160, "MB");
      console.log(`processor time of 35 s: ${Math.round(processorMs)} ms`);
    });
  },
  async ready() {
    const waiting = 300;
    await using cluster = await startCluster({ isBare: true });
    using open = await connectLab(cluster.kubeconfig);
    const documents = (host: string) => owners(host, waiting, { interval: "10m", wait: true, timeout: "5m" });
    await withDaemon(cluster, { documents, files: workload }, async (daemon) => {
      const path = (index: number) => `/apis/apps/v1/namespaces/default/deployments/k-${index}-web`;
      await inParallel(Array.from({ length: waiting }, (_, index) => index), 4, async (index) => {
        await until(() => open.api.send({ method: "GET", path: path(index) }).then(() => true, () => false), 100);
      });
      await pause(2_000);
      const stop = new AbortController();
      const seen = readyTimes(daemon, stop.signal);
      const watched = watchTimes(open.api, stop.signal);
      await pause(200);
      const becameAt = new Map<string, number>();
      for (let index = 0; index < waiting; index++) {
        becameAt.set(`k-${index}`, performance.now());
        await open.api.send({
          method: "PATCH",
          path: `${path(index)}/status`,
          contentType: "application/merge-patch+json",
          body: { status: readyStatus },
        });
      }
      await until(() => [...becameAt.keys()].every((name) => seen.has(name) && watched.has(name)), 50);
      stop.abort();
      const taken = [...becameAt].map(([name, at]) => (seen.get(name) ?? NaN) - at).sort((a, b) => a - b);
      report(`Ready of ${waiting} seen after it was, median`, taken[waiting >> 1] ?? NaN, 200, "ms");
      report("the same, 99th of 100", taken[Math.floor(waiting * 0.99)] ?? NaN, 200, "ms");
      // On a busy machine most of it is the server's: what a bare watch in this process needs is taken off.
      const above = [...becameAt.keys()].map((name) => (seen.get(name) ?? NaN) - (watched.get(name) ?? NaN))
        .sort((a, b) => a - b);
      report("later than a bare watch, median", above[waiting >> 1] ?? NaN, 100, "ms");
      report("the same, 99th of 100", above[Math.floor(waiting * 0.99)] ?? NaN, 200, "ms");
    });
  },
};

function report(what: string, value: number, target: number, unit: string): void {
  const text = `${value < 10 && !Number.isInteger(value) ? value.toFixed(2) : Math.round(value)} ${unit}`;
  console.log(`${value <= target ? "met   " : "MISSED"}  ${what.padEnd(64)} ${text.padStart(9)}  of ${target}`);
}

/** Runs the bundled daemon on a cluster, with a registry that serves one artifact. */
async function withDaemon(
  cluster: LabCluster,
  what: { readonly documents: (host: string) => string; readonly files: readonly Resource[] },
  work: (daemon: Daemon) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "pilotfish-bench-" });
  try {
    const program = await bundle(folder);
    const content = what.files.map((resource) => JSON.stringify(resource)).join("\n---\n");
    await using registry = new CountingRegistry(artifactOf([{ path: "app/all.yaml", content }]));
    const host = await registry.start();
    const target = ["--target", "cluster", "--kubeconfig", cluster.kubeconfig];
    await using daemon = await startDaemon(program, `${folder}/daemon`, what.documents(host), target);
    await work(daemon);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** One source and Kustomizations over it that differ in their names' prefix. */
function owners(host: string, howMany: number, spec: JsonObject = {}): string {
  const documents: JsonObject[] = [{
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "OCIRepository",
    metadata: { name: "site", namespace: "default" },
    spec: { interval: "10m", url: `oci://${host}/site`, ref: { tag: "stable" }, insecure: true },
  }];
  for (let index = 0; index < howMany; index++) {
    documents.push({
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: `k-${index}`, namespace: "default" },
      spec: {
        interval: "30s",
        sourceRef: { kind: "OCIRepository", name: "site" },
        path: "./app",
        prune: true,
        targetNamespace: "default",
        namePrefix: `k-${index}-`,
        ...spec,
      },
    });
  }
  return documents.map((document) => JSON.stringify(document)).join("\n---\n");
}

const workload: readonly Resource[] = [{
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "main", image: "example.com/web:1", ports: [{ containerPort: 8080 }] }] },
    },
  },
}];

const fourResources: readonly Resource[] = [
  ...workload.map((resource) => ({ ...resource, spec: { ...resource.spec as JsonObject, replicas: 0 } })),
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data: { text: "x".repeat(1_000) } },
  { apiVersion: "v1", kind: "Secret", metadata: { name: "token" }, stringData: { token: "not-a-real-one" } },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80 }] },
  },
];

/** Status of a Deployment that is ready. */
const readyStatus: JsonObject = {
  observedGeneration: 1,
  replicas: 1,
  updatedReplicas: 1,
  readyReplicas: 1,
  availableReplicas: 1,
  conditions: [
    { type: "Available", status: "True", reason: "MinimumReplicasAvailable", message: "" },
    { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable", message: "" },
  ],
};

async function untilReady(daemon: Daemon, howMany: number): Promise<void> {
  await until(async () => {
    const text = await (await fetch(`${daemon.url}/metrics`)).text();
    const ready = [...text.matchAll(/^\S+\{[^}]*kind="Kustomization"[^}]*type="Ready"[^}]*status="True"[^}]*\} 1$/gm)];
    return ready.length >= howMany;
  }, 500);
}

/** When the daemon's stream told of each Kustomization that it is ready, in this process' time. */
function readyTimes(daemon: Daemon, signal: AbortSignal): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  void (async () => {
    const response = await fetch(`${daemon.url}/api/v1/events`, { headers: { accept: "text/event-stream" }, signal });
    const lines = response.body?.pipeThrough(new TextDecoderStream()) ?? new ReadableStream<string>();
    let rest = "";
    for await (const text of lines) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        if (!line.startsWith("data: {")) continue;
        const event = JSON.parse(line.slice(6)) as {
          readonly object: { readonly name: string };
          readonly reason: string;
        };
        if (event.reason === "ReconciliationSucceeded") times.set(event.object.name, performance.now());
      }
    }
  })().catch(() => {});
  return times;
}

/** When a bare watch showed each Deployment as ready, by its Kustomization's name. */
function watchTimes(api: KubeApi, signal: AbortSignal): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  void (async () => {
    const path = "/apis/apps/v1/namespaces/default/deployments";
    const { metadata } = await api.send({ method: "GET", path, query: { limit: "1" } });
    const resourceVersion = String((metadata as JsonObject).resourceVersion);
    for await (const { object } of api.watch({ path, resourceVersion }, signal)) {
      const status = object.status as JsonObject | undefined;
      if (status?.availableReplicas === 1) times.set(object.metadata.name.replace(/-web$/, ""), performance.now());
    }
  })().catch(() => {});
  return times;
}

/** A request of the daemon as the API server's audit log tells it. */
interface Audited {
  readonly verb: string;
  readonly resource: string;
  readonly isWrite: boolean;
}

async function requestsOf(cluster: LabCluster): Promise<readonly Audited[]> {
  const lines = (await Deno.readTextFile(`${cluster.folder}/audit.log`)).split("\n").filter((line) => line !== "");
  return lines.flatMap((line) => {
    const event = JSON.parse(line) as {
      readonly verb: string;
      readonly stage: string;
      readonly requestURI: string;
      readonly userAgent?: string;
      readonly objectRef?: { readonly resource?: string };
    };
    // The further pages of a list belong to its first.
    const isOurs = event.userAgent?.includes("Deno") === true && !event.requestURI.includes("continue=");
    // A watch has two lines: its start and its end.
    if (!isOurs || event.stage === (event.verb === "watch" ? "ResponseComplete" : "ResponseStarted")) return [];
    const resource = event.objectRef?.resource ?? event.requestURI;
    return [{ verb: event.verb, resource, isWrite: ["create", "update", "patch", "delete"].includes(event.verb) }];
  });
}

/** How often each was asked for. */
function requestTable(requests: readonly Audited[]): string {
  const counts = new Map<string, number>();
  for (const { verb, resource } of requests) {
    counts.set(`${verb} ${resource}`, (counts.get(`${verb} ${resource}`) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name, times]) => `  ${times} ${name}`).join("\n");
}

function mostOf(requests: readonly Audited[], verb: string): number {
  const counts = new Map<string, number>();
  for (const request of requests) {
    if (request.verb === verb) counts.set(request.resource, (counts.get(request.resource) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

/** 1,000 owners of 4 resources: first pass, passes without a change, memory. */
async function measureOwners(api: KubeApi): Promise<void> {
  using target = clusterTarget({ api, clock: denoClock, random: denoRandom });
  const { signal } = new AbortController();
  const owners = Array.from({ length: 1_000 }, (_, index) => ({
    kind: "Kustomization",
    namespace: "default",
    name: `owner-${index}`,
  }));
  const before = Deno.memoryUsage().rss;
  let startedAt = performance.now();
  await inParallel(owners, 4, async (owner) => {
    await target.remembered(owner);
    const request = {
      owner,
      resources: resources(owner.name, 4),
      previous: { entries: [] },
      revision: "r",
      inputs: "i",
      options: {},
    };
    await target.apply(request, signal);
    target.watch?.(owner, () => {}, signal);
  });
  console.log(`1,000 owners of 4, first pass: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  await inParallel(owners, 4, (owner) => target.stands?.(owner, "i", signal) ?? Promise.resolve(false));
  startedAt = performance.now();
  const stand = await inParallel(owners, 4, (owner) => target.stands?.(owner, "i", signal) ?? Promise.resolve(false));
  console.log(
    `1,000 owners of 4, no change:  ${(performance.now() - startedAt).toFixed(1)} ms, ${
      stand.filter((item) => item).length
    } stand, ${target.openViews} watches`,
  );
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  const { rss, heapUsed } = Deno.memoryUsage();
  console.log(
    `memory: ${megabytes(before)} MB before, ${megabytes(rss)} MB after, heap ${megabytes(heapUsed)} MB (goal 160)`,
  );
}

function resources(name: string, length = count): Resource[] {
  const labels = {
    "kustomize.toolkit.fluxcd.io/name": name,
    "kustomize.toolkit.fluxcd.io/namespace": "default",
  };
  return Array.from({ length }, (_, index) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `${name}-${index}`, namespace: "default", labels },
    data: { key: `value ${index}` },
  }));
}

async function measureBare(api: KubeApi, round: number): Promise<number> {
  const items = resources(`bare-${round}`);
  const startedAt = performance.now();
  await inParallel(items, 16, (body) =>
    api.send({
      method: "PATCH",
      path: `/api/v1/namespaces/default/configmaps/${body.metadata.name}`,
      query: { fieldManager: "bench", force: "true" },
      contentType: "application/apply-patch+yaml",
      body,
    }));
  return performance.now() - startedAt;
}

async function measureApply(api: KubeApi, round: number): Promise<readonly number[]> {
  using target = clusterTarget({ api, clock: denoClock, random: denoRandom });
  const name = `apply-${round}`;
  const owner = { kind: "Kustomization", namespace: "default", name };
  const request = {
    owner,
    resources: resources(name),
    previous: { entries: [] },
    revision: "r",
    inputs: "i",
    options: {},
  };
  const { signal } = new AbortController();
  const took: number[] = [];
  const time = async (work: () => Promise<unknown>) => {
    const startedAt = performance.now();
    await work();
    took.push(performance.now() - startedAt);
  };
  await time(() => target.apply(request, signal));
  // The watch starts with the first look; from then on it knows.
  await target.stands?.(owner, "i", signal);
  await time(() => target.apply(request, signal));
  await time(async () => {
    if (await target.stands?.(owner, "i", signal) !== true) throw new Error("it must stand");
  });
  return took;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

if (labProgram() === undefined) {
  console.log("The lab is not here: nothing was measured");
} else {
  for (const [name, bench] of Object.entries(benches)) {
    if (Deno.args.every((arg) => arg.startsWith("--")) || Deno.args.includes(name)) await bench();
  }
}
