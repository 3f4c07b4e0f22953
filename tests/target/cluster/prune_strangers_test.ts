/** What changed hands, or only looks like ours: one row a case, each of which a prune leaves alone. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import type { KubeApi } from "../../../src/core/kube_api.ts";
import type { Resource } from "../../../src/core/resource.ts";
import type { RemoveResult } from "../../../src/core/target.ts";
import { FakeCluster } from "../../support/fake_cluster.ts";
import { labelled, requestOf, TargetBench, thing } from "../../support/target_bench.ts";

const apps = { kind: "Kustomization", namespace: "default", name: "apps" };
const release = { kind: "HelmRelease", namespace: "default", name: "web" };
const maps = "/api/v1/namespaces/default/configmaps";
const whole = { isWholeRemoval: true };
const { signal } = new AbortController();

function map(name: string, metadata: JsonObject = {}): Resource {
  return thing("v1", "ConfigMap", name, { data: { k: "v" } }, { namespace: "default", ...metadata });
}

/** What a removal really deleted. */
function deleted(result: RemoveResult): string[] {
  return result.removed.filter(({ note }) => note === undefined).map(({ ref }) => ref.name);
}

/** Changes the metadata of an object as another manager would. */
function remark(bench: TargetBench, path: string, metadata: JsonObject, manager: string): void {
  const live = bench.cluster.object(path) as JsonObject;
  const old = live.metadata as JsonObject;
  const labels = { ...old.labels as JsonObject, ...metadata.labels as JsonObject };
  bench.cluster.put(path, { ...live, metadata: { ...old, ...metadata, labels } }, manager);
}

/** A definition of the CRD kind. */
function definition(group: string, plural: string, kind: string, version = "v1"): Resource {
  return thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", `${plural}.${group}`, {
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind },
      versions: [{ name: version, served: true, storage: true }],
    },
  });
}

Deno.test("an object that another tool or controller has marked as its own is left to it", async () => {
  const controller = { apiVersion: "bitnami.com/v1", kind: "SealedSecret", name: "a", uid: "u-1", controller: true };
  const rows: readonly (readonly [string, JsonObject, string, RegExp])[] = [
    ["Helm", { annotations: { "meta.helm.sh/release-name": "web" } }, "helm", /Helm's release "web"/],
    ["Flux's release", { labels: { "helm.toolkit.fluxcd.io/name": "web" } }, "helm-controller", /HelmRelease "web"/],
    ["Argo CD", { annotations: { "argocd.argoproj.io/tracking-id": "site:/ConfigMap:d/a" } }, "argocd", /"site"/],
    ["an apply set", { labels: { "applyset.kubernetes.io/part-of": "id-1" } }, "kubectl-applyset", /apply set "id-1"/],
    ["cli-utils", { annotations: { "config.k8s.io/owning-inventory": "inv" } }, "kpt", /inventory "inv"/],
    ["kapp", { labels: { "kapp.k14s.io/app": "1" } }, "kapp", /kapp's app "1"/],
    ["Fleet", { annotations: { "objectset.rio.cattle.io/id": "o" } }, "fleet", /object set "o"/],
    ["a controller", { ownerReferences: [controller] }, "sealed-secrets", /SealedSecret "a"/],
  ];
  for (const [who, metadata, manager, message] of rows) {
    using bench = new TargetBench();
    const applied = await bench.apply(apps, [map("a")]);
    remark(bench, `${maps}/a`, metadata, manager);

    const result = await bench.remove(apps, applied.inventory.entries, { ...whole, pruneConfirmed: true });

    deepEqual(deleted(result), [], who);
    match(result.released[0]?.message ?? "", message, who);
  }
});

Deno.test("marks that came with our own manifest take nothing away from us", async () => {
  using bench = new TargetBench();
  const owner = { apiVersion: "v1", kind: "Secret", name: "s", uid: "u-1", controller: true };
  const metadata = {
    annotations: { "meta.helm.sh/release-name": "web" },
    labels: { "kapp.k14s.io/app": "1" },
    ownerReferences: [owner],
  };
  const applied = await bench.apply(apps, [map("a", metadata)]);
  deepEqual(deleted(await bench.remove(apps, applied.inventory.entries)), ["a"]);
});

Deno.test("what its manifest said is kept, also when somebody took the mark off the object", async () => {
  for (const owner of [apps, release]) {
    using bench = new TargetBench();
    await bench.apply(owner, [map("a", { annotations: { "helm.sh/resource-policy": "keep" } }), map("b")]);
    const live = bench.cluster.object(`${maps}/a`) as JsonObject;
    bench.cluster.put(`${maps}/a`, { ...live, metadata: { ...live.metadata as JsonObject, annotations: {} } });
    // Known after a restart too.
    const fresh = bench.another();
    const known = await bench.run(fresh.remembered(owner));

    const result = await bench.remove(owner, known?.entries ?? [], whole, fresh);

    deepEqual(deleted(result), ["b"]);
    match(result.released[0]?.message ?? "", /its manifest said so/);
  }
});

Deno.test("a manifest that gives up its mark gives up the object", async () => {
  using bench = new TargetBench();
  await bench.apply(apps, [map("a", { annotations: { "helm.sh/resource-policy": "keep" } })]);
  const applied = await bench.apply(apps, [map("a")]);
  deepEqual(deleted(await bench.remove(apps, applied.inventory.entries)), ["a"]);
});

for (const to of ["another cluster", "our own"] as const) {
  Deno.test(`what a kubeConfig leaves behind when it leads to ${to} is sought nowhere else`, async () => {
    const clusters = new Map<string, FakeCluster>();
    using bench = new TargetBench({ openCluster: (text) => Promise.resolve(opened(clusters, text)) });
    for (const name of ["a", "b"]) clusters.set(name, new FakeCluster(bench.clock, `${name}-`));
    const second = to === "our own" ? {} : { kubeconfig: "b" };
    const there = to === "our own" ? bench.cluster : clusters.get("b") as FakeCluster;
    await bench.apply(apps, [map("x"), map("y")], { kubeconfig: "a" });
    // Of the same owner's name, and made there by another program.
    there.put(`${maps}/y`, labelled(apps, map("y")), "kustomize-controller");

    const plan = await bench.run(
      bench.target.plan({ ...requestOf(apps, [map("x")], second), previous: await known(bench) }, signal),
    );
    deepEqual(plan.map(({ action, ref }) => [action, ref.name]), [["create", "x"]]);
    const applied = await bench.apply(apps, [map("x")], second);
    // A restart in between knows it too.
    const fresh = bench.another({ openCluster: (text) => Promise.resolve(opened(clusters, text)) });
    const stale = (await bench.run(fresh.remembered(apps)))?.entries
      .filter(({ id }) => applied.inventory.entries.every((entry) => entry.id !== id)) ?? [];
    equal(stale.length, 1);
    const result = await bench.remove(apps, stale, second, fresh);

    deepEqual(deleted(result), []);
    match(result.released[0]?.message ?? "", /is left in the cluster where it stands/);
    ok(there.object(`${maps}/y`) && clusters.get("a")?.object(`${maps}/y`));
    deepEqual((await bench.run(fresh.remembered(apps)))?.entries.map(({ id }) => id), ["default_x__ConfigMap"]);
    deepEqual(deleted(await bench.remove(apps, applied.inventory.entries, { ...second, ...whole }, fresh)), ["x"]);
    ok(clusters.get("a")?.object(`${maps}/x`), "and it stays in the first one");
  });
}

Deno.test("a document that goes just after its kubeConfig was turned elsewhere deletes nothing there", async () => {
  const clusters = new Map<string, FakeCluster>();
  using bench = new TargetBench({ openCluster: (text) => Promise.resolve(opened(clusters, text)) });
  for (const name of ["a", "b"]) clusters.set(name, new FakeCluster(bench.clock, `${name}-`));
  const applied = await bench.apply(apps, [map("x")], { kubeconfig: "a" });
  clusters.get("b")?.put(`${maps}/x`, labelled(apps, map("x")), "kustomize-controller");

  deepEqual(deleted(await bench.remove(apps, applied.inventory.entries, { kubeconfig: "b", ...whole })), []);
});

Deno.test("a cluster under a new address is the same one", async () => {
  const clusters = new Map<string, FakeCluster>();
  using bench = new TargetBench({ openCluster: (text) => Promise.resolve(opened(clusters, text)) });
  const one = new FakeCluster(bench.clock, "a-");
  for (const name of ["a", "a.internal"]) clusters.set(name, one);
  const applied = await bench.apply(apps, [map("x"), map("y")], { kubeconfig: "a" });
  await bench.apply(apps, [map("x")], { kubeconfig: "a.internal" });
  const stale = applied.inventory.entries.filter(({ id }) => id.includes("_y_"));
  deepEqual(deleted(await bench.remove(apps, stale, { kubeconfig: "a.internal" })), ["y"]);
});

Deno.test("a 404 that is not the API server's own says nothing", async () => {
  const rows: readonly (readonly [string, (path: string) => boolean])[] = [
    ["of an object", (path) => path === `${maps}/a`],
    ["of the core group", (path) => path === "/api/v1"],
    ["of everything", () => true],
  ];
  for (const [what, fits] of rows) {
    using bench = new TargetBench();
    const applied = await bench.apply(apps, [map("a")]);
    const fresh = bench.another();
    await bench.run(fresh.remembered(apps));
    bench.cluster.intercept = ({ path }) =>
      fits(path) ? new Response("404 page not found", { status: 404 }) : undefined;
    const result = await bench.remove(apps, applied.inventory.entries, whole, fresh).catch(() => undefined);
    deepEqual([result?.removed ?? [], result?.released ?? []], [[], []], what);
    bench.cluster.intercept = undefined;
    equal((await bench.run(bench.another().remembered(apps)))?.entries.length, 1, what);
  }
});

Deno.test("objects whose definition is gone are gone, also where the server says so in its own way", async () => {
  using bench = new TargetBench();
  const widget = thing("example.com/v1", "Widget", "w", {}, { namespace: "default" });
  const applied = await bench.apply(apps, [definition("example.com", "widgets", "Widget"), widget]);
  const entry = applied.inventory.entries.filter(({ id }) => id.endsWith("_Widget"));
  bench.cluster.intercept = ({ path }) => {
    if (path === "/apis") return Response.json({ groups: [] });
    return path.startsWith("/apis/example.com") ? new Response("404 page not found", { status: 404 }) : undefined;
  };
  equal((await bench.remove(apps, entry, whole)).removed[0]?.note, "It was gone already");
});

Deno.test("a Namespace stays when something in it changes hands while it is about to go", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(apps, [thing("v1", "Namespace", "team"), map("a", { namespace: "team" })]);
  bench.cluster.intercept = ({ method, path }) => {
    if (method === "DELETE" && path.endsWith("/a")) {
      const live = bench.cluster.object(path) as JsonObject;
      bench.cluster.put(path, { ...live, metadata: { ...live.metadata as JsonObject, labels: {} } });
    }
    return undefined;
  };
  const result = await bench.remove(apps, applied.inventory.entries, whole);
  deepEqual(deleted(result), []);
  match(result.kept[0]?.message ?? "", /Namespace\/team is kept: .*ConfigMap\/team\/a/);
});

Deno.test("custom resources that are only called like fleeting things keep their Namespace", async () => {
  using bench = new TargetBench();
  const lease = thing("rent.example.com/v1", "Lease", "flat", {}, { namespace: "team" });
  await bench.apply(release, [definition("rent.example.com", "leases", "Lease")]);
  const applied = await bench.apply(apps, [thing("v1", "Namespace", "team")]);
  bench.cluster.put("/apis/rent.example.com/v1/namespaces/team/leases/flat", lease);
  match((await bench.remove(apps, applied.inventory.entries, whole)).kept[0]?.message ?? "", /Lease\/team\/flat/);
});

Deno.test("new names for everything are a deletion of everything, and stay one until it is confirmed", async () => {
  using bench = new TargetBench();
  const names = Array.from({ length: 12 }, (_, index) => `map-${index}`);
  const renamed = names.map((name) => map(`new-${name}`));
  const before = await bench.apply(apps, names.map((name) => map(name)));
  const stale = before.inventory.entries;
  await bench.apply(apps, renamed);

  const first = await bench.remove(apps, stale);
  deepEqual(deleted(first), []);
  match(first.kept[0]?.message ?? "", /12 of 12 resources would be deleted in one pass/);
  // The next pass, and the next start, know no more how much it was.
  const fresh = bench.another();
  await bench.apply(apps, renamed, {}, fresh);
  const second = await bench.remove(apps, stale, {}, fresh);
  deepEqual(deleted(second), []);
  match(second.kept[0]?.message ?? "", /more than half .* to confirm, annotate it or its owner/);
  // What is applied again is no left-over any more, and what goes then goes by itself.
  await bench.apply(apps, [...renamed, map("map-0")], {}, fresh);
  await bench.apply(apps, renamed, {}, fresh);
  deepEqual(deleted(await bench.remove(apps, stale.filter(({ id }) => id.includes("_map-0_")), {}, fresh)), ["map-0"]);
  equal(deleted(await bench.remove(apps, stale, { pruneConfirmed: true }, fresh)).length, 11);
});

Deno.test("what a Flux at work holds under the same name is left to it, until that one is suspended", async () => {
  const rows: readonly (readonly [string, JsonObject, JsonObject, readonly string[]])[] = [
    ["at work", {}, { inventory: { entries: [{ id: "default_a__ConfigMap", v: "v1" }] } }, ["b"]],
    ["suspended", { suspend: true }, { inventory: { entries: [{ id: "default_a__ConfigMap", v: "v1" }] } }, ["a", "b"]],
    ["never reconciled", {}, {}, ["a", "b"]],
  ];
  for (const [what, spec, status, gone] of rows) {
    using bench = new TargetBench();
    const group = "kustomize.toolkit.fluxcd.io";
    await bench.apply(release, [definition(group, "kustomizations", "Kustomization")]);
    const applied = await bench.apply(apps, [map("a"), map("b")]);
    const path = `/apis/${group}/v1/namespaces/default/kustomizations/apps`;
    bench.cluster.put(path, thing(`${group}/v1`, "Kustomization", "apps", { spec, status }, { namespace: "default" }));

    deepEqual(deleted(await bench.remove(apps, applied.inventory.entries, whole)).sort(), gone, what);
  }
  using bench = new TargetBench();
  const group = "helm.toolkit.fluxcd.io";
  await bench.apply(apps, [definition(group, "helmreleases", "HelmRelease", "v2")]);
  const applied = await bench.apply(release, [map("a")]);
  const path = `/apis/${group}/v2/namespaces/default/helmreleases/web`;
  const status = { history: [{ version: 1 }] };
  bench.cluster.put(path, thing(`${group}/v2`, "HelmRelease", "web", { status }, { namespace: "default" }));
  const left = await bench.remove(release, applied.inventory.entries, whole);
  match(left.released[0]?.message ?? "", /Flux's HelmRelease\/default\/web, which is not suspended, holds it too/);
});

Deno.test("this daemon, its rights, and where its inventories stand, are kept", async () => {
  using bench = new TargetBench();
  const username = "system:serviceaccount:default:pilotfish";
  bench.cluster.intercept = ({ path }) =>
    path.endsWith("/selfsubjectreviews")
      ? Response.json({ status: { userInfo: { username } } }, { status: 201 })
      : undefined;
  const binding = (name: string, account: string) =>
    thing("rbac.authorization.k8s.io/v1", "RoleBinding", name, {
      subjects: [{ kind: "ServiceAccount", namespace: "default", name: account }],
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
    }, { namespace: "default" });
  const workload = (name: string, account: string) =>
    thing("apps/v1", "Deployment", name, { spec: { template: { spec: { serviceAccountName: account } } } }, {
      namespace: "default",
    });
  const wanted = [
    binding("ours", "pilotfish"),
    binding("theirs", "web"),
    workload("self", "pilotfish"),
    workload("web", "web"),
  ];
  const applied = await bench.apply(apps, wanted);

  const guarded = await bench.remove(apps, applied.inventory.entries, whole);
  deepEqual(deleted(guarded).sort(), ["theirs", "web"]);
  deepEqual(guarded.kept.map(({ message }) => /would also delete (.*?);/.exec(message)?.[1]).sort(), [
    "rights of this daemon, which acts as its subject",
    "this daemon itself",
  ]);

  const home = bench.another({ inventoryNamespace: "home" });
  bench.cluster.put("/api/v1/namespaces/home", thing("v1", "Namespace", "home"));
  const own = await bench.apply(release, [thing("v1", "Namespace", "home")], {}, home);
  const confirmed = await bench.remove(release, own.inventory.entries, { ...whole, pruneConfirmed: true }, home);
  deepEqual(deleted(confirmed), []);
  match(confirmed.released[0]?.message ?? "", /Pilotfish keeps its inventories there/);
});

Deno.test("a StatefulSet that would take its claims along is kept", async () => {
  using bench = new TargetBench();
  const set = (name: string, whenDeleted: string) =>
    thing("apps/v1", "StatefulSet", name, {
      spec: { volumeClaimTemplates: [{}], persistentVolumeClaimRetentionPolicy: { whenDeleted } },
    }, { namespace: "default" });
  const applied = await bench.apply(apps, [set("data", "Delete"), set("cache", "Retain")]);
  const result = await bench.remove(apps, applied.inventory.entries, whole);
  deepEqual(deleted(result), ["cache"]);
  match(result.kept[0]?.message ?? "", /StatefulSet\/default\/data is kept: .*the volumes that it claimed/);
});

Deno.test("force makes nothing anew that says it is kept, or that is another owner's", async () => {
  const immutable = {
    kind: "Status",
    status: "Failure",
    code: 422,
    reason: "Invalid",
    message: "spec: field is immutable",
  };
  const rows: readonly (readonly [string, JsonObject, RegExp | undefined])[] = [
    ["kept", { annotations: { "kustomize.toolkit.fluxcd.io/prune": "disabled" } }, /it says that it is kept, so/],
    [
      "another's",
      { labels: { "kustomize.toolkit.fluxcd.io/name": "others" } },
      /it belongs to another object \("default\/others"\)/,
    ],
    [
      "of another namespace",
      { labels: { "kustomize.toolkit.fluxcd.io/namespace": "other" } },
      /it belongs to another object \("other\/apps"\)/,
    ],
    ["a release's", { labels: { "helm.toolkit.fluxcd.io/name": "web" } }, /it belongs to another object \("web"\)/],
    ["ours", {}, undefined],
  ];
  for (const [what, metadata, message] of rows) {
    using bench = new TargetBench();
    const job = (image: string) => thing("batch/v1", "Job", "j", { spec: { image } }, { namespace: "default" });
    await bench.apply(apps, [job("one")]);
    const path = "/apis/batch/v1/namespaces/default/jobs/j";
    remark(bench, path, metadata, "kubectl-edit");
    const uid = (bench.cluster.object(path)?.metadata as JsonObject).uid;
    bench.cluster.intercept = (request) => {
      const isTrial = request.method === "PATCH" && request.path === path && request.query.dryRun !== undefined;
      return isTrial && bench.cluster.object(path) !== undefined
        ? Response.json(immutable, { status: 422 })
        : undefined;
    };
    const outcome = await bench.apply(apps, [job("two")], { force: true }).catch((error: Error) => error);
    const isSame = (bench.cluster.object(path)?.metadata as JsonObject | undefined)?.uid === uid;
    equal(isSame, message !== undefined, what);
    if (message !== undefined) match((outcome as Error).message, message, what);
  }
});

Deno.test("force deletes an object only as it was judged: who makes it his meanwhile keeps it", async () => {
  for (const isTaken of [true, false]) {
    using bench = new TargetBench();
    const map = (value: string) =>
      thing("v1", "ConfigMap", "m", { immutable: true, data: { value } }, { namespace: "default" });
    await bench.apply(apps, [map("one")]);
    const path = "/api/v1/namespaces/default/configmaps/m";
    const uid = (bench.cluster.object(path)?.metadata as JsonObject).uid;
    let isDone = false;
    bench.cluster.intercept = (request) => {
      if (request.method === "DELETE" && request.path === path && !isDone) {
        isDone = true;
        const label = "kustomize.toolkit.fluxcd.io/name";
        remark(
          bench,
          path,
          isTaken ? { labels: { [label]: "others" } } : { annotations: { seen: "yes" } },
          "kubectl-edit",
        );
      }
      return undefined;
    };
    const outcome = await bench.apply(apps, [map("two")], { force: true }).catch((error: Error) => error);
    const isSame = (bench.cluster.object(path)?.metadata as JsonObject | undefined)?.uid === uid;
    deepEqual([isDone, isSame], [true, isTaken]);
    if (isTaken) match((outcome as Error).message, /ConfigMap\/default\/m apply failed \(Conflict\)/);
  }
});

async function known(bench: TargetBench) {
  return await bench.run(bench.target.remembered(apps)) ?? { entries: [] };
}

/** A connection to the cluster whose name stands for its kubeconfig. */
function opened(clusters: ReadonlyMap<string, FakeCluster>, name: string): { api: KubeApi } & Disposable {
  const api = clusters.get(name)?.api() as KubeApi;
  return { api: Object.assign(Object.create(api), { name: `https://${name}` }) as KubeApi, [Symbol.dispose]() {} };
}
