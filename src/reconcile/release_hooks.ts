import type { HookResource } from "../core/builder.ts";
import { digestOf, shortDigest } from "../core/digest.ts";
import { entryOf } from "../core/inventory.ts";
import type { JsonValue } from "../core/json.ts";
import { canonicalJson, isJsonObject } from "../core/json.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Resource, ResourceRef } from "../core/resource.ts";
import { StageError } from "../core/stage_error.ts";
import type { Target, TargetOptions } from "../core/target.ts";
import { parseYaml } from "../format/yaml.ts";
import type { KeptHooks, Removal } from "./record.ts";

/** Hooks that run around the removal of a release. */
export function removalHooks(hooks: readonly HookResource[]): readonly HookResource[] {
  return hooks.filter((hook) => hook.events.some((event) => event === "pre-delete" || event === "post-delete"));
}

/**
 * Keeps hooks over restarts, so that a release can be removed as its chart wants when its document, its values and its
 * chart are gone.
 */
export interface HookKeep {
  /** Where hooks of a release are to be kept: other hooks have another place. @throws {StageError} InstallFailed when they are too large */
  placeOf(release: { readonly key: ObjectKey; readonly namespace: string }, hooks: readonly HookResource[]): KeptHooks;
  /** Keeps hooks in their place. @throws {StageError} */
  save(
    target: Target,
    owner: HookOwner,
    kept: { readonly place: KeptHooks; readonly hooks: readonly HookResource[] },
    signal: AbortSignal,
  ): Promise<void>;
  /** What was kept; none where a person deleted it. @throws {StageError} UninstallFailed when it was changed */
  load(target: Target, owner: HookOwner, place: KeptHooks, signal: AbortSignal): Promise<readonly HookResource[]>;
  /** Deletes what was kept in these places. What is gone already is success. */
  forget(target: Target, owner: HookOwner, places: readonly KeptHooks[], signal: AbortSignal): Promise<void>;
}

/** Whose hooks are kept, and how the target is asked. */
export interface HookOwner {
  readonly key: ObjectKey;
  readonly options: TargetOptions;
}

/** Hooks that a release keeps from now on. */
export interface HooksToKeep {
  readonly target: Target;
  readonly owner: HookOwner;
  readonly namespace: string;
  readonly hooks: readonly HookResource[];
}

/** Where hooks of a release are, as its record says. */
export type HookPlaces = Pick<Removal, "hooks" | "spareHooks">;

/**
 * Keeps the hooks of a release's removal in place of those of before (`run.places`). Each place is in the record before
 * anything is made in it and until it is empty, so that a crash leaves none behind.
 */
export async function keepHooks(
  keep: HookKeep,
  { target, owner, namespace, hooks }: HooksToKeep,
  run: {
    readonly places: HookPlaces;
    readonly signal: AbortSignal;
    readonly checkpoint: (places: HookPlaces) => Promise<void>;
  },
): Promise<HookPlaces> {
  const { places, signal } = run;
  const before = placesOf(places);
  const place = hooks.length === 0 ? undefined : keep.placeOf({ key: owner.key, namespace }, hooks);
  const present: HookPlaces = place === undefined ? {} : { hooks: place };
  const spareHooks = before.filter((one) => one.name !== place?.name || one.namespace !== place.namespace);
  if (place !== undefined) {
    const isNew = spareHooks.length === before.length;
    if (isNew) await run.checkpoint({ ...places, spareHooks: [...places.spareHooks ?? [], place] });
    await keep.save(target, owner, { place, hooks }, signal);
  }
  await run.checkpoint(spareHooks.length === 0 ? present : { ...present, spareHooks });
  await keep.forget(target, owner, spareHooks, signal);
  return present;
}

/** All places in which hooks of a release may be kept. */
export function placesOf({ hooks, spareHooks = [] }: HookPlaces): readonly KeptHooks[] {
  return [...(hooks === undefined ? [] : [hooks]), ...spareHooks];
}

/** Most bytes of a Secret's values (Kubernetes `MaxSecretSize`). */
const largestSecret = 1_048_576;

/**
 * Hooks in a Secret of the cluster in which they run, as Helm keeps its releases: they may hold secrets, and those stay
 * off our disk. A digest in our own state says whether somebody else wrote to it.
 */
export const hooksInSecret: HookKeep = {
  placeOf({ key, namespace }, hooks) {
    const text = hooksText(hooks);
    const { length } = new TextEncoder().encode(text);
    if (length > largestSecret) {
      throw new StageError(
        "InstallFailed",
        `Cannot keep the hooks that run when ${
          keyText(key)
        } is removed: they are ${length} bytes, and a Secret holds ${largestSecret}`,
        { hint: "Set spec.uninstall.disableHooks to remove the release without them" },
      );
    }
    const digest = digestOf(text);
    // Other content has another name: until the record says where it is, what was kept before stays as it was.
    const name = `pilotfish-hooks-${shortDigest(digestOf(keyText(key)))}-${shortDigest(digest)}`;
    return { namespace, name, digest };
  },

  async save(target, { key, options }, { place: { name, namespace }, hooks }, signal) {
    const secret: Resource = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace, annotations: { "pilotfish.dev/owner": keyText(key) } },
      type: "pilotfish.dev/hooks.v1",
      data: { hooks: new TextEncoder().encode(hooksText(hooks)).toBase64() },
    };
    await target.apply(
      { owner: secretOwner(key), resources: [secret], previous: { entries: [] }, revision: "hooks", options },
      signal,
    );
  },

  async load(target, { key, options }, place, signal) {
    const found = await target.read?.(secretOwner(key), secretRef(place), options, signal);
    if (found === undefined) return [];
    const data = isJsonObject(found.data) ? found.data.hooks : undefined;
    const text = typeof data === "string" ? new TextDecoder().decode(Uint8Array.fromBase64(data)) : "";
    if (digestOf(text) === place.digest) return parseYaml(text) as unknown as readonly HookResource[];
    throw new StageError(
      "UninstallFailed",
      `Cannot run the hooks of ${keyText(key)}: Secret "${place.namespace}/${place.name}" was changed by somebody else`,
      { hint: "Delete the Secret to remove the release without its hooks" },
    );
  },

  async forget(target, { key, options }, places, signal) {
    if (places.length === 0) return;
    const entries = places.map((place) => entryOf(secretRef(place)));
    await target.remove(secretOwner(key), entries, { ...options, isWholeRemoval: true }, signal);
  },
};

function hooksText(hooks: readonly HookResource[]): string {
  return canonicalJson(hooks as unknown as JsonValue);
}

function secretOwner(key: ObjectKey): ObjectKey {
  return { ...key, kind: `${key.kind}Hooks` };
}

function secretRef({ namespace, name }: KeptHooks): ResourceRef {
  return { group: "", version: "v1", kind: "Secret", namespace, name };
}
