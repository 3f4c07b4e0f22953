/**
 * Room `reconcile`: what is due, in which order, and again when.
 * In: desired objects, sources, builders and targets (as contracts). Out: records on disk, changes to the reporter.
 * May fail: every run, with one StageError that decides the next try. Called by `app.ts` only.
 *
 * @module
 */
import type { Artifact } from "../core/artifact.ts";
import type { Condition } from "../core/condition.ts";
import { isTrue } from "../core/condition.ts";
import type { Inventory } from "../core/inventory.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import type { HistoryRow, ObjectStatus } from "../core/status.ts";
import type { KubeConfigRef } from "../core/specs.ts";
import type { ResourceHealth } from "../core/target.ts";

/** What is remembered of an object over restarts: one small JSON file. */
export interface ObjectRecord {
  readonly key: ObjectKey;
  readonly apiVersion: string;
  readonly generation: number;
  /** Digest of the spec that `generation` counts. */
  readonly specDigest: string;
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  /** Sources: the last good artifact. Consumers that pull themselves (a chart of a HelmRepository): the same. */
  readonly artifact?: Artifact;
  /** Digest of what decided the artifact besides its revision (ignore rules, selector). */
  readonly lastAppliedRevision?: string;
  readonly lastAttemptedRevision?: string;
  readonly lastAppliedOriginRevision?: string;
  readonly lastHandledReconcileAt?: string;
  /** Digest of everything that decided the last successful apply: the same again means nothing to build. */
  readonly inputs?: string;
  /** `false`: what was applied last came in part from elsewhere, so that the same inputs may give something else. */
  readonly isRepeatable?: boolean;
  /** The world in which `inventory` stands ({@linkcode Target.identity}, else the target's name); absent: any. */
  readonly standsIn?: string;
  /** Union of all that may stand: written before anything is created, trimmed after it is gone. */
  readonly inventory: Inventory;
  /** Set while somebody suspended the object from outside its document. */
  readonly suspended?: boolean;
  readonly history: readonly HistoryRow[];
  /** Failures in a row. */
  readonly failures: number;
  /** Spec as it was applied last, so that an object that left the config can be removed as it was meant. */
  readonly removal?: Removal;
  /** The artifacts in which its children are found again, newest first: the store keeps them; absent: no children. */
  readonly foundIn?: readonly FoundIn[];
  /** HelmRelease: which release stands. */
  readonly release?: ReleaseState;
  /** Object in whose artifact this one was found. */
  readonly parent?: ObjectKey;
  /** Absolute path of the file that its document stood in when it ran last; absent for one that was found in an artifact. */
  readonly origin?: string;
  /** Keys of the objects found in this one's artifact. */
  readonly children: readonly ObjectKey[];
  /** Objects of its artifact that were left out, because others hold their names; absent: none. */
  readonly refused?: readonly ObjectKey[];
}

/** An artifact, and the objects that were found in it last: each is in one only. */
export interface FoundIn {
  readonly artifact: Artifact;
  readonly children: readonly ObjectKey[];
}

/** What must be known to remove an object's resources after its document is gone. */
export interface Removal {
  /** Whether its resources go with it. */
  readonly prune: boolean;
  /** Whether removal waits until they are gone. */
  readonly wait: boolean;
  /** Folder (Checkout) or target that it used, where it is not the default one. */
  readonly target?: string;
  readonly serviceAccountName?: string;
  /** Another cluster, whose login is looked up again. */
  readonly kubeConfig?: KubeConfigRef;
  /** Namespace of resources that name none. */
  readonly defaultNamespace?: string;
  /** Of each hook and of the deletion; default 5 minutes. */
  readonly timeoutMs?: number;
  /** What becomes of what a deleted resource owns; default `background`. */
  readonly deletionPropagation?: "background" | "foreground" | "orphan";
  /** Hooks that run around the removal of a release, by where they are kept; absent: none. */
  readonly hooks?: KeptHooks;
  /** Other places in which hooks of the release may stand, written ahead: they are emptied; absent: none. */
  readonly spareHooks?: readonly KeptHooks[];
  /** Set when the hooks before the deletion have succeeded: they do not run again. */
  readonly isPrepared?: boolean;
}

/** Where hooks of a release's removal are kept: a Secret in the cluster in which they run, because they may hold secrets. */
export interface KeptHooks {
  readonly namespace: string;
  readonly name: string;
  /** Of the text: what somebody else put there is not run. */
  readonly digest: string;
}

/** What is remembered of a release beside its resources. */
export interface ReleaseState {
  readonly name: string;
  readonly namespace: string;
  readonly storageNamespace: string;
  /** Name of the chart; "" before the first one was rendered. */
  readonly chart: string;
  /** Changes of what is applied that succeeded since the install: `.Release.Revision` of what stands; 0 before the install succeeded. */
  readonly revision: number;
  /** How what stands was made. */
  readonly action: "install" | "upgrade";
  /** Digest of what decided the last change that was tried. */
  readonly attempted: string;
  /** The same of the last change that succeeded; "" before. */
  readonly applied: string;
  /** Revision of the artifact that was found to be what stands: {@linkcode ObjectRecord.lastAppliedRevision} is the chart's version. */
  readonly source?: string;
  /** Tries of `attempted` that changed something and failed, and the generation that they were for; absent: none. */
  readonly failed?: { readonly count: number; readonly generation: number };
}

/** The record of an object that was never seen. */
export function newRecord(object: DesiredObject): ObjectRecord {
  return {
    key: object.key,
    apiVersion: object.apiVersion,
    generation: 1,
    specDigest: "",
    observedGeneration: -1,
    conditions: [],
    inventory: { entries: [] },
    history: [],
    failures: 0,
    children: [],
    ...(object.parent === undefined ? {} : { parent: object.parent }),
    ...(object.origin === undefined ? {} : { origin: object.origin }),
  };
}

/** What is known of an object only while the program runs. */
export interface LiveState {
  readonly health?: readonly ResourceHealth[];
  readonly warnings: readonly string[];
  /** Why its state is not on the disk as it should be; absent once it is. */
  readonly saveFault?: string;
  readonly hint?: string;
  readonly nextRunAt?: string;
  readonly target?: string;
}

/** The same without advice on what is over. */
export function withoutHint({ hint: _, ...live }: LiveState): LiveState {
  return live;
}

/** The same with the health of one resource as it is now. */
export function withHealth(live: LiveState, health: ResourceHealth): LiveState {
  const others = (live.health ?? []).filter(({ ref }) =>
    ref.kind !== health.ref.kind || ref.name !== health.ref.name ||
    ref.namespace !== health.ref.namespace || ref.group !== health.ref.group
  );
  return { ...live, health: [...others, health] };
}

/** The picture of an object as `report` shows it. */
export function statusOf(
  object: DesiredObject,
  record: ObjectRecord,
  { saveFault, ...live }: LiveState,
): ObjectStatus {
  return {
    key: object.key,
    apiVersion: object.apiVersion,
    ...(object.place === undefined ? {} : { place: object.place }),
    ...(object.parent === undefined ? {} : { parent: object.parent }),
    isSuspended: isSuspended(object, record),
    generation: record.generation,
    observedGeneration: record.observedGeneration,
    conditions: record.conditions,
    ...(record.artifact === undefined ? {} : { artifact: record.artifact }),
    ...(record.lastAppliedRevision === undefined ? {} : { lastAppliedRevision: record.lastAppliedRevision }),
    ...(record.lastAttemptedRevision === undefined ? {} : { lastAttemptedRevision: record.lastAttemptedRevision }),
    ...(record.lastAppliedOriginRevision === undefined
      ? {}
      : { lastAppliedOriginRevision: record.lastAppliedOriginRevision }),
    ...(record.lastHandledReconcileAt === undefined ? {} : { lastHandledReconcileAt: record.lastHandledReconcileAt }),
    ...(record.inventory.entries.length === 0 ? {} : { inventory: record.inventory }),
    history: record.history,
    failures: record.failures,
    ...live,
    warnings: saveFault === undefined ? live.warnings : [...live.warnings, saveFault],
  };
}

/** Whether an object rests: its document says so, or somebody did. */
export function isSuspended(object: DesiredObject, record: ObjectRecord): boolean {
  return record.suspended ?? (object.spec as { readonly suspend?: boolean }).suspend ?? false;
}

/** Whether an object's last run ended well and was of its present document. */
export function isReady(record: ObjectRecord | undefined): boolean {
  return record !== undefined && record.observedGeneration === record.generation && isTrue(record.conditions, "Ready");
}

/** Rows kept of an object's history (Kustomization `status.history`). */
const historyLength = 5;

/** History with one more run: the same digest and outcome are counted in one row; newest first. */
export function addHistory(
  history: readonly HistoryRow[],
  run: { digest: string; status: string; revision: string; at: string; durationMs: number },
): readonly HistoryRow[] {
  const same = history.find((row) => row.digest === run.digest && row.status === run.status);
  const row: HistoryRow = {
    digest: run.digest,
    status: run.status,
    revision: run.revision,
    firstReconciled: same?.firstReconciled ?? run.at,
    lastReconciled: run.at,
    lastDurationMs: run.durationMs,
    totalReconciliations: (same?.totalReconciliations ?? 0) + 1,
  };
  return [row, ...history.filter((other) => other !== same)].slice(0, historyLength);
}

/** The record of an object that leaves its resources behind when it goes (Flux: suspended objects are not finalized). */
export function resting(record: ObjectRecord): ObjectRecord {
  return { ...record, removal: { ...record.removal, prune: false, wait: false } };
}
