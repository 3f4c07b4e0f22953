import { MissingModule } from "../core/lazy_module.ts";
import { isTrue } from "../core/condition.ts";
import type { JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { DependsOn, SourceRef } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import type { ObjectRecord } from "./record.ts";

/** Who waits for whom, and who must run after a change. Made anew from each desired state. */
export interface Graph {
  /** Objects that use the artifact of a source. */
  consumersOf(source: ObjectKey): readonly ObjectKey[];
  /** Objects that name another in `dependsOn`. */
  dependentsOf(dependency: ObjectKey): readonly ObjectKey[];
  /** Objects whose document names a Secret or ConfigMap. */
  referrersOf(kind: "Secret" | "ConfigMap", namespace: string, name: string): readonly ObjectKey[];
}

/** The source whose artifact an object uses; `undefined` for a source itself. */
export function sourceOf(object: DesiredObject): ObjectKey | undefined {
  const spec = object.spec as { readonly sourceRef?: SourceRef; readonly chart?: { readonly sourceRef?: SourceRef } };
  const ref = spec.sourceRef ?? spec.chart?.sourceRef;
  return ref === undefined ? undefined : { kind: ref.kind, namespace: ref.namespace, name: ref.name };
}

/** The dependencies that an object names. */
function dependenciesOf(object: DesiredObject): readonly DependsOn[] {
  return (object.spec as { readonly dependsOn?: readonly DependsOn[] }).dependsOn ?? [];
}

/** Edges of all objects. Linear in their number. */
export function graphOf(objects: Iterable<DesiredObject>): Graph {
  const consumers = new Map<string, ObjectKey[]>();
  const dependents = new Map<string, ObjectKey[]>();
  const referrers = new Map<string, ObjectKey[]>();
  const add = (edges: Map<string, ObjectKey[]>, from: string, to: ObjectKey) => {
    const list = edges.get(from);
    if (list === undefined) edges.set(from, [to]);
    // The edges of an object come one after the other: only the last one may be the same.
    else if (list.at(-1) !== to) list.push(to);
  };
  for (const object of objects) {
    const source = sourceOf(object);
    if (source !== undefined) add(consumers, keyText(source), object.key);
    for (const dependency of dependenciesOf(object)) add(dependents, keyText(dependency), object.key);
    for (const name of referencedNames(object.document.spec ?? null)) {
      add(referrers, `${object.key.namespace}/${name}`, object.key);
    }
  }
  return {
    consumersOf: (source) => consumers.get(keyText(source)) ?? [],
    dependentsOf: (dependency) => dependents.get(keyText(dependency)) ?? [],
    referrersOf: (_kind, namespace, name) => referrers.get(`${namespace}/${name}`) ?? [],
  };
}

/**
 * Names that a spec refers to: the `name` of every `…Ref` and of every entry of `…From`. Kinds are not told apart: a
 * run too many does no harm, one too few would.
 */
function referencedNames(spec: JsonValue): ReadonlySet<string> {
  const names = new Set<string>();
  const addName = (value: JsonValue | undefined) => {
    if (isJsonObject(value) && typeof value.name === "string") names.add(value.name);
  };
  const visit = (value: JsonValue) => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isJsonObject(value)) {
      for (const [key, member] of Object.entries(value)) {
        if (key.endsWith("Ref")) addName(member);
        else if (key.endsWith("From") && Array.isArray(member)) member.forEach(addName);
        else if (key === "serviceAccountName" && typeof member === "string") names.add(member);
        visit(member);
      }
    }
  };
  visit(spec);
  return names;
}

/** What is known of another object when dependencies are judged. */
export interface Neighbour {
  readonly object: DesiredObject;
  readonly record: ObjectRecord | undefined;
}

/** Tools of {@linkcode checkDependencies}. */
export interface DependencyTools {
  readonly find: (key: ObjectKey) => Neighbour | undefined;
  /** Evaluates a CEL expression to true or false. @throws when it cannot be evaluated */
  readonly evaluate: (expression: string, variables: Readonly<Record<string, JsonValue>>) => boolean;
}

/**
 * Passes when every dependency of an object is ready: it exists, is Ready for its present generation, and, if it uses
 * the same source, has applied that source's present revision. `readyExpr` replaces this check (kustomize-controller
 * `checkDependencies`; gate AdditiveCELDependencyCheck off).
 *
 * @throws {StageError} DependencyNotReady; InvalidCELExpression when `readyExpr` cannot be evaluated
 * @throws {MissingModule} where an expression is evaluated for the first time
 */
export function checkDependencies(object: DesiredObject, tools: DependencyTools): void {
  for (const dependency of dependenciesOf(object)) {
    const name = `${dependency.namespace}/${dependency.name}`;
    const found = tools.find(dependency);
    if (found === undefined) {
      throw new StageError("DependencyNotReady", missingText(object, dependency), {
        hint: `Add the ${dependency.kind} "${name}", or correct spec.dependsOn`,
      });
    }
    const { record } = found;
    if (dependency.readyExpr !== undefined) {
      const isReady = evaluateReady(dependency.readyExpr, object, found, tools);
      if (!isReady) {
        throw new StageError("DependencyNotReady", `dependency '${name}' is not ready according to readyExpr`);
      }
      continue;
    }
    if (
      record === undefined || record.observedGeneration !== record.generation || !isTrue(record.conditions, "Ready")
    ) {
      throw new StageError("DependencyNotReady", `dependency '${name}' is not ready`);
    }
    const source = sourceOf(object);
    const other = sourceOf(found.object);
    if (source !== undefined && other !== undefined && keyText(source) === keyText(other)) {
      const revision = tools.find(source)?.record?.artifact?.revision;
      const applied = record.release?.source ?? record.lastAppliedRevision;
      if (revision !== undefined && applied !== revision) {
        throw new StageError("DependencyNotReady", `dependency '${name}' has not applied revision '${revision}' yet`);
      }
    }
  }
}

/** What is said of a dependency that is not there (helm-controller 1.6, kustomize-controller 1.9 `checkDependencies`). */
function missingText(object: DesiredObject, dependency: ObjectKey): string {
  const name = `${dependency.namespace}/${dependency.name}`;
  const resource = dependency.kind === "HelmRelease"
    ? "helmreleases.helm.toolkit.fluxcd.io"
    : dependency.kind === "Kustomization"
    ? "kustomizations.kustomize.toolkit.fluxcd.io"
    : dependency.kind;
  const cause = `${resource} "${dependency.name}" not found`;
  return object.key.kind === "HelmRelease"
    ? `unable to get '${name}' dependency: ${cause}`
    : `dependency '${name}' not found: ${cause}`;
}

function evaluateReady(
  expression: string,
  object: DesiredObject,
  dependency: Neighbour,
  tools: DependencyTools,
): boolean {
  try {
    return tools.evaluate(expression, {
      self: object.document,
      dep: documentWithStatus(dependency),
    });
  } catch (error) {
    if (error instanceof MissingModule) throw error;
    throw new StageError("InvalidCELExpression", `Cannot evaluate readyExpr "${expression}"`, { cause: error });
  }
}

/** A document with the status that Flux would show in it, for `readyExpr`. */
export function documentWithStatus(neighbour: Neighbour): JsonValue {
  const { object, record } = neighbour;
  const metadata = isJsonObject(object.document.metadata) ? object.document.metadata : {};
  if (record === undefined) return { ...object.document, status: {} };
  return {
    ...object.document,
    metadata: { ...metadata, generation: record.generation },
    status: {
      observedGeneration: record.observedGeneration,
      conditions: record.conditions.map((condition) => ({ ...condition })),
      ...(record.lastAppliedRevision === undefined ? {} : { lastAppliedRevision: record.lastAppliedRevision }),
      ...(record.lastAttemptedRevision === undefined ? {} : { lastAttemptedRevision: record.lastAttemptedRevision }),
      ...(record.artifact === undefined
        ? {}
        : { artifact: { revision: record.artifact.revision, digest: record.artifact.digest } }),
    },
  };
}
