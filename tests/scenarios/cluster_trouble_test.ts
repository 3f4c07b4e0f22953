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
