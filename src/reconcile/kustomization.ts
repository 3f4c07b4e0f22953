import type { Artifact, ArtifactStore } from "../core/artifact.ts";
import type { BuildResult } from "../core/builder.ts";
import { digestOf } from "../core/digest.ts";
import { canonicalJson } from "../core/json.ts";
import type { DesiredObject } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Ownership } from "../core/ownership.ts";
import type { ReferencedData, References } from "../core/references.ts";
import type { Resource, ResourceRef } from "../core/resource.ts";
import { refOf, splitApiVersion } from "../core/resource.ts";
import type { KustomizationSpec } from "../core/specs.ts";
import { messageOf, StageError } from "../core/stage_error.ts";
import {
  applyAndPrune,
  type ApplyTools,
  changeEvents,
  targetAnnotation,
  targetOptions,
  waitFor,
} from "./apply_and_prune.ts";
import {
  driftAnnotation,
  type DriftMode,
  type DriftOrder,
  isOnlyTold,
  noDrift,
  standsAsWanted,
  tellDrift,
  watchMinding,
} from "./drift.ts";
import { artifactOf, inputsOf } from "./inputs.ts";
import { artifactsToKeep, missingChildren } from "./missing_children.ts";
import type { Pipeline, Run, RunResult } from "./pipeline.ts";
import type { Removal } from "./record.ts";
import { removeApplied } from "./remove_applied.ts";
import { decryptionOf, withOpenValues } from "./sealed_values.ts";
import { originRevision } from "./source_pipeline.ts";

/** What is built for a Kustomization. */
export interface KustomizationBuild {
  readonly object: DesiredObject<KustomizationSpec>;
  readonly artifact: Artifact;
  /** Which owner labels. Default `flux`. */
  readonly ownership?: Ownership;
  /** Variables of `postBuild`, inline ones over referenced ones. */
  readonly variables: Readonly<Record<string, string>>;
  /** Content of `decryption.secretRef`. */
  readonly decryptionKeys?: ReferencedData;
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

/** Pipeline of a Kustomization (kustomize-controller's order, with the inventory written ahead). */
export function kustomizationPipeline(tools: KustomizationTools): Pipeline<KustomizationSpec> {
  return {
    kind: "Kustomization",
    run: (run) => runKustomization(run, tools),
    removalOf,
    async remove(record, removal) {
      await removeApplied(record, tools, removal);
      if (record.foundIn !== undefined) await tools.pins?.unpin(keyText(record.key));
    },
    children: (run) => lastChildren(run, tools),
  };
}

async function runKustomization(run: Run<KustomizationSpec>, tools: KustomizationTools): Promise<RunResult> {
  const { object } = run;
  const { spec } = object;
  if (spec.healthCheckExprs.length > 0) await refuseExpressions(spec.healthCheckExprs);
  const artifact = artifactOf(run, spec.sourceRef);
  const target = tools.targetOf(object.annotations[targetAnnotation]);
  const build = await buildOf(run, artifact, tools);
  const options = await targetOptions(object, tools.referencesOf(object));
  const inputs = inputsOf(object, artifact, target, [
    build.variables,
    ...(build.decryptionKeys === undefined ? [] : [dataDigest(build.decryptionKeys)]),
    // Another login may lead to another cluster.
    ...(options.kubeconfig === undefined ? [] : [{ kubeconfig: digestOf(options.kubeconfig) }]),
  ]);
  const message = `Applied revision: ${artifact.revision}`;

  const drift: DriftOrder = { mode: driftModeOf(object), inputs };
  const standing: RunResult = {
    record: { inputs, lastAppliedRevision: artifact.revision, lastAttemptedRevision: artifact.revision },
    reason: "ReconciliationSucceeded",
    message,
    conditions: noDrift(run.record),
    events: [],
    warnings: [],
    target: target.name,
    ...watchMinding(target, object.key, drift.mode),
  };
  if (await standsAsWanted(run, target, drift)) return standing;

  if (run.record.lastAttemptedRevision !== artifact.revision) {
    await run.checkpoint({ lastAttemptedRevision: artifact.revision });
  }
  run.progress(`Building manifests for revision ${artifact.revision}`);
  const built = await tools.build(build, run.signal).catch((error: unknown) => {
    throw asArtifactFault(error, artifact);
  });
  const { children, rest, problems } = tools.takeChildren(built.resources, object);
  if (isOnlyTold(run, target, drift)) {
    const what = `Kustomization ${object.key.namespace}/${object.key.name}`;
    const told = await tellDrift(run, target, { what, resources: rest, revision: artifact.revision, options });
    return { ...standing, ...told, warnings: [...built.warnings, ...problems] };
  }
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
  const origin = originRevision(artifact).originRevision;
  const events: RunResult["events"] = [
    ...changeEvents(applied.changes, artifact.revision, origin),
    ...applied.events,
  ];
  const health = await waitFor(run, target, {
    told: { events, warnings: [...built.warnings, ...problems, ...applied.warnings] },
    refs,
    timeoutMs: spec.timeoutMs,
    expressions: spec.healthCheckExprs,
    options: applied.options,
  });
  const foundIn = artifactsToKeep(run.record.foundIn ?? [], {
    artifact,
    found: children.map(({ key }) => key),
    areMissingKept: missing.areKept,
  });
  const owner = keyText(object.key);
  if (foundIn.length > 0) await tools.pins?.pin(owner, foundIn.map((one) => one.artifact));
  else if ((run.record.foundIn ?? []).length > 0) await tools.pins?.unpin(owner);
  return {
    record: {
      ...applied.record,
      ...(foundIn.length === 0 && run.record.foundIn === undefined ? {} : { foundIn }),
      inputs,
      ...(built.isRepeatable === (run.record.isRepeatable ?? true) ? {} : { isRepeatable: built.isRepeatable }),
      lastAppliedRevision: artifact.revision,
      ...(origin === undefined ? {} : { lastAppliedOriginRevision: origin }),
    },
    reason: "ReconciliationSucceeded",
    message,
    conditions: [
      ...noDrift(run.record),
      ...(health === undefined
        ? []
        : [{ type: "Healthy", reason: "Succeeded", message: `Health check passed for ${refs.length} resources` }]),
    ],
    events: [
      ...events,
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
    ...watchMinding(target, object.key, drift.mode),
  };
}

/**
 * What a document wants done about drift; `config` has refused other words.
 *
 * Differs: Flux always corrects drift of Kustomizations.
 */
function driftModeOf({ annotations }: DesiredObject): DriftMode {
  return (annotations[driftAnnotation] ?? "enabled") as DriftMode;
}

/**
 * The objects that the last good run found or kept: built again from the artifacts that had them last, which the store keeps.
 * Their documents are not kept themselves, because an artifact may bring them encrypted.
 */
async function lastChildren(
  run: Pick<Run<KustomizationSpec>, "object" | "record" | "signal">,
  tools: KustomizationTools,
): Promise<readonly DesiredObject[]> {
  const { object, record: { foundIn = [] } } = run;
  const found: DesiredObject[] = [];
  // What else an artifact brings (keys for its objects) counts as of the newest one, which is therefore last.
  for (const { artifact, children } of foundIn.toReversed()) {
    const wanted = new Set(children.map(keyText));
    const built = await tools.build(await buildOf(run, artifact, tools), run.signal);
    const taken = tools.takeChildren(built.resources, object).children;
    found.push(...taken.filter(({ key }) => wanted.has(keyText(key))));
  }
  return found;
}

/** A copied layer is unpacked where it is used (kustomize-controller does so too): what is no archive shows only here. */
function asArtifactFault(error: unknown, artifact: Artifact): unknown {
  if (!(error instanceof StageError) || error.reason !== "OCIArtifactLayerOperationFailed") return error;
  return new StageError("ArtifactFailed", `Cannot build "${artifact.revision}": ${error.message}`, {
    hint: "Name the layer with the manifests in the source's layerSelector, or use a HelmRelease for a chart",
    cause: error,
  });
}

/** What is built of an artifact, with the variables and keys that the document refers to. */
async function buildOf(
  run: Pick<Run<KustomizationSpec>, "object" | "signal">,
  artifact: Artifact,
  tools: KustomizationTools,
): Promise<KustomizationBuild> {
  const { object } = run;
  const { ownership } = tools.targetOf(object.annotations[targetAnnotation]);
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
  return {
    object,
    artifact,
    ...(ownership === undefined ? {} : { ownership }),
    variables,
    ...(decryption?.keys === undefined ? {} : { decryptionKeys: decryption.keys }),
  };
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
function dataDigest(data: ReferencedData): string {
  return digestOf(canonicalJson([...data.data].sort().map(([key, value]) => [key, digestOf(value)])));
}

function refOfCheck(check: KustomizationSpec["healthChecks"][number]): ResourceRef {
  return {
    ...splitApiVersion(check.apiVersion),
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
