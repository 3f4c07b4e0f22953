/** Lists, watches and answers that several share: nobody's end is another's, and the last one closes what was opened. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import type { KubeApi } from "../../../src/core/kube_api.ts";
import type { ObjectKey } from "../../../src/core/object.ts";
import type { Resource } from "../../../src/core/resource.ts";
import { refOf } from "../../../src/core/resource.ts";
import { clusterFacts } from "../../../src/target/cluster/cluster_facts.ts";
import { discoveryOf } from "../../../src/target/cluster/discovery.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { TargetBench, thing } from "../../support/target_bench.ts";

const owner: ObjectKey = { kind: "Kustomization", namespace: "default", name: "apps" };
const configMap = (name: string): Resource =>
  thing("v1", "ConfigMap", name, { data: { k: "1" } }, { namespace: "default" });
const path = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`;
const never = new AbortController().signal;

/** An API that answers each request when it is told to, and minds the signal that came with it. */
function slowApi(answers: Readonly<Record<string, unknown>>) {
  const waiting: (() => void)[] = [];
  const send = ({ path }: { readonly path: string }, signal?: AbortSignal) =>
    new Promise((resolve, reject) => {
      waiting.push(() => resolve(answers[path] ?? {}));
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  const answer = async () => {
    for (let turn = 0; turn < 20; turn++) {
      for (const go of waiting.splice(0)) go();
      await Promise.resolve();
    }
  };
  return { api: { send, name: "slow" } as unknown as KubeApi, answer };
}

Deno.test("who stops asking what a cluster serves stops nobody else who waits for the same answer", async () => {
  const resources = [{ name: "configmaps", kind: "ConfigMap", namespaced: true, verbs: ["list"] }];
  const { api, answer } = slowApi({ "/api/v1": { resources }, "/version": { gitVersion: "v1" } });
  const name = { group: "", version: "v1", kind: "ConfigMap" };
  const discovery = discoveryOf(api);
  const facts = clusterFacts(api, new FakeClock());
  for (const ask of [(signal: AbortSignal) => discovery.kindOf(name, signal), facts.capabilities]) {
    const stop = new AbortController();
    const first = ask(stop.signal);
    const second = ask(never);
    stop.abort(new Error("stopped"));
    await rejects(first, /stopped/);
    await answer();
    equal((await second) !== undefined, true);
  }
});

Deno.test("wait() closes what it opened, also when it may not look at an object", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("a")]);
  bench.cluster.intercept = ({ path: asked }) =>
    asked === path("b")
      ? Response.json({ kind: "Status", code: 500, reason: "InternalError", message: "no" }, { status: 500 })
      : undefined;
  const refs = [refOf(configMap("b"))];
  await rejects(bench.run(bench.target.wait({ owner, refs, timeoutMs: 1_000 }, never)));
  bench.cluster.intercept = undefined;
  await bench.remove(owner, (await bench.run(bench.target.remembered(owner)))?.entries ?? [], { isWholeRemoval: true });
  equal(bench.target.openViews, 0);
});

Deno.test("a resource that is looked at and watched at the same time is left by both", async () => {
  using bench = new TargetBench();
  await bench.apply(owner, [configMap("a"), configMap("b")]);
  const target = bench.another();
  const stop = new AbortController();
  const { entries } = await bench.run(target.remembered(owner)) ?? { entries: [] };
  target.watch?.(owner, () => {}, stop.signal);
  equal(await bench.stands(owner, "inputs", target), true);
  equal(target.openViews, 1);
  stop.abort(new Error("enough"));
  await bench.remove(owner, entries, { isWholeRemoval: true }, target);
  equal(target.openViews, 0);
});

Deno.test("what is left alone in the very moment of its apply is looked at again the next time", async () => {
  using bench = new TargetBench();
  bench.cluster.put(path("a"), configMap("a"));
  const live = () => bench.cluster.object(path("a")) as JsonObject;
  const message = `failed calling webhook "x": service "hook" not found`;
  const refusal = { kind: "Status", code: 500, reason: "InternalError", message };
  let looks = 0;
  bench.cluster.intercept = (request) => {
    if (request.path !== path("a")) return undefined;
    if (request.query.dryRun !== undefined) return Response.json(refusal, { status: 500 });
    const annotations = { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" };
    if (request.method === "GET" && ++looks === 2) {
      bench.cluster.put(path("a"), { ...live(), metadata: { ...live().metadata as JsonObject, annotations } });
    }
    return undefined;
  };
  const hook = thing("v1", "Service", "hook", { spec: {} }, { namespace: "default" });
  const wanted = [thing("v1", "ConfigMap", "a", { data: { k: "2" } }, { namespace: "default" }), hook];
  const applied = await bench.apply(owner, wanted);
  deepEqual(applied.changes.filter(({ ref }) => ref.name === "a").map(({ action }) => action), ["skipped"]);
  bench.cluster.intercept = undefined;
  const { annotations: _, ...metadata } = live().metadata as JsonObject;
  bench.cluster.put(path("a"), { ...live(), metadata });
  await bench.apply(owner, wanted);
  deepEqual(live().data, { k: "2" });
});
