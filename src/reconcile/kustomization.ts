import type { Artifact, ArtifactStore } from "../core/artifact.ts";
import type { BuildResult } from "../core/builder.ts";
import { isTrue } from "../core/condition.ts";
import { digestOf } from "../core/digest.ts";
import type { Inventory, InventoryEntry } from "../core/inventory.ts";
import { inventoryOf, subtract, union } from "../core/inventory.ts";
import type { JsonValue } from "../core/json.ts";
import { canonicalJson } from "../core/json.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { ReferencedData, References } from "../core/references.ts";
import type { Resource, ResourceRef } from "../core/resource.ts";
import { refOf, refText } from "../core/resource.ts";
import type { KustomizationSpec } from "../core/specs.ts";
import { messageOf, StageError } from "../core/stage_error.ts";
import type { AppliedChange, ApplyResult, Target, TargetOptions, TargetRequest, WaitRequest } from "../core/target.ts";
import { kubeconfigOf } from "./foreign_cluster.ts";
import { missingChildren } from "./missing_children.ts";
import type { Pipeline, RecordPatch, RemovalTools, Run, RunResult } from "./pipeline.ts";
import type { ObjectRecord, Removal } from "./record.ts";
import { decryptionOf, type OpenValue, withOpenValues } from "./sealed_values.ts";
import { originRevision } from "./source_pipeline.ts";

/** What is built for a Kustomization. */
export interface KustomizationBuild {
  readonly object: DesiredObject<KustomizationSpec>;
  readonly artifact: Artifact;
  /** Variables of `postBuild`, inline ones over referenced ones. */
  readonly variables: Readonly<Record<string, string>>;
  /** Content of `decryption.secretRef`. */
  readonly decryptionKeys?: ReferencedData;
}

/** What is applied for an object: what the pipelines of Kustomization and HelmRelease share. */
export interface ApplyTools {
  /** The target that an annotation names, or the default one. @throws {StageError} InvalidDocument for an unknown form */
  readonly targetOf: (annotation: string | undefined) => Target;
  /** Lookup of Secrets and ConfigMaps for an object: documents, the artifact it came from, the cluster. */
  readonly referencesOf: (object: Pick<DesiredObject, "key" | "parent">) => References;
  /** Opens values of referenced Secrets that are encrypted files. */
  readonly openValue: OpenValue;
}

/** What a Kustomization's pipeline is handed. */
export interface KustomizationTools extends ApplyTools {
  /** Keeps the artifacts in which objects were found. Absent: nothing is kept. */
  readonly pins?: Pick<ArtifactStore, "pin" | "unpin">;
  readonly build: (request: KustomizationBuild, signal: AbortSignal) => Promise<BuildResult>;
  /** Takes the objects of ours out of a build: what is left goes to the target. Problems become warnings. */
  readonly takeChildren: (
    resources: readonly Resource[],
    parent: DesiredObject,
  ) => {
    readonly children: readonly DesiredObject[];
    readonly rest: readonly Resource[];
    readonly problems: readonly string[];
  };
}

/** Annotation that gives one object a target of its own: `cluster`, or `directory:PATH`. */
export const targetAnnotation = "pilotfish.dev/target";
/** Annotation (value `confirmed`) that lets a guarded prune pass. */
export const pruneAnnotation = "pilotfish.dev/prune";

/** Pipeline of a Kustomization (kustomize-controller's order, with the inventory written ahead). */
export function kustomizationPipeline(tools: KustomizationTools): Pipeline<KustomizationSpec> {
  return {
    kind: "Kustomization",
    run: (run) => runKustomization(run, tools),
    removalOf,
    async remove(record, removal) {
      await removeApplied(record, tools, removal);
      if (record.built !== undefined) await tools.pins?.unpin(keyText(record.key));
    },
    children: (run) => lastChildren(run, tools),
  };
}

async function runKustomization(run: Run<KustomizationSpec>, tools: KustomizationTools): Promise<RunResult> {
  const { object } = run;
  const { spec } = object;
  if (spec.healthCheckExprs.length > 0) await refuseExpressions(spec.healthCheckExprs);
  const artifact = artifactOf(run, spec.sourceRef);
  if (artifact.content.kind !== "tree") {
    throw new StageError("ArtifactFailed", `Cannot build "${artifact.revision}": its layer was copied, not extracted`, {
      hint: "Remove layerSelector.operation: copy from the source, or use a HelmRelease for a chart",
    });
  }
  const target = tools.targetOf(object.annotations[targetAnnotation]);
  const references = tools.referencesOf(object);
  const decryption = await decryptionOf(object, references);
  const decryptionKeys = decryption?.keys;
  const variables = await variablesOf(
    object,
    withOpenValues(references, {
      openValue: tools.openValue,
      decryption: () => Promise.resolve(decryption),
      signal: run.signal,
    }),
  );
  const inputs = inputsOf(object, artifact, target.name, [
    variables,
    ...(decryptionKeys === undefined ? [] : [dataDigest(decryptionKeys)]),
  ]);
  const message = `Applied revision: ${artifact.revision}`;

  if (await isUntouched(run, target, inputs)) {
    return {
      record: { inputs, lastAppliedRevision: artifact.revision, lastAttemptedRevision: artifact.revision },
      reason: "ReconciliationSucceeded",
      message,
      events: [],
      warnings: [],
      target: target.name,
      ...watchOf(target, object.key),
    };
  }

  if (run.record.lastAttemptedRevision !== artifact.revision) {
    await run.checkpoint({ lastAttemptedRevision: artifact.revision });
  }
  run.progress(`Building manifests for revision ${artifact.revision}`);
  const built = await tools.build({
    object,
    artifact,
    variables,
    ...(decryptionKeys === undefined ? {} : { decryptionKeys }),
  }, run.signal);
  const { children, rest, problems } = tools.takeChildren(built.resources, object);
  const options = await targetOptions(object, references);
  const isEmptyBuild = built.resources.length === 0;
  const applied = await applyAndPrune(run, target, {
    resources: rest,
    revision: artifact.revision,
    inputs,
    prune: spec.prune,
    removal: removalOf(object),
    options: isEmptyBuild ? { ...options, isEmptyBuild } : options,
  });
  const missing = missingChildren({
    before: run.record.children,
    found: children.map(({ key }) => key),
    isEmptyBuild,
    areAllRead: problems.length === 0,
    prune: spec.prune,
    isConfirmed: options.pruneConfirmed === true,
  });

  const refs = spec.wait ? rest.map(refOf) : spec.healthChecks.map(refOfCheck);
  const health = await waitFor(run, target, {
    refs,
    timeoutMs: spec.timeoutMs,
    expressions: spec.healthCheckExprs,
    options: applied.options,
  });
  const origin = originRevision(artifact).originRevision;
  if (children.length > 0) await tools.pins?.pin(keyText(object.key), [artifact]);
  return {
    record: {
      ...applied.record,
      ...(children.length > 0 ? { built: artifact } : {}),
      inputs,
      ...(built.isRepeatable === (run.record.isRepeatable ?? true) ? {} : { isRepeatable: built.isRepeatable }),
      lastAppliedRevision: artifact.revision,
      ...(origin === undefined ? {} : { lastAppliedOriginRevision: origin }),
    },
    reason: "ReconciliationSucceeded",
    message,
    conditions: health === undefined
      ? []
      : [{ type: "Healthy", reason: "Succeeded", message: `Health check passed for ${refs.length} resources` }],
    events: [
      ...changeEvents(applied.changes, artifact.revision, origin),
      ...applied.events,
      ...missing.alarm === undefined ? [] : [{
        severity: "error" as const,
        reason: "PruneGuarded",
        message: missing.alarm,
        metadata: { revision: artifact.revision },
      }],
    ],
    warnings: [
      ...built.warnings,
      ...problems,
      ...applied.warnings,
      ...missing.alarm === undefined ? [] : [missing.alarm],
    ],
    children,
    keepMissingChildren: missing.areKept,
    ...(health === undefined ? {} : { health }),
    target: target.name,
    ...watchOf(target, object.key),
  };
}

/**
 * The objects that the last good run found: built again from its artifact, which the store keeps. Their documents are not
 * kept themselves, because an artifact may bring them encrypted.
 */
async function lastChildren(
  run: Pick<Run<KustomizationSpec>, "object" | "record" | "signal">,
  tools: KustomizationTools,
): Promise<readonly DesiredObject[]> {
  const { object, record: { built: artifact } } = run;
  if (artifact === undefined) return [];
  const references = tools.referencesOf(object);
  const decryption = await decryptionOf(object, references);
  const variables = await variablesOf(
    object,
    withOpenValues(references, {
      openValue: tools.openValue,
      decryption: () => Promise.resolve(decryption),
      signal: run.signal,
    }),
  );
  const decryptionKeys = decryption?.keys;
  const built = await tools.build({
    object,
    artifact,
    variables,
    ...(decryptionKeys === undefined ? {} : { decryptionKeys }),
  }, run.signal);
  return tools.takeChildren(built.resources, object).children;
}

/** Nothing is applied whose health could not be told afterwards. @throws {StageError} InvalidCELExpression */
async function refuseExpressions(expressions: KustomizationSpec["healthCheckExprs"]): Promise<void> {
  const { parseCel } = await import("../format/cel.ts");
  for (const [index, rule] of expressions.entries()) {
    for (const field of ["current", "inProgress", "failed"] as const) {
      const text = rule[field];
      if (text === undefined) continue;
      try {
        parseCel(text);
      } catch (error) {
        throw new StageError(
          "InvalidCELExpression",
          `Cannot read expression "${field}" of spec.healthCheckExprs[${index}] for ${rule.kind ?? rule.apiVersion}: ${
            messageOf(error)
          }`,
          { cause: error },
        );
      }
    }
  }
}

/** The artifact of a source that an object uses. @throws {StageError} SourceNotReady */
export function artifactOf(run: Pick<Run<unknown>, "find">, ref: ObjectKey): Artifact {
  const source = run.find(ref);
  const name = `${ref.kind} '${ref.namespace}/${ref.name}'`;
  if (source === undefined) {
    throw new StageError("SourceNotReady", `${name} is not there`, {
      hint: "Add the source, or correct the reference",
    });
  }
  const artifact = source.record?.artifact;
  if (artifact === undefined) throw new StageError("SourceNotReady", `${name} has no artifact yet`);
  return artifact;
}

/** Digest of everything that decides what an object applies: the same digest means nothing to build. */
export function inputsOf(
  object: DesiredObject,
  artifact: Artifact,
  target: string,
  more: readonly JsonValue[],
): string {
  return digestOf(canonicalJson([
    engineVersion,
    artifact.content.kind === "tree" ? artifact.content.digest : artifact.content.descriptor.digest,
    object.document.spec ?? null,
    object.annotations[pruneAnnotation] ?? null,
    object.key.namespace,
    object.key.name,
    target,
    ...more,
  ]));
}

/** Counts up when the engines may give another result for the same inputs. */
const engineVersion = 2;

/**
 * Whether nothing is to be done: the same inputs as at the last good run, and all of it still stands. What is not
 * repeatable is done again at each interval and each start.
 */
export async function isUntouched(run: Run<unknown>, target: Target, inputs: string): Promise<boolean> {
  const { record } = run;
  if (record.isRepeatable === false && ["start", "interval", "retry"].includes(run.trigger)) return false;
  return record.inputs === inputs && run.trigger !== "request" && record.observedGeneration === record.generation &&
    isTrue(record.conditions, "Ready") && record.children.every((key) => run.find(key) !== undefined) &&
    target.stands !== undefined && await target.stands(run.object.key, inputs, run.signal);
}

async function variablesOf(
  object: DesiredObject<KustomizationSpec>,
  references: References,
): Promise<Readonly<Record<string, string>>> {
  const { postBuild } = object.spec;
  const variables: Record<string, string> = {};
  for (const from of postBuild?.substituteFrom ?? []) {
    const found = from.kind === "Secret"
      ? await references.secret(object.key.namespace, from.name)
      : await references.configMap(object.key.namespace, from.name);
    if (found === undefined) {
      if (from.optional) continue;
      throw new StageError(
        "BuildFailed",
        `post build failed: substitute from '${from.kind}/${object.key.namespace}/${from.name}' error: ${from.kind.toLowerCase()}s "${from.name}" not found`,
        { hint: `Add the ${from.kind}, or set optional: true` },
      );
    }
    for (const [key, value] of found.data) variables[key] = new TextDecoder().decode(value);
  }
  Object.assign(variables, postBuild?.substitute);
  for (const [key, value] of Object.entries(variables)) variables[key] = value.replaceAll("\n", "");
  return variables;
}

/** Digest of referenced content: what goes into {@linkcode inputsOf} instead of a secret. */
export function dataDigest(data: ReferencedData): string {
  return digestOf(canonicalJson([...data.data].sort().map(([key, value]) => [key, digestOf(value)])));
}

/** Options of the target from what a Kustomization or HelmRelease says. */
export async function targetOptions(
  object: DesiredObject<Pick<KustomizationSpec, "serviceAccountName" | "kubeConfig"> & Partial<KustomizationSpec>>,
  references: References,
): Promise<TargetOptions> {
  const { spec } = object;
  return {
    force: spec.force ?? false,
    ignore: spec.ignore ?? [],
    defaultNamespace: spec.targetNamespace ?? object.key.namespace,
    ...(spec.timeoutMs === undefined ? {} : { timeoutMs: spec.timeoutMs }),
    ...(spec.serviceAccountName === undefined ? {} : { serviceAccountName: spec.serviceAccountName }),
    ...(spec.kubeConfig === undefined
      ? {}
      : { kubeconfig: await kubeconfigOf(object.key.namespace, spec.kubeConfig, references) }),
    ...(object.annotations[pruneAnnotation] === "confirmed" ? { pruneConfirmed: true } : {}),
  };
}

/** What {@linkcode applyAndPrune} is to bring about. */
export interface ApplyOrder {
  readonly resources: readonly Resource[];
  readonly revision: string;
  readonly inputs: string;
  readonly prune: boolean;
  readonly removal: Removal;
  readonly options: TargetOptions;
}

/** What an apply with its prune gave. */
export interface ApplyOutcome {
  readonly record: RecordPatch;
  readonly changes: readonly AppliedChange[];
  readonly warnings: readonly string[];
  readonly events: RunResult["events"];
  readonly options: TargetOptions;
}

/**
 * Applies resources and removes what is stale. The union of old and new inventory is kept before anything is created
 * and trimmed after it is gone, so a crash at any point leaves entries too many, never too few.
 *
 * @throws {StageError} ReconciliationFailed, PruneFailed
 */
export async function applyAndPrune(run: Run<unknown>, target: Target, order: ApplyOrder): Promise<ApplyOutcome> {
  const owner = run.object.key;
  const standsIn = await identityOf(target, run.signal);
  const isMoved = isElsewhere(run.record, standsIn);
  const moved = isMoved && run.record.inventory.entries.length > 0
    ? [
      `${run.record.inventory.entries.length} resources of another target are left there: ${
        standsIn === target.name ? "" : "the cluster is another one, "
      }now it is ${target.name}`,
    ]
    : [];
  // The next run knows no more of it.
  const movedEvents = moved.map((message) => ({
    severity: "error" as const,
    reason: "PruneGuarded",
    message,
    metadata: { revision: order.revision },
  }));
  const known = isMoved ? { entries: [] } : run.record.inventory;
  const previous = union(known, await target.remembered(owner) ?? { entries: [] });
  // Where its namespace is not said, a cluster knows it, and keeps it in its own inventory before anything is made.
  const placed = order.resources.map(refOf).filter((ref) => target.kind !== "cluster" || ref.namespace !== "");
  const desired = inventoryOf(placed);
  await run.checkpoint({
    inventory: union(previous, desired),
    ...(standsIn === undefined ? {} : { standsIn }),
    lastAttemptedRevision: order.revision,
    removal: order.removal,
  });
  const request: TargetRequest = {
    owner,
    resources: order.resources,
    previous,
    revision: order.revision,
    inputs: order.inputs,
    options: order.options,
    ...(order.prune ? {} : { releasesStale: true }),
  };
  const applied = await target.apply(request, run.signal);
  run.applied?.();
  const stale = staleOf(previous, applied.inventory);
  if (!order.prune || stale.length === 0) {
    return {
      record: { inventory: applied.inventory, lastAttemptedRevision: order.revision, removal: order.removal },
      changes: applied.changes,
      warnings: moved,
      events: movedEvents,
      options: order.options,
    };
  }
  if (target.kind === "cluster") {
    // What is gone from here may be about to come up elsewhere. A file cannot: it must be free before another takes it.
    await run.offWorker(() => run.othersApplied?.() ?? Promise.resolve());
    run.signal.throwIfAborted();
  }
  const pruned = await prune(run, target, { ...order, applied, stale });
  return { ...pruned, warnings: [...moved, ...pruned.warnings], events: [...movedEvents, ...pruned.events] };
}

/**
 * Entries that are not applied any more. One without a namespace was written before it was known where it would stand: it is
 * the same resource as the one that stands now.
 */
function staleOf(previous: Inventory, applied: Inventory): readonly InventoryEntry[] {
  const unplaced = new Set(applied.entries.map(({ id }) => id.slice(id.indexOf("_"))));
  return subtract(previous, applied).filter(({ id }) => !unplaced.has(id));
}

/** The world that a target is; `undefined` where nobody can tell. */
async function identityOf(target: Target, signal: AbortSignal): Promise<string | undefined> {
  return (target.identity === undefined ? target.name : await target.identity(signal)) || undefined;
}

/** Whether what a record lists stands in another world than this one: a list of another cluster says nothing about it. */
function isElsewhere(record: ObjectRecord, standsIn: string | undefined): boolean {
  return record.standsIn !== undefined && standsIn !== undefined && record.standsIn !== standsIn;
}

async function prune(
  run: Run<unknown>,
  target: Target,
  order: ApplyOrder & { readonly applied: ApplyResult; readonly stale: readonly InventoryEntry[] },
): Promise<ApplyOutcome> {
  const { applied, stale } = order;
  await run.checkpoint({ inventory: union(applied.inventory, { entries: stale }) });
  const removed = await target.remove(run.object.key, stale, order.options, run.signal);
  const inventory: Inventory = union(applied.inventory, { entries: removed.kept.map((kept) => kept.entry) });
  await run.checkpoint({ inventory });
  const failed = removed.kept.filter((kept) => kept.reason === "failed");
  if (failed.length > 0) {
    throw new StageError("PruneFailed", failed.map((kept) => kept.message).join("\n"));
  }
  const guarded = removed.kept.filter((kept) => kept.reason === "guarded");
  return {
    record: { inventory, lastAttemptedRevision: order.revision, removal: order.removal },
    changes: [...applied.changes, ...removed.removed],
    warnings: [
      ...removed.kept.filter((kept) => kept.reason !== "failed").map((kept) => kept.message),
      ...removed.released.map((released) => released.message),
    ],
    events: guarded.length === 0 ? [] : [{
      severity: "error",
      reason: "PruneGuarded",
      message: [...new Set(guarded.map((kept) => kept.message))].join("\n"),
      metadata: { revision: order.revision },
    }],
    options: order.options,
  };
}

/** Waits for resources without holding a worker; `undefined` when there is nothing to wait for. */
export async function waitFor(
  run: Run<unknown>,
  target: Target,
  what: {
    readonly refs: readonly ResourceRef[];
    readonly timeoutMs: number;
    readonly expressions: WaitRequest["expressions"];
    readonly options: TargetOptions;
  },
): Promise<Awaited<ReturnType<Target["wait"]>> | undefined> {
  if (what.refs.length === 0) return undefined;
  run.progress(`Running health checks for ${what.refs.length} resources with a timeout of ${what.timeoutMs / 1000}s`);
  const { serviceAccountName, kubeconfig } = what.options;
  return await run.offWorker(() =>
    target.wait({
      owner: run.object.key,
      refs: what.refs,
      timeoutMs: what.timeoutMs,
      expressions: what.expressions ?? [],
      ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
    }, run.signal)
  );
}

function refOfCheck(check: KustomizationSpec["healthChecks"][number]): ResourceRef {
  const slash = check.apiVersion.indexOf("/");
  return {
    group: slash < 0 ? "" : check.apiVersion.slice(0, slash),
    version: check.apiVersion.slice(slash + 1),
    kind: check.kind,
    namespace: check.namespace,
    name: check.name,
  };
}

function removalOf(object: DesiredObject<KustomizationSpec>): Removal {
  const { deletionPolicy, prune, serviceAccountName, kubeConfig } = object.spec;
  const target = object.annotations[targetAnnotation];
  return {
    prune: deletionPolicy === "MirrorPrune" ? prune : deletionPolicy !== "Orphan",
    wait: deletionPolicy === "WaitForTermination",
    ...(target === undefined ? {} : { target }),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(kubeConfig === undefined ? {} : { kubeConfig }),
  };
}

/** The watch of what an object applied, for targets that can. */
export function watchOf(target: Target, owner: ObjectKey): Pick<RunResult, "watch"> {
  return target.watch === undefined ? {} : { watch: (onChange, signal) => target.watch?.(owner, onChange, signal) };
}

/** One event that lists what changed; none when nothing did. */
export function changeEvents(
  changes: readonly AppliedChange[],
  revision: string,
  origin: string | undefined,
): RunResult["events"] {
  const lines = changes
    .filter((change) => change.action !== "unchanged" && change.action !== "skipped")
    .map((change) => {
      const drifted = change.drifted === undefined || change.drifted.length === 0
        ? ""
        : ` (drift in ${change.drifted.join(", ")})`;
      return `${refText(change.ref)} ${change.action}${drifted}`;
    });
  if (lines.length === 0) return [];
  return [{
    severity: "info",
    reason: "ReconciliationSucceeded",
    message: lines.join("\n"),
    metadata: { revision, ...(origin === undefined ? {} : { originRevision: origin }) },
  }];
}

/** Options of a removal, from what was kept of the document. A login that is gone is left out: the target then says that it is. */
export async function removalOptions(record: ObjectRecord, policy: Removal, tools: ApplyTools): Promise<TargetOptions> {
  const { serviceAccountName, kubeConfig, defaultNamespace, timeoutMs, deletionPropagation } = policy;
  const kubeconfig = kubeConfig === undefined
    ? undefined
    : await kubeconfigOf(record.key.namespace, kubeConfig, tools.referencesOf(record)).catch(() => undefined);
  return {
    isWholeRemoval: true,
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(defaultNamespace === undefined ? {} : { defaultNamespace }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(deletionPropagation === undefined ? {} : { deletionPropagation }),
  };
}

/** Whether what is to be removed stands where the target is now; it waits until others have taken what they may take. */
export async function isWithinReach(record: ObjectRecord, target: Target, removal: RemovalTools): Promise<boolean> {
  if (isElsewhere(record, await identityOf(target, removal.signal))) {
    removal.tell?.(`${record.inventory.entries.length} resources of another cluster or folder are left there`);
    return false;
  }
  if (target.kind === "cluster") await removal.othersApplied?.();
  removal.signal.throwIfAborted();
  return true;
}

/** Removes everything an object applied, as its removal policy says. */
export async function removeApplied(
  record: ObjectRecord,
  tools: ApplyTools,
  removal: RemovalTools,
): Promise<void> {
  const policy = record.removal;
  if (policy === undefined || !policy.prune) return;
  const target = tools.targetOf(policy.target);
  if (!await isWithinReach(record, target, removal)) return;
  const inventory = union(record.inventory, await target.remembered(record.key) ?? { entries: [] });
  if (inventory.entries.length === 0) return;
  const options = await removalOptions(record, policy, tools);
  const result = await target.remove(record.key, inventory.entries, options, removal.signal);
  await removal.checkpoint({ inventory: { entries: result.kept.map((kept) => kept.entry) } });
  for (const kept of result.kept) if (kept.reason === "guarded") removal.tell?.(kept.message);
  const failed = result.kept.filter((kept) =>
    kept.reason === "failed" || (policy.wait && kept.reason === "terminating")
  );
  if (failed.length > 0) {
    throw new StageError("PruneFailed", `${keyText(record.key)}: ${failed.map((kept) => kept.message).join("\n")}`);
  }
}
