import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { ObjectKey } from "../../core/object.ts";

/** Texts among labels or annotations. */
export function textsOf(object: JsonObject, field: "labels" | "annotations"): Readonly<Record<string, string>> {
  const metadata = object.metadata;
  const texts = isJsonObject(metadata) ? metadata[field] : undefined;
  return isJsonObject(texts) ? texts as Readonly<Record<string, string>> : {};
}

/** What people write on a resource to steer how it is applied (flux.md 2.6). */
export type Mark = "ssa" | "force" | "prune" | "reconcile" | "decrypt";

/** Value of a mark in lower case; "" when it is not there. It may stand among labels or annotations. */
export function markOf(object: JsonObject | undefined, mark: Mark): string {
  if (object === undefined) return "";
  const key = `kustomize.toolkit.fluxcd.io/${mark}`;
  const value = textsOf(object, "labels")[key] ?? textsOf(object, "annotations")[key];
  return typeof value === "string" ? value.toLowerCase() : "";
}

/** Whether a resource is to be left exactly as it is. */
export function isLeftAlone(object: JsonObject | undefined): boolean {
  return markOf(object, "reconcile") === "disabled" || markOf(object, "ssa") === "ignore";
}

/**
 * Whether a resource must never be deleted, because it says so itself: `kustomize.toolkit.fluxcd.io/prune: disabled`, the
 * same of ours (`pilotfish.dev/prune: disabled`), Helm's `helm.sh/resource-policy: keep`, or that it is left alone.
 *
 * Differs: Flux knows Helm's mark for HelmReleases only.
 */
export function isKeptForever(object: JsonObject): boolean {
  const annotations = textsOf(object, "annotations");
  return markOf(object, "prune") === "disabled" || isLeftAlone(object) ||
    [annotations["pilotfish.dev/prune"], textsOf(object, "labels")["pilotfish.dev/prune"]].some((value) =>
      typeof value === "string" && value.toLowerCase() === "disabled"
    ) ||
    String(annotations["helm.sh/resource-policy"] ?? "").trim().toLowerCase() === "keep";
}

/** Labels that say whose a resource is; `undefined` for owners that write none (hooks and CRDs of a release). */
export function ownerLabels(owner: ObjectKey): Readonly<Record<string, string>> | undefined {
  const group = ownerGroups[owner.kind];
  if (group === undefined) return undefined;
  return { [`${group}/name`]: owner.name, [`${group}/namespace`]: owner.namespace };
}

const ownerGroups: Readonly<Record<string, string>> = {
  Kustomization: "kustomize.toolkit.fluxcd.io",
  HelmRelease: "helm.toolkit.fluxcd.io",
};

/** Label whose presence says that a resource is some owner's of a kind; `undefined` for owners without labels. */
export function ownerSelector(kind: string): string | undefined {
  const group = ownerGroups[kind];
  return group === undefined ? undefined : `${group}/name`;
}

/** Owner that a resource's labels name; `undefined` when they name none. */
export function labelledOwner(object: JsonObject, kind: string): ObjectKey | undefined {
  const group = ownerGroups[kind];
  const labels = textsOf(object, "labels");
  const name = labels[`${group}/name`];
  const namespace = labels[`${group}/namespace`];
  return name === undefined || namespace === undefined ? undefined : { kind, namespace, name };
}

/**
 * Whether a kind is Flux's own. Its objects carry owner labels like all that it applies, and Flux deletes what they made when
 * they go: they are left to it, also where we reconcile the same objects.
 */
export function isFluxKind(group: string): boolean {
  return group.endsWith(".toolkit.fluxcd.io");
}

/**
 * Whether a release leaves an object behind for good: a definition (Helm never deletes what came from `crds/`, and its
 * label does not tell where it came from) or a hook, which only its own policies delete.
 */
export function isBeyondRelease(object: JsonObject, kind: string): boolean {
  return kind === "CustomResourceDefinition" || "helm.sh/hook" in textsOf(object, "annotations");
}
