/** A cluster that refuses, or is away: what is told meanwhile, and what is left when it is over. */
import assert from "node:assert/strict";
import { configMap, kustomization, ociRepository, secret, yamlOf } from "../support/documents.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeCluster } from "../support/fake_cluster.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const app = "Kustomization/default/app";

async function appWorld(cluster: FakeCluster, clock: FakeClock): Promise<World> {
  const world = new World({ clock, cluster });
  world.registry.put({
    repository: "org/app",
    tag: "latest",
    files: { "all.yaml": yamlOf(configMap("one", { k: "1" })) },
  });
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app"));
  return world;
}

Deno.test("a document whose resources were refused from the start can be removed", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  // Our own inventories may be written, the application's objects may not even be seen.
  cluster.allow = ({ path }) => !path.endsWith("/configmaps/one");
  await using world = await appWorld(cluster, clock);
  await world.run();
  assert.match(world.ready(app).message, /ConfigMap\/default\/one dry-run failed \(Forbidden\)/);
  assert.deepEqual(world.status(app).inventory?.entries ?? [], []);

  await world.write("app.yaml", ociRepository("app", "org/app"));
  await world.reload();
  await world.advance(5 * minuteMs);
  assert.throws(() => world.status(app), /there is no status/);
  assert.deepEqual(cluster.writes.filter((line) => !line.includes("/leases")), []);
});

Deno.test("a daemon that starts while the API server is away says so, and goes on once it comes up", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  cluster.intercept = () => {
    throw new TypeError("connection refused");
  };
  await using world = await appWorld(cluster, clock);
  await world.run();
  assert.equal(world.ready(app).status, "False");
  assert.match(world.ready(app).message, /Cannot reach API server "https:\/\/fake": connection refused/);
  world.expectReady("OCIRepository/default/app");
  await world.advance(30 * minuteMs);
  assert.match(world.ready(app).message, /connection refused/);

  cluster.intercept = undefined;
  await world.advance(5_000);
  world.expectReady(app);
  assert.ok(cluster.object("/api/v1/namespaces/default/configmaps/one"));
});

Deno.test("what failed while the API server was away runs as soon as it is back, and it is not asked for anything else", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  await using world = await appWorld(cluster, clock);
  await world.run();
  world.expectReady(app);
  cluster.intercept = () => {
    throw new TypeError("connection refused");
  };
  world.registry.put({
    repository: "org/app",
    tag: "latest",
    files: { "all.yaml": yamlOf(configMap("one", { k: "2" })) },
  });
  await world.advance(20 * minuteMs);
  assert.match(world.ready(app).message, /connection refused/);
  const asked = cluster.requests.length;
  await world.advance(minuteMs);
  assert.ok(cluster.requests.length - asked < 120, `${cluster.requests.length - asked} requests a minute`);

  cluster.intercept = undefined;
  await world.advance(5_000);
  world.expectReady(app);
  assert.deepEqual(cluster.object("/api/v1/namespaces/default/configmaps/one")?.data, { k: "2" });
});

Deno.test("a login that was away with the cluster is read as soon as it is back", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  await using world = await appWorld(cluster, clock);
  await world.run();
  let isAway = true;
  cluster.intercept = ({ path }) => {
    // At first only the Secret cannot be had, while what is known of the cluster is fresh.
    if (isAway && (path.includes("/secrets/") || path.endsWith("/kube-system"))) {
      throw new TypeError("connection refused");
    }
    return undefined;
  };
  const path = "/api/v1/namespaces/default/secrets/login";
  cluster.put(path, {
    ...secret("login", {}, "kubernetes.io/dockerconfigjson"),
    data: { ".dockerconfigjson": btoa("{}") },
  });
  await world.write(
    "app.yaml",
    ociRepository("app", "org/app", { interval: "1h", secretRef: { name: "login" } }),
    kustomization("app", "app"),
  );
  await world.reload();
  await world.advance(20 * minuteMs);
  assert.match(world.ready("OCIRepository/default/app").message, /connection refused/);
  isAway = false;
  await world.advance(5_000);
  world.expectReady("OCIRepository/default/app");
});

Deno.test("what one kind's server refuses is tried with growing pauses while the cluster itself answers", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  let tries = 0;
  cluster.intercept = ({ path, query }) => {
    if (!path.endsWith("/configmaps/one") || query.dryRun === undefined && tries === 0) return undefined;
    tries++;
    return Response.json({ kind: "Status", reason: "ServiceUnavailable", message: "not now", code: 503 }, {
      status: 503,
    });
  };
  cluster.allow = () => true;
  await using world = await appWorld(cluster, clock);
  await world.run();
  tries = 1;
  await world.reconcile(app);
  await world.advance(10 * minuteMs);
  assert.match(world.ready(app).message, /not now/);
  assert.ok(tries > 3 && tries < 40, `${tries} tries in ten minutes`);
});
