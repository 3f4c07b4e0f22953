import type { Inventory, InventoryEntry } from "./inventory.ts";
import type { ObjectKey } from "./object.ts";
import type { Ownership } from "./ownership.ts";
import type { Resource, ResourceRef } from "./resource.ts";

/** What an object wants of a target. */
export interface TargetRequest {
  /** Whose resources these are: the owner labels and the inventory carry it. */
  readonly owner: ObjectKey;
  readonly resources: readonly Resource[];
  /** What this owner applied before: the union of all that may be there. */
  readonly previous: Inventory;
  /** Revision that is being applied, for messages. */
  readonly revision: string;
  readonly options: TargetOptions;
  /** What is not wanted any more is let go: it stays, and is not remembered as the owner's (`prune: false`). Default `false`. */
  readonly releasesStale?: boolean;
  /**
   * Digest of everything that decided `resources` and `options`. A target remembers it with what it made, so that
   * {@linkcode Target.stands} can answer without a build.
   */
  readonly inputs?: string;
  /**
   * Told, before an apply fails, which of `resources` were not there before and have not been written for certain. Without a
   * call all of them may stand.
   */
  readonly onUnwritten?: (entries: readonly InventoryEntry[]) => void;
}

/** Switches of a request; each absent one has the default named. */
export interface TargetOptions {
  /** Recreate a resource when an immutable field changed. Default `false`. */
  readonly force?: boolean;
  /** Create what is missing and leave alone what is there (Helm's policy for CRDs). Default `false`. */
  readonly createOnly?: boolean;
  /** Drift to leave alone: JSON pointers, by selector (Kustomization `spec.ignore`). Default none. */
  readonly ignore?: readonly { readonly paths: readonly string[]; readonly target?: ResourceSelector }[];
  /** Name of the ServiceAccount to act as, in the owner's namespace. */
  readonly serviceAccountName?: string;
  /** Kubeconfig text of another cluster, or a login by account ({@linkcode clusterLoginText}). */
  readonly kubeconfig?: string;
  /** Namespace of resources that name none. Default the owner's. */
  readonly defaultNamespace?: string;
  /** Milliseconds of work allowed. Default 5 minutes. */
  readonly timeoutMs?: number;
  /** The whole owner goes: the share of resources that is deleted is no alarm. The other guards stay. Default `false`. */
  readonly isWholeRemoval?: boolean;
  /** The build gave nothing at all: whatever would be deleted for that waits for a person. Default `false`. */
  readonly isEmptyBuild?: boolean;
  /** Confirmed by a person: the prune guard lets everything pass. Default `false`. */
  readonly pruneConfirmed?: boolean;
  /** What becomes of what a deleted resource owns. Default `background`. */
  readonly deletionPropagation?: "background" | "foreground" | "orphan";
}

/** Which resources a patch or rule speaks of; `name` and `namespace` are anchored regular expressions (kustomize's selector). */
export interface ResourceSelector {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

/** One step that a plan would take, and what it changes. */
export interface PlannedChange {
  readonly action: "create" | "update" | "recreate" | "delete" | "unchanged" | "skip";
  readonly ref: ResourceRef;
  /** Text before and after (secrets masked), for a diff; absent where there is none. */
  readonly before?: string;
  readonly after?: string;
  /** Fields that differ, as JSON pointers; absent where there are none, or the target cannot tell. */
  readonly fields?: readonly string[];
  /** Nothing differs: only who set the fields would change. */
  readonly isTakeOver?: true;
  /** Why it is skipped or recreated, or whose it is. */
  readonly note?: string;
}

/** What happened to one resource. */
export interface AppliedChange {
  readonly action: "created" | "configured" | "recreated" | "unchanged" | "skipped" | "deleted";
  readonly ref: ResourceRef;
  /** Where it stands, for targets with files. */
  readonly location?: string;
  /** Fields that had drifted, as JSON pointers. */
  readonly drifted?: readonly string[];
  readonly note?: string;
}

/** What an apply did. `inventory` is what now stands of `resources`. */
export interface ApplyResult {
  readonly inventory: Inventory;
  readonly changes: readonly AppliedChange[];
}

/** What a removal did. Entries in `kept` stay in the inventory. */
export interface RemoveResult {
  readonly removed: readonly AppliedChange[];
  readonly kept: readonly {
    readonly entry: InventoryEntry;
    readonly reason: "failed" | "guarded" | "terminating";
    readonly message: string;
  }[];
  /** Entries that are not ours any more (owner labels changed, prune disabled): left alone and forgotten. */
  readonly released: readonly { readonly entry: InventoryEntry; readonly message: string }[];
}

/** Health of one resource (kstatus words). */
export interface ResourceHealth {
  readonly ref: ResourceRef;
  readonly status: "Current" | "InProgress" | "Failed" | "Terminating" | "NotFound" | "Unknown";
  readonly message: string;
}

/** What to wait for. */
export interface WaitRequest {
  readonly owner: ObjectKey;
  readonly refs: readonly ResourceRef[];
  readonly timeoutMs: number;
  /** CEL expressions by kind (Kustomization `spec.healthCheckExprs`). */
  readonly expressions?: readonly HealthExpression[];
  readonly serviceAccountName?: string;
  readonly kubeconfig?: string;
}

/** Readiness of a kind by expression (fluxcd/pkg `apis/kustomize`, CustomHealthCheck). */
export interface HealthExpression {
  readonly apiVersion: string;
  readonly kind?: string;
  readonly current: string;
  readonly inProgress?: string;
  readonly failed?: string;
}

/** What a watch saw of an applied resource. */
export type WatchedChange =
  /** Somebody changed or deleted it: the owner should run. */
  | { readonly kind: "drift"; readonly ref: ResourceRef; readonly fields: readonly string[] }
  /** Its health changed after it was Current. */
  | { readonly kind: "health"; readonly health: ResourceHealth };

/** The world that is made to match: a cluster or a directory. */
export interface Target {
  /** A cluster runs what it is given (hooks, health); a directory holds it. */
  readonly kind: "cluster" | "directory";
  /** For people: `cluster`, `directory ./out`. */
  readonly name: string;
  /** Under whose name resources stand there: which owner labels they are built with. Default `flux`. */
  readonly ownership?: Ownership;
  /** What {@linkcode Target.apply} and the removal of what is stale would do. Reads only. */
  plan(request: TargetRequest, signal: AbortSignal): Promise<readonly PlannedChange[]>;
  /** Makes the resources stand. Nothing is deleted. @throws {StageError} ReconciliationFailed, with every resource's fault in its message */
  apply(request: TargetRequest, signal: AbortSignal): Promise<ApplyResult>;
  /** Waits until all are Current. @throws {StageError} HealthCheckFailed naming what is not and why; HealthCheckCanceled when aborted */
  wait(request: WaitRequest, signal: AbortSignal): Promise<readonly ResourceHealth[]>;
  /** Deletes resources of an owner: what is stale, or all of it. What is gone already is success. */
  remove(
    owner: ObjectKey,
    entries: readonly InventoryEntry[],
    options: TargetOptions,
    signal: AbortSignal,
  ): Promise<RemoveResult>;
  /**
   * Whether all that the last apply of `owner` made still stands untouched and came from the same `inputs`. Cheap: no
   * write, no build, at most a look at what is known already. `false` when in doubt.
   */
  stands?(owner: ObjectKey, inputs: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Watches what an owner has applied until `signal` is aborted and calls back when a resource drifts, vanishes or
   * changes its health. Returns at once. Absent where a target cannot watch.
   */
  watch?(owner: ObjectKey, onChange: (change: WatchedChange) => void, signal: AbortSignal): void;
  /**
   * A resource as it stands; `undefined` when there is none. A cluster shows what the account of `options` may see, a
   * directory only what `owner` itself wrote. Without a namespace, a resource that needs one is sought in the default one.
   */
  read?(
    owner: ObjectKey,
    ref: ResourceRef,
    options: TargetOptions,
    signal: AbortSignal,
  ): Promise<Resource | undefined>;
  /**
   * What tells this very world from others of its name, over restarts: a cluster's own id. Absent where the name says it all.
   *
   * @throws {StageError} when it cannot be asked
   */
  identity?(signal: AbortSignal): Promise<string>;
  /**
   * What the target itself remembers of an owner; `undefined` when it keeps nothing. Right even after our disk is lost.
   *
   * @param signal given by who is about to write: the answer then comes once it is his turn, and nobody else changes it after
   */
  remembered(owner: ObjectKey, signal?: AbortSignal): Promise<Inventory | undefined>;
}
