import { equal, rejects } from "node:assert/strict";
import { InventoryStore } from "../../../src/target/cluster/inventory_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeCluster } from "../../support/fake_cluster.ts";

const owner = { kind: "Kustomization", namespace: "default", name: "apps" };

Deno.test("InventoryStore.load() goes on for one owner when another one that asked first is stopped", async () => {
  const api = new FakeCluster(new FakeClock()).api();
  let lists = 0;
  const slow: typeof api = Object.assign(Object.create(api), {
    send: (request: Parameters<typeof api.send>[0], signal: AbortSignal) => {
      if (lists++ > 0) return api.send(request, signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    },
  });
  const store = new InventoryStore(slow, "default");
  const stop = new AbortController();
  const stopped = store.load({ ...owner, name: "other" }, stop.signal);
  const waiting = store.load(owner, new AbortController().signal);
  stop.abort(new Error("suspended"));

  await rejects(stopped, /suspended/);
  equal(await waiting, undefined);
  equal(lists, 2);
});
