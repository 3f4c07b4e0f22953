import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { isSameKey, keyText } from "../core/object.ts";
import { deepestChild } from "./lineage.ts";
import type { ObjectRecord } from "./record.ts";
import type { Slots } from "./slots.ts";

/** What a run found of objects in its artifact. */
export interface FoundObjects {
  readonly parent: DesiredObject;
  readonly found: readonly DesiredObject[];
  /** Keys of those that were found before. */
  readonly before: readonly ObjectKey[];
  /** Those that are not among `found` go on as they were found last. */
  readonly keepsMissing: boolean;
}

/** What becomes of the objects of an artifact. */
export interface Adoption {
  /** They are held from now on, with their parent. */
  readonly taken: readonly DesiredObject[];
  /** They are removed: the artifact does not bring them any more. */
  readonly gone: readonly ObjectKey[];
  /** They are left out, because others hold their names. */
  readonly refused: readonly ObjectKey[];
  /** The parent's objects from now on. */
  readonly children: readonly ObjectKey[];
  /** What a person should know of those that are left out for another reason than their name. */
  readonly warnings: readonly string[];
}

/** What is held, and what is remembered. */
export interface Holdings {
  readonly slots: Pick<Slots, "get" | "has" | "childrenOf" | "depthOf">;
  readonly records: { get(key: ObjectKey): ObjectRecord | undefined; all(): Iterable<ObjectRecord> };
}

/** Who has a name: the documents, or an object in whose artifact it was found. */
type Owner = { readonly kind: "documents" } | { readonly kind: "artifact"; readonly parent: ObjectKey };

/**
 * Who has the name of an object; `undefined`: nobody. What an artifact brought belongs to it over restarts too, before it is
 * found again: of two artifacts that bring the same object, the first one keeps it as long as it brings it.
 *
 * Differs: two of Flux's Kustomizations overwrite each other's objects at every interval.
 */
function ownerOf(key: ObjectKey, { slots, records }: Holdings): Owner | undefined {
  const held = slots.get(key)?.object;
  if (held !== undefined) {
    return held.parent === undefined ? { kind: "documents" } : { kind: "artifact", parent: held.parent };
  }
  const parent = records.get(key)?.parent;
  if (parent === undefined || !slots.has(parent)) return undefined;
  const isListed = records.get(parent)?.children.some((child) => isSameKey(child, key)) ?? false;
  return isListed ? { kind: "artifact", parent } : undefined;
}

/** Whether an object may take one of that name out of its artifact. */
export function mayTake(parent: ObjectKey, key: ObjectKey, holdings: Holdings): boolean {
  const owner = ownerOf(key, holdings);
  return owner === undefined || owner.kind === "artifact" && isSameKey(owner.parent, parent);
}

/** What a person is told, as long as it is so, of objects that are left out because others have their names. */
export function refusalTexts(refused: readonly ObjectKey[], holdings: Holdings): readonly string[] {
  return refused.flatMap((key) => {
    const owner = ownerOf(key, holdings);
    if (owner === undefined) return [];
    const holder = owner.kind === "documents" ? "the documents have" : `${keyText(owner.parent)} has`;
    return [`Left out "${keyText(key)}" of the artifact: ${holder} an object of that name`];
  });
}

/** Decides which objects of an artifact are taken, left out and removed. Pure. */
export function adoptionOf(order: FoundObjects, holdings: Holdings): Adoption {
  const { parent, before, keepsMissing } = order;
  const { slots, records } = holdings;
  const taken: DesiredObject[] = [];
  const refused: ObjectKey[] = [];
  const warnings: string[] = [];
  const isTooDeep = slots.depthOf(parent) >= deepestChild;
  for (const child of order.found) {
    if (!mayTake(parent.key, child.key, holdings)) {
      refused.push(child.key);
    } else if (isTooDeep) {
      warnings.push(`Left out "${keyText(child.key)}": objects in artifacts may nest ${deepestChild} deep`);
    } else taken.push({ ...child, parent: parent.key });
  }
  const names = new Set(taken.map((child) => keyText(child.key)));
  const isMissing = (key: ObjectKey) => !names.has(keyText(key));
  const missing = slots.childrenOf(parent.key).filter(isMissing);
  const remembered = (key: ObjectKey) => !slots.has(key) && isMissing(key);
  const children = taken.map((child) => child.key);
  if (keepsMissing) {
    // Those that a start has not found again yet are known on.
    return { taken, refused, warnings, gone: [], children: [...children, ...missing, ...before.filter(remembered)] };
  }
  const recorded = [...records.all()]
    .filter((record) => record.parent !== undefined && isSameKey(record.parent, parent.key))
    .map((record) => record.key);
  return { taken, refused, warnings, gone: [...recorded.filter(remembered), ...missing], children };
}
