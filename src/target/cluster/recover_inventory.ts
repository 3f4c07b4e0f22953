import { inParallel } from "../../core/in_parallel.ts";
import type { InventoryEntry } from "../../core/inventory.ts";
import { entryOf } from "../../core/inventory.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { isKubeError, metadataOnlyList } from "../../core/kube_api.ts";
import { keyText } from "../../core/object.ts";
import { collectionPath, listAll, listItems } from "./discovery.ts";
import type { ServedKind } from "./discovery.ts";
import { managerEntries } from "./managed_fields.ts";
import { isBeyondRelease, isFluxKind } from "./marks.ts";
import { labelledOwner, labellers, ownerSelectors } from "./owner_labels.ts";
import type { Access } from "./access.ts";

/**
 * What owners of a kind have in the cluster, told by their labels alone: for a ConfigMap and a disk that are lost, and for
 * objects that Flux applied. Copies that a controller made (EndpointSlices carry their Service's labels) do not count:
 * nobody applied them, or another object owns them.
 *
 * @param ownerKind `Kustomization` or `HelmRelease`
 * @returns entries by the owner's text
 */
export async function recoverInventories(
  access: Access,
  ownerKind: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly InventoryEntry[]>> {
  const found = new Map<string, Map<string, InventoryEntry>>();
  const selectors = ownerSelectors(ownerKind);
  if (selectors.length === 0) return new Map();
  const kinds = await access.discovery.all(signal);
  const lists = kinds.flatMap((kind) => selectors.map((selector) => ({ kind, namespace: "", selector })));
  await inParallel(lists, access.concurrency, async (what) => {
    const { kind } = what;
    for (const object of await listMetadata(access.api, what, signal)) {
      const owner = labelledOwner(object, ownerKind);
      if (owner === undefined || !isApplied(object)) continue;
      if (isFluxKind(kind.group)) continue;
      if (ownerKind === "HelmRelease" && isBeyondRelease(object, kind.kind)) continue;
      const { name, namespace } = object.metadata as JsonObject;
      const entry = entryOf({
        group: kind.group,
        version: kind.version,
        kind: kind.kind,
        namespace: kind.isNamespaced ? String(namespace ?? "") : "",
        name: String(name),
      });
      const key = keyText(owner);
      // Whatever carries both sets of labels is in two lists.
      found.set(key, (found.get(key) ?? new Map<string, InventoryEntry>()).set(entry.id, entry));
    }
  });
  return new Map([...found].map(([key, entries]) => [key, [...entries.values()]]));
}

function isApplied(object: JsonObject): boolean {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  if (listItems(metadata, "ownerReferences").some((owner) => owner.controller === true)) return false;
  return managerEntries(object).some((entry) => entry.operation === "Apply" && labellers.includes(entry.manager));
}

/**
 * Metadata of a kind's objects, page by page. In all namespaces where the account may list them, else in its own;
 * nothing where it may list neither.
 */
async function listMetadata(
  api: KubeApi,
  what: { readonly kind: ServedKind; readonly namespace: string; readonly selector?: string },
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  try {
    return await listPages(api, what, signal);
  } catch (error) {
    if (isKubeError(error, 404) || isKubeError(error, 405)) return [];
    if (!isKubeError(error, 403)) throw error;
    if (!what.kind.isNamespaced || what.namespace !== "") return [];
  }
  try {
    return await listPages(api, { ...what, namespace: api.namespace }, signal);
  } catch (error) {
    if (isKubeError(error, 403) || isKubeError(error, 404)) return [];
    throw error;
  }
}

/** Metadata of a kind's objects. @throws {KubeError} */
export async function listPages(
  api: KubeApi,
  what: { readonly kind: ServedKind; readonly namespace: string; readonly selector?: string },
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  return await listAll(api, {
    path: collectionPath(what.kind, what.namespace),
    accept: metadataOnlyList,
    ...(what.selector === undefined ? {} : { labelSelector: what.selector }),
  }, signal);
}
