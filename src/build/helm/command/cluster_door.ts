import type { JsonValue } from "../../../core/json.ts";
import type { Capabilities } from "../release/capabilities.ts";
import type { LookupRequest } from "../render_tools.ts";

/** Which cluster a command is to ask, as Helm's flags and variables (`HELM_KUBE…`) say it. */
export interface KubeFlags {
  /** Path of the kubeconfig. Default: `KUBECONFIG`, and what the platform looks for. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Address of the API server; in front of the kubeconfig's. */
  readonly server?: string;
  readonly token?: string;
  readonly caFile?: string;
  readonly tlsServerName?: string;
  /** Any certificate is accepted. */
  readonly skipVerify?: boolean;
  readonly user?: string;
  readonly groups: readonly string[];
}

/** What a cluster tells the command, for `--dry-run=server` and `--validate`. */
export interface ClusterDoor extends Disposable {
  /** Namespace of the context: the release's, where nobody names another. */
  readonly namespace: string;
  capabilities(signal?: AbortSignal): Promise<Capabilities>;
  /** The object, the list for an empty name, `{}` for what is not there. @throws {RefusedInput} */
  lookup(request: LookupRequest, signal?: AbortSignal): Promise<JsonValue>;
  /** How exactly this version of a kind is served; `undefined` when it is not. */
  kindOf(
    name: { readonly apiVersion: string; readonly kind: string },
    signal?: AbortSignal,
  ): Promise<{ readonly isNamespaced: boolean } | undefined>;
}
