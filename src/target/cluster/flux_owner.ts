import { isJsonObject } from "../../core/json.ts";
import { isKubeError } from "../../core/kube_api.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import { ownerSelector } from "../../core/ownership.ts";
import type { Access } from "./access.ts";
import { readObject } from "./access.ts";
import { listItems } from "./discovery.ts";

/** Tells who else holds an entry, by its id; `undefined` where nobody does. */
export type HeldBy = (id: string) => string | undefined;

const nobody: HeldBy = () => undefined;

/**
 * What a Flux of the same cluster holds for an owner: an object of the owner's very name that is not suspended is at work, its labels
 * are the same, and what leaves it Flux deletes itself. Where it tells no inventory it holds all that carries those labels. Without
 * Flux, or the right to look, nothing.
 *
 * @throws {KubeError} when the server cannot be asked
 */
export async function heldByFlux(access: Access, owner: ObjectKey, signal: AbortSignal): Promise<HeldBy> {
  const group = ownerSelector(owner.kind, "flux")?.replace(/\/name$/, "");
  if (group === undefined) return nobody;
  const version = owner.kind === "HelmRelease" ? "v2" : "v1";
  const ref = { group, version, kind: owner.kind, namespace: owner.namespace, name: owner.name };
  const kind = await access.discovery.kindOf(ref, signal);
  if (kind === undefined) return nobody;
  const eyes = { ...access, api: access.viewers[0]?.api ?? access.api };
  const found = await readObject(eyes, { kind, ref }, signal).catch((error: unknown) => {
    if (isKubeError(error, 403)) return undefined;
    throw error;
  });
  if (found === undefined) return nobody;
  if (isJsonObject(found.spec) && found.spec.suspend === true) return nobody;
  const text = `Flux's ${keyText(owner)}, which is not suspended,`;
  const status = isJsonObject(found.status) ? found.status : {};
  const { inventory } = status;
  // One that was never reconciled has applied nothing.
  if (!isJsonObject(inventory)) return Array.isArray(status.history) && status.history.length > 0 ? () => text : nobody;
  const ids = new Set(listItems(inventory, "entries").map(({ id }) => id));
  return (id) => ids.has(id) ? text : undefined;
}
