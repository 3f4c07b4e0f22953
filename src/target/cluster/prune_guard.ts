import { inParallel } from "../../core/in_parallel.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { isKubeError, KubeError } from "../../core/kube_api.ts";
import type { ResourceRef } from "../../core/resource.ts";
import { refKey, refText } from "../../core/resource.ts";
import type { ServedKind } from "./discovery.ts";
import { listItems } from "./discovery.ts";
import { textsOf } from "./marks.ts";
import { listPages } from "./recover_inventory.ts";
import type { Access } from "./access.ts";
import type { OwnAccount } from "./self_guard.ts";
import { selfHolds } from "./self_guard.ts";

/** Annotation that lets a guarded deletion pass, on the resource itself or on the object that owns it. */
const confirmAnnotation = "pilotfish.dev/prune";
const byOrder = "or run pilotfish reconcile KIND NAME --confirm-prune";

/** How many resources an owner must have before the share of those that go is looked at. */
const shareGuardFrom = 10;

/** Things that every Namespace has, or that come and go by themselves. */
const furniture = new Set([
  "ServiceAccount/default",
  "ConfigMap/kube-root-ca.crt",
]);
const fleeting = new Set([
  "/Event",
  "events.k8s.io/Event",
  "/Endpoints",
  "discovery.k8s.io/EndpointSlice",
  "metrics.k8s.io/PodMetrics",
  "coordination.k8s.io/Lease",
  "apps/ControllerRevision",
]);

/** A resource whose deletion is being considered. */
export interface Candidate {
  readonly ref: ResourceRef;
  readonly kind: ServedKind;
  readonly live: JsonObject;
}

/** Whether a person has confirmed the deletion of this very resource. */
export function isConfirmed(live: JsonObject): boolean {
  return textsOf(live, "annotations")[confirmAnnotation] === "confirmed";
}

/** Whether the deletion of a resource deletes other objects too: those are looked at last, when it is known what goes. */
export function isContainer(ref: ResourceRef): boolean {
  return ref.group === "" && ref.kind === "Namespace" || ref.kind === "CustomResourceDefinition";
}

/** What is deleted in one pass. */
export interface Due {
  /** Keys of the resources. */
  readonly keys: ReadonlySet<string>;
  /** Identities that the server gave them: what they own goes with them. */
  readonly uids: ReadonlySet<string>;
  /** The account that we act as ourselves; `undefined` where it is none. */
  readonly ownAccount: () => Promise<OwnAccount | undefined>;
}

/**
 * Why the deletion of a resource would take more with it than what is deleted in the same pass; `undefined` when it does
 * not: a Namespace or a CRD that holds other objects, of others or of the owner itself; a volume or claim that holds data; a
 * Node with its Pods; a StatefulSet that takes its claims along; this daemon, its account and its rights.
 */
export async function guardReason(
  access: Access,
  candidate: Candidate,
  due: Due,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { ref, live } = candidate;
  if (isConfirmed(live)) return undefined;
  let what: string | undefined;
  if (ref.group === "" && ref.kind === "Namespace") what = await namespaceHolds(access, ref.name, due, signal);
  else if (ref.kind === "CustomResourceDefinition") what = await definitionHolds(access, live, due, signal);
  else if (ref.group === "" && ref.kind === "PersistentVolumeClaim") what = claimHolds(live);
  else if (ref.group === "apps" && ref.kind === "StatefulSet") what = claimsOf(live);
  else if (ref.group === "" && ref.kind === "PersistentVolume") what = volumeHolds(live);
  else if (ref.group === "" && ref.kind === "Node") what = "the Pods that run on it";
  what ??= await selfHolds(ref, live, due.ownAccount);
  if (what === undefined) return undefined;
  return `${
    refText(ref)
  } is kept: its deletion would also delete ${what}; to confirm, annotate it or its owner with ${confirmAnnotation}: confirmed, ${byOrder}`;
}

/** Message of a pass that would delete too much at once; `undefined` when it would not. */
export function shareReason(going: number, all: number): string | undefined {
  if (all <= shareGuardFrom || going * 2 <= all) return undefined;
  return `${going} of ${all} resources would be deleted in one pass, which is more than half; to confirm, annotate the owner with ${confirmAnnotation}: confirmed, ${byOrder}`;
}

/** Message of what an earlier pass would have deleted with too much else. */
export const heldReason =
  `it was to be deleted in one pass with more than half of the resources; to confirm, annotate it or its owner with ${confirmAnnotation}: confirmed, ${byOrder}`;

/** Message of a build that gave nothing at all where there was something: a wrong path looks just so. */
export function emptyReason(going: number): string {
  return `${going} ${
    going === 1 ? "resource" : "resources"
  } would be deleted because the build gave none at all, as a wrong path does; to confirm, annotate the owner with ${confirmAnnotation}: confirmed, ${byOrder}`;
}

function claimHolds(live: JsonObject): string | undefined {
  const status = isJsonObject(live.status) ? live.status : {};
  if (status.phase !== "Bound") return undefined;
  const spec = isJsonObject(live.spec) ? live.spec : {};
  return `the data of the volume "${String(spec.volumeName ?? "")}" that is bound to it`;
}

/** Claims that a StatefulSet takes along because it says so (`persistentVolumeClaimRetentionPolicy`). */
function claimsOf(live: JsonObject): string | undefined {
  const spec = isJsonObject(live.spec) ? live.spec : {};
  const policy = isJsonObject(spec.persistentVolumeClaimRetentionPolicy)
    ? spec.persistentVolumeClaimRetentionPolicy
    : {};
  if (policy.whenDeleted !== "Delete" || listItems(spec, "volumeClaimTemplates").length === 0) return undefined;
  return "the volumes that it claimed, with their data";
}

function volumeHolds(live: JsonObject): string | undefined {
  const status = isJsonObject(live.status) ? live.status : {};
  const spec = isJsonObject(live.spec) ? live.spec : {};
  const claim = isJsonObject(spec.claimRef) ? spec.claimRef : undefined;
  if (status.phase !== "Bound" || claim === undefined) return undefined;
  return `the data of the claim "${String(claim.namespace)}/${String(claim.name)}" that is bound to it`;
}

async function namespaceHolds(
  access: Access,
  namespace: string,
  due: Due,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { kinds, silent } = await access.discovery.survey(signal);
  const held: Held[] = [];
  await inParallel(kinds.filter((kind) => kind.isNamespaced), access.concurrency, async (kind) => {
    held.push(...await objectsOf(access, { kind, namespace }, signal));
  });
  const unseen = silent.map((group) => `objects of ${group} (it does not answer)`);
  return listText([...foreignAmong(held, due), ...unseen].sort());
}

async function definitionHolds(
  access: Access,
  live: JsonObject,
  due: Due,
  signal: AbortSignal,
): Promise<string | undefined> {
  const spec = isJsonObject(live.spec) ? live.spec : {};
  const names = isJsonObject(spec.names) ? spec.names : {};
  const version = listItems(spec, "versions").find((item) => item.served === true);
  if (version === undefined) return "objects of versions that are not served";
  const kind: ServedKind = {
    group: String(spec.group),
    version: String(version.name),
    kind: String(names.kind),
    plural: String(names.plural),
    isNamespaced: spec.scope === "Namespaced",
    verbs: [],
  };
  const held = await objectsOf(access, { kind, namespace: "" }, signal);
  // An owner that stays could not make them again without their definition.
  const foreign = held.filter(({ key, owners }) => !due.keys.has(key) && !owners.some((uid) => due.uids.has(uid)));
  return listText(foreign.map(({ text }) => text).sort());
}

/** An object that would go with what holds it. */
interface Held {
  readonly key: string;
  readonly text: string;
  readonly uid: string;
  /** Identities of the objects that own it. */
  readonly owners: readonly string[];
  readonly isFleeting: boolean;
}

/**
 * What of the content of a Namespace is neither deleted anyway nor there by itself. What belongs to another object of the
 * same Namespace goes and comes with that one.
 */
function foreignAmong(held: readonly Held[], due: Due): readonly string[] {
  const uids = new Set(held.map(({ uid }) => uid));
  return held
    .filter(({ key, owners, isFleeting }) => !isFleeting && !due.keys.has(key) && !owners.some((uid) => uids.has(uid)))
    .map(({ text }) => text);
}

async function objectsOf(
  access: Access,
  what: { readonly kind: ServedKind; readonly namespace: string },
  signal: AbortSignal,
): Promise<readonly Held[]> {
  const { kind } = what;
  let objects: readonly JsonObject[];
  try {
    objects = await listPages(access.api, what, signal);
  } catch (error) {
    if (isKubeError(error, 404) || isKubeError(error, 405)) return [];
    // What cannot be seen may be there.
    if (!(error instanceof KubeError) || error.code !== 403) throw error;
    const text = `${kind.kind} (cannot be listed: ${error.reason})`;
    return isFleeting(kind) ? [] : [{ key: "", text, uid: "", owners: [], isFleeting: false }];
  }
  return objects.map((object) => {
    const metadata = isJsonObject(object.metadata) ? object.metadata : {};
    const name = String(metadata.name);
    const namespace = typeof metadata.namespace === "string" ? metadata.namespace : "";
    const ref: ResourceRef = { group: kind.group, version: kind.version, kind: kind.kind, namespace, name };
    return {
      key: refKey(ref),
      text: refText(ref),
      uid: String(metadata.uid ?? ""),
      owners: listItems(metadata, "ownerReferences").map((owner) => String(owner.uid)),
      isFleeting: isFleeting(kind) || kind.group === "" && furniture.has(`${kind.kind}/${name}`),
    };
  });
}

function isFleeting({ group, kind }: ServedKind): boolean {
  return fleeting.has(`${group}/${kind}`);
}

function listText(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const shown = names.slice(0, 5).join(", ");
  return names.length <= 5 ? shown : `${shown} and ${names.length - 5} more`;
}
