import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { HelmReleaseSpec } from "../../src/core/specs.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { bench, hook, repository, resource } from "../support/release_bench.ts";

const verified = {
  kind: "repository" as const,
  sourceRef: repository,
  chart: "web",
  version: "1.x",
  valuesFiles: [],
  ignoreMissingValuesFiles: false,
  verify: { provider: "cosign" as const },
};
const other = (kind: string) => ({ kind, namespace: "default", name: "src" });

/** Fields that are not built, and what the object says. */
const refused: readonly (readonly [string, Partial<HelmReleaseSpec>])[] = [
  ["spec.test.enable", { test: { enable: true, ignoreFailures: false } }],
  ["spec.chart.spec.verify", { chart: verified }],
  ['spec.chart.spec.sourceRef.kind "GitRepository"', { chart: { ...verified, sourceRef: other("GitRepository") } }],
  ['spec.chart.spec.sourceRef.kind "Bucket"', { chart: { ...verified, sourceRef: other("Bucket") } }],
  ['spec.chartRef.kind "HelmChart"', { chart: { kind: "ref", sourceRef: other("HelmChart") } }],
  ['spec.chartRef.kind "ExternalArtifact"', { chart: { kind: "ref", sourceRef: other("ExternalArtifact") } }],
  ["spec.install.serverSideApply: false", { install: { serverSideApply: false } }],
  ["spec.upgrade.serverSideApply: disabled", { upgrade: { serverSideApply: "disabled" } }],
  ["spec.upgrade.preserveValues", { upgrade: { preserveValues: true } }],
  ["spec.uninstall.keepHistory", { uninstall: { keepHistory: true } }],
  ["spec.waitStrategy.name: legacy", { waitStrategy: "legacy" }],
];

for (const [field, spec] of refused) {
  Deno.test(`${field} fails closed, by name`, async () => {
    const release = bench({ spec });
    await rejects(release.run(), (error) => {
      ok((error as Error).message.includes(`Cannot act on ${field}`), (error as Error).message);
      return error instanceof StageError && error.reason === "NotBuiltYet";
    });
    deepEqual(release.told(), []);
  });
}

Deno.test("fields that mean what is done anyway are no obstacle", async () => {
  const release = bench({
    spec: {
      maxHistory: 2,
      waitStrategy: "poller",
      install: { serverSideApply: true, replace: true, disableOpenAPIValidation: true, disableTakeOwnership: false },
      upgrade: { serverSideApply: "auto", force: true, preserveValues: false },
      rollback: { cleanupOnFail: true, force: true },
      test: { enable: false, ignoreFailures: true },
    },
  });
  const plain = bench();
  const [result, expected] = [await release.run(), await plain.run()];
  deepEqual([result.reason, result.warnings], ["InstallSucceeded", expected.warnings]);
  deepEqual(release.told(), plain.told());
  deepEqual(release.target.options, plain.target.options);
});

Deno.test("timeout of the action beats the release's, for the apply, the wait and each hook", async () => {
  const release = bench({ spec: { timeoutMs: 9_000, install: { timeoutMs: 4_000 } } });
  await release.run();
  deepEqual([...new Set(release.target.options.map((options) => options.timeoutMs))], [4_000]);
  release.change({ values: { a: 1 } });
  release.target.options.length = 0;
  await release.run();
  deepEqual([...new Set(release.target.options.map((options) => options.timeoutMs))], [9_000]);
});

Deno.test("a failure names the remediation that is not built, and RetryOnFailure decides the pause", async () => {
  const failing = async (spec: Partial<HelmReleaseSpec>) => {
    const release = bench({ spec });
    release.target.failing = "app";
    return await release.run().then(() => undefined, (error: unknown) => error as StageError);
  };
  const remediated = await failing({ install: { remediation: { retries: 3 } } });
  match(remediated?.hint ?? "", /spec\.install\.remediation is not built yet/);
  equal(remediated?.reason, "InstallFailed");
  const retried = await failing({ install: { strategy: { name: "RetryOnFailure", retryIntervalMs: 60_000 } } });
  deepEqual([retried?.retryAfterMs, /remediation/.test(retried?.hint ?? "")], [60_000, false]);
  equal((await failing({ install: { strategy: { name: "RetryOnFailure" } } }))?.retryAfterMs, 300_000);
  equal((await failing({ install: { remediation: { retries: 0 } } }))?.hint.includes("remediation"), false);
});

for (
  const [name, install, tries] of [
    ["as many as remediation.retries allows", { remediation: { retries: 2 } }, 3],
    ["one where retries is 0", { remediation: { retries: 0 } }, 1],
    ["without end where retries is -1", { remediation: { retries: -1 } }, undefined],
    ["without end where nothing says how many", {}, undefined],
    ["without end with RetryOnFailure", {
      strategy: { name: "RetryOnFailure" },
      remediation: { retries: 0 },
    }, undefined],
  ] as const
) {
  Deno.test(`a change that fails is tried: ${name}`, async () => {
    const release = bench({ spec: { install } });
    release.target.failing = "app";
    const tried = async (trigger: "retry" | "request" | "config" = "retry") => {
      const error = await release.run(trigger).then(() => undefined, (thrown: unknown) => thrown as StageError);
      return [release.told().includes("wait app,task"), error?.reason, error?.exhausted];
    };
    for (let nth = 1; nth <= (tries ?? 5); nth++) {
      const end = nth === tries ? `Failed to install after ${nth} attempt(s)` : undefined;
      deepEqual(await tried(), [true, "InstallFailed", end]);
    }
    if (tries === undefined) return;
    deepEqual(await tried(), [false, "InstallFailed", `Failed to install after ${tries} attempt(s)`]);
    deepEqual(await tried("request"), [true, "InstallFailed", `Failed to install after ${tries + 1} attempt(s)`]);
    release.change({ values: { a: 1 } });
    equal((await tried("config"))[0], true);
    release.target.failing = "";
    equal((await release.run("request")).reason, "InstallSucceeded");
    equal(release.record.release?.failed, undefined);
  });
}

Deno.test("disableTakeOwnership refuses what is another's, and takes what bears the release's marks", async () => {
  const release = bench({ spec: { install: { disableTakeOwnership: true } } });
  release.target.held.set("shop_app__ConfigMap", resource("ConfigMap", "app"));
  await rejects(release.run(), /ConfigMap\/shop\/app exist and belong to another release or to nobody/);
  ok(!release.told().includes("apply app,task"));

  const marked = resource("ConfigMap", "app");
  release.target.held.set("shop_app__ConfigMap", {
    ...marked,
    metadata: {
      ...marked.metadata,
      labels: { "app.kubernetes.io/managed-by": "Helm" },
      annotations: { "meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop" },
    },
  });
  equal((await release.run("retry")).reason, "InstallSucceeded");
  const taking = bench();
  taking.target.held.set("shop_app__ConfigMap", resource("ConfigMap", "app"));
  equal((await taking.run()).reason, "InstallSucceeded");
});

Deno.test("cleanupOnFail deletes what a failed upgrade made new, and nothing of what stood", async () => {
  const release = bench({ spec: { upgrade: { cleanupOnFail: true } } });
  await release.run();
  release.chart.resources = [...release.chart.resources, resource("ConfigMap", "added")];
  release.change({ values: { a: 1 } });
  release.target.failing = "added";
  release.told();
  await rejects(release.run("config"));
  deepEqual(release.told().at(-1), "remove shop_added__ConfigMap");
  deepEqual(release.record.inventory.entries.map((entry) => entry.id), ["shop_app__ConfigMap", "shop_task__Job"]);
});

Deno.test("driftDetection: corrected by default and when enabled, told by warn, left alone when disabled", async () => {
  for (const mode of [undefined, "enabled", "warn", "disabled"] as const) {
    const release = bench({ spec: mode === undefined ? {} : { driftDetection: { mode, ignore: [] } } });
    await release.run();
    release.target.hasDrifted = true;
    release.target.drifted = [
      {
        action: "update",
        ref: { group: "", version: "v1", kind: "ConfigMap", namespace: "shop", name: "app" },
        fields: ["/data/a", "/data/b"],
      },
      { action: "unchanged", ref: { group: "batch", version: "v1", kind: "Job", namespace: "shop", name: "task" } },
    ];
    release.told();
    const result = await release.run("drift");
    const isCorrected = mode === undefined || mode === "enabled";
    equal(release.told().includes("apply app,task"), isCorrected, mode);
    const drifted = result.conditions?.find((one) => one.type === "Drifted");
    equal(drifted?.reason, mode === "warn" ? "DriftDetected" : undefined);
    if (mode !== "warn") continue;
    match(
      drifted?.message ?? "",
      /has drifted from the desired state:\nConfigMap\/shop\/app changed: \/data\/a, \/data\/b$/,
    );
    deepEqual(result.events.map((event) => event.reason), ["DriftDetected"]);
    deepEqual((await release.run("interval")).events, [], "the same drift is told once");
    release.target.hasDrifted = false;
    const after = await release.run("interval");
    deepEqual(after.conditions?.map(({ type, status }) => [type, status]), [["Drifted", "False"]]);
  }
});

Deno.test("driftDetection.ignore and the annotation of a resource count when drift is corrected, not in a change", async () => {
  const own = resource("ConfigMap", "app.v1");
  const left = {
    ...own,
    data: {},
    metadata: { ...own.metadata, annotations: { "helm.toolkit.fluxcd.io/driftDetection": "disabled" } },
  };
  const rule = { paths: ["/spec/replicas"], target: { kind: "Deployment" } };
  const release = bench({ spec: { driftDetection: { mode: "enabled", ignore: [rule] } } });
  release.chart.resources = [left];
  await release.run();
  deepEqual(release.target.options.at(-1)?.ignore, []);
  release.target.hasDrifted = true;
  await release.run("drift");
  deepEqual(release.target.options.at(-1)?.ignore, [rule, {
    paths: ["/data", "/metadata/labels"],
    target: { group: "", kind: "ConfigMap", name: "app\\.v1", namespace: "shop" },
  }]);

  const directory = bench({ kind: "directory", spec: { driftDetection: { mode: "enabled", ignore: [rule] } } });
  await rejects(directory.run(), /Cannot use spec\.driftDetection\.ignore with a directory/);
});

Deno.test("hooks wait as long as their action, under the account of the release", async () => {
  const release = bench({
    hooks: [hook("Job", "job")],
    spec: { serviceAccountName: "deployer", timeoutMs: 9_000, install: { timeoutMs: 4_000 } },
  });
  const waits: unknown[] = [];
  const wait = release.target.wait.bind(release.target);
  release.target.wait = (request) => {
    waits.push([request.refs[0]?.name, request.timeoutMs, request.serviceAccountName, request.owner.kind]);
    return wait(request);
  };
  await release.run();
  deepEqual(waits, [
    ["job", 4_000, "deployer", "HelmReleaseKept"],
    ["app", 4_000, "deployer", "HelmRelease"],
  ]);
});
