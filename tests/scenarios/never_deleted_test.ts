/** What must not be deleted from a cluster, whatever happens to documents, artifacts and clusters. */
import assert from "node:assert/strict";
import type { JsonObject } from "../../src/core/json.ts";
import { configMap, kustomization, ociRepository, yamlOf } from "../support/documents.ts";
import * as faults from "../support/registry_faults.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeCluster } from "../support/fake_cluster.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const maps = "/api/v1/namespaces/default/configmaps";

function clusterWorld(env: Readonly<Record<string, string>> = {}): World {
  const clock = new FakeClock();
  return new World({ clock, cluster: new FakeCluster(clock), env });
}

/** Puts ConfigMaps of these names, or other documents, into an artifact. */
function put(world: World, repository: string, ...content: readonly (string | JsonObject)[]): void {
  const documents = content.map((item) => typeof item === "string" ? configMap(item, { name: item }) : item);
  world.registry.put({
    repository: `org/${repository}`,
    tag: "latest",
    files: documents.length === 0 ? { "readme.txt": "nothing here" } : { "all.yaml": yamlOf(...documents) },
  });
}

function cluster(world: World): FakeCluster {
  assert.ok(world.cluster);
  return world.cluster;
}

/** Deletions that the cluster saw, without our own bookkeeping. */
function deletions(world: World): readonly string[] {
  return cluster(world).writes.filter((line) => line.startsWith("DELETE") && !line.includes("/pilotfish."));
}

function uid(world: World, name: string): string {
  const object = cluster(world).object(`${maps}/${name}`);
  return String((object?.metadata as JsonObject | undefined)?.uid ?? "gone");
}

async function appWorld(...names: readonly string[]): Promise<World> {
  const world = clusterWorld();
  put(world, "app", ...names);
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app"));
  await world.run();
  world.expectReady("Kustomization/default/app");
  return world;
}

Deno.test("a resource that moves between two Kustomizations of an artifact is never deleted, whoever runs first", async () => {
  for (const [from, to] of [["a", "z"], ["z", "a"]] as const) {
    await using world = clusterWorld();
    const tree = (mine: readonly string[], theirs: readonly string[]) =>
      world.registry.put({
        repository: "org/app",
        tag: "latest",
        files: {
          [`${from}/all.yaml`]: yamlOf(...mine.map((name) => configMap(name, {}))),
          [`${to}/all.yaml`]: yamlOf(...theirs.map((name) => configMap(name, {}))),
        },
      });
    tree(["moved", "stays", "goes"], ["other"]);
    await world.write(
      "app.yaml",
      ociRepository("app", "org/app"),
      ...[from, to].map((name) => kustomization(name, "app", { path: `./${name}` })),
    );
    await world.run();
    const before = uid(world, "moved");

    tree(["stays"], ["other", "moved"]);
    await world.advance(3 * minuteMs);

    world.expectReady(`Kustomization/default/${from}`, `Kustomization/default/${to}`);
    assert.equal(uid(world, "moved"), before);
    assert.deepEqual(deletions(world), [`DELETE ${maps}/goes`]);
  }
});

Deno.test("a Kustomization that is renamed keeps its resources, also with its source and while the daemon is down", async () => {
  for (const isRunning of [true, false]) {
    await using world = await appWorld("one", "two");
    const before = uid(world, "one");
    if (!isRunning) await world.stop();
    await world.write("app.yaml", ociRepository("app2", "org/app"), kustomization("app2", "app2"));
    await (isRunning ? world.reload() : world.run());

    world.expectReady("Kustomization/default/app2");
    assert.equal(uid(world, "one"), before);
    assert.deepEqual(deletions(world), []);
    assert.throws(() => world.status("Kustomization/default/app"));
  }
});

Deno.test("an empty artifact, or a path to a folder without manifests, deletes nothing without a person's word", async () => {
  await using world = await appWorld("one", "two");
  put(world, "app");
  await world.advance(3 * minuteMs);
  assert.deepEqual(deletions(world), []);
  assert.match(world.status("Kustomization/default/app").warnings.join("\n"), /the build gave none at all/);
  await world.stop();
  await world.run();
  assert.deepEqual(deletions(world), [], "a restart does not forget it");

  const document = kustomization("app", "app");
  const metadata = { ...document.metadata as JsonObject, annotations: { "pilotfish.dev/prune": "confirmed" } };
  await world.write("app.yaml", ociRepository("app", "org/app"), { ...document, metadata });
  await world.reload();
  assert.equal(deletions(world).length, 2);
});

Deno.test("a source, a build, a variable or a key that fails deletes nothing", async () => {
  await using world = await appWorld("one", "two");
  const source = ociRepository("app", "org/app");
  for (
    const documents of [
      [source, kustomization("app", "app", { path: "./nowhere" })],
      [source, kustomization("app", "app", { postBuild: { substituteFrom: [{ kind: "ConfigMap", name: "no" }] } })],
      [source, kustomization("app", "app", { decryption: { provider: "sops", secretRef: { name: "no" } } })],
      [source, kustomization("app", "app", { components: ["../nowhere"] })],
      [source, kustomization("app", "app", { dependsOn: [{ name: "no" }] })],
      [source, kustomization("app", "app", { serviceAccountName: "" })],
      [ociRepository("app", "org/app", { ref: { tag: "no" } }), kustomization("app", "app")],
      [ociRepository("app", "org/nowhere"), kustomization("app", "app")],
      [kustomization("app", "app")],
      [source, kustomization("app", "app", { suspend: true, path: "./nowhere" })],
    ]
  ) {
    await world.write("app.yaml", ...documents);
    await world.reload();
    await world.advance(2 * minuteMs);
    assert.deepEqual(deletions(world), [], JSON.stringify(documents));
  }
  world.registry.fault({ path: /.*/, times: Infinity }, faults.status(500));
  await world.advance(30 * minuteMs);
  assert.deepEqual(deletions(world), []);
});

Deno.test("documents that are broken, empty, gone for a moment or read from elsewhere delete nothing", async () => {
  await using world = await appWorld("one");
  for (const text of ["}{", "", "kind: Kustomization\n", "---\n---\n"]) {
    await world.writeText("app.yaml", text);
    await world.reload();
    assert.deepEqual(deletions(world), [], text);
    await world.stop();
    await world.run();
    assert.deepEqual(deletions(world), [], `${text} at a start`);
  }
  await world.fileSystem.remove("/config/app.yaml");
  await world.reload();
  await world.stop();
  await world.run();
  assert.deepEqual(deletions(world), [], "an empty folder");
});

Deno.test("the last document decides what is removed, though it has never run", async () => {
  for (const spec of [{ prune: false }, { deletionPolicy: "Orphan" }, { suspend: true }]) {
    await using world = await appWorld("one");
    world.registry.fault({ path: /.*/, times: Infinity }, faults.status(500));
    await world.write("app.yaml", kustomization("app", "gone", { ...spec, path: "./x" }));
    await world.reload();
    await world.write("app.yaml", ociRepository("app", "org/app"));
    await world.reload();
    assert.deepEqual(deletions(world), [], JSON.stringify(spec));
  }
});

Deno.test("another cluster behind the same kubeconfig is not pruned by what stood in the first one", async () => {
  await using world = await appWorld("one", "two");
  await world.stop();
  const other = new FakeCluster(world.clock, "other-");
  const owner = { "kustomize.toolkit.fluxcd.io/name": "app", "kustomize.toolkit.fluxcd.io/namespace": "default" };
  for (const name of ["two", "three"]) {
    const document = configMap(name, {});
    const object = { ...document, metadata: { ...document.metadata as JsonObject, labels: owner } };
    other.put(`${maps}/${name}`, object, "kustomize-controller");
  }
  // Its own program keeps what it applied under the same name in a namespace of its own.
  other.put("/api/v1/namespaces/kube-system/configmaps/pilotfish.kustomization.default.app", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "pilotfish.kustomization.default.app",
      namespace: "kube-system",
      labels: { "pilotfish.dev/inventory": "true" },
    },
    data: {
      owner: "Kustomization/default/app",
      entries: "default_three__ConfigMap v1\ndefault_two__ConfigMap v1\n",
    },
  });
  world.cluster = other;
  put(world, "app", "one");
  await world.run();
  world.expectReady("Kustomization/default/app");
  assert.deepEqual(deletions(world), []);
  assert.match(world.lines.join("\n"), /2 resources of another target are left there: the cluster is another one/);

  // Nor by the removal of a document that ran only in the first one.
  await world.stop();
  world.cluster = new FakeCluster(world.clock, "third-");
  world.cluster.put(`${maps}/one`, { ...other.object(`${maps}/one`) as JsonObject }, "kustomize-controller");
  await world.write("app.yaml", ociRepository("app", "org/app"));
  await world.run();
  assert.deepEqual(deletions(world), []);
});

Deno.test("objects of an artifact stay while one of them cannot be read, without prune, and when too many would go", async () => {
  const fleet = (names: readonly string[], more: readonly JsonObject[] = []) => [
    ...names.map((name) => kustomization(name, "app", { path: `./${name}` })),
    ...more,
  ];
  for (
    const [spec, next] of [
      [{}, fleet(["a"], [kustomization("b", "app", { intervall: "1m", path: "./b" })])],
      [{ prune: false }, fleet(["a"])],
      [{}, []],
    ] as const
  ) {
    await using world = clusterWorld();
    world.registry.put({
      repository: "org/app",
      tag: "latest",
      files: { "a/m.yaml": yamlOf(configMap("a", {})), "b/m.yaml": yamlOf(configMap("b", {})) },
    });
    put(world, "fleet", ...fleet(["a", "b"]));
    await world.write(
      "fleet.yaml",
      ociRepository("app", "org/app"),
      ociRepository("fleet", "org/fleet"),
      kustomization("fleet", "fleet", spec),
    );
    await world.run();
    world.expectReady("Kustomization/default/a", "Kustomization/default/b");
    put(world, "fleet", ...next);
    await world.advance(3 * minuteMs);
    assert.deepEqual(deletions(world), [], JSON.stringify([spec, next.length]));
    await world.stop();
    await world.run();
    assert.deepEqual(deletions(world), [], "after a restart");
  }
});

Deno.test("a parent that leaves its resources leaves its objects, and they leave theirs", async () => {
  for (const spec of [{ prune: false }, { deletionPolicy: "Orphan" }, { suspend: true }]) {
    await using world = await appWorld("one");
    put(world, "fleet", kustomization("child", "app"), "own");
    const sources = [ociRepository("app", "org/app"), ociRepository("fleet", "org/fleet")];
    await world.write("app.yaml", ...sources, kustomization("fleet", "fleet"));
    await world.reload();
    world.expectReady("Kustomization/default/child");
    await world.write("app.yaml", ...sources, kustomization("fleet", "fleet", spec));
    await world.reload();
    await world.write("app.yaml", ...sources);
    await world.reload();
    assert.deepEqual(deletions(world), [], JSON.stringify(spec));
    assert.throws(() => world.status("Kustomization/default/child"));
  }
});

Deno.test("an object of an artifact that says it is not pruned leaves its resources when it goes", async () => {
  await using world = await appWorld("one");
  const child = kustomization("child", "app");
  const metadata = {
    ...child.metadata as JsonObject,
    annotations: { "kustomize.toolkit.fluxcd.io/prune": "disabled" },
  };
  put(world, "fleet", { ...child, metadata }, "own");
  const sources = [ociRepository("app", "org/app"), ociRepository("fleet", "org/fleet")];
  await world.write("app.yaml", ...sources, kustomization("fleet", "fleet"));
  await world.reload();
  world.expectReady("Kustomization/default/child");
  put(world, "fleet", "own");
  await world.advance(3 * minuteMs);
  assert.throws(() => world.status("Kustomization/default/child"));
  assert.deepEqual(deletions(world), []);
});

Deno.test("a lost store, a lost inventory and a lost both delete only what left the artifact", async () => {
  for (const lost of ["store", "inventory", "both"]) {
    await using world = await appWorld("one", "two", "three");
    await world.stop();
    if (lost !== "inventory") {
      for (const { name } of await world.fileSystem.list("/var/state") ?? []) {
        await world.fileSystem.remove(`/var/state/${name}`);
      }
    }
    if (lost !== "store") cluster(world).put(`${maps}/pilotfish.kustomization.default.app`, undefined);
    cluster(world).put(`${maps}/stranger`, configMap("stranger", {}));
    put(world, "app", "one", "two");
    await world.run();
    assert.deepEqual(deletions(world), [`DELETE ${maps}/three`], lost);
  }
});

Deno.test("an apply or health check that fails, and the next one that succeeds, delete nothing", async () => {
  for (const targetNamespace of [undefined, "default"]) {
    await using world = clusterWorld();
    const bare = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" }, data: {} };
    put(world, "app", bare, { ...bare, metadata: { name: "Bad_Name" } });
    const place = targetNamespace === undefined ? {} : { targetNamespace };
    await world.write(
      "app.yaml",
      ociRepository("app", "org/app"),
      kustomization("app", "app", {
        ...place,
        timeout: "10s",
        healthChecks: [{ apiVersion: "v1", kind: "ConfigMap", name: "later", namespace: "default" }],
      }),
    );
    await world.run();
    assert.equal(world.ready("Kustomization/default/app").reason, "ReconciliationFailed");
    put(world, "app", bare);
    await world.advance(3 * minuteMs);
    assert.equal(world.ready("Kustomization/default/app").reason, "HealthCheckFailed");
    const before = uid(world, "one");
    cluster(world).put(`${maps}/later`, configMap("later", {}));
    await world.advance(12 * minuteMs);
    world.expectReady("Kustomization/default/app");
    assert.equal(uid(world, "one"), before);
    assert.deepEqual(deletions(world), []);
  }
});

Deno.test("what other documents over the same store made stays, and is removed by its own", async () => {
  await using world = await appWorld("one");
  await world.stop();
  world.configFolder = "elsewhere";
  put(world, "other", "two");
  await world.write("other.yaml", ociRepository("other", "org/other"), kustomization("other", "other"));
  await world.run();
  world.expectReady("Kustomization/default/other");
  assert.deepEqual(deletions(world), []);
  assert.match(world.lines.join("\n"), /left as they are.*Kustomization\/default\/app/);
  await world.stop();

  world.configFolder = "config";
  await world.write("app.yaml", configMap("nothing", {}));
  await world.run();
  await world.advance(2 * minuteMs);
  assert.deepEqual(deletions(world), [`DELETE ${maps}/one`]);
});

const many = Array.from({ length: 12 }, (_, index) => `map-${index}`);

Deno.test("what a guard keeps goes when a person confirms it once, and the next such pass is kept again", async () => {
  await using world = await appWorld(...many);
  put(world, "app", "map-0");
  await world.reconcile("OCIRepository/default/app");
  await world.reconcile("Kustomization/default/app");
  assert.deepEqual(deletions(world), []);
  assert.match(
    world.status("Kustomization/default/app").warnings.join(),
    /11 of 12 resources would be deleted.*or run pilotfish reconcile KIND NAME --confirm-prune/,
  );

  await world.reconcile("Kustomization/default/app", { confirmPrune: true });
  assert.equal(deletions(world).length, 11);
  assert.deepEqual(world.status("Kustomization/default/app").warnings, []);
  put(world, "app", ...many);
  await world.reconcile("OCIRepository/default/app");
  put(world, "app", "map-0");
  await world.reconcile("OCIRepository/default/app");
  assert.equal(deletions(world).length, 11);
});

Deno.test("with noPruneGuards whatever is not wanted any more goes, with its document too", async () => {
  await using world = clusterWorld({ PILOTFISH_NO_PRUNE_GUARDS: "true" });
  const namespace: JsonObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
  put(world, "app", ...many, namespace);
  await world.write("app.yaml", ociRepository("app", "org/app"), kustomization("app", "app"));
  await world.run();
  const foreign = "/api/v1/namespaces/shop/configmaps/foreign";
  cluster(world).put(foreign, configMap("shop/foreign", {}));
  put(world, "app", "map-0", namespace);
  await world.reconcile("OCIRepository/default/app");
  assert.equal(deletions(world).length, 11);

  await world.write("app.yaml", ociRepository("app", "org/app"));
  await world.reload();
  assert.ok(deletions(world).includes("DELETE /api/v1/namespaces/shop"));
});
