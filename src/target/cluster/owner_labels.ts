/**
 * Reading the labels that say whose a resource is. Both sets count, Flux's and our own ({@linkcode ownerships}): what stood before
 * a switch from one to the other is the same owner's after it.
 *
 * @module
 */
import type { JsonObject } from "../../core/json.ts";
import type { ObjectKey } from "../../core/object.ts";
import { fieldManagerOf, ownerLabels, ownerSelector, ownerships } from "../../core/ownership.ts";
import { textsOf } from "./marks.ts";

/** Whether an owner's resources carry labels, so that its inventory is kept and can be found again; hooks and CRDs of a release have none. */
export function isLabelling(owner: Pick<ObjectKey, "kind">): boolean {
  return ownerSelector(owner.kind, "flux") !== undefined;
}

/** Field managers under which we apply, or have applied before a switch. */
export const ourManagers: readonly string[] = ownerships.map(fieldManagerOf);

/** Who writes owner labels. A person's copy of an object carries them too, and was applied by somebody else (`kubectl`). */
export const labellers: readonly string[] = [...ourManagers, "helm-controller"];

/** Labels each of whose presence says that a resource is some owner's of a kind; none for owners without labels. */
export function ownerSelectors(kind: string): readonly string[] {
  return ownerships.flatMap((ownership) => ownerSelector(kind, ownership) ?? []);
}

/** The owner of a kind that a resource's labels name; `undefined` when they name none, or two. */
export function labelledOwner(object: JsonObject, kind: string): ObjectKey | undefined {
  const labels = textsOf(object, "labels");
  const named = ownerSelectors(kind).flatMap((nameLabel) => {
    const name = labels[nameLabel];
    const namespace = labels[nameLabel.replace(/name$/, "namespace")];
    return name === undefined || namespace === undefined ? [] : [{ kind, namespace, name }];
  });
  const [owner] = named;
  return owner !== undefined && isLabelledFor(object, owner) ? owner : undefined;
}

/**
 * Owner (`namespace/name`, as far as labels tell) that an object stands for and a resource does not, of either kind; `undefined`
 * where both have the same, or the object has none.
 */
export function otherOwner(live: JsonObject, wanted: JsonObject): string | undefined {
  const labels = textsOf(live, "labels");
  for (const kind of ["Kustomization", "HelmRelease"]) {
    const owner = labelledOwner(wanted, kind);
    for (const nameLabel of ownerSelectors(kind)) {
      const name = labels[nameLabel];
      if (name === undefined || owner !== undefined && isLabelledFor(live, owner)) continue;
      const namespace = labels[nameLabel.replace(/name$/, "namespace")];
      return namespace === undefined ? name : `${namespace}/${name}`;
    }
  }
  return undefined;
}

/** Whether labels say that a resource is an owner's, and no label of its kind names another one. */
export function isLabelledFor(object: JsonObject, owner: ObjectKey): boolean {
  const labels = textsOf(object, "labels");
  let isNamed = false;
  for (const ownership of ownerships) {
    const wanted = Object.entries(ownerLabels(owner, ownership) ?? {});
    if (!wanted.some(([key]) => key in labels)) continue;
    if (!wanted.every(([key, value]) => labels[key] === value)) return false;
    isNamed = true;
  }
  return isNamed;
}

/** Whether labels say that a resource without labels of its own owner is a Kustomization's, or of another release than `owner` names. */
export function isLabelledForOthers(object: JsonObject, owner: ObjectKey): boolean {
  const labels = textsOf(object, "labels");
  return ownerships.some((ownership) => {
    const ofKustomization = ownerSelector("Kustomization", ownership);
    if (ofKustomization !== undefined && ofKustomization in labels) return true;
    const ofRelease = ownerLabels({ ...owner, kind: "HelmRelease" }, ownership) ?? {};
    return Object.entries(ofRelease).some(([key, value]) => key in labels && labels[key] !== value);
  });
}
