import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";

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
