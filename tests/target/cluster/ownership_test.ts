/** Under whose name resources stand: Flux's or our own, and the way from one to the other. */
import { deepEqual, doesNotMatch, equal, match, notEqual } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import type { ObjectKey } from "../../../src/core/object.ts";
import type { Ownership } from "../../../src/core/ownership.ts";
import { ownerLabels, ownerships, withOwnerLabels } from "../../../src/core/ownership.ts";
import { inventoryOf } from "../../../src/core/inventory.ts";
import type { Resource } from "../../../src/core/resource.ts";
import { refOf } from "../../../src/core/resource.ts";
import { requestOf, TargetBench, thing } from "../../support/target_bench.ts";

const owner: ObjectKey = { kind: "Kustomization", namespace: "default", name: "apps" };
const here = { namespace: "default" };
const path = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`;
const webPath = "/apis/apps/v1/namespaces/default/deployments/web";
const managers: Readonly<Record<Ownership, string>> = { flux: "kustomize-controller", pilotfish: "pilotfish" };
const ways = ownerships.map((from) => [from, from === "flux" ? "pilotfish" : "flux"] as const);

function configMap(name: string, data: JsonObject = {}): Resource {
  return thing("v1", "ConfigMap", name, { data }, here);
}

function web(more: JsonObject = {}): Resource {
  const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "x:1" }] } };
  return thing("apps/v1", "Deployment", "web", {
    spec: { selector: { matchLabels: { app: "web" } }, template, ...more },
  }, here);
}

/** What counts of an object here: identity, owner labels, rows of managers. */
function standing(bench: TargetBench, at: string): JsonObject {
  const metadata = (bench.cluster.object(at)?.metadata ?? {}) as JsonObject;
  const rows = (metadata.managedFields ?? []) as readonly JsonObject[];
  return {
    uid: metadata.uid ?? "",
    labels: metadata.labels ?? {},
    managers: rows.filter((row) => row.subresource === undefined).map((row) => `${row.manager}/${row.operation}`),
  };
}

Deno.test("apply() as ourselves labels, watches and proves by our own labels", async () => {
  using bench = new TargetBench({ ownership: "pilotfish" });
  for (const kind of ["Kustomization", "HelmRelease"]) {
    const key = { ...owner, kind, name: kind.toLowerCase() };
    await bench.apply(key, [configMap(key.name, { a: "1" })]);
    const { labels, managers } = standing(bench, path(key.name));
    deepEqual([labels, managers], [ownerLabels(key, "pilotfish"), ["pilotfish/Apply"]]);
    equal(await bench.stands(key), true);
  }
  const selectors = bench.cluster.requests
    .filter(({ path }) => path === "/api/v1/configmaps").map(({ query }) => query.labelSelector);
  deepEqual([...new Set(selectors)], ["kustomize.pilotfish.dev/name", "helm.pilotfish.dev/name"]);
});

for (const [from, to] of ways) {
  Deno.test(`a switch from ${from} to ${to} hands everything over, and what goes later goes`, async () => {
    using bench = new TargetBench({ ownership: from });
    await bench.apply(owner, [configMap("conf", { kept: "1", old: "1" }), web()]);
    const before = [path("conf"), webPath].map((at) => standing(bench, at).uid);
    const generation = (bench.cluster.object(webPath)?.metadata as JsonObject).generation;

    const target = bench.another({ ownership: to });
    equal(await bench.stands(owner, "inputs", target), false);
    const wanted = [configMap("conf", { kept: "1", old: "1" }), web()];
    const applied = await bench.apply(owner, wanted, {}, target);
    deepEqual(applied.changes.map(({ action }) => action), ["configured", "configured"]);
    for (const [index, at] of [path("conf"), webPath].entries()) {
      deepEqual(standing(bench, at), {
        uid: before[index] ?? "",
        labels: ownerLabels(owner, to) ?? {},
        managers: [`${managers[to]}/Apply`],
      });
    }
    equal(
      (bench.cluster.object(webPath)?.metadata as JsonObject).generation,
      generation,
      "no Pod has a cause to restart",
    );

    const again = await bench.apply(owner, wanted, {}, target);
    deepEqual([...new Set(again.changes.map(({ action }) => action))], ["unchanged"]);
    equal(await bench.stands(owner, "inputs", target), true);

    await bench.apply(owner, [configMap("conf", { kept: "1" }), web()], {}, target);
    deepEqual(bench.cluster.object(path("conf"))?.data, { kept: "1" });
    const removed = await bench.remove(owner, applied.inventory.entries, { isWholeRemoval: true }, target);
    deepEqual([removed.removed.length, removed.released], [2, []]);
  });

  Deno.test(`a field that is left alone survives a switch from ${from} to ${to}`, async () => {
    using bench = new TargetBench({ ownership: from });
    const options = { ignore: [{ paths: ["/spec/replicas"] }] };
    await bench.apply(owner, [web({ replicas: 5 })], options);
    await bench.apply(owner, [web({ replicas: 1 })], options, bench.another({ ownership: to }));
    equal((bench.cluster.object(webPath)?.spec as JsonObject).replicas, 5);
  });

  Deno.test(`what ${from} applied is found again and pruned as ${to}, also without an inventory`, async () => {
    using bench = new TargetBench({ ownership: from });
    const { inventory } = await bench.apply(owner, [configMap("a"), configMap("b")]);
    bench.cluster.put(path("pilotfish.kustomization.default.apps"), undefined);

    const target = bench.another({ ownership: to });
    deepEqual(await bench.run(target.remembered(owner)), inventory);
    const stale = inventory.entries.filter(({ id }) => id.includes("_a_"));
    deepEqual((await bench.remove(owner, stale, {}, target)).removed.map(({ ref }) => ref.name), ["a"]);
  });

  Deno.test(`what cannot change is made anew by force in the run that switches from ${from} to ${to}`, async () => {
    using bench = new TargetBench({ ownership: from });
    await bench.apply(owner, [web()]);
    const { uid } = standing(bench, webPath);
    const template = { metadata: { labels: { app: "x" } }, spec: { containers: [{ name: "main", image: "x:1" }] } };
    const other = web({ selector: { matchLabels: { app: "x" } }, template });
    const target = bench.another({ ownership: to });
    const applied = await bench.apply(owner, [other], { force: true }, target);
    deepEqual(applied.changes.map(({ action }) => action), ["recreated"]);
    const stands = standing(bench, webPath);
    notEqual(stands.uid, uid);
    deepEqual(stands.labels, ownerLabels(owner, to));
  });

  Deno.test(`a plan over a switch from ${from} to ${to} shows the labels and fields that go`, async () => {
    using bench = new TargetBench({ ownership: from });
    await bench.apply(owner, [configMap("conf", { kept: "1", old: "1" })]);
    const target = bench.another({ ownership: to });
    const request = requestOf(owner, [configMap("conf", { kept: "1" })], {}, to);
    const [change] = await bench.run(target.plan(request, new AbortController().signal));
    equal(change?.action, "update");
    await bench.apply(owner, [configMap("conf", { kept: "1" })], {}, target);
    deepEqual(
      Object.keys(standing(bench, path("conf")).labels as JsonObject),
      Object.keys(ownerLabels(owner, to) ?? {}),
    );
    const keys = (of: Ownership) => Object.keys(ownerLabels(owner, of) ?? {});
    for (const key of keys(from)) {
      match(change?.before ?? "", new RegExp(key));
      doesNotMatch(change?.after ?? "", new RegExp(key));
    }
    for (const key of keys(to)) match(change?.after ?? "", new RegExp(key));
    doesNotMatch(change?.after ?? "", /old/);
    const pointers = [...keys(from), ...keys(to)].map((key) => `/metadata/labels/${key.replace("/", "~1")}`);
    deepEqual([...change?.fields ?? []].sort(), ["/data/old", ...pointers.sort()]);
  });

  Deno.test(`a hook that ${from} ran is deleted as ${to}`, async () => {
    using bench = new TargetBench({ ownership: from });
    const kept = { kind: "HelmReleaseKept", namespace: "default", name: "web" };
    await bench.apply(kept, [configMap("hook")]);
    const entries = inventoryOf([refOf(configMap("hook"))]).entries;
    const { removed, released } = await bench.remove(kept, entries, {}, bench.another({ ownership: to }));
    deepEqual([removed.length, released], [1, []]);
  });
}

Deno.test("what labels of both sets give to different owners is neither's to delete", async () => {
  using bench = new TargetBench();
  const { inventory } = await bench.apply(owner, [configMap("contested")]);
  const live = bench.cluster.object(path("contested")) as JsonObject;
  const metadata = live.metadata as JsonObject;
  const labels = { ...metadata.labels as JsonObject, ...ownerLabels({ ...owner, name: "other" }, "pilotfish") };
  bench.cluster.put(path("contested"), { ...live, metadata: { ...metadata, labels } });
  bench.cluster.put(path("pilotfish.kustomization.default.apps"), undefined);

  const target = bench.another();
  equal(await bench.run(target.remembered(owner)), undefined);
  const { removed, released } = await bench.remove(owner, inventory.entries, {}, target);
  equal(removed.length, 0);
  match(released[0]?.message ?? "", /does not belong to Kustomization\/default\/apps any more/);
});

Deno.test("what Flux applied is taken over by a target of our own name, and kept by it", async () => {
  using bench = new TargetBench({ ownership: "pilotfish" });
  const theirs = withOwnerLabels(configMap("theirs", { a: "1", gone: "1" }), owner, "flux");
  await bench.run(
    bench.cluster.api().send({
      method: "PATCH",
      path: path("theirs"),
      query: { fieldManager: "kustomize-controller", force: "true" },
      contentType: "application/apply-patch+yaml",
      body: theirs,
    }),
  );
  deepEqual((await bench.run(bench.target.remembered(owner)))?.entries.map(({ id }) => id), [
    "default_theirs__ConfigMap",
  ]);
  await bench.apply(owner, [configMap("theirs", { a: "1" })]);
  const { labels, managers } = standing(bench, path("theirs"));
  deepEqual([labels, managers], [ownerLabels(owner, "pilotfish"), ["pilotfish/Apply"]]);
  deepEqual(bench.cluster.object(path("theirs"))?.data, { a: "1" });
});
