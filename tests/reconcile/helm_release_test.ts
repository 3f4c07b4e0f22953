import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Artifact } from "../../src/core/artifact.ts";
import type { HookResource } from "../../src/core/builder.ts";
import type { DesiredObject } from "../../src/core/object.ts";
import { keyText } from "../../src/core/object.ts";
import type { Resource } from "../../src/core/resource.ts";
import type { HelmReleaseSpec } from "../../src/core/specs.ts";
import { StageError } from "../../src/core/stage_error.ts";
import type { TargetRequest, WaitRequest } from "../../src/core/target.ts";
import { helmReleasePipeline, type ReleaseBuild } from "../../src/reconcile/helm_release.ts";
import type { Run, RunResult } from "../../src/reconcile/pipeline.ts";
import { newRecord, type ObjectRecord } from "../../src/reconcile/record.ts";
import { FakeTarget } from "../support/fake_target.ts";

const repository = { kind: "HelmRepository", namespace: "default", name: "charts" } as const;

function specOf(patch: Partial<HelmReleaseSpec> = {}): HelmReleaseSpec {
  return {
    chart: { kind: "ref", sourceRef: { kind: "OCIRepository", namespace: "default", name: "src" } },
    intervalMs: 600_000,
    timeoutMs: 300_000,
    releaseName: "web",
    targetNamespace: "shop",
    storageNamespace: "shop",
    maxHistory: 5,
    values: {},
    valuesFrom: [],
    install: {},
    upgrade: {},
    rollback: {},
    uninstall: {},
    test: { enable: false, ignoreFailures: false },
    postRenderers: [],
    postRenderStrategy: "nohooks",
    healthCheckExprs: [],
    dependsOn: [],
    suspend: false,
    ...patch,
  };
}

function resource(kind: string, name: string): Resource {
  return { apiVersion: "v1", kind, metadata: { name, namespace: "shop" } };
}

function hook(kind: string, name: string, patch: Partial<HookResource> = {}): HookResource {
  return {
    resource: resource(kind, name),
    events: ["pre-install", "pre-upgrade"],
    weight: 0,
    deletePolicies: [],
    path: `templates/${name}.yaml`,
    ...patch,
  };
}

/** A target that also says which applies leave alone what is there, and fails the wait for what is named. */
class NotingTarget extends FakeTarget {
  failing = "";

  override apply(request: TargetRequest) {
    const applied = super.apply(request);
    if (request.options.createOnly === true) this.calls[this.calls.length - 1] += " (create only)";
    return applied;
  }

  override wait(request: WaitRequest) {
    const waited = super.wait(request);
    return request.refs.some((ref) => ref.name === this.failing)
      ? Promise.reject(new StageError("HealthCheckFailed", `${this.failing} failed`))
      : waited;
  }
}

function bench(options: {
  spec?: Partial<HelmReleaseSpec>;
  hooks?: readonly HookResource[];
  crds?: readonly Resource[];
  kind?: "cluster" | "directory";
  data?: Record<string, Record<string, string>>;
} = {}) {
  const target = new NotingTarget(options.kind ?? "cluster");
  const world = { isOnline: true, revision: "1.0.0@sha256:1", stored: new Set<string>(), pinned: [] as string[] };
  const builds: ReleaseBuild[] = [];
  const spec = specOf(options.spec);
  const object: DesiredObject<HelmReleaseSpec> = {
    key: { kind: "HelmRelease", namespace: "default", name: "web" },
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    labels: {},
    annotations: {},
    spec,
    generation: 1,
    document: { spec: JSON.parse(JSON.stringify(spec)) },
  };
  const artifactOf = (revision: string): Artifact =>
    ({
      revision,
      digest: revision,
      content: { kind: "blob", descriptor: { digest: revision }, fileName: "c" },
      metadata: {},
    }) as never;
  const find = (name: string) => {
    const data = options.data?.[name];
    return Promise.resolve(
      data && {
        type: "",
        data: new Map(Object.entries(data).map(([key, text]) => [key, new TextEncoder().encode(text)])),
      },
    );
  };
  const pipeline = helmReleasePipeline({
    openValue: ({ bytes }) => Promise.resolve(bytes),
    targetOf: () => target,
    referencesOf: () => ({
      secret: (namespace, name) => find(`Secret/${namespace}/${name}`),
      configMap: (namespace, name) => find(`ConfigMap/${namespace}/${name}`),
      imagePullSecrets: () => Promise.resolve(undefined),
    }),
    store: {
      has: (artifact) => Promise.resolve(world.stored.has(artifact.revision)),
      pin: (_owner, artifacts) => Promise.resolve(void world.pinned.push(...artifacts.map((one) => one.revision))),
      unpin: () => Promise.resolve(void world.pinned.push("none")),
      openTree: () => Promise.reject(new Error("not asked")),
      readBlob: () => Promise.reject(new Error("not asked")),
      collect: () => Promise.resolve({ removed: 0, freedBytes: 0 }),
    },
    openChart: () => ({
      pull: (previous) => {
        if (!world.isOnline) return Promise.reject(new StageError("OCIArtifactPullFailed", "no route to host"));
        const artifact = artifactOf(world.revision);
        world.stored.add(artifact.revision);
        return Promise.resolve({ artifact, changed: previous?.revision !== artifact.revision, warnings: ["old tag"] });
      },
    }),
    render: (request) => {
      builds.push(request);
      return Promise.resolve({
        resources: [resource("ConfigMap", "app"), resource("Job", "task")],
        hooks: options.hooks ?? [],
        ...(options.crds === undefined ? {} : { crds: options.crds }),
        warnings: [],
        isRepeatable: true,
        chart: { name: "web", version: "1.0.0" },
      });
    },
  });
  let record: ObjectRecord = newRecord(object);
  const run = async (trigger: Run<unknown>["trigger"] = "interval"): Promise<RunResult> => {
    const result = await pipeline.run({
      object,
      get record() {
        return record;
      },
      trigger,
      signal: new AbortController().signal,
      find: (key) => ({
        object,
        record: key.kind === "OCIRepository" ? { ...record, artifact: artifactOf(world.revision) } : undefined,
      }),
      checkpoint: (patch) => Promise.resolve(void (record = { ...record, ...patch })),
      progress: () => {},
      offWorker: (work) => work(),
    });
    record = {
      ...record,
      ...result.record,
      observedGeneration: record.generation,
      conditions: [{
        type: "Ready",
        status: "True",
        reason: result.reason,
        message: result.message,
        lastTransitionTime: "",
        observedGeneration: 1,
      }],
    };
    return result;
  };
  const told = () => target.calls.splice(0);
  return { target, world, builds, run, told, key: keyText(object.key) };
}

Deno.test("an install applies, waits and says what stands; the same again builds nothing", async () => {
  const { run, told, builds } = bench();

  const first = await run();
  deepEqual(told(), ["apply app,task", "wait app,task"]);
  equal(first.reason, "InstallSucceeded");
  equal(first.message, "Helm install succeeded for release shop/web with chart web@1.0.0");
  const second = await run();
  deepEqual([told(), builds.length, second.reason, second.events], [[], 1, "InstallSucceeded", []]);
  const third = await run("request");
  equal(third.reason, "UpgradeSucceeded");
  equal(builds[1]?.action, "upgrade");
});

Deno.test("hooks run by weight, then name; only Jobs and Pods are waited for; others' events are left out", async () => {
  const { run, told } = bench({
    hooks: [
      hook("Job", "late", { weight: 5 }),
      hook("Job", "b"),
      hook("ConfigMap", "a"),
      hook("Job", "early", { weight: -5 }),
      hook("Job", "after", { events: ["post-install"] }),
      hook("Job", "never", { events: ["pre-delete", "test"] }),
    ],
  });
  await run();

  deepEqual(told().filter((line) => !line.startsWith("remove")), [
    "apply early",
    "wait early",
    "apply a",
    "apply b",
    "wait b",
    "apply late",
    "wait late",
    "apply app,task",
    "wait app,task",
    "apply after",
    "wait after",
  ]);
});

Deno.test("what hook-succeeded deletes stays until all hooks of its event have run", async () => {
  const { run, told } = bench({
    hooks: [
      hook("ServiceAccount", "account", { weight: -1, deletePolicies: ["hook-succeeded"] }),
      hook("Job", "job", { deletePolicies: ["hook-succeeded", "before-hook-creation"] }),
      hook("CustomResourceDefinition", "crd", { weight: 1, deletePolicies: ["hook-succeeded"] }),
    ],
  });
  await run();

  deepEqual(told().slice(0, 7), [
    "apply account",
    "remove shop_job__Job",
    "apply job",
    "wait job",
    "apply crd",
    "remove shop_job__Job",
    "remove shop_account__ServiceAccount",
  ]);
});

Deno.test("a hook that fails stops the release, and its policy and that of earlier ones is kept", async () => {
  const { run, told, target } = bench({
    hooks: [
      hook("ConfigMap", "first", { weight: -1, deletePolicies: ["hook-succeeded"] }),
      hook("Job", "job", { deletePolicies: ["hook-failed"] }),
      hook("Job", "later", { weight: 1 }),
    ],
  });
  target.failing = "job";

  await rejects(run(), (error) => {
    match((error as Error).message, /Helm install failed for release shop\/web: job failed/);
    return error instanceof StageError && error.reason === "InstallFailed";
  });
  deepEqual(told(), [
    "apply first",
    "apply job",
    "wait job",
    "remove shop_job__Job",
    "remove shop_first__ConfigMap",
  ]);
});

Deno.test("a hook without a policy is deleted before it is made again", async () => {
  const { run, told } = bench({ hooks: [hook("Job", "job")] });
  await run();

  deepEqual(told().slice(0, 2), ["remove shop_job__Job", "apply job"]);
});

Deno.test("hooks are left out where they are disabled, and said to be in a directory", async () => {
  const hooks = [hook("Job", "job")];
  const disabled = bench({ hooks, spec: { install: { disableHooks: true } } });
  await disabled.run();
  deepEqual(disabled.told(), ["apply app,task", "wait app,task"]);

  const directory = bench({ hooks, kind: "directory" });
  match((await directory.run()).warnings.join(), /1 hooks of the chart were left out/);
  ok(!directory.told().includes("apply job"));
});

for (
  const [name, settings, expected] of [
    ["by default", {}, ["apply crd (create only)"]],
    ["CreateReplace", { crds: "CreateReplace" }, ["apply crd"]],
    ["Skip", { crds: "Skip" }, []],
    ["skipCRDs", { skipCRDs: true }, []],
  ] as const
) {
  Deno.test(`CRDs of a chart, ${name}`, async () => {
    const { run, told } = bench({
      crds: [resource("CustomResourceDefinition", "crd")],
      spec: { install: settings },
    });
    await run();
    deepEqual(told(), [...expected, "apply app,task", "wait app,task"]);
  });
}

Deno.test("createNamespace makes the namespace with the install, once, and never replaces it", async () => {
  const { run, told } = bench({ spec: { install: { createNamespace: true } } });
  await run();
  deepEqual(told()[0], "apply shop (create only)");
  await run("request");
  ok(!told().some((line) => line.startsWith("apply shop")));
});

Deno.test("disableWait waits for nothing, disableWaitForJobs for all but Jobs", async () => {
  const none = bench({ spec: { install: { disableWait: true } } });
  await none.run();
  deepEqual(none.told(), ["apply app,task"]);
  const noJobs = bench({ spec: { install: { disableWaitForJobs: true } } });
  await noJobs.run();
  deepEqual(noJobs.told(), ["apply app,task", "wait app"]);
});

Deno.test("valuesFrom reads keys in order; what is missing is an error by name unless it is optional", async () => {
  const from = (
    kind: "Secret" | "ConfigMap",
    name: string,
    patch: { valuesKey?: string; optional?: boolean } = {},
  ) => ({
    kind,
    name,
    valuesKey: "values.yaml",
    optional: false,
    literal: false,
    ...patch,
  });
  const data = { "ConfigMap/default/base": { "values.yaml": "a: 1" }, "Secret/default/login": { password: "x" } };

  const good = bench({
    data,
    spec: {
      valuesFrom: [
        from("ConfigMap", "base"),
        from("Secret", "none", { optional: true }),
        from("Secret", "login", { valuesKey: "password" }),
      ],
    },
  });
  await good.run();
  deepEqual(good.builds[0]?.valuesFrom.map((one) => one.text), ["a: 1", "x"]);

  for (
    const [reference, message] of [
      [from("Secret", "none"), "Secret 'default/none' is not there"],
      [from("Secret", "login"), "Secret 'default/login' has no key 'values.yaml'"],
    ] as const
  ) {
    await rejects(bench({ data, spec: { valuesFrom: [reference] } }).run(), (error) => {
      match((error as Error).message, new RegExp(message));
      return error instanceof StageError && error.reason === "ValuesError";
    });
  }
});

Deno.test("a changed value builds the release again", async () => {
  const data = { "ConfigMap/default/base": { "values.yaml": "a: 1" } };
  const valuesFrom = [{
    kind: "ConfigMap" as const,
    name: "base",
    valuesKey: "values.yaml",
    optional: false,
    literal: false,
  }];
  const { run, builds } = bench({ data, spec: { valuesFrom } });
  await run();
  await run();
  data["ConfigMap/default/base"]["values.yaml"] = "a: 2";
  await run();

  deepEqual(builds.map((build) => build.valuesFrom[0]?.text), ["a: 1", "a: 2"]);
});

Deno.test("offline, the stored chart is used and said to be; without one the release fails", async () => {
  const spec = {
    chart: {
      kind: "repository" as const,
      sourceRef: repository,
      chart: "web",
      version: "1.x",
      valuesFiles: [],
      ignoreMissingValuesFiles: false,
    },
  };
  const { run, world, builds } = bench({ spec });
  world.isOnline = false;
  await rejects(run(), /no route to host/);

  world.isOnline = true;
  deepEqual((await run()).warnings, ["old tag"]);
  deepEqual(world.pinned, ["1.0.0@sha256:1"]);
  world.isOnline = false;
  match((await run()).warnings.join(), /1\.0\.0@sha256:1 of the store is used: no route to host/);
  match((await run("request")).warnings.join(), /no route to host/);
  equal(builds.length, 2);

  world.stored.clear();
  await rejects(run(), /no route to host/);
});

Deno.test("what is not built fails closed, by name", async () => {
  await rejects(bench({ spec: { test: { enable: true, ignoreFailures: false } } }).run(), /spec\.test\.enable/);
});
