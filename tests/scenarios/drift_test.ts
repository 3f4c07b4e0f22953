/** Changes that others made to a Kustomization's resources in a cluster: corrected, told, or left. */
import assert from "node:assert/strict";
import { condition } from "../../src/core/condition.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { configMap, kustomization, ociRepository, yamlOf } from "../support/documents.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeCluster } from "../support/fake_cluster.ts";
import { putWebChart } from "./web_chart.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const app = "Kustomization/default/app";
const path = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`;

function put(world: World, value: string): void {
  world.registry.put({
    repository: "org/app",
    tag: "latest",
    files: {
      "all.yaml": yamlOf(configMap("one", { key: value, other: "1", scaled: "1" }), configMap("two", { key: value })),
    },
  });
}

function write(world: World, mode: string | undefined, spec: JsonObject = {}): Promise<void> {
  const document = kustomization("app", "app", spec);
  const annotations = mode === undefined ? {} : { annotations: { "pilotfish.dev/drift": mode } };
  return world.write("app.yaml", ociRepository("app", "org/app"), {
    ...document,
    metadata: { ...document.metadata as JsonObject, ...annotations },
  });
}

/** A world in which an application stands, whose document says `mode` about drift. */
async function appWorld(mode: string | undefined, spec: JsonObject = {}) {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  const world = new World({ clock, cluster });
  put(world, "good");
  await write(world, mode, spec);
  await world.run();
  world.expectReady(app);
  const edit = async (name: string, data: JsonObject, manager?: string) => {
    const live = cluster.object(path(name)) as JsonObject;
    cluster.put(path(name), { ...live, data: { ...live.data as JsonObject, ...data } }, manager);
    await world.advance(1_000);
  };
  return { world, cluster, edit, dataOf: (name: string) => cluster.object(path(name))?.data as JsonObject | undefined };
}

function drifted(world: World) {
  return condition(world.status(app).conditions, "Drifted");
}

function told(world: World): readonly string[] {
  return world.board.events().filter(({ reason }) => reason === "DriftDetected").map(({ message }) => message);
}

Deno.test("drift of a Kustomization is corrected within a second unless its document says otherwise", async () => {
  for (const mode of [undefined, "enabled"]) {
    const { world, edit, dataOf } = await appWorld(mode);
    await using _ = world;
    await edit("one", { key: "bad" });
    assert.equal(dataOf("one")?.key, "good");
    assert.equal(drifted(world), undefined);
    const messages = world.board.events().map(({ message }) => message);
    assert.ok(messages.includes("ConfigMap/default/one configured (drift in /data/key)"), messages.join("\n"));
  }
});

Deno.test("drift is told by resource and field, once, and nothing is written, where the document says warn", async () => {
  const { world, cluster, edit, dataOf } = await appWorld("warn");
  await using _ = world;
  const writes = cluster.writes.filter((line) => !line.includes("/leases/")).length;
  await edit("one", { key: "bad", other: "bad" });
  const message = "Cluster state of Kustomization default/app has drifted from the desired state:\n" +
    "ConfigMap/default/one changed: /data/key, /data/other";
  assert.deepEqual([drifted(world)?.status, drifted(world)?.reason, drifted(world)?.message], [
    "True",
    "DriftDetected",
    message,
  ]);
  world.expectReady(app);
  await world.advance(30 * minuteMs);
  await world.reconcile(app);
  assert.deepEqual(told(world), [message]);

  cluster.put(path("two"), undefined);
  await world.advance(1_000);
  assert.match(told(world).join("\n"), /ConfigMap\/default\/two removed$/);
  assert.equal(cluster.writes.filter((line) => !line.includes("/leases/")).length, writes);
  assert.deepEqual([dataOf("one")?.key, dataOf("two")], ["bad", undefined]);
});

Deno.test("where drift is only told, a change of the artifact is applied, and what comes back is told too", async () => {
  const { world, edit, dataOf } = await appWorld("warn");
  await using _ = world;
  await edit("one", { key: "bad" });
  assert.equal(drifted(world)?.status, "True");
  await edit("one", { key: "good" });
  assert.deepEqual([drifted(world)?.status, drifted(world)?.reason], ["False", "NoDriftDetected"]);

  await edit("one", { other: "bad" });
  put(world, "new");
  await world.reconcile("OCIRepository/default/app");
  assert.deepEqual(dataOf("one"), { key: "new", other: "1", scaled: "1" });
  assert.equal(dataOf("two")?.key, "new");
  assert.equal(drifted(world)?.status, "False");
  world.expectReady(app);
});

Deno.test("where drift is only told, each further change of it is, and that a person has undone it", async () => {
  const { world, cluster, edit } = await appWorld("warn");
  await using _ = world;
  const writes = cluster.writes.filter((line) => !line.includes("/leases/")).length;
  const message = () => [drifted(world)?.status, drifted(world)?.message.split("\n")[1]];
  await edit("one", { key: "bad", other: "bad" }, "kubectl-edit");
  assert.deepEqual(message(), ["True", "ConfigMap/default/one changed: /data/key, /data/other"]);
  await edit("one", { key: "good" }, "kubectl-edit");
  assert.deepEqual(message(), ["True", "ConfigMap/default/one changed: /data/other"]);
  await edit("one", { other: "1" }, "kubectl-edit");
  assert.equal(drifted(world)?.status, "False", "by value it is as it was, whoever set it");
  await edit("two", { more: "1" }, "kubectl-edit");
  assert.deepEqual(message(), ["True", "ConfigMap/default/two changed: /data/more"]);
  assert.equal(cluster.writes.filter((line) => !line.includes("/leases/")).length, writes);
  world.expectReady(app);
});

Deno.test("the fields of spec.ignore are no drift, in whatever mode", async () => {
  const ignore = [{ paths: ["/data/scaled"], target: { kind: "ConfigMap" } }];
  for (const mode of ["warn", "enabled"]) {
    const { world, edit, dataOf } = await appWorld(mode, { ignore });
    await using _ = world;
    await edit("one", { scaled: "5" });
    assert.equal(drifted(world), undefined, mode);
    await edit("one", { key: "bad" });
    assert.deepEqual([dataOf("one")?.key, dataOf("one")?.scaled], [mode === "warn" ? "bad" : "good", "5"]);
    if (mode === "warn") assert.match(drifted(world)?.message ?? "", /one changed: \/data\/key$/);
  }
});

Deno.test("where drift is disabled nobody looks at it, and a change of the document applies all", async () => {
  const { world, cluster, edit, dataOf } = await appWorld("disabled");
  await using _ = world;
  await edit("one", { key: "bad" });
  await world.advance(30 * minuteMs);
  assert.deepEqual([dataOf("one")?.key, drifted(world)], ["bad", undefined]);
  await world.stop();
  await world.run();
  assert.equal(dataOf("one")?.key, "bad", "after a restart, too");

  await write(world, undefined);
  await world.reload();
  await world.advance(15 * minuteMs);
  assert.equal(dataOf("one")?.key, "good");
  assert.ok(cluster.object(path("two")));
});

Deno.test("with ownership pilotfish everything carries our own name, and a start with the other one hands it over", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  const env: Record<string, string> = { PILOTFISH_OWNERSHIP: "pilotfish" };
  const world = new World({ clock, cluster, env });
  await using _ = world;
  put(world, "good");
  const template = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  text: {{ .Values.text }}\n";
  putWebChart(world, "1.0.0", template);
  await world.write(
    "app.yaml",
    ociRepository("app", "org/app"),
    kustomization("app", "app"),
    ociRepository("chart", "charts/web", { ref: { tag: "1.0.0" } }),
    {
      apiVersion: "helm.toolkit.fluxcd.io/v2",
      kind: "HelmRelease",
      metadata: { name: "web", namespace: "default" },
      spec: {
        interval: "10m",
        chartRef: { kind: "OCIRepository", name: "chart" },
        driftDetection: { mode: "disabled" },
      },
    },
  );
  const marks = () =>
    ["one", "web"].map((name) => {
      const metadata = cluster.object(path(name))?.metadata as JsonObject;
      const managers = (metadata.managedFields as readonly JsonObject[]).map(({ manager }) => manager);
      const owners = Object.keys(metadata.labels as JsonObject).filter((key) => key.endsWith("/name"));
      return [metadata.uid, ...managers, ...owners];
    });
  await world.run();
  world.expectReady(app, "HelmRelease/default/web");
  const [one, web] = marks().map(([uid]) => uid);
  assert.deepEqual(marks(), [
    [one, "pilotfish", "kustomize.pilotfish.dev/name"],
    [web, "pilotfish", "helm.pilotfish.dev/name"],
  ]);
  await world.stop();
  delete env.PILOTFISH_OWNERSHIP;
  await world.run();
  world.expectReady(app, "HelmRelease/default/web");
  assert.deepEqual(marks(), [
    [one, "kustomize-controller", "kustomize.toolkit.fluxcd.io/name"],
    [web, "kustomize-controller", "helm.toolkit.fluxcd.io/name"],
  ]);
  assert.deepEqual(world.status("HelmRelease/default/web").warnings, []);
  const { length } = cluster.writes;
  await world.advance(30 * minuteMs);
  assert.deepEqual(cluster.writes.slice(length).filter((line) => !line.includes("/leases/")), []);
});
