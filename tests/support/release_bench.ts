import type { Artifact } from "../../src/core/artifact.ts";
import type { HookResource } from "../../src/core/builder.ts";
import type { InventoryEntry } from "../../src/core/inventory.ts";
import { entryOf } from "../../src/core/inventory.ts";
import type { DesiredObject, ObjectKey } from "../../src/core/object.ts";
import { keyText } from "../../src/core/object.ts";
import type { Resource, ResourceRef } from "../../src/core/resource.ts";
import { refOf } from "../../src/core/resource.ts";
import type { HelmReleaseSpec } from "../../src/core/specs.ts";
import { StageError } from "../../src/core/stage_error.ts";
import type { PlannedChange, TargetOptions, TargetRequest, WaitRequest } from "../../src/core/target.ts";
import { helmReleasePipeline } from "../../src/reconcile/helm_release.ts";
import type { Run, RunResult } from "../../src/reconcile/pipeline.ts";
import { newRecord, type ObjectRecord } from "../../src/reconcile/record.ts";
import { hooksInSecret } from "../../src/reconcile/release_hooks.ts";
import type { ReleaseBuild } from "../../src/reconcile/release_order.ts";
import { FakeTarget } from "./fake_target.ts";

/** Where charts of `chart.spec` come from. */
export const repository = { kind: "HelmRepository", namespace: "default", name: "charts" } as const;

/** A spec with Flux's defaults. */
export function specOf(patch: Partial<HelmReleaseSpec> = {}): HelmReleaseSpec {
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

/** A resource in the release's namespace. */
export function resource(kind: string, name: string): Resource {
  return { apiVersion: "v1", kind, metadata: { name, namespace: "shop" } };
}

/** A hook. */
export function hook(kind: string, name: string, patch: Partial<HookResource> = {}): HookResource {
  return {
    resource: resource(kind, name),
    events: ["pre-install", "pre-upgrade"],
    weight: 0,
    deletePolicies: [],
    path: `templates/${name}.yaml`,
    ...patch,
  };
}

/** A target that holds what it is given, says which applies leave alone what is there, and fails the wait for what is named. */
class NotingTarget extends FakeTarget {
  failing = "";
  /** What stands, by inventory id. */
  readonly held = new Map<string, Resource>();
  /** Options of the calls, in their order. */
  readonly options: TargetOptions[] = [];
  drifted: readonly PlannedChange[] = [];
  hasDrifted = false;

  override apply(request: TargetRequest) {
    const applied = super.apply(request);
    this.options.push(request.options);
    for (const one of request.resources) this.held.set(entryOf(refOf(one)).id, one);
    if (request.options.createOnly === true) this.calls[this.calls.length - 1] += " (create only)";
    return applied;
  }

  override remove(owner: ObjectKey, entries: readonly InventoryEntry[], options: TargetOptions = {}) {
    this.options.push(options);
    for (const { id } of entries) this.held.delete(id);
    return super.remove(owner, entries);
  }

  read(_owner: ObjectKey, ref: ResourceRef) {
    return Promise.resolve(this.held.get(entryOf(ref).id));
  }

  override plan() {
    return Promise.resolve(this.drifted as never[]);
  }

  override async stands(owner: ObjectKey, inputs: string) {
    return !this.hasDrifted && await super.stands(owner, inputs);
  }

  override wait(request: WaitRequest) {
    const waited = super.wait(request);
    return request.refs.some((ref) => ref.name === this.failing)
      ? Promise.reject(new StageError("HealthCheckFailed", `${this.failing} failed`))
      : waited;
  }
}

/** A HelmRelease's pipeline over a target in memory and charts that are values. */
export function bench(options: {
  spec?: Partial<HelmReleaseSpec>;
  hooks?: readonly HookResource[];
  crds?: readonly Resource[];
  kind?: "cluster" | "directory";
  data?: Record<string, Record<string, string>>;
  target?: NotingTarget;
} = {}) {
  const target = options.target ?? new NotingTarget(options.kind ?? "cluster");
  const chart = {
    name: "web",
    version: "1.0.0",
    hooks: options.hooks ?? [],
    resources: [resource("ConfigMap", "app"), resource("Job", "task")] as readonly Resource[],
  };
  const world = { isOnline: true, revision: "1.0.0@sha256:1", stored: new Set<string>(), pinned: [] as string[] };
  const builds: ReleaseBuild[] = [];
  const spec = specOf(options.spec);
  let object: DesiredObject<HelmReleaseSpec> = {
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
        resources: chart.resources,
        hooks: chart.hooks,
        ...(options.crds === undefined ? {} : { crds: options.crds }),
        warnings: [],
        isRepeatable: true,
        chart: { name: chart.name, version: chart.version },
      });
    },
    readChart: () => Promise.resolve({ name: chart.name, version: chart.version }),
    hookKeep: hooksInSecret,
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
      conditions: [
        ...(result.conditions ?? []).map((one) => ({
          status: "True" as const,
          lastTransitionTime: "",
          observedGeneration: 1,
          ...one,
        })),
        {
          type: "Ready",
          status: "True",
          reason: result.reason,
          message: result.message,
          lastTransitionTime: "",
          observedGeneration: 1,
        },
      ],
    };
    return result;
  };
  /** Changes the document. */
  const change = (patch: Partial<HelmReleaseSpec>) => {
    const next = { ...object.spec, ...patch };
    object = { ...object, spec: next, document: { spec: JSON.parse(JSON.stringify(next)) } };
  };
  /** Removes what the release made, with what the record says alone. */
  const remove = () =>
    pipeline.remove(record, {
      signal: new AbortController().signal,
      checkpoint: (patch) => Promise.resolve(void (record = { ...record, ...patch })),
    });
  const told = () => target.calls.splice(0);
  return {
    target,
    world,
    builds,
    chart,
    run,
    change,
    remove,
    told,
    key: keyText(object.key),
    get record() {
      return record;
    },
    set record(next: ObjectRecord) {
      record = next;
    },
  };
}
