import { deepEqual, equal } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import type { ChangedReference } from "../../../src/target/cluster/cluster_references.ts";
import { clusterReferences } from "../../../src/target/cluster/cluster_references.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeCluster } from "../../support/fake_cluster.ts";

const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };

function object(kind: string, name: string, rest: JsonObject): JsonObject {
  return { apiVersion: "v1", kind, metadata: { name, namespace: "default" }, ...rest };
}

Deno.test("clusterReferences() reads data as bytes, and undefined for what is not there", async () => {
  const cluster = new FakeCluster(new FakeClock());
  const root = "/api/v1/namespaces/default";
  cluster.put(`${root}/secrets/s`, object("Secret", "s", { type: "Opaque", data: { k: btoa("value") } }));
  cluster.put(`${root}/configmaps/c`, object("ConfigMap", "c", { data: { t: "ü" }, binaryData: { b: "AAE=" } }));
  cluster.put(`${root}/serviceaccounts/a`, object("ServiceAccount", "a", { imagePullSecrets: [{ name: "pull" }] }));
  using references = clusterReferences(cluster.api(), { clock: new FakeClock(), random });

  const secret = await references.secret("default", "s");
  equal(secret?.type, "Opaque");
  equal(new TextDecoder().decode(secret?.data.get("k")), "value");
  const map = await references.configMap("default", "c");
  deepEqual([...map?.data ?? []], [["t", new TextEncoder().encode("ü")], ["b", new Uint8Array([0, 1])]]);
  deepEqual(await references.imagePullSecrets("default", "a"), ["pull"]);
  equal(await references.secret("default", "none"), undefined);
});

Deno.test("clusterReferences() tells changes of what was looked up, and asks for metadata alone", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  const path = (name: string) => `/api/v1/namespaces/default/secrets/${name}`;
  cluster.put(path("s"), object("Secret", "s", { data: { k: btoa("1") } }));
  const told: ChangedReference[] = [];
  using references = clusterReferences(cluster.api(), { clock, random, onChange: (changed) => told.push(changed) });
  await references.secret("default", "s");
  await references.secret("default", "later");
  await clock.advance(1_000);

  cluster.put(path("other"), object("Secret", "other", {}));
  cluster.put(path("later"), object("Secret", "later", {}));
  cluster.put(path("s"), object("Secret", "s", { data: { k: btoa("2") } }));
  cluster.put(path("s"), undefined);
  await clock.advance(1_000);

  deepEqual(told.map((changed) => changed.name), ["later", "s", "s"]);
  equal(cluster.requests.filter((request) => request.query.watch === "true").length, 1);
});

Deno.test("clusterReferences() reads what it may not watch, and asks for the watch once a minute at most", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  cluster.put("/api/v1/namespaces/default/secrets/s", object("Secret", "s", { data: { k: btoa("1") } }));
  cluster.allow = ({ verb }) => verb === "get";
  using references = clusterReferences(cluster.api(), { clock, random, onChange: () => {} });

  equal((await references.secret("default", "s"))?.data.size, 1);
  await clock.advance(180_000);

  const lists = cluster.requests.filter(({ path }) => path.endsWith("/secrets"));
  equal(lists.length <= 6, true, `${lists.length} lists in three minutes`);
});

Deno.test("clusterReferences() watches only what documents refer to, and no longer than they do", async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  const referred = new Set(["s", "c"]);
  const told: string[] = [];
  using references = clusterReferences(cluster.api(), {
    clock,
    random,
    onChange: ({ name }) => told.push(name),
    isReferred: ({ name }) => referred.has(name),
  });
  const watches = () => cluster.requests.filter(({ query }) => query.watch === "true").map(({ path }) => path);
  await references.imagePullSecrets("default", "a");
  await references.secret("kube-system", "pull");
  await references.secret("default", "s");
  await references.configMap("default", "c");
  await clock.advance(1_000);
  deepEqual(watches(), ["/api/v1/namespaces/default/secrets", "/api/v1/namespaces/default/configmaps"]);

  referred.delete("s");
  await clock.advance(601_000);
  cluster.requests.length = 0;
  cluster.put("/api/v1/namespaces/default/secrets/s", object("Secret", "s", {}));
  cluster.put("/api/v1/namespaces/default/configmaps/c", object("ConfigMap", "c", {}));
  cluster.dropWatches();
  await clock.advance(20_000);
  deepEqual(told, ["c"]);
  deepEqual([...new Set(watches())], ["/api/v1/namespaces/default/configmaps"]);

  referred.add("s");
  await references.secret("default", "s");
  await clock.advance(1_000);
  cluster.put("/api/v1/namespaces/default/secrets/s", undefined);
  await clock.advance(1_000);
  deepEqual(told, ["c", "s"]);
});
