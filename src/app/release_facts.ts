import type { Capabilities } from "../build/helm/release/capabilities.ts";
import type { LookupRequest } from "../build/helm/render_tools.ts";
import { refOfEntry } from "../core/inventory.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { ObjectKey } from "../core/object.ts";
import type { Resource } from "../core/resource.ts";
import { apiVersionOf, splitApiVersion } from "../core/resource.ts";
import type { Target } from "../core/target.ts";

/** What the templates of one release may ask of where it goes. */
export interface ReleaseFacts {
  /** What the cluster can do. Absent: what Helm assumes without one. */
  capabilities?(signal?: AbortSignal): Promise<Capabilities>;
  /** The object, `{items: […]}` for a list, `{}` for what is not there. */
  lookup(request: LookupRequest, signal?: AbortSignal): Promise<JsonValue>;
}

/**
 * Facts of a release that goes to a directory: `lookup` sees what the release itself wrote there last, so that a chart that
 * takes over the password of an existing Secret does so on a machine without a cluster too.
 *
 * Differs: Helm's `lookup` is empty where there is no cluster.
 */
export function directoryFacts(target: Target, owner: ObjectKey): ReleaseFacts {
  const never = new AbortController().signal;
  return {
    async lookup({ apiVersion, resourceKind, namespace, name }, signal = never) {
      const { group, version } = splitApiVersion(apiVersion);
      const read = async (of: string, named: string) => {
        const ref = { group, version, kind: resourceKind, namespace: of, name: named };
        const found = await target.read?.(owner, ref, {}, signal);
        return found === undefined || found.apiVersion !== apiVersionOf(ref) ? undefined : asServed(found);
      };
      if (name !== "") return await read(namespace, name) ?? {};
      const inventory = await target.remembered(owner);
      const items: JsonObject[] = [];
      for (const entry of inventory?.entries ?? []) {
        const ref = refOfEntry(entry);
        if (ref.group !== group || ref.kind !== resourceKind) continue;
        // What names no namespace goes to the release's, and that is the one that templates ask for.
        if (namespace !== "" && ref.namespace !== "" && ref.namespace !== namespace) continue;
        const item = await read(ref.namespace, ref.name);
        if (item !== undefined) items.push(item);
      }
      return items.length === 0 ? {} : { apiVersion, kind: `${resourceKind}List`, metadata: {}, items };
    },
  };
}

/** A resource as a server shows it: what a Secret says in plain text stands among its data. */
function asServed(resource: Resource): JsonObject {
  const { stringData, ...rest } = resource as JsonObject;
  if (resource.apiVersion !== "v1" || resource.kind !== "Secret" || !isJsonObject(stringData)) return resource;
  const encoder = new TextEncoder();
  const encoded = Object.entries(stringData).map(([key, text]) => [key, encoder.encode(String(text)).toBase64()]);
  return { ...rest, data: { ...isJsonObject(rest.data) ? rest.data : {}, ...Object.fromEntries(encoded) } };
}
