import type { JsonObject, JsonValue } from "./json.ts";
import { isJsonObject } from "./json.ts";
import type { ObjectKey } from "./object.ts";

/**
 * Under whose name resources stand in a cluster: the field manager that applies them, and the labels that say whose they are.
 * `flux` has Flux's own, so that objects change hands with Flux without a trace; with `pilotfish` the two cannot be mistaken for
 * each other in a cluster where both work.
 */
export type Ownership = "flux" | "pilotfish";

/** Both, Flux's first. */
export const ownerships: readonly Ownership[] = ["flux", "pilotfish"];

const fieldManagers: Readonly<Record<Ownership, string>> = { flux: "kustomize-controller", pilotfish: "pilotfish" };

/** Groups of owner labels; those of releases and Kustomizations differ, since one object may carry both (flux.md 2.6). */
const labelGroups: Readonly<Record<Ownership, Readonly<Record<string, string>>>> = {
  flux: { Kustomization: "kustomize.toolkit.fluxcd.io", HelmRelease: "helm.toolkit.fluxcd.io" },
  pilotfish: { Kustomization: "kustomize.pilotfish.dev", HelmRelease: "helm.pilotfish.dev" },
};

/**
 * Name under which fields are applied.
 *
 * Differs: Flux's helm-controller has a name of its own; here what a release brings is applied like all else.
 */
export function fieldManagerOf(ownership: Ownership): string {
  return fieldManagers[ownership];
}

/** Labels that say whose a resource is; `undefined` for owners that write none (hooks and CRDs of a release). */
export function ownerLabels(owner: ObjectKey, ownership: Ownership): Readonly<Record<string, string>> | undefined {
  const group = labelGroups[ownership][owner.kind];
  if (group === undefined) return undefined;
  return { [`${group}/name`]: owner.name, [`${group}/namespace`]: owner.namespace };
}

/**
 * A resource with the labels of its owner. Labels of the owner's kind that a manifest brought along, of either set, are not kept:
 * they would name a second owner, and then nobody may delete it.
 */
export function withOwnerLabels<One extends JsonObject>(resource: One, owner: ObjectKey, ownership: Ownership): One {
  const metadata = isJsonObject(resource.metadata) ? resource.metadata : {};
  const labels: Record<string, JsonValue> = isJsonObject(metadata.labels) ? { ...metadata.labels } : {};
  for (const other of ownerships) for (const key of Object.keys(ownerLabels(owner, other) ?? {})) delete labels[key];
  return { ...resource, metadata: { ...metadata, labels: { ...labels, ...ownerLabels(owner, ownership) } } };
}

/** Label whose presence says that a resource is some owner's of a kind; `undefined` for owners without labels. */
export function ownerSelector(kind: string, ownership: Ownership): string | undefined {
  const group = labelGroups[ownership][kind];
  return group === undefined ? undefined : `${group}/name`;
}
