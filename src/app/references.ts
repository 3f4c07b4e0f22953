import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { ReferencedData, References } from "../core/references.ts";
import type { Resource } from "../core/resource.ts";
import { isJsonObject } from "../core/json.ts";
import { Buffer } from "node:buffer";

/** Look-ups asked one after the other: the first that has an answer gives it. */
export function firstOf(lookups: () => readonly References[]): References {
  const ask = async <Value>(question: (references: References) => Promise<Value | undefined>) => {
    for (const references of lookups()) {
      const answer = await question(references);
      if (answer !== undefined) return answer;
    }
    return undefined;
  };
  return {
    secret: (namespace, name) => ask((references) => references.secret(namespace, name)),
    configMap: (namespace, name) => ask((references) => references.configMap(namespace, name)),
    imagePullSecrets: (namespace, name) => ask((references) => references.imagePullSecrets(namespace, name)),
  };
}

/**
 * Secrets and ConfigMaps that came in an artifact beside objects of ours, for those objects: a bundle may bring its own
 * credentials. Kept only for parents that have such objects.
 */
export class BundleReferences {
  readonly #byParent = new Map<string, ReadonlyMap<string, ReferencedData>>();
  readonly #onChange: (kind: "Secret" | "ConfigMap", namespace: string, name: string) => void;

  /** @param onChange hears what is new, changed or gone, so that who refers to it runs */
  constructor(onChange: (kind: "Secret" | "ConfigMap", namespace: string, name: string) => void = () => {}) {
    this.#onChange = onChange;
  }

  /** Keeps what a parent's build brought; nothing where it brought no objects of ours. */
  keep(parent: ObjectKey, resources: readonly Resource[], hasChildren: boolean): void {
    const before = this.#byParent.get(keyText(parent)) ?? new Map<string, ReferencedData>();
    if (!hasChildren) {
      this.#byParent.delete(keyText(parent));
      return;
    }
    const found = new Map<string, ReferencedData>();
    for (const resource of resources) {
      if (resource.apiVersion !== "v1" || (resource.kind !== "Secret" && resource.kind !== "ConfigMap")) continue;
      const namespace = resource.metadata.namespace ?? parent.namespace;
      found.set(`${resource.kind}/${namespace}/${resource.metadata.name}`, dataOf(resource));
    }
    this.#byParent.set(keyText(parent), found);
    for (const name of new Set([...before.keys(), ...found.keys()])) {
      if (contentText(before.get(name)) === contentText(found.get(name))) continue;
      const [kind, namespace, object] = name.split("/") as ["Secret" | "ConfigMap", string, string];
      this.#onChange(kind, namespace, object);
    }
  }

  /** Look-up among what the artifact of `parent` brought. */
  of(parent: ObjectKey): References {
    const find = (name: string) => Promise.resolve(this.#byParent.get(keyText(parent))?.get(name));
    return {
      secret: (namespace, name) => find(`Secret/${namespace}/${name}`),
      configMap: (namespace, name) => find(`ConfigMap/${namespace}/${name}`),
      imagePullSecrets: () => Promise.resolve(undefined),
    };
  }
}

function dataOf(resource: Resource): ReferencedData {
  const data = new Map<string, Uint8Array>();
  const take = (field: string, read: (text: string) => Uint8Array) => {
    const values = resource[field];
    if (!isJsonObject(values)) return;
    for (const [key, value] of Object.entries(values)) if (typeof value === "string") data.set(key, read(value));
  };
  const fromBase64 = (text: string) => Buffer.from(text, "base64");
  const fromText = (text: string) => new TextEncoder().encode(text);
  if (resource.kind === "Secret") {
    take("data", fromBase64);
    take("stringData", fromText);
  } else {
    take("binaryData", fromBase64);
    take("data", fromText);
  }
  return { type: typeof resource.type === "string" ? resource.type : "", data };
}

/** Text of content, for a comparison: the same text is the same content, in whatever order; "" where there is none. */
export function contentText(content: ReferencedData | undefined): string {
  if (content === undefined) return "";
  return JSON.stringify([content.type, ...[...content.data].sort().map(([key, value]) => [key, [...value]])]);
}
