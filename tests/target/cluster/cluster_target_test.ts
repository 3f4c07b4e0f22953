import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { subtract } from "../../../src/core/inventory.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Resource } from "../../../src/core/resource.ts";
import { refOf } from "../../../src/core/resource.ts";
import type { TargetOptions, WatchedChange } from "../../../src/core/target.ts";
import type { ClusterTarget } from "../../../src/target/cluster/cluster_target.ts";
import { definition } from "../../support/documents.ts";
import { FaultInjectingApi } from "../../support/fault_injecting_api.ts";
import { requestOf, TargetBench } from "../../support/target_bench.ts";

const { signal } = new AbortController();
const owner = { kind: "Kustomization", namespace: "default", name: "apps" };
const path = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`;

function configMap(name: string, data: Readonly<Record<string, string>> = {}, metadata: JsonObject = {}): Resource {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default", ...metadata }, data };
}

function deployment(name: string, spec: JsonObject = {}): Resource {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "default" },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "x:1" }] } },
      ...spec,
    },
  };
}

Deno.test("apply() writes the inventory before it creates, and a second pass writes nothing", async () => {
  using bench = new TargetBench();
  const resources = [configMap("a", { k: "1" }), deployment("web")];

  const applied = await bench.apply(owner, resources);

  deepEqual(applied.changes.map((change) => [change.ref.name, change.action]), [["a", "created"], ["web", "created"]]);
  equal(bench.cluster.writes[0], `PATCH ${path("pilotfish.kustomization.default.apps")}`);
  const before = bench.cluster.writes.length;
  const again = await bench.apply(owner, resources);
  deepEqual([...new Set(again.changes.map((change) => change.action))], ["unchanged"]);
  equal(await bench.stands(owner), true);
  equal(await bench.stands(owner, "inputs", bench.another()), true, "after a restart too");
  equal(bench.cluster.writes.length, before);
});

Deno.test("apply() lets go what is stale where nothing is pruned", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("kept"), configMap("left")]);
  const previous = await bench.run(bench.target.remembered(owner)) ?? { entries: [] };
  equal(previous.entries.length, 2);
  await bench.run(
    bench.target.apply({ ...requestOf(owner, [configMap("kept")]), previous, releasesStale: true }, signal),
  );
  deepEqual((await bench.run(bench.another().remembered(owner)))?.entries.map(({ id }) => id), [
    "default_kept__ConfigMap",
  ]);
  ok(bench.cluster.object(path("left")));
});

Deno.test("remembered() of many new owners reads each set of labels once", async () => {
  using bench = new TargetBench();
  const owners = Array.from({ length: 8 }, (_, index) => ({ ...owner, name: `new-${index}` }));
  await bench.run(Promise.all(owners.map((one) => bench.target.remembered(one))));
  const lists = bench.cluster.requests.filter(({ path }) => path === "/api/v1/secrets");
  deepEqual(lists.map(({ query }) => query.labelSelector).sort(), [
    "kustomize.pilotfish.dev/name",
    "kustomize.toolkit.fluxcd.io/name",
  ]);
});

Deno.test("apply() of the very same writes a lost inventory again, and sees drift", async () => {
  using bench = new TargetBench();
  const resources = [configMap("a", { k: "1" }), configMap("b", { k: "1" })];
  await bench.apply(owner, resources);
  await bench.apply(owner, resources);
  const { length } = bench.cluster.writes;

  const inventory = path("pilotfish.kustomization.default.apps");
  bench.cluster.put(inventory, undefined);
  await bench.run(bench.target.remembered(owner));
  await bench.apply(owner, resources);
  deepEqual(bench.cluster.writes.slice(length), [`PATCH ${inventory}`]);

  bench.cluster.put(path("b"), { ...bench.cluster.object(path("b")), data: { k: "drifted" } });
  await bench.clock.advance(100);
  const corrected = await bench.apply(owner, resources);
  deepEqual(corrected.changes.map((change) => change.action), ["unchanged", "configured"]);
});

Deno.test("apply() needs one list and one watch per kind for all owners", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, Array.from({ length: 30 }, (_, index) => configMap(`a-${index}`)));
  bench.cluster.requests.length = 0;
  const target = bench.another();

  equal(await bench.stands(owner, "inputs", target), true);

  equal(target.openViews, 1);
  const seen = bench.cluster.requests.filter((item) => item.path === "/api/v1/configmaps");
  equal(seen.length, 2, "a list and a watch");
  equal(bench.cluster.requests.filter((item) => item.path.includes("a-")).length, 0);
});

Deno.test("apply() reports the faults of all resources together and writes none of them", async () => {
  using bench = new TargetBench();
  const resources = [
    configMap("fine"),
    configMap("Bad_Name"),
    deployment("web", { template: { spec: { containers: [{ name: "main" }] } } }),
    { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w", namespace: "default" } },
  ];

  await rejects(bench.apply(owner, resources), (error: Error & { reason?: string }) => {
    equal(error.reason, "ReconciliationFailed");
    equal(error.message.split("\n").length, 3);
    match(error.message, /ConfigMap\/default\/Bad_Name dry-run failed \(Invalid\)/);
    match(error.message, /Deployment\/default\/web dry-run failed \(Invalid\): .*image/);
    match(error.message, /Widget\/default\/w cannot be applied: .*CustomResourceDefinition installed\?/);
    return true;
  });
  equal(bench.cluster.object(path("fine")), undefined);
});

Deno.test("apply() finds a kind that a CRD of the same pass defines", async () => {
  using bench = new TargetBench();
  const crd = definition("widgets.example.com", "Widget") as Resource;
  const widget: Resource = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" }, spec: { size: 1 } };

  const applied = await bench.apply(owner, [widget, crd]);

  deepEqual(applied.inventory.entries.map((entry) => entry.id), [
    "_widgets.example.com_apiextensions.k8s.io_CustomResourceDefinition",
    "default_w_example.com_Widget",
  ]);
});

Deno.test("apply() drops null labels and moves stringData into data", async () => {
  using bench = new TargetBench();
  const secret: Resource = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: "default", labels: { gone: null }, creationTimestamp: null },
    stringData: { key: "value" },
  };

  await bench.apply(owner, [secret]);

  const live = bench.cluster.object("/api/v1/namespaces/default/secrets/s");
  deepEqual(live?.data, { key: btoa("value") });
  equal("gone" in ((live?.metadata as JsonObject).labels as JsonObject), false);
});

Deno.test("apply() recreates what is immutable only with force, and only when the new body passes", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [deployment("web")]);
  const uid = (bench.cluster.object("/apis/apps/v1/namespaces/default/deployments/web")?.metadata as JsonObject).uid;
  const other = { selector: { matchLabels: { app: "other" } } };

  await rejects(bench.apply(owner, [deployment("web", other)]), /immutable/);
  const broken = { ...other, template: { spec: { containers: [{ name: "main" }] } } };
  await rejects(bench.apply(owner, [deployment("web", broken)], { force: true }), /Required value/);
  equal((bench.cluster.object("/apis/apps/v1/namespaces/default/deployments/web")?.metadata as JsonObject).uid, uid);

  const applied = await bench.apply(owner, [deployment("web", other)], { force: true });
  equal(applied.changes[0]?.action, "recreated");
});

Deno.test("apply() leaves ignored fields to others, whoever sets them", async () => {
  using bench = new TargetBench();
  const options: TargetOptions = { ignore: [{ paths: ["/spec/replicas"], target: { kind: "Deploy.*" } }] };
  const at = "/apis/apps/v1/namespaces/default/deployments/web";
  await bench.apply(owner, [deployment("web", { replicas: 1 })], options);
  const live = bench.cluster.object(at) as JsonObject;
  bench.cluster.put(at, { ...live, spec: { ...live.spec as JsonObject, replicas: 5 } }, "autoscaler");

  const unchanged = await bench.apply(owner, [deployment("web", { replicas: 1 })], options);
  equal(unchanged.changes[0]?.action, "unchanged");
  const changed = await bench.apply(owner, [deployment("web", { replicas: 1, paused: true })], options);

  equal(changed.changes[0]?.action, "configured");
  equal((bench.cluster.object(at)?.spec as JsonObject).replicas, 5);
});

Deno.test("apply() takes over what kubectl applied and clears its annotation", async () => {
  using bench = new TargetBench();
  bench.cluster.put(path("a"), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "a",
      namespace: "default",
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" },
    },
    data: { old: "1", kept: "2" },
  }, "kubectl-client-side-apply");

  await bench.apply(owner, [configMap("a", { kept: "2" })]);

  const live = bench.cluster.object(path("a")) as JsonObject;
  deepEqual(live.data, { kept: "2" });
  const metadata = live.metadata as JsonObject;
  deepEqual(metadata.annotations ?? {}, {});
  deepEqual((metadata.managedFields as readonly JsonObject[]).map((row) => [row.manager, row.operation]), [
    ["kustomize-controller", "Apply"],
  ]);
});

Deno.test("watch() tells drift with its fields, deletion, and nothing of our own writes", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("a", { k: "1", l: "2" }), configMap("b")]);
  const told: WatchedChange[] = [];
  const stop = new AbortController();
  bench.target.watch?.(owner, (change) => told.push(change), stop.signal);
  await bench.clock.advance(1_000);
  const live = bench.cluster.object(path("a")) as JsonObject;

  bench.cluster.put(path("a"), { ...live, data: { k: "changed", l: "2" } });
  await bench.clock.advance(10);
  bench.cluster.put(path("b"), undefined);
  await bench.clock.advance(10);
  deepEqual(told.map((change) => change.kind === "drift" && [change.ref.name, change.fields]), [
    ["a", ["/data/k"]],
    ["b", []],
  ]);

  const applied = await bench.apply(owner, [configMap("a", { k: "1", l: "2" }), configMap("b")]);
  deepEqual(applied.changes.map((change) => [change.action, change.drifted]), [
    ["configured", ["/data/k"]],
    ["created", undefined],
  ]);
  const changed = await bench.apply(owner, [configMap("a", { k: "2", l: "2" }), configMap("b")]);
  deepEqual(changed.changes.map((change) => [change.action, change.drifted]), [
    ["configured", undefined],
    ["unchanged", undefined],
  ]);
  await bench.clock.advance(1_000);
  equal(told.length, 2);
  // A field that is not ours is not drift.
  bench.cluster.put(path("b"), { ...bench.cluster.object(path("b")), immutable: false } as JsonObject);
  await bench.clock.advance(1_000);
  equal(told.length, 2);
  stop.abort(new Error("enough"));
});

Deno.test("watch() tells each change of what has drifted, and that it was undone; not what its controller writes", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("a", { k: "1", l: "2" })]);
  const told: WatchedChange[] = [];
  const stop = new AbortController();
  bench.target.watch?.(owner, (change) => told.push(change), stop.signal);
  await bench.clock.advance(1_000);
  const edit = async (more: JsonObject, manager?: string) => {
    bench.cluster.put(path("a"), { ...bench.cluster.object(path("a")), ...more } as JsonObject, manager);
    await bench.clock.advance(1_000);
    return told.length;
  };
  equal(await edit({ data: { k: "x", l: "x" } }, "kubectl-edit"), 1);
  equal(await edit({ status: { seen: "1" } }), 1);
  equal(
    await edit({ data: { k: "1", l: "x" } }, "kubectl-edit"),
    2,
    "what was ours is another's now, whatever it says",
  );
  stop.abort(new Error("enough"));

  const later = new AbortController();
  bench.target.watch?.(owner, (change) => told.push(change), later.signal);
  await bench.clock.advance(1_000);
  equal(told.length, 2, "a later watch tells nothing twice");
  equal(await edit({ data: { k: "1", l: "2" } }, "kubectl-edit"), 3);
  later.abort(new Error("enough"));

  await bench.apply(owner, [configMap("a", { k: "1", l: "2" })]);
  const last = new AbortController();
  bench.target.watch?.(owner, (change) => told.push(change), last.signal);
  await bench.clock.advance(1_000);
  equal(told.length, 3);
  equal(await edit({ data: { k: "1", l: "2", more: "3" } }, "kubectl-edit"), 4);
  equal(await edit({ data: { k: "1", l: "2" } }, "kubectl-edit"), 5);
  equal(await bench.stands(owner), true, "without a trace");
  equal(await edit({ status: { seen: "2" } }), 5);
  last.abort(new Error("enough"));
});

Deno.test("watch() tells nothing of drift that a failed apply has corrected", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("a", { k: "1" }), configMap("b", { k: "1" })]);
  const told: WatchedChange[] = [];
  const stop = new AbortController();
  bench.target.watch?.(owner, (change) => told.push(change), stop.signal);
  await bench.clock.advance(1_000);
  bench.cluster.put(path("a"), { ...bench.cluster.object(path("a")), data: { k: "x" } } as JsonObject);
  await bench.clock.advance(1_000);
  equal(told.length, 1);
  bench.refuse(9, (request) => request.path === path("b") && request.method === "PATCH" && !request.query.dryRun, {
    code: 403,
    reason: "Forbidden",
    message: "no",
  });
  await rejects(bench.apply(owner, [configMap("a", { k: "1" }), configMap("b", { k: "2" })]));
  deepEqual(bench.cluster.object(path("a"))?.data, { k: "1" });
  await bench.clock.advance(1_000);
  equal(told.length, 1);
  stop.abort(new Error("enough"));
});

Deno.test("watch() catches up after the connection broke and after 410 Gone", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("a", { k: "1" })]);
  const told: WatchedChange[] = [];
  const stop = new AbortController();
  bench.target.watch?.(owner, (change) => told.push(change), stop.signal);
  await bench.clock.advance(1_000);

  bench.cluster.dropWatches();
  const live = bench.cluster.object(path("a")) as JsonObject;
  bench.cluster.put(path("a"), { ...live, data: { k: "changed" } });
  await bench.clock.advance(5_000);
  equal(told.length, 1, "missed while the connection was down");

  await bench.apply(owner, [configMap("a", { k: "1" })]);
  bench.cluster.dropWatches();
  bench.cluster.put(path("a"), undefined);
  bench.cluster.compact();
  await bench.clock.advance(60_000);
  equal(told.length, 2, "missed while the server forgot");
  stop.abort(new Error("enough"));
});

Deno.test("stands() is false after drift, for other inputs, and when a sweep is due", async () => {
  using bench = new TargetBench({ sweepMs: 60_000 });
  await bench.apply(owner, [configMap("a", { k: "1" })]);
  const stands = (inputs = "inputs") => bench.stands(owner, inputs);

  equal(await stands(), true);
  equal(await stands("others"), false);
  await bench.clock.advance(120_000);
  equal(await stands(), false, "a sweep is due");
  await bench.apply(owner, [configMap("a", { k: "1" })]);
  equal(await stands(), true);
  const live = bench.cluster.object(path("a")) as JsonObject;
  bench.cluster.put(path("a"), { ...live, data: { k: "changed" } });
  await bench.clock.advance(100);
  equal(await stands(), false);
});

Deno.test("remembered() finds a lost inventory by labels, without copies that controllers made", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(owner, [configMap("a"), deployment("web")]);
  bench.cluster.put(path("pilotfish.kustomization.default.apps"), undefined);
  const labels = (configMap("x").metadata as JsonObject).labels as JsonObject;
  bench.cluster.put(path("copy"), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "copy", namespace: "default", labels },
  });

  deepEqual(await bench.run(bench.another().remembered(owner)), applied.inventory);
});

Deno.test("remove() deletes what is ours, lets go what is not, and keeps what fails", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(owner, ["a", "b", "c", "d"].map((name) => configMap(name)));
  const live = bench.cluster.object(path("b")) as JsonObject;
  bench.cluster.put(path("b"), { ...live, metadata: { ...live.metadata as JsonObject, labels: {} } });
  bench.cluster.put(path("c"), undefined);
  bench.cluster.allow = ({ verb, path: at }) => !(verb === "delete" && at.endsWith("/d"));

  const removed = await bench.run(bench.target.remove(owner, applied.inventory.entries, {}, signal));

  deepEqual(removed.removed.map((change) => change.ref.name).sort(), ["a", "c"]);
  deepEqual(removed.released.map((item) => item.entry.id), ["default_b__ConfigMap"]);
  deepEqual(removed.kept.map((item) => [item.entry.id, item.reason]), [["default_d__ConfigMap", "failed"]]);
  deepEqual((await bench.run(bench.target.remembered(owner)))?.entries.map((entry) => entry.id), [
    "default_d__ConfigMap",
  ]);
});

Deno.test("remove() never follows an entry without the namespace that its kind has", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("a")]);

  const removed = await bench.run(bench.target.remove(
    owner,
    [
      { id: "_a__ConfigMap", v: "v1" },
      { id: "default_default__Namespace", v: "v1" },
    ],
    { isWholeRemoval: true },
    signal,
  ));

  equal(removed.removed.length, 0);
  equal(removed.released.length, 2);
});

Deno.test("remove() keeps more than half of more than ten until it is confirmed", async () => {
  using bench = new TargetBench();
  const resources = Array.from({ length: 12 }, (_, index) => configMap(`a-${index}`));
  const applied = await bench.apply(owner, resources);
  const stale = applied.inventory.entries.slice(0, 7);

  const guarded = await bench.run(bench.target.remove(owner, stale, {}, signal));
  equal(guarded.removed.length, 0);
  match(guarded.kept[0]?.message ?? "", /7 of 12 resources would be deleted.*pilotfish\.dev\/prune: confirmed/);
  equal((await bench.run(bench.target.remove(owner, stale.slice(0, 6), {}, signal))).removed.length, 6);
  equal((await bench.run(bench.target.remove(owner, stale, { pruneConfirmed: true }, signal))).removed.length, 7);
});

Deno.test("remove() waits for finalizers and keeps what is still going", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(owner, [configMap("held", {}, { finalizers: ["example.com/hold"] })]);

  const removed = await bench.run(bench.target.remove(owner, applied.inventory.entries, {}, signal));

  deepEqual(removed.kept.map((item) => [item.reason, item.message]), [
    ["terminating", "ConfigMap/default/held is still being deleted, held by finalizers example.com/hold"],
  ]);
});

Deno.test("wait() ends by the watch, fails early, and names what is missing at the end of its time", async () => {
  using bench = new TargetBench();
  const at = "/apis/apps/v1/namespaces/default/deployments/web";
  const refs = [refOf(deployment("web"))];
  await bench.apply(owner, [deployment("web")]);
  const wait = (timeoutMs: number) => bench.target.wait({ owner, refs, timeoutMs }, signal);
  const status = (value: JsonObject) =>
    bench.cluster.put(at, { ...bench.cluster.object(at), status: value } as JsonObject);

  await rejects(
    bench.run(wait(3_000)),
    /timeout waiting for: \[Deployment\/default\/web status: 'InProgress': Replicas: 0\/1\]/,
  );
  const failing = wait(60_000);
  failing.catch(() => {});
  await bench.clock.advance(100);
  status({ conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded", message: "x" }] });
  await rejects(bench.run(failing), /failed early due to stalled resources.*Progress deadline exceeded/);
  const good = wait(60_000).catch((error) => error);
  status({
    observedGeneration: 1,
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
    conditions: [{ type: "Available", status: "True" }],
  });
  deepEqual((await bench.run(wait(60_000))).map((health) => health.status), ["Current"]);
  await bench.run(good);
});

Deno.test("wait() does not take back what the watch told while an older answer was on its way", async () => {
  using bench = new TargetBench();
  const at = "/apis/apps/v1/namespaces/default/deployments/web";
  const other = "/apis/apps/v1/namespaces/default/deployments/other";
  const resources = [deployment("web"), deployment("other")];
  await bench.apply(owner, resources);
  const ready = {
    observedGeneration: 1,
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
    conditions: [{ type: "Available", status: "True" }],
  };
  const isReady = (path: string) =>
    bench.cluster.put(path, { ...bench.cluster.object(path), status: ready } as JsonObject);
  const waiting = bench.target.wait({ owner, refs: resources.map(refOf), timeoutMs: 60_000 }, signal);
  bench.clock.after(5_000, () => isReady(other));
  bench.cluster.intercept = ({ method, path: asked }) => {
    if (method !== "GET" || asked !== at) return undefined;
    bench.cluster.intercept = undefined;
    const older = new TextEncoder().encode(JSON.stringify(bench.cluster.object(at)));
    isReady(at);
    return new Response(
      new ReadableStream({
        async start(controller) {
          await bench.clock.sleep(2_000);
          controller.enqueue(older);
          controller.close();
        },
      }),
    );
  };
  deepEqual((await bench.run(waiting)).map((health) => health.status), ["Current", "Current"]);
  equal(bench.cluster.intercept, undefined, "the answer was held");
});

Deno.test("wait() fails a StatefulSet when one of its Pods has failed, and says which", async () => {
  using bench = new TargetBench();
  const set = {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace: "default" },
    spec: { selector: { matchLabels: { app: "db" } }, template: { metadata: { labels: { app: "db" } } } },
  };
  await bench.apply(owner, [set]);
  const waiting = bench.target.wait({ owner, refs: [refOf(set)], timeoutMs: 60_000 }, signal);
  waiting.catch(() => {});
  await bench.clock.advance(100);

  bench.cluster.put("/api/v1/namespaces/default/pods/db-0", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "db-0", namespace: "default", labels: { app: "db" } },
    status: {
      phase: "Running",
      containerStatuses: [{
        name: "main",
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: 2, reason: "Error", message: "no disk" } },
      }],
    },
  });

  await rejects(bench.run(waiting), (error: Error) => {
    match(error.message, /failed early due to stalled resources: \[StatefulSet\/default\/db status: 'Failed'/);
    match(
      error.message,
      /Pod db-0: container main waits in CrashLoopBackOff; ended with exit code 2 \(Error\): no disk/,
    );
    return true;
  });
});

Deno.test("wait() looks only at what was applied, and never at what was left alone", async () => {
  using bench = new TargetBench();
  const mark = { annotations: { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" } };
  const resources = [configMap("a"), { ...deployment("off"), metadata: { ...deployment("off").metadata, ...mark } }];
  await bench.apply(owner, resources);

  const health = await bench.run(bench.target.wait({ owner, refs: resources.map(refOf), timeoutMs: 5_000 }, signal));

  deepEqual(health.map(({ ref, status }) => [ref.name, status]), [["a", "Current"]]);
});

Deno.test("wait() counts a Job that removed itself as done", async () => {
  using bench = new TargetBench();
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "j", namespace: "default" },
    spec: { ttlSecondsAfterFinished: 0, template: {} },
  };
  await bench.apply(owner, [job]);
  const waiting = bench.target.wait({ owner, refs: [refOf(job)], timeoutMs: 60_000 }, signal);
  await bench.clock.advance(100);
  bench.cluster.put("/apis/batch/v1/namespaces/default/jobs/j", undefined);

  equal((await bench.run(waiting))[0]?.status, "Current");
});

Deno.test("apply() with createOnly makes what is missing and leaves what is there", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("a", { k: "1" })]);

  const applied = await bench.apply(owner, [configMap("a", { k: "2" }), configMap("b")], { createOnly: true });

  deepEqual(applied.changes.map((change) => [change.ref.name, change.action]), [["a", "unchanged"], ["b", "created"]]);
  deepEqual(bench.cluster.object(path("a"))?.data, { k: "1" });
});

Deno.test("an API server that is overloaded or away is waited for", async () => {
  using bench = new TargetBench();
  let refusals = 3;
  bench.cluster.intercept = ({ method }) => {
    if (method !== "PATCH" || refusals-- <= 0) return undefined;
    if (refusals === 1) throw new TypeError("connection refused");
    return new Response("{}", { status: 429, headers: { "retry-after": "1" } });
  };

  const applied = await bench.apply(owner, [configMap("a")]);

  equal(applied.changes[0]?.action, "created");
  bench.cluster.intercept = () => {
    throw new TypeError("connection refused");
  };
  await rejects(bench.apply(owner, [configMap("b")]), (error: Error & { reason?: string }) => {
    equal(error.reason, "ReconciliationFailed");
    match(error.message, /Cannot reach API server "https:\/\/fake": connection refused/);
    return true;
  });
});

Deno.test("a pass that is killed at any call ends in the same state", async () => {
  const first = [configMap("a", { v: "1" }), configMap("b"), deployment("web")];
  const second = [configMap("a", { v: "2" }), configMap("c"), deployment("web", { paused: true })];
  const pass = async (bench: TargetBench, target: ClusterTarget, resources: readonly Resource[]) => {
    const previous = await bench.run(target.remembered(owner)) ?? { entries: [] };
    const applied = await bench.run(target.apply({ ...requestOf(owner, resources), previous }, signal));
    await bench.run(target.remove(owner, subtract(previous, applied.inventory), {}, signal));
  };
  const state = (bench: TargetBench) =>
    ["a", "b", "c"].map((name) => (bench.cluster.object(path(name)) as JsonObject | undefined)?.data ?? null);
  using model = new TargetBench();
  await pass(model, model.target, first);
  const counting = new FaultInjectingApi(model.cluster.api());
  await pass(model, model.another({ api: counting }), second);
  const wanted = [state(model), await model.run(model.another().remembered(owner))];
  ok(counting.calls > 10);

  for (let killAt = 1; killAt <= counting.calls; killAt++) {
    for (const isAfter of [false, true]) {
      using bench = new TargetBench();
      await pass(bench, bench.target, first);
      const api = new FaultInjectingApi(bench.cluster.api(), { killAt, isAfter });
      await pass(bench, bench.another({ api }), second).catch(() => {});
      const next = bench.another();
      await pass(bench, next, second);
      deepEqual(
        [state(bench), await bench.run(next.remembered(owner))],
        wanted,
        `killed at ${killAt}, after: ${isAfter}`,
      );
    }
  }
});

Deno.test("an account of one namespace can work in it", async () => {
  using bench = new TargetBench();
  bench.cluster.allow = ({ namespace, plural }) => namespace === "default" && plural !== "namespaces";

  const applied = await bench.apply(owner, Array.from({ length: 10 }, (_, index) => configMap(`a-${index}`)));

  equal(applied.changes.length, 10);
  equal(await bench.stands(owner), true);
});

Deno.test("serviceAccountName acts as the account for every write", async () => {
  using bench = new TargetBench();
  const metadata = { name: "tenant", namespace: "default" };
  bench.cluster.put("/api/v1/namespaces/default/serviceaccounts/tenant", {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata,
  });

  await bench.apply(owner, [configMap("a")], { serviceAccountName: "tenant" });

  const users = bench.cluster.requests.filter((item) => item.path === path("a")).map((item) => item.user);
  deepEqual([...new Set(users)], ["system:serviceaccount:default:tenant"]);
  await rejects(bench.apply(owner, [configMap("a")], { serviceAccountName: "" }), /serviceAccountName is empty/);
});

Deno.test("plan() shows what would change with secrets masked, and writes nothing", async () => {
  using bench = new TargetBench();
  const secret = (value: string): Resource => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: "default" },
    stringData: { k: value },
  });
  const applied = await bench.apply(owner, [configMap("a"), configMap("gone"), secret("hunter22")]);
  const before = bench.cluster.writes.length;

  const planned = await bench.run(bench.target.plan({
    ...requestOf(owner, [configMap("a"), configMap("new"), secret("hunter23")]),
    previous: applied.inventory,
  }, signal));

  deepEqual(planned.map((change) => [change.ref.name, change.action]), [
    ["a", "unchanged"],
    ["gone", "delete"],
    ["new", "create"],
    ["s", "update"],
  ]);
  ok(!JSON.stringify(planned).includes(btoa("hunter22")));
  equal(bench.cluster.writes.length, before);
});
