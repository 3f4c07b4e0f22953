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
import { inParallel } from "./access.ts";

/** Annotation that lets a guarded deletion pass, on the resource itself or on the object that owns it. */
export const confirmAnnotation = "pilotfish.dev/prune";

/** How many resources an owner must have before the share of those that go is looked at. */
export const shareGuardFrom = 10;

/** Things that every Namespace has, or that come and go by themselves. */
const furniture = new Set([
  "ServiceAccount/default",
  "ConfigMap/kube-root-ca.crt",
]);
const fleeting = new Set(["Event", "Endpoints", "EndpointSlice", "PodMetrics", "Lease", "ControllerRevision"]);

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

/**
 * Why the deletion of a resource would take more with it than what its owner applied; `undefined` when it does not: a
 * Namespace or a CRD that holds objects of others, a volume claim that holds data.
 *
 * @param ours keys of everything that the owner applied
 */
export async function guardReason(
  access: Access,
  candidate: Candidate,
  ours: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { ref, live } = candidate;
  if (isConfirmed(live)) return undefined;
  let what: string | undefined;
  if (ref.group === "" && ref.kind === "Namespace") what = await namespaceHolds(access, ref.name, ours, signal);
  else if (ref.kind === "CustomResourceDefinition") what = await definitionHolds(access, live, ours, signal);
  else if (ref.group === "" && ref.kind === "PersistentVolumeClaim") what = claimHolds(live);
  if (what === undefined) return undefined;
  return `${
    refText(ref)
  } is kept: its deletion would also delete ${what}; to confirm, annotate it or its owner with ${confirmAnnotation}: confirmed`;
}

/** Message of a pass that would delete too much at once; `undefined` when it would not. */
export function shareReason(going: number, all: number): string | undefined {
  if (all <= shareGuardFrom || going * 2 <= all) return undefined;
  return `${going} of ${all} resources would be deleted in one pass, which is more than half; to confirm, annotate the owner with ${confirmAnnotation}: confirmed`;
}

function claimHolds(live: JsonObject): string | undefined {
  const status = isJsonObject(live.status) ? live.status : {};
  if (status.phase !== "Bound") return undefined;
  const spec = isJsonObject(live.spec) ? live.spec : {};
  return `the data of the volume "${String(spec.volumeName ?? "")}" that is bound to it`;
}

async function namespaceHolds(
  access: Access,
  namespace: string,
  ours: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const kinds = (await access.discovery.all(signal)).filter((kind) => kind.isNamespaced && !fleeting.has(kind.kind));
  const foreign: string[] = [];
  await inParallel(kinds, access.concurrency, async (kind) => {
    foreign.push(...await foreignObjects(access, { kind, namespace }, ours, signal));
  });
  return listText(foreign.sort());
}

async function definitionHolds(
  access: Access,
  live: JsonObject,
  ours: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const spec = isJsonObject(live.spec) ? live.spec : {};
  const names = isJsonObject(spec.names) ? spec.names : {};
  const version = listItems(spec, "versions").find((item) => item.served === true);
  if (version === undefined) return undefined;
  const kind: ServedKind = {
    group: String(spec.group),
    version: String(version.name),
    kind: String(names.kind),
    plural: String(names.plural),
    isNamespaced: spec.scope === "Namespaced",
    verbs: [],
  };
  return listText([...await foreignObjects(access, { kind, namespace: "" }, ours, signal)].sort());
}

async function foreignObjects(
  access: Access,
  what: { readonly kind: ServedKind; readonly namespace: string },
  ours: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { kind } = what;
  let objects: readonly JsonObject[];
  try {
    objects = await listPages(access.api, what, signal);
  } catch (error) {
    if (isKubeError(error, 404) || isKubeError(error, 405)) return [];
    // What cannot be seen may be there.
    if (error instanceof KubeError && error.code === 403) return [`${kind.kind} (cannot be listed: ${error.reason})`];
    throw error;
  }
  return objects.flatMap((object) => {
    const metadata = isJsonObject(object.metadata) ? object.metadata : {};
    const name = String(metadata.name);
    const namespace = typeof metadata.namespace === "string" ? metadata.namespace : "";
    const ref: ResourceRef = { group: kind.group, version: kind.version, kind: kind.kind, namespace, name };
    if (ours.has(refKey(ref)) || furniture.has(`${kind.kind}/${name}`)) return [];
    // What belongs to another object goes and comes with that one.
    if (listItems(metadata, "ownerReferences").length > 0) return [];
    return [refText(ref)];
  });
}

function listText(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const shown = names.slice(0, 5).join(", ");
  return names.length <= 5 ? shown : `${shown} and ${names.length - 5} more`;
}
