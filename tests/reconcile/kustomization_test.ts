import { deepEqual, equal, match, rejects } from "node:assert/strict";
import type { BuildResult } from "../../src/core/builder.ts";
import type { DesiredObject } from "../../src/core/object.ts";
import type { ReferencedData } from "../../src/core/references.ts";
import type { Resource } from "../../src/core/resource.ts";
import type { KustomizationSpec } from "../../src/core/specs.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { type KustomizationBuild, kustomizationPipeline } from "../../src/reconcile/kustomization.ts";
import type { RecordPatch, Run } from "../../src/reconcile/pipeline.ts";
import { newRecord, type ObjectRecord } from "../../src/reconcile/record.ts";
import { FakeTarget } from "../support/fake_target.ts";

const source = { kind: "OCIRepository", namespace: "default", name: "src" };

function specOf(overrides: Partial<KustomizationSpec> = {}): KustomizationSpec {
  return {
    sourceRef: source,
    path: "",
    intervalMs: 600_000,
    retryIntervalMs: 60_000,
    timeoutMs: 300_000,
    prune: true,
    deletionPolicy: "MirrorPrune",
    patches: [],
    images: [],
    components: [],
    ignoreMissingComponents: false,
    dependsOn: [],
    healthChecks: [],
    healthCheckExprs: [],
    wait: false,
    force: false,
    ignore: [],
    suspend: false,
    ...overrides,
  };
}

function objectOf(spec: KustomizationSpec): DesiredObject<KustomizationSpec> {
  return {
    key: { kind: "Kustomization", namespace: "default", name: "apps" },
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    labels: {},
    annotations: {},
    spec,
    generation: 1,
    document: { spec: JSON.parse(JSON.stringify(spec)) },
  };
}

function configMap(name: string): Resource {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" } };
}

function bench(spec: KustomizationSpec, options: {
  resources?: readonly Resource[];
  references?: Record<string, Record<string, string>>;
  record?: Partial<ObjectRecord>;
  content?: string;
} = {}) {
  const target = new FakeTarget();
  const checkpoints: RecordPatch[] = [];
  const requests: KustomizationBuild[] = [];
  const object = objectOf(spec);
  let resources = options.resources ?? [configMap("one"), configMap("two")];
  const find = (name: string): ReferencedData | undefined => {
    const data = options.references?.[name];
    if (data === undefined) return undefined;
    return { type: "", data: new Map(Object.entries(data).map(([k, v]) => [k, new TextEncoder().encode(v)])) };
  };
  const pipeline = kustomizationPipeline({
    targetOf: () => target,
    referencesOf: () => ({
      secret: (_namespace, name) => Promise.resolve(find(`Secret/${name}`)),
      configMap: (_namespace, name) => Promise.resolve(find(`ConfigMap/${name}`)),
      imagePullSecrets: () => Promise.resolve(undefined),
    }),
    openValue: ({ bytes }) => Promise.resolve(bytes),
    build: (request) => {
      requests.push(request);
      const result: BuildResult = { resources, hooks: [], warnings: [], isRepeatable: true };
      return Promise.resolve(result);
    },
    takeChildren: (all) => ({ children: [], rest: all, problems: [] }),
  });
  let record: ObjectRecord = { ...newRecord(object), generation: 1, ...options.record };
  const artifact = {
    revision: `v1@sha256:${options.content ?? "a"}`,
    content: { kind: "tree", digest: `sha256:${options.content ?? "a"}`, fileCount: 1 },
    metadata: {},
  } as never;
  const run = (trigger: Run<KustomizationSpec>["trigger"] = "interval") =>
    pipeline.run({
      object,
      get record() {
        return record;
      },
      trigger,
      signal: new AbortController().signal,
      find: (key) => key.name === "src" ? { object, record: { ...record, artifact } } : undefined,
      checkpoint: (patch) => {
        record = { ...record, ...patch };
        checkpoints.push(patch);
        target.calls.push(`checkpoint ${patch.inventory?.entries.length ?? ""}`);
        return Promise.resolve();
      },
      progress: () => {},
      tell: ({ events }) => void target.calls.push(...events.map(({ message }) => `tell ${message}`)),
      offWorker: (work) => work(),
    });
  const settle = async () => {
    const result = await run("start");
    record = {
      ...record,
      ...result.record,
      observedGeneration: 1,
      conditions: [{
        type: "Ready",
        status: "True",
        reason: result.reason,
        message: result.message,
        lastTransitionTime: "",
        observedGeneration: 1,
      }],
    };
    target.calls.length = 0;
    return result;
  };
  return {
    target,
    checkpoints,
    requests,
    run,
    settle,
    pipeline,
    setResources: (next: readonly Resource[]) => resources = next,
    record: () => record,
  };
}

Deno.test("what was changed is told also when it does not become healthy", async () => {
  const { target, run } = bench(specOf({ wait: true }));
  target.wait = () => Promise.reject(new StageError("HealthCheckFailed", "not ready"));

  await rejects(run(), /not ready/);

  deepEqual(target.calls.at(-1), "tell ConfigMap/default/one created\nConfigMap/default/two created");
});

Deno.test("the inventory is kept before anything is applied and trimmed after it is gone", async () => {
  const { target, run, settle, setResources, record } = bench(specOf({ wait: true }));
  await settle();
  setResources([configMap("one"), configMap("three")]);

  const result = await run("request");

  deepEqual(target.calls, [
    "checkpoint 3",
    "apply one,three",
    "checkpoint 3",
    "remove default_two__ConfigMap",
    "checkpoint 2",
    "wait one,three",
  ]);
  deepEqual(record().inventory.entries.map((entry) => entry.id), [
    "default_one__ConfigMap",
    "default_three__ConfigMap",
  ]);
  equal(result.message, "Applied revision: v1@sha256:a");
});

Deno.test("an apply that breaks leaves everything it may have made in the inventory, and prunes nothing", async () => {
  const { target, run, settle, setResources, record } = bench(specOf());
  await settle();
  setResources([configMap("three")]);
  target.breaksAfterFirst = true;

  await rejects(run("request"), /the API server went away/);

  deepEqual(record().inventory.entries.map((entry) => entry.id), [
    "default_one__ConfigMap",
    "default_three__ConfigMap",
    "default_two__ConfigMap",
  ]);
  equal(target.calls.some((call) => call.startsWith("remove")), false);
});

Deno.test("what could not be deleted stays in the inventory and fails the run", async () => {
  const { target, run, settle, setResources, record } = bench(specOf());
  await settle();
  setResources([configMap("one")]);
  target.stuck.set("default_two__ConfigMap", "failed");

  await rejects(run("request"), (error) => error instanceof StageError && error.reason === "PruneFailed");

  equal(record().inventory.entries.length, 2);
});

Deno.test("a guarded deletion is told and kept, the rest goes on", async () => {
  const { target, run, settle, setResources } = bench(specOf());
  await settle();
  setResources([configMap("one")]);
  target.stuck.set("default_two__ConfigMap", "guarded");

  const result = await run("request");

  equal(result.events.at(-1)?.reason, "PruneGuarded");
  match(result.warnings[0] ?? "", /guarded/);
});

Deno.test("prune: false forgets what is stale and deletes nothing", async () => {
  const { target, run, settle, setResources } = bench(specOf({ prune: false }));
  await settle();
  setResources([configMap("one")]);

  const result = await run("request");

  equal(target.calls.some((call) => call.startsWith("remove")), false);
  equal(result.record.inventory?.entries.length, 1);
});

Deno.test("nothing is built while inputs are the same and the target stands", async () => {
  const { run, settle, requests, target } = bench(specOf());
  await settle();

  const idle = await run();
  const asked = await run("request");

  equal(requests.length, 2, "one build at the start, one on request");
  deepEqual(idle.events, []);
  equal(asked.message, idle.message);
  deepEqual(target.calls[0], "checkpoint 2");
});

Deno.test("variables: inline ones win, later references win, newlines are dropped", async () => {
  const { run, requests } = bench(
    specOf({
      postBuild: {
        substitute: { c: "inline" },
        substituteFrom: [
          { kind: "ConfigMap", name: "first", optional: false },
          { kind: "Secret", name: "second", optional: false },
          { kind: "Secret", name: "absent", optional: true },
        ],
        substituteStrategy: "WithVariables",
      },
    }),
    { references: { "ConfigMap/first": { a: "1", b: "1", c: "1" }, "Secret/second": { b: "2\n3" } } },
  );

  await run();

  deepEqual(requests[0]?.variables, { a: "1", b: "23", c: "inline" });
});

Deno.test("a missing reference fails the build by name", async () => {
  const { run } = bench(
    specOf({
      postBuild: {
        substitute: {},
        substituteFrom: [{ kind: "ConfigMap", name: "nowhere", optional: false }],
        substituteStrategy: "WithVariables",
      },
    }),
  );

  await rejects(run(), /ConfigMap\/default\/nowhere/);
});

Deno.test("removal follows the deletion policy", async () => {
  const removed = async (spec: KustomizationSpec) => {
    const { pipeline, settle, record, target } = bench(spec);
    await settle();
    await pipeline.remove(record(), { signal: new AbortController().signal, checkpoint: () => Promise.resolve() });
    return target.standing.size;
  };

  deepEqual(
    [
      await removed(specOf()),
      await removed(specOf({ prune: false })),
      await removed(specOf({ prune: false, deletionPolicy: "Delete" })),
      await removed(specOf({ deletionPolicy: "Orphan" })),
    ],
    [0, 2, 0, 2],
  );
});
