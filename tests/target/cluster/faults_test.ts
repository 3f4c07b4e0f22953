/** What the target does when the API server refuses, changes or loses something. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Resource } from "../../../src/core/resource.ts";
import { clusterTarget } from "../../../src/target/cluster/cluster_target.ts";
import type { WriterLease } from "../../../src/target/cluster/lease.ts";
import { definition } from "../../support/documents.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import type { SeenRequest } from "../../support/fake_cluster.ts";
import { FakeCluster } from "../../support/fake_cluster.ts";
import { labelled, requestOf, TargetBench } from "../../support/target_bench.ts";

const { signal } = new AbortController();
const owner = { kind: "Kustomization", namespace: "default", name: "apps" };
const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
const path = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`;

function configMap(name: string, data: Readonly<Record<string, string>> = {}): Resource {
  return labelled(owner, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data });
}

const isWrite = (name: string) => (request: SeenRequest) =>
  request.method === "PATCH" && request.path === path(name) && request.query.dryRun === undefined;

Deno.test("a conflict is looked at again and tried anew, a few times and no more", async () => {
  using bench = new TargetBench();
  const conflict = { code: 409, reason: "Conflict", message: "the object has been modified" };
  bench.refuse(2, isWrite("a"), conflict);
  equal((await bench.apply(owner, [configMap("a")])).changes[0]?.action, "created");

  bench.refuse(Infinity, isWrite("b"), conflict);
  await rejects(
    bench.apply(owner, [configMap("b")]),
    /ConfigMap\/default\/b apply failed \(Conflict\): the object has been/,
  );
  const tries = bench.cluster.requests.filter(isWrite("b")).length;
  ok(tries > 1 && tries <= 5, `${tries} tries`);
});

Deno.test("a gateway's timeout is survived, and an etcd that stays away is told", async () => {
  using bench = new TargetBench();
  bench.refuse(3, isWrite("a"), { code: 504, reason: "Timeout", message: "etcdserver: request timed out" });
  equal((await bench.apply(owner, [configMap("a")])).changes[0]?.action, "created");

  bench.refuse(Infinity, isWrite("b"), { code: 504, reason: "Timeout", message: "etcdserver: request timed out" });
  const startedAt = bench.clock.monotonic();
  await rejects(bench.apply(owner, [configMap("b")]), /etcdserver: request timed out/);
  ok(bench.clock.monotonic() - startedAt < 300_000);
  equal(await bench.stands(owner), false, "what failed is not taken for done");
});

Deno.test("an object that the server renames is not taken for ours", async () => {
  using bench = new TargetBench();
  bench.cluster.intercept = (request) =>
    isWrite("a")(request)
      ? Response.json({ ...request.body as JsonObject, metadata: { name: "renamed", namespace: "default", uid: "1" } })
      : undefined;
  await rejects(bench.apply(owner, [configMap("a")]), /OtherIdentity.*changed its identity to "default\/renamed"/);
  equal(await bench.stands(owner), false);
});

Deno.test("fields that a newer server or another manager adds are no drift", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("a", { ours: "1" })]);
  equal(await bench.stands(owner), true);
  const live = bench.cluster.object(path("a")) as JsonObject;
  bench.cluster.put(path("a"), { ...live, data: { ...live.data as JsonObject, theirs: "2" }, immutable: false });
  await bench.clock.advance(100);

  equal(await bench.stands(owner), true);
  const { length } = bench.cluster.writes;
  equal((await bench.apply(owner, [configMap("a", { ours: "1" })])).changes[0]?.action, "unchanged");
  equal(bench.cluster.writes.length, length);
});

Deno.test("a value that admission rewrites is written once and is no drift afterwards", async () => {
  using bench = new TargetBench();
  const server = bench.cluster;
  server.intercept = (request) => {
    const body = request.body as JsonObject | undefined;
    if (!isWrite("a")(request) && request.query.dryRun === undefined) return undefined;
    if (request.path !== path("a") || request.method !== "PATCH") return undefined;
    // What is sent is not what stands: a webhook has its way in each write, tried or not.
    (body as { data: JsonObject }).data = { image: "mirror/web:1" };
    return undefined;
  };
  await bench.apply(owner, [configMap("a", { image: "web:1" })]);
  for (let pass = 0; pass < 3; pass++) {
    const { length } = server.writes;
    equal((await bench.apply(owner, [configMap("a", { image: "web:1" })])).changes[0]?.action, "unchanged");
    equal(server.writes.length, length);
    equal(await bench.stands(owner), true);
  }
});

Deno.test("an inventory that no ConfigMap can hold is refused before anything is made", async () => {
  using bench = new TargetBench();
  const many = Array.from({ length: 5_500 }, (_, index) => configMap(`${"x".repeat(190)}-${index}`));
  await rejects(bench.apply(owner, many), (error: Error & { hint?: string }) => {
    match(error.message, /5500 resources need \d+ bytes, a ConfigMap holds 1000000/);
    match(error.hint ?? "", /Split the object/);
    return true;
  });
  deepEqual(bench.cluster.writes, []);
});

Deno.test("an account that is gone is not acted as, whatever its bindings still allow", async () => {
  using bench = new TargetBench();
  const account = "/api/v1/namespaces/default/serviceaccounts/tenant";
  const options = { serviceAccountName: "tenant" };
  bench.cluster.put(account, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "tenant", namespace: "default" },
  });
  equal((await bench.apply(owner, [configMap("a")], options)).changes[0]?.action, "created");
  bench.cluster.put(account, undefined);
  await rejects(
    bench.apply(owner, [configMap("a", { k: "2" })], options),
    /ServiceAccount "default\/tenant" is not there/,
  );
  deepEqual((bench.cluster.object(path("a")) as JsonObject).data, {});
  // Where we may not look ourselves, the server decides.
  bench.cluster.allow = ({ plural }) => plural !== "serviceaccounts";
  equal((await bench.apply(owner, [configMap("a", { k: "3" })], options)).changes[0]?.action, "configured");
});

const isTrialOf = (name: string) => (request: SeenRequest) =>
  request.method === "PATCH" && request.path.endsWith(`/${name}`) && request.query.dryRun !== undefined;
const denied = { code: 403, reason: "Forbidden", message: "denied by a webhook" };
const inventoryPath = path("pilotfish.kustomization.default.apps");

function role(name: string): Resource {
  const made = configMap(name);
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: made.metadata, rules: [] };
}

Deno.test("what is refused in its trial is not listed, and asking again writes nothing", async () => {
  using bench = new TargetBench();
  bench.refuse(Infinity, isTrialOf("refused"), denied);
  const unwritten: string[][] = [];
  const request = {
    ...requestOf(owner, [configMap("a"), role("refused")]),
    onUnwritten: (entries: readonly { readonly id: string }[]) => unwritten.push(entries.map(({ id }) => id)),
  };
  await rejects(bench.run(bench.target.apply(request, signal)), /denied by a webhook/);

  deepEqual(bench.cluster.writes, []);
  deepEqual(unwritten, [["default_a__ConfigMap", "default_refused_rbac.authorization.k8s.io_Role"]]);
  equal(await bench.run(bench.target.remembered(owner)), undefined);
});

Deno.test("of an apply that fails midway the inventory lists what was written, and what was there before", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [role("old")]);
  const namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "early", labels: role("x").metadata.labels! },
  };
  bench.refuse(Infinity, (request) => isTrialOf("refused")(request) || isTrialOf("old")(request), denied);
  await rejects(
    bench.apply(owner, [namespace, { ...role("old"), rules: [{}] }, role("refused")]),
    /denied by a webhook/,
  );

  deepEqual((await bench.run(bench.target.remembered(owner)))?.entries.map(({ id }) => id), [
    "_early__Namespace",
    "default_old_rbac.authorization.k8s.io_Role",
  ]);
  const { length } = bench.cluster.writes;
  await rejects(
    bench.apply(owner, [namespace, { ...role("old"), rules: [{}] }, role("refused")]),
    /denied by a webhook/,
  );
  deepEqual(bench.cluster.writes.slice(length), []);
});

Deno.test("a write that is refused is listed only where the object may be there all the same", async () => {
  for (const isHidden of [false, true]) {
    using bench = new TargetBench();
    const names = Array.from({ length: 8 }, (_, index) => `m${index}`);
    let isRefusing = false;
    bench.cluster.allow = ({ verb }) => !(isRefusing && isHidden && verb === "get");
    bench.cluster.intercept = (request) => {
      if (!isWrite("m3")(request)) return undefined;
      isRefusing = true;
      return Response.json({ kind: "Status", status: "Failure", ...denied }, { status: 403 });
    };
    await rejects(bench.apply(owner, names.map((name) => configMap(name))), /denied by a webhook/);
    const text = JSON.stringify(bench.cluster.object(inventoryPath)?.data);
    equal(text.includes("default_m3__ConfigMap"), isHidden);
    ok(text.includes("default_m0__ConfigMap"));
  }
});

Deno.test("identity() is asked for once by all, again after a while, and after the cluster was away", async () => {
  for (const isRefused of [false, true]) {
    using bench = new TargetBench();
    bench.cluster.allow = ({ plural, verb }) => !(isRefused && plural === "namespaces" && verb === "get");
    const asked = () => bench.cluster.requests.filter(({ path }) => path === "/api/v1/namespaces/kube-system").length;
    const ask = () => bench.run(bench.target.identity!(signal));
    const all = await Promise.all(Array.from({ length: 20 }, ask));
    equal(new Set(all).size, 1);
    match(all[0] ?? "", isRefused ? /^cluster at / : /^cluster (?!at)/);
    equal(asked(), 1);
    await bench.clock.advance(299_000);
    await ask();
    equal(asked(), 1);
    await bench.clock.advance(10_000);
    await ask();
    equal(asked(), 2);

    bench.cluster.intercept = () => {
      throw new TypeError("connection refused");
    };
    await rejects(bench.apply(owner, [configMap("a")]), /connection refused/);
    await rejects(ask(), /Cannot reach the cluster/);
    bench.cluster.intercept = undefined;
    const before = asked();
    await ask();
    equal(asked(), before + 1);
  }
});

Deno.test("what the cluster keeps of a Secret cannot be guessed without the key, and a restart with it finds nothing to do", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  const secret = { ...configMap("s", { pin: "MTIzNA==" }), kind: "Secret" };
  const pass = async (digestKey: string) => {
    using target = clusterTarget({ api: cluster.api(), clock, random, digestKey });
    const stands = await target.stands?.(owner, "inputs", signal);
    const { length } = cluster.requests;
    await target.apply(requestOf(owner, [secret]), signal);
    return {
      stands,
      text: JSON.stringify(cluster.object(inventoryPath)?.data),
      requests: cluster.requests.slice(length),
    };
  };
  const plain = await pass("");
  const keyed = await pass("1".repeat(64));
  equal(keyed.stands, false, "an inventory from before the key is read, and compared once");
  const writes = keyed.requests.filter(({ method, query }) => method === "PATCH" && query.dryRun === undefined);
  deepEqual(writes.map((request) => request.path), [inventoryPath]);
  const digests = (text: string) => text.match(/\b[0-9a-f]{16}\b/g) ?? [];
  equal(digests(plain.text).length, 2);
  deepEqual(digests(keyed.text).filter((digest) => plain.text.includes(digest)), []);

  const again = await pass("1".repeat(64));
  equal(again.stands, true);
  deepEqual(again.requests.filter(({ method }) => method !== "GET"), []);
});

Deno.test("an inventory that cannot be read fails an apply and a removal with a reason and a hint", async () => {
  for (const isRemoval of [false, true]) {
    using bench = new TargetBench();
    bench.refuse(Infinity, ({ path }) => path.endsWith("/configmaps"), denied);
    const work = isRemoval ? bench.remove(owner, []) : bench.apply(owner, [configMap("a")]);
    await rejects(work, (error: Error & { reason?: string; hint?: string }) => {
      equal(error.reason, "ReconciliationFailed");
      match(error.message, isRemoval ? /^Cannot delete: denied/ : /^Cannot apply: denied/);
      ok(error.hint);
      return true;
    });
  }
});

Deno.test("whoever waited for his turn to write finds what was kept meanwhile, and waits with his question too", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("a"), configMap("gone")]);
  const turn = Promise.withResolvers<void>();
  let term = 0;
  const lease: WriterLease = {
    get term() {
      return term;
    },
    hold: () => turn.promise,
    assertHeld: () => {},
  };
  const second = bench.another({ lease });
  const ids = async () => (await bench.run(bench.another().remembered(owner)))?.entries.map(({ id }) => id);
  equal(await bench.stands(owner, "inputs", second), true);
  const asked = bench.run(second.remembered(owner, signal));
  const waiting = bench.run(second.apply(requestOf(owner, [configMap("a"), configMap("own")]), signal));
  await bench.clock.advance(1_000);

  const applied = await bench.apply(owner, [configMap("a"), configMap("other")]);
  await bench.remove(owner, [{ id: "default_gone__ConfigMap", v: "v1" }]);
  term = 1;
  turn.resolve();
  deepEqual((await asked)?.entries, applied.inventory.entries);
  await waiting;
  deepEqual(await ids(), ["default_a__ConfigMap", "default_other__ConfigMap", "default_own__ConfigMap"]);

  // The turn was lost and came again: another one may have written in between.
  await bench.apply(owner, [configMap("a"), configMap("between")], {}, bench.another());
  term = 2;
  equal(await bench.stands(owner, "inputs", second), true, "as the other one left it");
  await bench.apply(owner, [configMap("a")], {}, second);
  ok((await ids())?.includes("default_between__ConfigMap"));
});

Deno.test("a kind that is served only a while after its definition was established is waited for", async () => {
  using bench = new TargetBench();
  const crd = definition("widgets.example.com", "Widget") as Resource;
  const widget: Resource = {
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: { name: "w", namespace: "default" },
  };
  let servedAt = Infinity;
  bench.cluster.intercept = ({ method, path }) => {
    if (method === "PATCH" && path.endsWith("/widgets.example.com")) servedAt = bench.clock.monotonic() + 3_000;
    const isKnown = !path.startsWith("/apis/example.com") || bench.clock.monotonic() >= servedAt;
    return isKnown ? undefined : new Response("404 page not found", { status: 404 });
  };
  const applied = await bench.apply(owner, [widget, crd]);
  deepEqual(applied.changes.map(({ ref, action }) => [ref.kind, action]), [
    ["CustomResourceDefinition", "created"],
    ["Widget", "created"],
  ]);

  // A kind that never comes is told after a while, and one that nobody defines at once.
  servedAt = Infinity;
  const startedAt = bench.clock.monotonic();
  const gadget: Resource = { ...widget, kind: "Gadget" };
  await rejects(bench.apply(owner, [gadget]), /kind "Gadget" of "example.com\/v1" is not served/);
  ok(bench.clock.monotonic() - startedAt < 1_000);
  await rejects(
    bench.apply(owner, [gadget, definition("gadgets.example.com", "Gadget") as Resource]),
    /kind "Gadget" of "example.com\/v1" is not served/,
  );
  ok(bench.clock.monotonic() - startedAt >= 15_000);
});
