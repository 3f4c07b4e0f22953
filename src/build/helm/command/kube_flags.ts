import type { KubeFlags } from "./cluster_door.ts";
import { goBool } from "./flag_value.ts";
import type { ParsedFlags } from "./parse_flags.ts";

/** Which cluster is meant: flags, each with Helm's variable behind it. */
export function kubeFlags(
  flags: ParsedFlags,
  environment: (name: string) => string | undefined = () => undefined,
): KubeFlags {
  const text = (flag: string, variable: string) => flags.text(flag, "") || environment(`HELM_KUBE${variable}`) || "";
  const named: Record<string, string> = {
    kubeconfig: flags.text("kubeconfig", ""),
    context: text("kube-context", "CONTEXT"),
    server: text("kube-apiserver", "APISERVER"),
    token: text("kube-token", "TOKEN"),
    caFile: text("kube-ca-file", "CAFILE"),
    tlsServerName: text("kube-tls-server-name", "TLS_SERVER_NAME"),
    user: text("kube-as-user", "ASUSER"),
  };
  const groups = flags.has("kube-as-group")
    ? flags.list("kube-as-group")
    : (environment("HELM_KUBEASGROUPS") ?? "").split(",").filter((group) => group !== "");
  const skipVerify = flags.has("kube-insecure-skip-tls-verify")
    ? flags.isOn("kube-insecure-skip-tls-verify")
    : goBool(environment("HELM_KUBEINSECURE_SKIP_TLS_VERIFY") ?? "") === true;
  return { ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== "")), skipVerify, groups };
}
