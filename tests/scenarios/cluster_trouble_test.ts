/** A cluster that refuses, or is away: what is told meanwhile, and what is left when it is over. */
import assert from "node:assert/strict";
import { configMap, kustomization, ociRepository, yamlOf } from "../support/documents.ts";
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
  await world.advance(15 * minuteMs);
  world.expectReady(app);
  assert.ok(cluster.object("/api/v1/namespaces/default/configmaps/one"));
});
