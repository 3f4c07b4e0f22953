import type { ClusterDoor, KubeFlags } from "../build/helm/command/cluster_door.ts";
import { RefusedInput } from "../build/helm/render_tools.ts";
import { KubeError } from "../core/kube_api.ts";
import type { KubeApi } from "../core/kube_api.ts";
import type { Clock } from "../core/clock.ts";
import { splitApiVersion } from "../core/resource.ts";
import { messageOf } from "../core/stage_error.ts";
import { parseYaml } from "../format/yaml.ts";
import { openCluster } from "../platform/kube/connect_cluster.ts";
import { clusterFacts } from "../target/cluster/cluster_facts.ts";
import { discoveryOf } from "../target/cluster/discovery.ts";
import type { Doors } from "./doors.ts";

/**
 * The cluster that `template` asks. A request is tried once: a person waits.
 *
 * @throws {StageError} InvalidDocument when flags or kubeconfig lead to no cluster
 */
export async function openTemplateCluster(flags: KubeFlags, doors: Doors): Promise<ClusterDoor> {
  const { server, token, caFile, tlsServerName, skipVerify, user = "", groups } = flags;
  const connection = await openCluster({
    ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
    ...(flags.context === undefined ? {} : { context: flags.context }),
    instead: {
      ...(server === undefined ? {} : { server }),
      ...(token === undefined ? {} : { token }),
      ...(caFile === undefined ? {} : { caFile }),
      ...(tlsServerName === undefined ? {} : { tlsServerName }),
      ...(skipVerify === undefined ? {} : { skipVerify }),
      ...(user === "" && groups.length === 0 ? {} : { actAs: { user, groups } }),
    },
  }, { ...doors, parseYaml, env: doors.processes.env, tries: 1 });
  return {
    ...templateQuestions(connection.api, doors.clock),
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

/** What `template` asks a cluster, in Helm's way: `lookup` of what is not served at all fails. */
export function templateQuestions(
  api: KubeApi,
  clock: Pick<Clock, "monotonic">,
): Omit<ClusterDoor, typeof Symbol.dispose> {
  const facts = clusterFacts(api, clock);
  const discovery = discoveryOf(api);
  const never = new AbortController().signal;
  const kindOf: ClusterDoor["kindOf"] = async ({ apiVersion, kind }, signal = never) => {
    const { group, version } = splitApiVersion(apiVersion);
    const found = await discovery.kindOf({ group, version, kind }, signal);
    return found?.version === version ? { isNamespaced: found.isNamespaced } : undefined;
  };
  return {
    namespace: api.namespace,
    capabilities: (signal) => facts.capabilities(signal),
    kindOf,
    async lookup(request, signal) {
      const { apiVersion, resourceKind } = request;
      try {
        if (await kindOf({ apiVersion, kind: resourceKind }, signal) !== undefined) {
          return await facts.lookup(request, signal);
        }
        const { apiVersions } = await facts.capabilities(signal);
        if (apiVersions.includes(apiVersion)) return {};
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof KubeError)) throw error;
        throw new RefusedInput(messageOf(error), { cause: error });
      }
      throw notServed(apiVersion, resourceKind);
    },
  };
}

/** What Helm says of a group and version that no server answers for (`engine/lookup_func.go`). */
function notServed(apiVersion: string, kind: string): RefusedInput {
  const error = "the server could not find the requested resource";
  const name = `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
  return new RefusedInput(`unable to get apiresource from unstructured: ${name}: ${error}`, {
    notices: [{
      level: "ERROR",
      message: "unable to retrieve resource list",
      fields: { GroupVersion: apiVersion, error },
      helm3: `lookup_func.go:130: [ERROR] unable to retrieve resource list for: ${apiVersion} , error: ${error}`,
    }, {
      level: "ERROR",
      message: "unable to get apiresource",
      fields: { groupVersionKind: name, error },
      helm3: `lookup_func.go:104: [ERROR] unable to get apiresource from unstructured: ${name} , error ${error}`,
    }],
  });
}
