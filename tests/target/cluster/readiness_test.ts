import { deepEqual, equal } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import { fluxReadinessOf, readinessOf } from "../../../src/target/cluster/readiness.ts";
import type { Readiness } from "../../../src/target/cluster/readiness_fields.ts";
import { ownVectors } from "../../support/paths.ts";
import { testVectors } from "../../support/vectors.ts";

interface Case {
  readonly name?: string;
  readonly object: JsonObject;
  readonly status?: string;
  readonly message?: string;
  readonly conditions: readonly { type: string; status: string; reason?: string; message?: string }[] | null;
  readonly error?: string;
}

const now = Date.UTC(2026, 0, 1);

function conditionsOf(readiness: Readiness) {
  const type = readiness.status === "InProgress"
    ? "Reconciling"
    : readiness.status === "Failed"
    ? "Stalled"
    : undefined;
  return type === undefined
    ? []
    : [{ type, status: "True", reason: readiness.reason, message: readiness.detail ?? readiness.message }];
}

function plain(conditions: Case["conditions"]) {
  return (conditions ?? []).map((condition) => ({ reason: "", message: "", ...condition }));
}

function meets(given: Case): void {
  const found = readinessOf(given.object, now);
  if (given.error !== undefined) return equal(found.status, "Unknown");
  deepEqual(
    { status: found.status, message: found.message, conditions: conditionsOf(found) },
    { status: given.status, message: given.message ?? "", conditions: plain(given.conditions) },
    given.name,
  );
}

testVectors<Case>("kstatus/compute.json", { name: (item) => item.name ?? "", run: meets });

Deno.test("readinessOf() meets kstatus on our own cases", async () => {
  const { cases } = JSON.parse(await Deno.readTextFile(`${ownVectors}/kstatus/compute.json`)) as {
    readonly cases: readonly Case[];
  };
  for (const given of cases) meets(given);
  equal(cases.length, 34);
});

testVectors<Case>("kstatus/job_status.json", {
  name: (_, index) => `job ${index}`,
  run: (given) => {
    const { status, message } = fluxReadinessOf({ apiVersion: "batch/v1", kind: "Job", ...given.object }, now);
    equal(status, given.status);
    equal(message, given.message);
  },
});

Deno.test("fluxReadinessOf() keeps a running Job in progress, where kstatus calls it current", () => {
  const job = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "j" }, status: { startTime: "x", active: 1 } };

  equal(readinessOf(job, now).status, "Current");
  equal(fluxReadinessOf(job, now).status, "InProgress");
});

Deno.test("readinessOf() fails a Pod that found no node for 15 seconds", () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", creationTimestamp: "2026-01-01T00:00:00Z" },
    status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }] },
  };

  equal(readinessOf(pod, now + 14_999).status, "InProgress");
  equal(readinessOf(pod, now + 15_000).status, "Failed");
});
