import type { KubeFlags } from "../build/helm/command/cluster_door.ts";
import type { FileSystem } from "../core/file_system.ts";
import { isJsonObject } from "../core/json.ts";
import { parseYaml } from "../format/yaml.ts";
import { type KubeconfigFile, mergeKubeconfigs } from "../platform/kube/login_instead.ts";

/** What the namespace is looked for with. */
export interface ContextTools {
  readonly fileSystem: Pick<FileSystem, "readText">;
  readonly env: (name: string) => string | undefined;
}

/** Where a Pod finds the namespace of its account. */
const podNamespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/**
 * The namespace that a kubeconfig's context names, or else that of the Pod; nothing is connected. `undefined` where neither
 * does, and where the kubeconfig is missing or broken: Helm takes `default` then, too (`cli.EnvSettings.Namespace`).
 */
export async function contextNamespace(
  flags: Pick<KubeFlags, "kubeconfig" | "context">,
  tools: ContextTools,
): Promise<string | undefined> {
  const { env, fileSystem } = tools;
  const named = flags.kubeconfig !== undefined ? [flags.kubeconfig] : (env("KUBECONFIG") ?? "").split(":");
  const paths = named.filter((path) => path !== "");
  if (paths.length === 0) paths.push(`${env("HOME") ?? ""}/.kube/config`);
  const files: KubeconfigFile[] = [];
  try {
    for (const path of paths) {
      const text = await fileSystem.readText(path);
      if (text !== undefined) files.push({ document: parseYaml(text), folder: "." });
    }
  } catch {
    return undefined;
  }
  const { contexts, "current-context": current } = mergeKubeconfigs(files);
  const wanted = flags.context ?? current;
  for (const entry of Array.isArray(contexts) ? contexts : []) {
    if (!isJsonObject(entry) || entry.name !== wanted || !isJsonObject(entry.context)) continue;
    const { namespace } = entry.context;
    if (typeof namespace === "string" && namespace !== "") return namespace;
  }
  const isPod = flags.kubeconfig === undefined && env("KUBERNETES_SERVICE_HOST") !== undefined;
  return isPod ? (await fileSystem.readText(podNamespaceFile))?.trim() || undefined : undefined;
}
