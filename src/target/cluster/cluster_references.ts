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
  readonly kind: "Secret" | "ConfigMap" | "ServiceAccount";
  readonly namespace: string;
  readonly name: string;
}

/** What references from a cluster work with. */
export interface ClusterReferencesOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Told when something that was looked up changes, comes or goes. Absent: nothing is watched. */
  readonly onChange?: (changed: ChangedReference) => void;
}

/** References from a cluster; its watches end when it is disposed. */
export interface ClusterReferences extends References, Disposable {}

const plurals = { Secret: "secrets", ConfigMap: "configmaps", ServiceAccount: "serviceaccounts" } as const;

/**
 * Secrets, ConfigMaps and image pull secrets of a cluster. Each look-up reads the object anew; nothing of it is kept. Of
 * namespaces in which something was looked up the metadata is watched, so that a change is told within a moment.
 * An account that may not watch gets no word of changes: the next interval sees them.
 */
export function clusterReferences(api: KubeApi, options: ClusterReferencesOptions): ClusterReferences {
  const watched = new Map<string, Collection<{ readonly uid: string; readonly resourceVersion: string }>>();
  const wanted = new Set<string>();

  const follow = (reference: ChangedReference) => {
    const { onChange } = options;
    if (onChange === undefined) return;
    const { kind, namespace, name } = reference;
    wanted.add(`${kind}/${namespace}/${name}`);
    const key = `${kind}/${namespace}`;
    if (watched.has(key)) return;
    const collection = new Collection({
      api,
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/${plurals[kind]}`,
      accept: { list: metadataOnlyList, watch: metadataOnly },
      clock: options.clock,
      random: options.random,
      remember: versionOf,
    });
    watched.set(key, collection);
    // Who may not watch yet hears of changes once he may.
    void collection.ready.then(() => {
      collection.listenAll((text) => {
        const changed = text.slice(text.indexOf("/") + 1);
        if (wanted.has(`${kind}/${namespace}/${changed}`)) onChange({ kind, namespace, name: changed });
      });
    });
  };

  const read = async (reference: ChangedReference): Promise<JsonObject | undefined> => {
    const { kind, namespace, name } = reference;
    follow(reference);
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
      const secret = await read({ kind: "Secret", namespace, name });
      return secret === undefined ? undefined : { type: String(secret.type ?? ""), data: bytesOf(secret.data) };
    },
    async configMap(namespace, name) {
      const map = await read({ kind: "ConfigMap", namespace, name });
      if (map === undefined) return undefined;
      const texts = isJsonObject(map.data) ? Object.entries(map.data) : [];
      const data = new Map(texts.map(([key, value]) => [key, new TextEncoder().encode(String(value))]));
      for (const [key, value] of bytesOf(map.binaryData)) data.set(key, value);
      return { type: "", data };
    },
    async imagePullSecrets(namespace, serviceAccount) {
      const account = await read({ kind: "ServiceAccount", namespace, name: serviceAccount });
      return account === undefined
        ? undefined
        : listItems(account, "imagePullSecrets").map((secret) => String(secret.name));
    },
    [Symbol.dispose]() {
      for (const collection of watched.values()) collection[Symbol.dispose]();
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
