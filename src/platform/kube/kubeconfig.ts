/**
 * Part `platform/kube`: the door to Kubernetes. In: a kubeconfig, or the account of the Pod. Out: a {@linkcode KubeApi}.
 * May fail: with a `StageError` while the documents are read, with a `KubeError` for every call. Called by `app.ts`, which
 * hands the result to the cluster target.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { StageError } from "../../core/stage_error.ts";
import type { PluginDocument } from "./login_plugin.ts";

/** How an account proves itself. Files are read again when they change. */
export type KubeLogin =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "tokenFile"; readonly path: string }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** `exec` or an old `auth-provider`: {@linkcode KubeConnection.plugin} says which. */
  | { readonly kind: "plugin"; readonly user: string };

/** PEM text, or the file that holds it. */
export type PemSource = { readonly kind: "text"; readonly pem: string } | {
  readonly kind: "file";
  readonly path: string;
};

/** One cluster and one account of a kubeconfig. */
export interface KubeConnection {
  readonly server: string;
  readonly namespace: string;
  readonly ca?: PemSource;
  readonly cert?: PemSource;
  readonly key?: PemSource;
  readonly login: KubeLogin;
  /** Where `login` is a plugin: how to run it. */
  readonly plugin?: PluginDocument;
  readonly proxyUrl?: string;
  readonly tlsServerName?: string;
  readonly skipVerify: boolean;
  /** User and groups that the kubeconfig itself asks to be (`as`, `as-groups`). */
  readonly actAs?: { readonly user: string; readonly groups: readonly string[] };
}

/** How a kubeconfig is read. */
export interface KubeconfigOptions {
  /** Default: `current-context`. */
  readonly context?: string;
  /** Folder that relative file names count from. */
  readonly folder?: string;
  /** Text from a Secret: programs, plugins and files of the host are refused (CVE-2022-24817). Default `false`. */
  readonly isForeign?: boolean;
}

/**
 * Connection that a parsed kubeconfig describes (client-go `tools/clientcmd/api/v1`).
 *
 * @throws {StageError} InvalidDocument when a name leads nowhere, a value is wrong, or a foreign one asks for more than data
 */
export function parseKubeconfig(document: JsonValue, options: KubeconfigOptions = {}): KubeConnection {
  if (!isJsonObject(document)) throw fault("it must be a YAML object");
  const contextName = options.context ?? text(document["current-context"]);
  if (contextName === "") {
    throw fault(`no context is chosen: it has ${namesOf(document.contexts)}`);
  }
  const context = named(document, "contexts", contextName, "context");
  const cluster = named(document, "clusters", text(context.cluster), "cluster");
  const userName = text(context.user);
  const user = userName === "" ? {} : named(document, "users", userName, "user");
  const server = text(cluster.server);
  if (!/^https?:\/\/[^\s/]/.test(server)) {
    throw fault(`server "${server.slice(0, 200)}" of cluster "${text(context.cluster)}" must be an http or https URL`);
  }
  const files = fileFields(cluster, ["certificate-authority"]).concat(
    fileFields(user, ["client-certificate", "client-key", "tokenFile"]),
  );
  if (options.isForeign === true) refuseForeign(user, files);
  const ca = pem(cluster, "certificate-authority", options);
  const cert = pem(user, "client-certificate", options);
  const key = pem(user, "client-key", options);
  const proxyUrl = text(cluster["proxy-url"]);
  const tlsServerName = text(cluster["tls-server-name"]);
  const actAs = text(user.as);
  const groups = Array.isArray(user["as-groups"]) ? user["as-groups"].map(text) : [];
  if (actAs === "" && groups.length > 0) throw fault("as-groups needs as");
  return {
    server: server.replace(/\/+$/, ""),
    namespace: text(context.namespace) || "default",
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...loginOf({ user, userName, cluster }, options),
    ...(proxyUrl === "" ? {} : { proxyUrl }),
    ...(tlsServerName === "" ? {} : { tlsServerName }),
    skipVerify: cluster["insecure-skip-tls-verify"] === true,
    ...(actAs === "" ? {} : { actAs: { user: actAs, groups } }),
  };
}

function refuseForeign(user: JsonObject, files: readonly string[]): void {
  const plugin = ["exec", "auth-provider"].find((field) => user[field] !== undefined);
  if (plugin !== undefined) {
    throw fault(`${plugin} is refused in a kubeconfig that comes from a Secret: give it a token or a certificate`);
  }
  if (files.length > 0) {
    throw fault(
      `${files.join(", ")} names a file and is refused in a kubeconfig that comes from a Secret: inline the data`,
    );
  }
}

function loginOf(
  account: { readonly user: JsonObject; readonly userName: string; readonly cluster: JsonObject },
  options: KubeconfigOptions,
): Pick<KubeConnection, "login" | "plugin"> {
  const { user, userName, cluster } = account;
  const { exec, "auth-provider": authProvider } = user;
  // client-go's order: plugins only when nothing plainer is there; a token file wins over a token.
  if (text(user.tokenFile) !== "") {
    return { login: { kind: "tokenFile", path: resolvePath(text(user.tokenFile), options) } };
  }
  if (text(user.token) !== "") return { login: { kind: "token", token: text(user.token) } };
  if (text(user.username) !== "") {
    return { login: { kind: "basic", username: text(user.username), password: text(user.password) } };
  }
  if (!isJsonObject(exec) && !isJsonObject(authProvider)) return { login: { kind: "none" } };
  return {
    login: { kind: "plugin", user: userName },
    plugin: {
      cluster,
      ...(isJsonObject(exec) ? { exec } : {}),
      ...(isJsonObject(authProvider) ? { authProvider } : {}),
      ...(options.folder === undefined ? {} : { folder: options.folder }),
    },
  };
}

function fileFields(object: JsonObject, fields: readonly string[]): string[] {
  return fields.filter((field) => text(object[field]) !== "");
}

function pem(object: JsonObject, field: string, options: KubeconfigOptions): PemSource | undefined {
  const data = text(object[`${field}-data`]);
  if (data !== "") {
    try {
      return { kind: "text", pem: atob(data.replace(/\s+/g, "")) };
    } catch {
      throw fault(`${field}-data is not base64`);
    }
  }
  const path = text(object[field]);
  return path === "" ? undefined : { kind: "file", path: resolvePath(path, options) };
}

function resolvePath(path: string, options: KubeconfigOptions): string {
  return path.startsWith("/") || options.folder === undefined ? path : `${options.folder}/${path}`;
}

function named(document: JsonObject, list: string, name: string, field: string): JsonObject {
  const items = Array.isArray(document[list]) ? document[list].filter(isJsonObject) : [];
  const found = items.find((item) => item.name === name);
  if (found === undefined) throw fault(`there is no ${field} "${name}": it has ${namesOf(document[list])}`);
  return isJsonObject(found[field]) ? found[field] : {};
}

function namesOf(list: JsonValue | undefined): string {
  const names = Array.isArray(list) ? list.filter(isJsonObject).map((item) => `"${text(item.name)}"`) : [];
  return names.length === 0 ? "none" : names.join(", ");
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function fault(what: string): StageError {
  return new StageError("InvalidDocument", `Cannot read kubeconfig: ${what}`);
}
