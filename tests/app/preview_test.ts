import { deepEqual, equal } from "node:assert/strict";
import { PreviewTarget, scratchCheckpoints } from "../../src/app/preview.ts";
import type { Resource } from "../../src/core/resource.ts";
import type { PlannedChange, TargetRequest } from "../../src/core/target.ts";
import { newRecord } from "../../src/reconcile/record.ts";
import { FakeTarget } from "../support/fake_target.ts";

const owner = { kind: "Kustomization", namespace: "default", name: "apps" };
const signal = new AbortController().signal;

class PlanningTarget extends FakeTarget {
  override plan(request?: TargetRequest): Promise<never[]> {
    this.calls.push("plan");
    const changes: PlannedChange[] = (request?.resources ?? []).map((resource) => ({
      action: "create",
      ref: { group: "", version: "v1", kind: resource.kind, namespace: "", name: resource.metadata.name },
    }));
    return Promise.resolve(changes as never[]);
  }
}

function request(name: string): TargetRequest {
  const resource: Resource = { apiVersion: "v1", kind: "ConfigMap", metadata: { name } };
  return { owner, resources: [resource], previous: { entries: [] }, revision: "v1", options: {} };
}

Deno.test("a preview notes what is applied, over several applies, and asks the target nothing", async () => {
  const real = new PlanningTarget();
  const target = new PreviewTarget(real, false);

  await target.apply(request("crd"), signal);
  const applied = await target.apply(request("app"), signal);
  await target.remove(owner, applied.inventory.entries);
  await target.wait();

  deepEqual(target.rendered.get("Kustomization/default/apps")?.resources.map((one) => one.metadata.name), [
    "crd",
    "app",
  ]);
  equal(applied.inventory.entries.length, 1);
  equal(target.planned.size, 0);
  deepEqual(real.calls, []);
});

Deno.test("a preview that plans asks what would change and changes nothing", async () => {
  const real = new PlanningTarget();
  const target = new PreviewTarget(real, true);

  await target.apply(request("crd"), signal);
  await target.apply(request("app"), signal);

  deepEqual(
    target.planned.get("Kustomization/default/apps")?.changes.map((one) => `${one.action} ${one.ref.name}`),
    ["create crd", "create app"],
  );
  deepEqual(real.calls, ["plan", "plan"]);
  equal(real.standing.size, 0);
});

Deno.test("scratchCheckpoints() start from what was and keep what is new to themselves", async () => {
  const old = newRecord({ key: owner, apiVersion: "v1" } as never);
  const records = scratchCheckpoints([old]);
  await records.save({ ...old, failures: 2 });
  equal(records.get(owner)?.failures, 2);
  equal(old.failures, 0);
  await records.forget(owner);
  deepEqual([...records.all()], []);
});
