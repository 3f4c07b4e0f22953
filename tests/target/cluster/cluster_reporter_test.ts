import { deepEqual, equal, match } from "node:assert/strict";
import type { Event } from "../../../src/core/event.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { KubeError } from "../../../src/core/kube_api.ts";
import type { ObjectKey } from "../../../src/core/object.ts";
import type { ObjectStatus } from "../../../src/core/status.ts";
import type { ClusterReporterOptions } from "../../../src/target/cluster/cluster_reporter.ts";
import { clusterReporter } from "../../../src/target/cluster/cluster_reporter.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeCluster } from "../../support/fake_cluster.ts";

const maps = "/api/v1/namespaces/default/configmaps";
const events = "/api/v1/namespaces/default/events";
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function key(name: string): ObjectKey {
  return { kind: "Kustomization", namespace: "team", name };
}

function event(name: string, changes: Partial<Event> = {}): Event {
  return {
    object: key(name),
    severity: "error",
    timestamp: "2026-01-01T00:00:00Z",
    reason: "HealthCheckFailed",
    message: "it broke",
    metadata: { revision: "v1" },
    ...changes,
  };
}

function status(name: string, ready: "True" | "False", changes: Partial<ObjectStatus> = {}): ObjectStatus {
  return {
    key: key(name),
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    isSuspended: false,
    generation: 1,
    observedGeneration: 1,
    conditions: [{
      type: "Ready",
      status: ready,
      reason: "ReconciliationSucceeded",
      message: "Applied revision: v1",
      lastTransitionTime: "2026-01-01T00:00:00Z",
      observedGeneration: 1,
    }],
    lastAppliedRevision: "v1",
    history: [],
    warnings: [],
    failures: 0,
    isSettled: true,
    ...changes,
  };
}

function opened(options: Partial<ClusterReporterOptions> = {}, cluster?: FakeCluster) {
  const clock = new FakeClock();
  const server = cluster ?? new FakeCluster(clock);
  const reporter = clusterReporter(server.api(), { clock, log: silent, events: true, status: true, ...options });
  return { clock, cluster: server, reporter };
}

function written(cluster: FakeCluster, collection: string): readonly JsonObject[] {
  const paths = new Set(cluster.writes.map((line) => line.slice(line.indexOf(" ") + 1)));
  return [...paths].filter((path) => path.startsWith(`${collection}/`)).map((path) => cluster.object(path))
    .filter((object) => object !== undefined);
}

Deno.test("clusterReporter() counts the same event in one series, about the object's ConfigMap", async () => {
  const { clock, cluster, reporter } = opened();
  reporter.event(event("apps", { message: "é".repeat(2_000) }));
  await clock.advance(1_000);
  reporter.event(event("apps", { message: "é".repeat(2_000), timestamp: "2026-01-01T00:05:00Z" }));
  reporter.event(event("apps", { severity: "trace" }));
  await clock.advance(1_000);

  const [one, ...others] = written(cluster, events);
  equal(others.length, 0);
  deepEqual([one?.count, one?.type, one?.firstTimestamp, one?.lastTimestamp], [
    2,
    "Warning",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:05:00Z",
  ]);
  equal(String(one?.message).length, 1_024);
  equal((one?.involvedObject as JsonObject).name, "pilotfish-status.kustomization.team.apps");
  deepEqual(one?.related, { apiVersion: "kustomize.toolkit.fluxcd.io/v1", ...key("apps") });
  deepEqual((one?.metadata as JsonObject).annotations, { "kustomize.toolkit.fluxcd.io/revision": "v1" });
  await reporter[Symbol.asyncDispose]();
});

Deno.test("clusterReporter() writes a status only when it says something new, and takes it away with its object", async () => {
  const { clock, cluster, reporter } = opened();
  reporter.status(status("apps", "False"));
  reporter.status(status("apps", "True"));
  await clock.advance(1_000);
  const [map] = written(cluster, maps);
  const data = map?.data as Record<string, string>;
  deepEqual([data.object, data.ready, data.revision], ["Kustomization/team/apps", "True", "v1"]);
  equal(JSON.parse(data.status ?? "").conditions[0].type, "Ready");
  const { length } = cluster.writes;

  reporter.status(status("apps", "True", { nextRunAt: "2026-01-01T01:00:00Z", failures: 0 }));
  await clock.advance(10_000);
  equal(cluster.writes.length, length, "nothing that counts has changed");

  reporter.gone(key("apps"));
  await clock.advance(1_000);
  equal(cluster.writes.at(-1), `DELETE ${maps}/pilotfish-status.kustomization.team.apps`);
  await reporter[Symbol.asyncDispose]();
});

Deno.test("clusterReporter() shows a run once it takes long", async () => {
  const { clock, cluster, reporter } = opened();
  reporter.status(status("slow", "False", { isSettled: false }));
  await clock.advance(3_000);
  deepEqual(cluster.writes, []);
  await clock.advance(4_000);
  equal(cluster.writes.length, 1);
  await reporter[Symbol.asyncDispose]();
});

Deno.test("clusterReporter() finds what an earlier run left, and deletes nothing else", async () => {
  const before = opened();
  before.reporter.status(status("kept", "True"));
  before.reporter.status(status("left", "True"));
  await before.clock.advance(1_000);
  const { cluster } = before;
  cluster.put(`${maps}/foreign`, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "foreign", namespace: "default", labels: { "pilotfish.dev/status": "true" } },
    data: { object: "Kustomization/team/other" },
  });
  const { length } = cluster.writes;

  const { clock, reporter } = opened({}, cluster);
  reporter.status(status("kept", "True"));
  await clock.advance(1_000);
  equal(cluster.writes.length, length, "it stands already");
  reporter.allTold();
  await clock.advance(1_000);
  deepEqual(cluster.writes.slice(length), [`DELETE ${maps}/pilotfish-status.kustomization.team.left`]);
  await reporter[Symbol.asyncDispose]();
});

Deno.test("clusterReporter() is silent without the lease, and without the right it tries again later", async () => {
  let isHeld = false;
  const waiting = Promise.withResolvers<void>();
  const { clock, cluster, reporter } = opened({
    lease: {
      term: 0,
      hold: () => waiting.promise,
      assertHeld: () => {
        if (!isHeld) throw new KubeError("not ours", { code: 0, reason: "NotLeader" });
      },
    },
  });
  const told: string[] = [];
  reporter.status(status("apps", "True"));
  reporter.event(event("apps"));
  await clock.advance(60_000);
  deepEqual(cluster.writes, []);
  isHeld = true;
  waiting.resolve();
  await clock.advance(1_000);
  equal(cluster.writes.length, 2);

  const refused = opened({ log: { ...silent, warn: (_, fields) => told.push(String(fields?.error)) } });
  refused.cluster.allow = (request) => request.plural !== "events";
  refused.reporter.event(event("apps"));
  refused.reporter.status(status("apps", "True"));
  await refused.clock.advance(700_000);
  equal(written(refused.cluster, maps).length, 1, "what is allowed is told");
  equal(told.length, 1, "and the fault is told once");
  match(told[0] ?? "", /events/);
  await reporter[Symbol.asyncDispose]();
  await refused.reporter[Symbol.asyncDispose]();
});

Deno.test("clusterReporter() leaves no timer behind when it is closed over a server that fails", async () => {
  const clock = new FakeClock();
  const answer = Promise.withResolvers<JsonObject>();
  const api = { ...new FakeCluster(clock).api(), send: () => answer.promise };
  const reporter = clusterReporter(api, { clock, log: silent, events: true, status: true });
  reporter.event(event("web"));
  await clock.advance(1_000);

  const closed = reporter[Symbol.asyncDispose]();
  answer.reject(new KubeError("away", { code: 500, reason: "InternalError" }));
  await clock.advance(0);
  await closed;

  equal(clock.pending, 0);
});
