import type { KubeConfig } from "@kubernetes/client-node";
import { KubeError } from "../../core/kube_api.ts";
import { messageOf } from "../../core/stage_error.ts";

/** What a login plugin gave. */
export interface PluginLogin {
  readonly headers: Readonly<Record<string, string>>;
  /** Client certificate, for plugins that answer with one. */
  readonly clientCert?: { readonly cert: string; readonly key: string };
}

/** Runs the plugin (or what it kept). `isRefused`: forget what it kept. */
export type RunPlugin = (isRefused: boolean) => Promise<PluginLogin>;

/**
 * Logins that need a program or an OpenID Connect exchange (`exec`, `auth-provider`): the package
 * `@kubernetes/client-node` does them. It is loaded when the first such kubeconfig is used, never before.
 *
 * @param text the kubeconfig
 * @param context the context chosen in it
 */
export function loginPlugin(text: string, context: string | undefined): RunPlugin {
  let config: KubeConfig | undefined;
  return async (isRefused) => {
    try {
      if (config === undefined || isRefused) {
        const { KubeConfig } = await import("@kubernetes/client-node");
        config = new KubeConfig();
        config.loadFromString(text);
        if (context !== undefined) config.setCurrentContext(context);
      }
      const options: { headers?: Record<string, unknown>; cert?: unknown; key?: unknown } = {};
      await config.applyToHTTPSOptions(options as Parameters<KubeConfig["applyToHTTPSOptions"]>[0]);
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value);
      return options.cert === undefined || options.key === undefined
        ? { headers }
        : { headers, clientCert: { cert: String(options.cert), key: String(options.key) } };
    } catch (error) {
      throw new KubeError(`Cannot log in by the plugin of the kubeconfig: ${messageOf(error)}`, {
        code: 0,
        reason: "Unauthorized",
        cause: error,
      });
    }
  };
}
