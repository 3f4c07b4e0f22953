import { deepEqual, equal, match, rejects } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import type { WatchedChange } from "../../../src/core/target.ts";
import { ClusterConnections } from "../../../src/target/cluster/cluster_connections.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeCluster } from "../../support/fake_cluster.ts";
import { TargetBench, thing } from "../../support/target_bench.ts";

const apps = { kind: "Kustomization", namespace: "default", name: "apps" };
const others = { ...apps, name: "others" };
const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };

/** Notes which connections are open, by their kubeconfig. */
function opener(cluster: FakeCluster, open: Set<string>) {
  return (kubeconfig: string) => {
    open.add(kubeconfig);
    return Promise.resolve({ api: cluster.api(), [Symbol.dispose]: () => void open.delete(kubeconfig) });
  };
}

Deno.test("ClusterConnections closes a connection once no owner is left that used it last", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  const open = new Set<string>();
  const tools = { clock, random, manager: "m", managers: [], digestKey: "", openCluster: opener(cluster, open) };
  using connections = new ClusterConnections(cluster.api(), tools);

  const first = await connections.open(apps, "token 1");
  equal(await connections.open(others, "token 1"), first);
  await connections.open(apps, "token 2");
  deepEqual([...open], ["token 1", "token 2"]);
  await connections.open(others, "token 2");
  await clock.advance(0);
  deepEqual([...open], ["token 2"]);

  // Our own cluster is no other one: who asks for it goes on to use both.
  await connections.open(apps, undefined);
  connections.leave(others);
  await clock.advance(0);
  deepEqual([...open], ["token 2"]);
  connections.leave(apps);
  await clock.advance(0);
  deepEqual([...open], []);
});

Deno.test("ClusterConnections tries again after a connection that failed, and says when there are none", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  let tries = 0;
  const openCluster = () => tries++ === 0 ? Promise.reject(new Error("away")) : opener(cluster, new Set())("");
  using connections = new ClusterConnections(cluster.api(), {
    clock,
    random,
    manager: "m",
    managers: [],
    digestKey: "",
    openCluster,
  });
  using closed = new ClusterConnections(cluster.api(), { clock, random, manager: "m", managers: [], digestKey: "" });

  await rejects(connections.open(apps, "k"), /away/);
  equal((await connections.open(apps, "k")).view.size, 0);
  await rejects(closed.open(apps, "k"), (error) => {
    match(String(error), /other clusters are switched off/);
    return true;
  });
});

Deno.test("an owner whose kubeconfig is renewed is watched through the new one, and the former is closed", async () => {
  const open = new Set<string>();
  using bench: TargetBench = new TargetBench({ openCluster: (text) => opener(bench.cluster, open)(text) });
  const map = thing("v1", "ConfigMap", "a", { data: { k: "v" } }, { namespace: "default" });
  const changes: WatchedChange[] = [];
  for (const kubeconfig of ["token 1", "token 2"]) {
    await bench.apply(apps, [map], { kubeconfig });
    const stop = new AbortController();
    bench.target.watch?.(apps, (change) => changes.push(change), stop.signal);
    await bench.clock.advance(1_000);
    deepEqual([...open], [kubeconfig]);
    if (kubeconfig === "token 1") stop.abort();
  }
  const views = bench.target.openViews;
  const path = "/api/v1/namespaces/default/configmaps/a";
  const live = bench.cluster.object(path) as JsonObject;
  bench.cluster.put(path, { ...live, data: { k: "other" } }, "kubectl-edit");
  await bench.clock.advance(1_000);

  equal(views, 1);
  deepEqual(changes.map(({ kind }) => kind), ["drift"]);

  bench.cluster.put(path, live, "kustomize-controller");
  const { inventory } = await bench.apply(apps, [map], { kubeconfig: "token 2" });
  await bench.remove(apps, inventory.entries, { kubeconfig: "token 2", isWholeRemoval: true });
  await bench.clock.advance(0);
  deepEqual([[...open], bench.target.openViews], [[], 0]);
});
