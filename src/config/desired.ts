import { canonicalJson } from "../core/json.ts";
import type { DesiredObject, ObjectKey, Place } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { ReferencedData, References } from "../core/references.ts";
import type { SettingsInput } from "./settings_table.ts";

/** A Secret or ConfigMap among the documents. */
export interface DataDocument {
  readonly key: ObjectKey;
  readonly data: ReferencedData;
  readonly place?: Place;
}

/** What the documents ask for. */
export interface DesiredState {
  /** Sources and consumers. */
  readonly objects: readonly DesiredObject[];
  /** Providers, Alerts and Receivers. */
  readonly notifications: readonly DesiredObject[];
  /** Secrets and ConfigMaps by {@linkcode keyText}. */
  readonly data: ReadonlyMap<string, DataDocument>;
  /** What a Settings document says, checked. */
  readonly settings?: SettingsInput;
  /** Objects that a document names and that are left out, because something in it is wrong. */
  readonly broken: readonly ObjectKey[];
  /** Files and documents of which not even the objects' names are known. */
  readonly unreadable: readonly string[];
  /**
   * Whether what is not here was taken away by a person. `false`: a document could not be read, and nothing may be
   * taken for removed because it is missing.
   */
  readonly isComplete: boolean;
}

/**
 * The next state over the previous one. An object whose document is broken keeps its last good form; while a file is
 * unreadable nothing that is missing counts as removed. Generations go on: one more where the spec changed.
 */
export function mergeDesired(previous: DesiredState | undefined, next: DesiredState): DesiredState {
  if (previous === undefined) return next;
  const broken = new Set(next.broken.map(keyText));
  const isKept = (name: string) => broken.has(name) || next.unreadable.length > 0;
  const data = new Map(next.data);
  for (const [name, document] of previous.data) {
    if (!data.has(name) && isKept(name)) data.set(name, document);
  }
  const settings = next.settings ??
    (next.unreadable.length > 0 || next.broken.some((key) => key.kind === "Settings") ? previous.settings : undefined);
  return {
    ...next,
    objects: mergeObjects(previous.objects, next.objects, isKept),
    notifications: mergeObjects(previous.notifications, next.notifications, isKept),
    data,
    // What was complete once stays so: whatever is left out now is there in its last good form, or was never there.
    isComplete: next.isComplete || previous.isComplete,
    ...(settings === undefined ? {} : { settings }),
  };
}

function mergeObjects(
  previous: readonly DesiredObject[],
  next: readonly DesiredObject[],
  isKept: (name: string) => boolean,
): readonly DesiredObject[] {
  const before = new Map(previous.map((object) => [keyText(object.key), object]));
  const names = new Set(next.map((object) => keyText(object.key)));
  const merged = next.map((object) => {
    const old = before.get(keyText(object.key));
    if (old === undefined) return object;
    const isSame = canonicalJson(old.document.spec ?? null) === canonicalJson(object.document.spec ?? null);
    return { ...object, generation: isSame ? old.generation : old.generation + 1 };
  });
  return [...merged, ...previous.filter((object) => !names.has(keyText(object.key)) && isKept(keyText(object.key)))];
}

/** Lookup of the Secrets and ConfigMaps among the documents. */
export function referencesOf(desired: Pick<DesiredState, "data">): References {
  const find = (kind: string, namespace: string, name: string) =>
    Promise.resolve(desired.data.get(keyText({ kind, namespace, name }))?.data);
  return {
    secret: (namespace, name) => find("Secret", namespace, name),
    configMap: (namespace, name) => find("ConfigMap", namespace, name),
    imagePullSecrets: () => Promise.resolve(undefined),
  };
}
