import type { Clock } from "../../core/clock.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { isKubeError } from "../../core/kube_api.ts";
import { splitApiVersion } from "../../core/resource.ts";
import { collectionPath, discoveryOf, listItems, objectPath } from "./discovery.ts";
import { aborted } from "./time_limit.ts";

/** What templates may ask of a cluster. */
export interface ClusterFacts {
  /** Version of the server, and everything that it serves: `group/version` and `group/version/Kind`. */
  capabilities(
    signal?: AbortSignal,
  ): Promise<{ readonly kubeVersion: string; readonly apiVersions: readonly string[] }>;
  /**
   * An object, or with an empty name the list; `{}` for what is not there (Helm `engine/lookup_func.go`). What the
   * identity may not see is an error.
   */
  lookup(
    request: {
      readonly apiVersion: string;
      readonly resourceKind: string;
      readonly namespace: string;
      readonly name: string;
    },
    signal?: AbortSignal,
  ): Promise<JsonValue>;
}

/** How long what a cluster serves is not asked for again, in milliseconds. */
const freshMs = 60_000;
/** Discovery of all groups in one answer (Kubernetes 1.26); older servers answer with the plain list of groups. */
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/** Facts of a cluster as one identity sees it. */
export function clusterFacts(api: KubeApi, clock: Pick<Clock, "monotonic">): ClusterFacts {
  const discovery = discoveryOf(api);
  const never = new AbortController().signal;
  let known: { readonly atMs: number; readonly value: ReturnType<ClusterFacts["capabilities"]> } | undefined;

  const read = async () => {
    const version = await api.send({ method: "GET", path: "/version" });
    const answers = await Promise.all(
      ["/api", "/apis"].map((path) => api.send({ method: "GET", path, accept: aggregated })),
    );
    const apiVersions = [...new Set(answers.flatMap(servedNames))].sort();
    return { kubeVersion: typeof version.gitVersion === "string" ? version.gitVersion : "", apiVersions };
  };

  return {
    async capabilities(signal = never) {
      if (known !== undefined && clock.monotonic() - known.atMs < freshMs) return await aborted(known.value, signal);
      // Others may wait for the same answer: it does not end with the one who came first.
      const asked = { atMs: clock.monotonic(), value: read() };
      known = asked;
      asked.value.catch(() => {
        if (known === asked) known = undefined;
      });
      return await aborted(asked.value, signal);
    },
    async lookup({ apiVersion, resourceKind, namespace, name }, signal = never) {
      const { group, version } = splitApiVersion(apiVersion);
      const kind = await discovery.kindOf({ group, version, kind: resourceKind }, signal);
      if (kind === undefined) return {};
      const path = name === "" ? collectionPath(kind, namespace) : objectPath(kind, namespace, name);
      try {
        return await api.send({ method: "GET", path }, signal);
      } catch (error) {
        if (isKubeError(error, 404)) return {};
        throw error;
      }
    },
  };
}

/** Names of an answer of `/api` or `/apis`, aggregated or plain. */
function servedNames(answer: JsonObject): readonly string[] {
  const join = (group: string, version: string) => group === "" ? version : `${group}/${version}`;
  const text = (value: JsonValue | undefined) => typeof value === "string" ? value : "";
  if (Array.isArray(answer.items)) {
    return listItems(answer, "items").flatMap((item) => {
      const group = isJsonObject(item.metadata) ? text(item.metadata.name) : "";
      return listItems(item, "versions").flatMap((version) => {
        const name = join(group, text(version.version));
        // What subresources answer with counts as served, too: `apps/v1/Scale`.
        const kinds = listItems(version, "resources")
          .flatMap((resource) => [resource, ...listItems(resource, "subresources")])
          .map((resource) => isJsonObject(resource.responseKind) ? text(resource.responseKind.kind) : "");
        return [name, ...kinds.filter((kind) => kind !== "").map((kind) => `${name}/${kind}`)];
      });
    });
  }
  const core = Array.isArray(answer.versions) && !Array.isArray(answer.groups)
    ? (answer.versions as readonly JsonValue[]).map(text)
    : [];
  const groups = listItems(answer, "groups").flatMap((group) =>
    listItems(group, "versions").map((version) => text(version.groupVersion))
  );
  return [...core, ...groups].filter((name) => name !== "");
}
