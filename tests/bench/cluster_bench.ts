/**
 * First apply of 1,000 ConfigMaps against 1,000 bare server-side applies on the same connection, a pass in which nothing
 * changed, and the memory of 1,000 owners of 4 resources each. Run: `deno run -A tests/bench/cluster_bench.ts`; needs the lab.
 */
import type { KubeApi } from "../../src/core/kube_api.ts";
import type { Resource } from "../../src/core/resource.ts";
import { denoClock } from "../../src/platform/deno_clock.ts";
import { denoRandom } from "../../src/platform/deno_random.ts";
import { clusterTarget } from "../../src/target/cluster/cluster_target.ts";
import { inParallel } from "../../src/target/cluster/access.ts";
import { connectLab, labProgram, startCluster } from "../support/lab.ts";

const count = 1_000;
const rounds = 4;

if (labProgram() === undefined) {
  console.log("The lab is not here: nothing was measured");
} else {
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
  console.log(`${count} bare applies:          ${base.toFixed(0)} ms`);
  console.log(
    `first apply:                 ${median(first).toFixed(0)} ms, ${(median(first) / base).toFixed(2)} x (goal 1.5)`,
  );
  console.log(`pass over what stands:       ${median(again).toFixed(1)} ms, ${percent(median(again), base)} %`);
  console.log(
    `pass with the same inputs:   ${median(stands).toFixed(1)} ms, ${percent(median(stands), base)} % (goal 2)`,
  );
  await measureOwners(open.api);
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

function percent(part: number, whole: number): string {
  return ((part / whole) * 100).toFixed(2);
}
