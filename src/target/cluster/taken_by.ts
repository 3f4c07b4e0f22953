import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { ObjectKey } from "../../core/object.ts";
import { ownerLabels, ownerships } from "../../core/ownership.ts";
import { listItems } from "./discovery.ts";
import { fieldsOf, hasField, managerEntries } from "./managed_fields.ts";
import { textsOf } from "./marks.ts";
import { ourManagers } from "./owner_labels.ts";

/** Where tools write whose an object is: the field, the key, and what it belongs to with a value there. */
const marks: readonly (readonly ["annotations" | "labels", string, (value: string) => string])[] = [
  ["annotations", "meta.helm.sh/release-name", (value) => `Helm's release "${value}"`],
  ["labels", "helm.toolkit.fluxcd.io/name", (value) => `HelmRelease "${value}"`],
  ["labels", "kustomize.toolkit.fluxcd.io/name", (value) => `Kustomization "${value}"`],
  ["labels", "helm.pilotfish.dev/name", (value) => `HelmRelease "${value}"`],
  ["labels", "kustomize.pilotfish.dev/name", (value) => `Kustomization "${value}"`],
  ["annotations", "argocd.argoproj.io/tracking-id", (value) => `Argo CD's application "${value.split(":")[0]}"`],
  ["labels", "applyset.kubernetes.io/part-of", (value) => `kubectl's apply set "${value}"`],
  ["annotations", "config.k8s.io/owning-inventory", (value) => `the inventory "${value}"`],
  ["labels", "kapp.k14s.io/app", (value) => `kapp's app "${value}"`],
  ["annotations", "objectset.rio.cattle.io/id", (value) => `the object set "${value}"`],
];

/**
 * Who has taken an object over since an owner applied it, as the object itself says: the mark of another tool, or a controller
 * as its owner, where others alone wrote that. `undefined` where nobody has.
 *
 * Differs: Flux goes by its own labels alone, and deletes what has been handed over to Helm.
 */
export function takenBy(owner: ObjectKey, live: JsonObject): string | undefined {
  const own = new Set(ownerships.flatMap((ownership) => Object.keys(ownerLabels(owner, ownership) ?? {})));
  for (const [field, key, nameOf] of marks) {
    const value = textsOf(live, field)[key];
    if (value === undefined || own.has(key)) continue;
    if (isOthersField(live, ["f:metadata", `f:${field}`, `f:${key}`])) return nameOf(value);
  }
  const metadata = isJsonObject(live.metadata) ? live.metadata : {};
  const controller = listItems(metadata, "ownerReferences").find((reference) => reference.controller === true);
  if (controller === undefined) return undefined;
  const path = ["f:metadata", "f:ownerReferences", `k:{"uid":"${String(controller.uid)}"}`];
  return isOthersField(live, path) ? `${String(controller.kind)} "${String(controller.name)}"` : undefined;
}

/** Whether a field is known to be written, and not by us. */
function isOthersField(live: JsonObject, path: readonly string[]): boolean {
  const writers = managerEntries(live).filter((entry) => hasField(fieldsOf(entry), path));
  return writers.length > 0 && writers.every(({ manager }) => !ourManagers.includes(manager));
}
