import type { Clock } from "../../core/clock.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { isKubeError, metadataOnly, metadataOnlyList } from "../../core/kube_api.ts";
import type { Random } from "../../core/random.ts";
import type { References } from "../../core/references.ts";
import { Collection } from "./collection.ts";
import { listItems } from "./discovery.ts";

/** Something that a document referred to and that has changed. */
export interface ChangedReference {
  readonly kind: "Secret" | "ConfigMap";
  readonly namespace: string;
  readonly name: string;
}

/** What references from a cluster work with. */
export interface ClusterReferencesOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Told when something that was looked up changes, comes or goes. Absent: nothing is watched. */
  readonly onChange?: (changed: ChangedReference) => void;
  /** Whether a document refers to it by name, so that it is watched. Default: whatever is looked up. */
  readonly isReferred?: (reference: ChangedReference) => boolean;
}

/** References from a cluster; its watches end when it is disposed. */
export interface ClusterReferences extends References, Disposable {}

const plurals = { Secret: "secrets", ConfigMap: "configmaps", ServiceAccount: "serviceaccounts" } as const;

/** Milliseconds after which what is watched is compared with what documents refer to. */
const tidyMs = 600_000;

/**
 * Secrets, ConfigMaps and image pull secrets of a cluster. Each look-up reads the object anew; nothing of it is kept. Of
 * namespaces in which something was looked up the metadata is watched, so that a change is told within a moment; not any more
 * once no document refers to anything there. An account that may not watch gets no word of changes: the next interval sees them.
 */
export function clusterReferences(api: KubeApi, options: ClusterReferencesOptions): ClusterReferences {
  const { clock, onChange, isReferred = () => true } = options;
  /** By kind and namespace: the watch, and the names that are wanted of it. */
  const watched = new Map<
    string,
    { readonly collection: Disposable; readonly wanted: Map<string, ChangedReference> }
  >();
  let cancelTidy: (() => void) | undefined;

  const tidy = () => {
    for (const [key, { collection, wanted }] of watched) {
      for (const [name, reference] of wanted) if (!isReferred(reference)) wanted.delete(name);
      if (wanted.size > 0) continue;
      collection[Symbol.dispose]();
      watched.delete(key);
    }
    cancelTidy = watched.size > 0 ? clock.after(tidyMs, tidy) : undefined;
  };

  const follow = (reference: ChangedReference) => {
    if (onChange === undefined || !isReferred(reference)) return;
    const { kind, namespace, name } = reference;
    const key = `${kind}/${namespace}`;
    const known = watched.get(key);
    if (known !== undefined) return void known.wanted.set(name, reference);
    const collection = new Collection({
      api,
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/${plurals[kind]}`,
      accept: { list: metadataOnlyList, watch: metadataOnly },
      clock,
      random: options.random,
      remember: versionOf,
    });
    const wanted = new Map([[name, reference]]);
    watched.set(key, { collection, wanted });
    cancelTidy ??= clock.after(tidyMs, tidy);
    // Who may not watch yet hears of changes once he may.
    void collection.ready.then(() => {
      collection.listenAll((text) => {
        const changed = wanted.get(text.slice(text.indexOf("/") + 1));
        if (changed !== undefined) onChange(changed);
      });
    });
  };

  const read = async (
    kind: keyof typeof plurals,
    namespace: string,
    name: string,
  ): Promise<JsonObject | undefined> => {
    if (kind !== "ServiceAccount") follow({ kind, namespace, name });
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${plurals[kind]}/${encodeURIComponent(name)}`;
    try {
      return await api.send({ method: "GET", path });
    } catch (error) {
      if (isKubeError(error, 404)) return undefined;
      throw error;
    }
  };

  return {
    async secret(namespace, name) {
      const secret = await read("Secret", namespace, name);
      return secret === undefined ? undefined : { type: String(secret.type ?? ""), data: bytesOf(secret.data) };
    },
    async configMap(namespace, name) {
      const map = await read("ConfigMap", namespace, name);
      if (map === undefined) return undefined;
      const texts = isJsonObject(map.data) ? Object.entries(map.data) : [];
      const data = new Map(texts.map(([key, value]) => [key, new TextEncoder().encode(String(value))]));
      for (const [key, value] of bytesOf(map.binaryData)) data.set(key, value);
      return { type: "", data };
    },
    async imagePullSecrets(namespace, serviceAccount) {
      const account = await read("ServiceAccount", namespace, serviceAccount);
      return account === undefined
        ? undefined
        : listItems(account, "imagePullSecrets").map((secret) => String(secret.name));
    },
    [Symbol.dispose]() {
      cancelTidy?.();
      for (const { collection } of watched.values()) collection[Symbol.dispose]();
      watched.clear();
    },
  };
}

function versionOf(object: JsonObject): { readonly uid: string; readonly resourceVersion: string } {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  return { uid: String(metadata.uid ?? ""), resourceVersion: String(metadata.resourceVersion ?? "") };
}

function bytesOf(data: unknown): Map<string, Uint8Array<ArrayBuffer>> {
  if (!isJsonObject(data)) return new Map();
  return new Map(Object.entries(data).map(([key, value]) => [key, Uint8Array.fromBase64(String(value))]));
}
