import { clusterLoginText, isClusterLogin } from "../core/cluster_login.ts";
import type { ReferencedData, References } from "../core/references.ts";
import type { KubeConfigRef } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";

/**
 * What {@linkcode TargetOptions.kubeconfig} of an object's `spec.kubeConfig` is: the kubeconfig in a Secret, or what a
 * ConfigMap says of a login without a secret (fluxcd/pkg `apis/meta` KubeConfigReference).
 *
 * @throws {StageError} ReconciliationFailed when something is missing or wrong, NotBuiltYet for providers of clouds
 */
export async function kubeconfigOf(namespace: string, ref: KubeConfigRef, references: References): Promise<string> {
  if (ref.secretRef !== undefined) return await fromSecret(namespace, ref.secretRef, references);
  const name = ref.configMapRef?.name ?? "";
  const map = await references.configMap(namespace, name);
  if (map === undefined) {
    throw new StageError(
      "ReconciliationFailed",
      `Cannot read kubeConfig ConfigMap '${namespace}/${name}': configmaps "${name}" not found`,
    );
  }
  return fromConfigMap(namespace, name, map);
}

async function fromSecret(
  namespace: string,
  { name, key }: NonNullable<KubeConfigRef["secretRef"]>,
  references: References,
): Promise<string> {
  const secret = await references.secret(namespace, name);
  if (secret === undefined) {
    throw new StageError(
      "ReconciliationFailed",
      `Cannot read kubeConfig Secret '${namespace}/${name}': secrets "${name}" not found`,
    );
  }
  const value = key === undefined ? secret.data.get("value") ?? secret.data.get("value.yaml") : secret.data.get(key);
  const text = value === undefined ? "" : new TextDecoder().decode(value);
  // A login by account is only ever made here, of a ConfigMap and for the object's own namespace.
  if (value === undefined || isClusterLogin(text)) {
    throw new StageError(
      "ReconciliationFailed",
      value === undefined
        ? `Cannot read kubeConfig: Secret '${namespace}/${name}' has no key '${key ?? "value"}'`
        : `Cannot read kubeConfig: Secret '${namespace}/${name}' holds no kubeconfig`,
    );
  }
  return text;
}

function fromConfigMap(namespace: string, name: string, map: ReferencedData): string {
  const text = (key: string) => new TextDecoder().decode(map.data.get(key) ?? new Uint8Array()).trim();
  const place = `ConfigMap '${namespace}/${name}'`;
  const wrong = (what: string, hint: string) =>
    new StageError("ReconciliationFailed", `Cannot use kubeConfig of ${place}: ${what}`, { hint });
  const provider = text("provider");
  if (["aws", "azure", "gcp"].includes(provider)) {
    throw new StageError("NotBuiltYet", `Cannot use kubeConfig of ${place}: provider "${provider}" is not built yet`, {
      hint: "Use provider generic, or a kubeconfig in a Secret (kubeConfig.secretRef)",
    });
  }
  if (provider !== "generic") {
    throw wrong(`provider "${provider}" is not known`, "Set data.provider to aws, azure, gcp or generic");
  }
  const server = text("address");
  if (!/^https:\/\/[^\s/@]+\/?$/.test(server)) {
    throw wrong(`address "${server.slice(0, 200)}" must be an https URL`, 'Set data.address to "https://host:port"');
  }
  const serviceAccount = text("serviceAccountName");
  if (serviceAccount === "") {
    throw wrong("serviceAccountName is missing", "Name a ServiceAccount of the object's namespace");
  }
  const audiences = text("audiences").split(/\s*\n\s*/).filter((audience) => audience !== "");
  const ca = text("ca.crt");
  return clusterLoginText({
    server: server.replace(/\/$/, ""),
    ...(ca === "" ? {} : { ca: `${ca}\n` }),
    audiences: audiences.length === 0 ? [text("address")] : audiences,
    namespace,
    serviceAccount,
  });
}
