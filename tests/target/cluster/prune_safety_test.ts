/** What must never be deleted, one case a rule. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { InventoryEntry } from "../../../src/core/inventory.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { RemoveResult } from "../../../src/core/target.ts";
import { labelled, TargetBench, thing } from "../../support/target_bench.ts";

const apps = { kind: "Kustomization", namespace: "default", name: "apps" };
const others = { ...apps, name: "others" };
const release = { kind: "HelmRelease", namespace: "default", name: "web" };
const maps = "/api/v1/namespaces/default/configmaps";
const { signal } = new AbortController();

function map(name: string, metadata: JsonObject = {}) {
  return thing("v1", "ConfigMap", name, { data: { k: "v" } }, { namespace: "default", ...metadata });
}

function widgets(versions: readonly JsonObject[] = [{ name: "v1", served: true, storage: true }]) {
  return thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.example.com", {
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions,
    },
  });
}

function ids(entries: readonly { readonly entry: InventoryEntry }[]) {
  return entries.map(({ entry }) => entry.id);
}

function nothingRemoved(result: RemoveResult) {
  deepEqual(result.removed.filter(({ note }) => note !== "It was gone already"), []);
}

Deno.test("an object that says it is kept is never deleted, whoever's word it uses", async () => {
  using bench = new TargetBench();
  const marks: readonly JsonObject[] = [
    { annotations: { "kustomize.toolkit.fluxcd.io/prune": "Disabled" } },
    { labels: { "kustomize.toolkit.fluxcd.io/prune": "disabled" } },
    { annotations: { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" } },
    { annotations: { "kustomize.toolkit.fluxcd.io/ssa": "Ignore" } },
    { annotations: { "pilotfish.dev/prune": "disabled" } },
    { annotations: { "helm.sh/resource-policy": "keep" } },
  ];
  const applied = await bench.apply(apps, marks.map((_, index) => map(`kept-${index}`)));
  for (const [index, mark] of marks.entries()) {
    const live = bench.cluster.object(`${maps}/kept-${index}`) as JsonObject;
    const metadata = live.metadata as JsonObject;
    bench.cluster.put(`${maps}/kept-${index}`, {
      ...live,
      metadata: {
        ...metadata,
        labels: { ...metadata.labels as JsonObject, ...mark.labels as JsonObject },
        annotations: { ...mark.annotations as JsonObject },
      },
    });
  }

  const result = await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true, pruneConfirmed: true });

  nothingRemoved(result);
  equal(result.released.length, marks.length);
});

Deno.test("an object that moved to another owner is left to that one, in either order", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(apps, [map("moved")]);
  await bench.apply(others, [map("moved")]);

  nothingRemoved(await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true }));

  // The former owner applied last, so that its labels stand: the other one still lists it.
  await bench.apply(apps, [map("moved")]);
  const again = await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true });
  nothingRemoved(again);
  match(again.released[0]?.message ?? "", /belongs to Kustomization\/default\/others too/);
  ok(bench.cluster.object(`${maps}/moved`));
});

Deno.test("an object that another one wants and could not apply yet is left to it", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(apps, [map("moved")]);
  await bench.apply(others, [map("moved"), map("Bad_Name")]).catch(() => {});

  nothingRemoved(await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true }));
});

Deno.test("an owner of the same name that another program keeps in another namespace is not robbed", async () => {
  using bench = new TargetBench();
  const second = bench.another({ inventoryNamespace: "kube-system" });
  const applied = await bench.apply(apps, [map("a"), map("b")]);

  // The second program has another config under the same name: what the first one applied is not its leftover.
  equal(await bench.run(second.remembered(apps)), undefined);
  await bench.apply(apps, [map("a"), map("c")], {}, second);
  const result = await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true }, second);
  deepEqual(result.removed, []);
  match(result.released[0]?.message ?? "", /inventory in namespace "default"/);
});

Deno.test("an object that was made anew from a copy is left alone, though it carries our labels", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(apps, [map("a")]);
  bench.cluster.put(`${maps}/a`, undefined);
  bench.cluster.put(`${maps}/a`, labelled(apps, map("a")), "kubectl-create");

  const result = await bench.remove(apps, applied.inventory.entries);

  nothingRemoved(result);
  match(result.released[0]?.message ?? "", /made anew by somebody else/);
});

Deno.test("an object that changes hands between the look and the deletion is left alone", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(apps, [map("a")]);
  let isTaken = false;
  bench.cluster.intercept = ({ method, path }) => {
    if (method !== "DELETE" || isTaken) return undefined;
    isTaken = true;
    const live = bench.cluster.object(path) as JsonObject;
    bench.cluster.put(path, labelled(others, live as ReturnType<typeof map>), "kustomize-controller");
    return undefined;
  };

  const result = await bench.remove(apps, applied.inventory.entries);

  equal(isTaken, true);
  nothingRemoved(result);
  ok(bench.cluster.object(`${maps}/a`));
});

Deno.test("an object that only its status changes in between is deleted all the same", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(apps, [map("a")]);
  let changes = 0;
  bench.cluster.intercept = ({ method, path }) => {
    if (method === "DELETE" && changes++ < 3) {
      bench.cluster.put(path, { ...bench.cluster.object(path) as JsonObject, status: { at: changes } });
    }
    return undefined;
  };

  equal((await bench.remove(apps, applied.inventory.entries)).removed.length, 1);
});

Deno.test("the same object under another group is not deleted with its old entry", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(apps, [map("web")]);
  const old = { id: "default_web_legacy.example.com_ConfigMap", v: "v1" };
  const live = bench.cluster.object(`${maps}/web`) as JsonObject;
  bench.cluster.intercept = ({ path }) => {
    if (path === "/apis/legacy.example.com/v1") {
      return Response.json({ resources: [{ name: "configmaps", kind: "ConfigMap", namespaced: true, verbs: [] }] });
    }
    if (path === "/apis/legacy.example.com/v1/namespaces/default/configmaps/web") return Response.json(live);
    return undefined;
  };

  const result = await bench.remove(apps, [old]);

  nothingRemoved(result);
  match(result.released[0]?.message ?? "", /applied as v1/);
  equal(applied.inventory.entries.length, 1);
});

Deno.test("another version of a kind is the same object", async () => {
  using bench = new TargetBench();
  const versions = [{ name: "v1", served: true, storage: true }, { name: "v1beta1", served: true, storage: false }];
  const both = (version: string) => [widgets(versions), thing(`example.com/${version}`, "Widget", "w", { spec: {} })];
  const before = await bench.apply(apps, both("v1beta1"));
  const after = await bench.apply(apps, both("v1"));

  deepEqual(before.inventory.entries.map(({ id }) => id), after.inventory.entries.map(({ id }) => id));
  deepEqual(after.inventory.entries.map(({ v }) => v), ["v1", "v1"]);
});

Deno.test("a Namespace is kept while anything stands in it that does not go in the same pass", async () => {
  using bench = new TargetBench();
  const inside = (name: string, metadata: JsonObject = {}) => map(name, { namespace: "team", ...metadata });
  const keep = { annotations: { "kustomize.toolkit.fluxcd.io/prune": "disabled" } };
  const wanted = [thing("v1", "Namespace", "team"), inside("wanted"), inside("kept", keep)];
  const applied = await bench.apply(apps, wanted);
  const entry = (name: string) => applied.inventory.entries.filter(({ id }) => id.includes(`_${name}_`));

  // Its own workloads stay in the artifact.
  const stale = await bench.remove(apps, entry("team"));
  nothingRemoved(stale);
  match(stale.kept[0]?.message ?? "", /Namespace\/team is kept: .*ConfigMap\/team\/kept, ConfigMap\/team\/wanted/);

  // All of it goes, but one object says that it stays.
  const whole = await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true });
  deepEqual(whole.removed.map(({ ref }) => ref.name), ["wanted"]);
  deepEqual(ids(whole.kept), ["_team__Namespace"]);
  ok(bench.cluster.object("/api/v1/namespaces/team/configmaps/kept"));

  bench.cluster.put("/api/v1/namespaces/team/configmaps/kept", undefined);
  bench.cluster.put("/api/v1/namespaces/team/configmaps/kube-root-ca.crt", inside("kube-root-ca.crt"));
  equal((await bench.remove(apps, entry("team"), { isWholeRemoval: true })).removed.length, 1);
});

Deno.test("a Namespace is kept with a bound claim, with what a stranger's object owns, and with what cannot be seen", async () => {
  using bench = new TargetBench();
  const claim = thing("v1", "PersistentVolumeClaim", "data", { spec: { volumeName: "pv-1" } }, { namespace: "team" });
  const applied = await bench.apply(apps, [thing("v1", "Namespace", "team"), claim]);
  const claims = "/api/v1/namespaces/team/persistentvolumeclaims/data";
  bench.cluster.put(claims, { ...bench.cluster.object(claims) as JsonObject, status: { phase: "Bound" } });
  const whole = () => bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true });

  const bound = await whole();
  nothingRemoved(bound);
  deepEqual(ids(bound.kept).sort(), ["_team__Namespace", "team_data__PersistentVolumeClaim"]);
  bench.cluster.put(claims, undefined);

  bench.cluster.put("/api/v1/namespaces/team/secrets/s", {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: "team", ownerReferences: [{ uid: "of-a-cluster-scoped-one" }] },
  });
  deepEqual(ids((await whole()).kept), ["_team__Namespace"]);
  bench.cluster.put("/api/v1/namespaces/team/secrets/s", undefined);

  const gone = Response.json({ kind: "Status", reason: "ServiceUnavailable", message: "no endpoints" }, {
    status: 503,
  });
  bench.cluster.intercept = ({ path }) => path.startsWith("/apis/batch/v1") ? gone.clone() : undefined;
  const unseen = await whole();
  nothingRemoved(unseen);
  match(unseen.kept[0]?.message ?? "", /objects of batch\/v1 \(it does not answer\)/);

  bench.cluster.intercept = undefined;
  bench.cluster.allow = ({ verb, plural }) => !(verb === "list" && plural === "jobs");
  match((await whole()).kept[0]?.message ?? "", /Job \(cannot be listed: Forbidden\)/);
});

Deno.test("a kind that is only called Namespace is no Namespace: it is deleted, once", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(apps, [map("a")]);
  const entry = { id: "_team_vault.example.com_Namespace", v: "v1" };
  const live = labelled(apps, thing("vault.example.com/v1", "Namespace", "team"));
  let deletions = 0;
  bench.cluster.intercept = ({ method, path }) => {
    if (path === "/apis/vault.example.com/v1") {
      return Response.json({ resources: [{ name: "namespaces", kind: "Namespace", namespaced: false, verbs: [] }] });
    }
    if (path !== "/apis/vault.example.com/v1/namespaces/team") return undefined;
    if (method === "DELETE") deletions++;
    return Response.json(method === "DELETE" ? { kind: "Status", status: "Success" } : live);
  };

  const result = await bench.remove(apps, [...applied.inventory.entries, entry], { isWholeRemoval: true });

  equal(result.removed.length, 2);
  equal(deletions, 1);
});

Deno.test("no confirmation deletes what a cluster, or Pilotfish, cannot be without", async () => {
  using bench = new TargetBench();
  const rbac = "rbac.authorization.k8s.io/v1";
  const bootstrap = { labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } };
  bench.cluster.put(
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/view",
    thing(rbac, "ClusterRole", "view", {}, bootstrap),
  );
  const others = [
    thing("v1", "ServiceAccount", "default", {}, { namespace: "default" }),
    thing("v1", "ConfigMap", "kube-root-ca.crt", {}, { namespace: "default" }),
    thing("v1", "Service", "kubernetes", { spec: {} }, { namespace: "default" }),
    thing(rbac, "ClusterRole", "view"),
    map("inventory", { labels: { "pilotfish.dev/inventory": "true" } }),
  ];
  const names = ["default", "kube-system", "kube-public", "kube-node-lease"];
  const applied = await bench.apply(apps, [...names.map((name) => thing("v1", "Namespace", name)), ...others]);

  const removed = await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true, pruneConfirmed: true });
  nothingRemoved(removed);
  deepEqual(removed.kept, []);
  equal(removed.released.length, names.length + others.length);
});

Deno.test("a Node, and the account that we act as, are kept until a person confirms it", async () => {
  using bench = new TargetBench();
  const node = "/api/v1/nodes/one";
  const accounts = ["ours", "theirs"].map((name) => thing("v1", "ServiceAccount", name, {}, { namespace: "default" }));
  bench.cluster.intercept = ({ path }) =>
    path.endsWith("/selfsubjectreviews")
      ? Response.json({ status: { userInfo: { username: "system:serviceaccount:default:ours" } } }, { status: 201 })
      : undefined;
  const applied = await bench.apply(apps, [thing("v1", "Node", "one"), ...accounts]);

  const guarded = await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true });
  deepEqual(ids(guarded.kept), ["_one__Node", "default_ours__ServiceAccount"]);
  match(guarded.kept[0]?.message ?? "", /Node\/one is kept: its deletion would also delete the Pods that run on it/);
  match(guarded.kept[1]?.message ?? "", /would also delete all rights of this daemon/);
  deepEqual(guarded.removed.map(({ ref }) => ref.name), ["theirs"]);
  ok(bench.cluster.object(node));
  await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true, pruneConfirmed: true });
  equal(bench.cluster.object(node), undefined);
});

Deno.test("a definition is kept while objects of it stand, its owner's own ones too", async () => {
  using bench = new TargetBench();
  const ours = thing("example.com/v1", "Widget", "ours", {}, { namespace: "default" });
  const applied = await bench.apply(apps, [widgets(), ours]);
  const definition = applied.inventory.entries.filter(({ id }) => id.endsWith("Definition"));

  const stale = await bench.remove(apps, definition);
  match(stale.kept[0]?.message ?? "", /would also delete Widget\/default\/ours/);

  const path = "/apis/example.com/v1/namespaces/default/widgets/theirs";
  const owner = { ownerReferences: [{ uid: "of-an-ingress" }] };
  bench.cluster.put(path, thing("example.com/v1", "Widget", "theirs", {}, { namespace: "default", ...owner }));
  const whole = await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true });
  deepEqual(whole.removed.map(({ ref }) => ref.name), ["ours"]);
  match(whole.kept[0]?.message ?? "", /would also delete Widget\/default\/theirs/);

  bench.cluster.put(path, undefined);
  equal((await bench.remove(apps, definition)).removed.length, 1);
});

Deno.test("a build that gave nothing deletes nothing until a person confirms it", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(apps, [map("a"), map("b")]);

  const empty = await bench.remove(apps, applied.inventory.entries, { isEmptyBuild: true });
  nothingRemoved(empty);
  match(empty.kept[0]?.message ?? "", /2 resources would be deleted because the build gave none at all/);
  const confirmed = { isEmptyBuild: true, pruneConfirmed: true };
  equal((await bench.remove(apps, applied.inventory.entries, confirmed)).removed.length, 2);
});

Deno.test("what cannot be looked at is kept: an API that is away, and one that is forbidden", async () => {
  using bench = new TargetBench();
  const job = thing("batch/v1", "Job", "j", {}, { namespace: "default" });
  const applied = await bench.apply(apps, [map("a"), job]);
  const fresh = bench.another();
  const away = Response.json({ kind: "Status", reason: "ServiceUnavailable" }, { status: 503 });
  bench.cluster.intercept = ({ path }) => path.startsWith("/apis/batch") ? away.clone() : undefined;
  bench.cluster.allow = ({ verb, path }) => !(verb === "get" && path === `${maps}/a`);

  const result = await bench.remove(apps, applied.inventory.entries, { isWholeRemoval: true }, fresh);

  nothingRemoved(result);
  deepEqual(result.kept.map(({ reason }) => reason), ["failed", "failed"]);
});

Deno.test("a lost inventory is found by labels, without copies, hooks and definitions of a release", async () => {
  using bench = new TargetBench();
  const hook = map("hook", { annotations: { "helm.sh/hook": "pre-upgrade" } });
  const applied = await bench.apply(release, [widgets(), map("a"), hook]);
  bench.cluster.put(`${maps}/pilotfish.helmrelease.default.web`, undefined);
  bench.cluster.put(`${maps}/copy`, labelled(release, map("copy")), "kubectl");
  const fresh = bench.another();

  const found = await bench.run(fresh.remembered(release));

  deepEqual(found?.entries.map(({ id }) => id), ["default_a__ConfigMap"]);
  const removed = await bench.remove(release, applied.inventory.entries, { isWholeRemoval: true }, fresh);
  deepEqual(removed.removed.map(({ ref }) => ref.name), ["a"]);
});

Deno.test("the same names in another namespace are nobody's business", async () => {
  using bench = new TargetBench();
  const applied = await bench.apply(apps, [map("a")]);
  bench.cluster.put(
    "/api/v1/namespaces/kube-system/configmaps/a",
    labelled(apps, map("a", { namespace: "kube-system" })),
  );

  await bench.remove(apps, applied.inventory.entries);

  ok(bench.cluster.object("/api/v1/namespaces/kube-system/configmaps/a"));
});

Deno.test("an inventory that somebody damaged deletes nothing that it does not name rightly", async () => {
  using bench = new TargetBench();
  await bench.apply(apps, [map("a")]);
  const name = `${maps}/pilotfish.kustomization.default.apps`;
  const live = bench.cluster.object(name) as JsonObject;
  const entries = "garbage\n_kube-system__Namespace v1\nkube-system_x__ConfigMap v1 - -\n\u0000 v1\na_b_c v1\n";
  bench.cluster.put(name, { ...live, data: { ...live.data as JsonObject, entries } });
  bench.cluster.put("/api/v1/namespaces/kube-system/configmaps/x", map("x", { namespace: "kube-system" }));
  const fresh = bench.another();

  const remembered = await bench.run(fresh.remembered(apps));
  const result = await bench.remove(apps, remembered?.entries ?? [], { isWholeRemoval: true }, fresh);

  nothingRemoved(result);
  ok(bench.cluster.object("/api/v1/namespaces/kube-system/configmaps/x"));
});

Deno.test("a plan calls deletion only what the prune would delete", async () => {
  using bench = new TargetBench();
  await bench.apply(apps, [map("a"), map("kept", { annotations: { "helm.sh/resource-policy": "keep" } })]);

  const request = { owner: apps, resources: [], previous: { entries: [] }, revision: "r", inputs: "", options: {} };
  const plan = await bench.run(bench.target.plan(request, signal));

  deepEqual(plan.map(({ action, ref }) => [action, ref.name]), [["delete", "a"], ["skip", "kept"]]);
});

Deno.test("an entry without a namespace, left by an apply that failed, never stands for what is applied", async () => {
  using bench = new TargetBench();
  const kept = { ...apps, kind: "HelmReleaseKept" };
  await bench.apply(apps, [map("a")], { defaultNamespace: "default" });
  const unplaced = [{ id: "_a__ConfigMap", v: "v1" }];

  nothingRemoved(await bench.remove(apps, unplaced, { defaultNamespace: "default" }));
  nothingRemoved(await bench.remove(kept, unplaced, { defaultNamespace: "default" }));
  ok(bench.cluster.object(`${maps}/a`));
});

Deno.test("what an account applied that is gone now stays, and is forgotten", async () => {
  using bench = new TargetBench();
  const account = "/api/v1/namespaces/default/serviceaccounts/deployer";
  bench.cluster.put(account, thing("v1", "ServiceAccount", "deployer", {}, { namespace: "default" }));
  const options = { serviceAccountName: "deployer" };
  const applied = await bench.apply(apps, [map("a")], options);
  bench.cluster.put(account, undefined);

  const result = await bench.remove(apps, applied.inventory.entries, { ...options, isWholeRemoval: true });

  nothingRemoved(result);
  deepEqual([result.kept, result.released.length], [[], 1]);
  ok(bench.cluster.object(`${maps}/a`));
  bench.cluster.put(account, thing("v1", "ServiceAccount", "deployer", {}, { namespace: "default" }));
  const back = await bench.apply(apps, [map("a")], options);
  equal((await bench.remove(apps, back.inventory.entries, { ...options, isWholeRemoval: true })).removed.length, 1);
});

Deno.test("Flux's own objects are left to Flux when what they made changes hands", async () => {
  using bench = new TargetBench();
  const definition = (group: string, plural: string, kind: string) =>
    thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", `${plural}.${group}`, {
      spec: {
        group,
        scope: "Namespaced",
        names: { plural, kind },
        versions: [{ name: "v1", served: true, storage: true }],
      },
    });
  const kinds = [
    ["source.toolkit.fluxcd.io", "helmcharts", "HelmChart"],
    ["kustomize.toolkit.fluxcd.io", "kustomizations", "Kustomization"],
  ] as const;
  await bench.apply(others, kinds.map(([group, plural, kind]) => definition(group, plural, kind)));
  const flux = bench.another();
  const objects = kinds.map(([group, , kind]) => thing(`${group}/v1`, kind, "child", {}, { namespace: "default" }));
  const made = await bench.apply(apps, [map("a"), ...objects], {}, flux);
  bench.cluster.put(`${maps}/pilotfish.kustomization.default.apps`, undefined);
  const fresh = bench.another();

  deepEqual((await bench.run(fresh.remembered(apps)))?.entries.map(({ id }) => id), ["default_a__ConfigMap"]);
  const removed = await bench.remove(apps, made.inventory.entries, { isWholeRemoval: true }, fresh);
  deepEqual(removed.removed.map(({ ref }) => ref.kind), ["ConfigMap"]);
});
