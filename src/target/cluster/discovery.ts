import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { isKubeError } from "../../core/kube_api.ts";
import { aborted } from "./time_limit.ts";

/** A kind as the server serves it. */
export interface ServedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Name in paths: `configmaps`. */
  readonly plural: string;
  readonly isNamespaced: boolean;
  readonly verbs: readonly string[];
}

/** What identifies a kind. */
export type KindName = Pick<ServedKind, "group" | "version" | "kind">;

/** What a cluster serves, learned one group version at a time. What is not known yet is asked for again each time. */
export interface Discovery {
  /** The kind, in another version where the one asked for is not served any more; `undefined` when there is none. */
  kindOf(name: KindName, signal: AbortSignal): Promise<ServedKind | undefined>;
  /** Whether the server still serves a kind, asked anew. @throws {KubeError} when that cannot be told */
  isServed(kind: KindName, signal: AbortSignal): Promise<boolean>;
  /** Every kind in its preferred version that can be listed and deleted. Groups that do not answer are left out. */
  all(signal: AbortSignal): Promise<readonly ServedKind[]>;
  /** The same, asked anew, and the group versions that do not answer now: what they hold is not known. */
  survey(signal: AbortSignal): Promise<{ readonly kinds: readonly ServedKind[]; readonly silent: readonly string[] }>;
}

/** Discovery of one cluster (apimachinery `APIResourceList`, `APIGroup`). */
export function discoveryOf(api: KubeApi): Discovery {
  const lists = new Map<string, Promise<ReadonlyMap<string, ServedKind>>>();

  const listOf = async (group: string, version: string, isFresh: boolean, signal: AbortSignal) => {
    const key = `${group}/${version}`;
    const known = lists.get(key);
    if (known !== undefined && !isFresh) return await aborted(known, signal);
    // Others may wait for the same answer: it does not end with the one who came first.
    const asked = fetchKinds(api, group, version);
    lists.set(key, asked);
    asked.catch(() => {
      if (lists.get(key) === asked) lists.delete(key);
    });
    return await aborted(asked, signal);
  };

  const survey: Discovery["survey"] = async (signal) => {
    const groups = await groupsOf(api, signal);
    const kinds = new Map<string, ServedKind>();
    const silent: string[] = [];
    const add = async (group: string, version: string) => {
      const list = await listOf(group, version, true, signal).catch(() => {
        signal.throwIfAborted();
        silent.push(group === "" ? version : `${group}/${version}`);
      });
      for (const kind of list?.values() ?? []) {
        const key = `${kind.group}/${kind.kind}`;
        if (!kinds.has(key) && kind.verbs.includes("list") && kind.verbs.includes("delete")) kinds.set(key, kind);
      }
    };
    await add("", "v1");
    for (const group of groups) {
      const name = String(group.name);
      const preferred = isJsonObject(group.preferredVersion) ? String(group.preferredVersion.version) : "";
      const others = listItems(group, "versions").map((version) => String(version.version));
      for (const version of [preferred, ...others.filter((other) => other !== preferred)]) await add(name, version);
    }
    return { kinds: [...kinds.values()], silent };
  };

  return {
    async kindOf(name, signal) {
      const isKnown = lists.has(`${name.group}/${name.version}`);
      const found = (await listOf(name.group, name.version, false, signal)).get(name.kind) ??
        (isKnown ? (await listOf(name.group, name.version, true, signal)).get(name.kind) : undefined);
      if (found !== undefined || name.group === "") return found;
      const versions = await versionsOf(api, name.group, signal);
      // The 404 of something that is not the API server is none.
      if (versions.length === 0) await groupsOf(api, signal).catch(unlessForbidden);
      for (const version of versions) {
        const other = (await listOf(name.group, version, false, signal)).get(name.kind);
        if (other !== undefined) return other;
      }
      return undefined;
    },
    async isServed({ group, version, kind }, signal) {
      if (group !== "" && !(await groupsOf(api, signal)).some(({ name }) => name === group)) return false;
      return (await listOf(group, version, true, signal)).has(kind);
    },
    all: async (signal) => (await survey(signal)).kinds,
    survey,
  };
}

async function fetchKinds(
  api: KubeApi,
  group: string,
  version: string,
): Promise<ReadonlyMap<string, ServedKind>> {
  const path = group === "" ? `/api/${encodeURIComponent(version)}` : `/apis/${group}/${encodeURIComponent(version)}`;
  let list: JsonObject;
  try {
    list = await api.send({ method: "GET", path });
  } catch (error) {
    // The core group is always there.
    if (group !== "" && isKubeError(error, 404)) return new Map();
    throw error;
  }
  const kinds = new Map<string, ServedKind>();
  for (const item of listItems(list, "resources")) {
    const plural = String(item.name);
    if (plural.includes("/")) continue;
    const kind = String(item.kind);
    // A group may serve the same kind under two names (old bindings): the first one counts.
    if (kinds.has(kind)) continue;
    kinds.set(kind, {
      group,
      version,
      kind,
      plural,
      isNamespaced: item.namespaced === true,
      verbs: Array.isArray(item.verbs) ? item.verbs.map(String) : [],
    });
  }
  return kinds;
}

async function groupsOf(api: KubeApi, signal: AbortSignal): Promise<readonly JsonObject[]> {
  return listItems(await api.send({ method: "GET", path: "/apis" }, signal), "groups");
}

/** Who may not look was answered by the API server all the same. */
function unlessForbidden(error: unknown): void {
  if (!isKubeError(error, 403)) throw error;
}

async function versionsOf(api: KubeApi, group: string, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const found = await api.send({ method: "GET", path: `/apis/${group}` }, signal);
    return listItems(found, "versions").map((version) => String(version.version));
  } catch (error) {
    if (isKubeError(error, 404)) return [];
    throw error;
  }
}

/** Path of a kind's objects, in one namespace or ("") in all. */
export function collectionPath(kind: ServedKind, namespace: string): string {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  return kind.isNamespaced && namespace !== ""
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`
    : `${root}/${kind.plural}`;
}

/** Path of one object. */
export function objectPath(kind: ServedKind, namespace: string, name: string): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}

/** Objects in a list field of an answer. */
export function listItems(object: JsonObject, field: string): readonly JsonObject[] {
  const items = object[field];
  return Array.isArray(items) ? items.filter(isJsonObject) : [];
}

/** How a whole list is asked for. */
export interface ListRequest {
  readonly path: string;
  readonly labelSelector?: string;
  /** Default: whole objects. */
  readonly accept?: string;
}

/** All objects of a list, page by page. @throws {KubeError} */
export async function listAll(
  api: KubeApi,
  request: ListRequest,
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const { path, labelSelector, accept } = request;
  const objects: JsonObject[] = [];
  let next = "";
  do {
    const page = await api.send({
      method: "GET",
      path,
      ...(accept === undefined ? {} : { accept }),
      query: {
        limit: "500",
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(next === "" ? {} : { continue: next }),
      },
    }, signal);
    objects.push(...listItems(page, "items"));
    const token = isJsonObject(page.metadata) ? page.metadata.continue : undefined;
    next = typeof token === "string" ? token : "";
  } while (next !== "");
  return objects;
}
