import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { StageError } from "../../core/stage_error.ts";
import type { KubeConnection } from "./kubeconfig.ts";

/** What a command line says in place of a kubeconfig (client-go `clientcmd.ConfigOverrides`). */
export interface LoginInstead {
  /** `https://host:port` */
  readonly server?: string;
  readonly token?: string;
  /** File with the certificate authorities of the server. */
  readonly caFile?: string;
  readonly tlsServerName?: string;
  /** Any certificate is accepted, and the kubeconfig's authority does not count. */
  readonly skipVerify?: boolean;
  /** Whom to act as; groups need a user. */
  readonly actAs?: { readonly user: string; readonly groups: readonly string[] };
}

/**
 * A connection with what counts in place of it. A token replaces other words and programs of the login; a client
 * certificate is kept beside it, as client-go does.
 *
 * @throws {StageError} InvalidDocument for a server that is no URL, for groups of nobody, and for authorities that nobody would check
 */
export function withInstead(connection: KubeConnection, instead: LoginInstead): KubeConnection {
  const { server, token, caFile, tlsServerName, skipVerify, actAs } = instead;
  if (server !== undefined && !/^https?:\/\/[^\s/]/.test(server)) {
    throw fault(`server "${server.slice(0, 200)}" must be an http or https URL`);
  }
  if (skipVerify === true && caFile !== undefined) {
    throw fault("a file of certificate authorities says nothing where any certificate is accepted");
  }
  if (actAs !== undefined && actAs.user === "" && connection.actAs === undefined && actAs.groups.length > 0) {
    throw fault("groups to act as need a user to act as");
  }
  const { ca: _ca, plugin: _plugin, ...rest } = connection;
  const ca = caFile !== undefined
    ? { kind: "file", path: caFile } as const
    : skipVerify === true
    ? undefined
    : connection.ca;
  const plugin = token === undefined ? connection.plugin : undefined;
  const user = actAs?.user || connection.actAs?.user;
  const groups = actAs === undefined || actAs.groups.length === 0 ? connection.actAs?.groups ?? [] : actAs.groups;
  return {
    ...rest,
    ...(server === undefined ? {} : { server: server.replace(/\/+$/, "") }),
    ...(ca === undefined ? {} : { ca }),
    ...(plugin === undefined ? {} : { plugin }),
    ...(token === undefined ? {} : { login: { kind: "token", token } }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(user === undefined ? {} : { actAs: { user, groups } }),
    // A file that was named says whom to trust, whatever the kubeconfig waives.
    skipVerify: caFile !== undefined ? false : skipVerify === true || connection.skipVerify,
  };
}

/** One of several kubeconfigs. */
export interface KubeconfigFile {
  readonly document: JsonValue;
  /** Folder that its relative file names count from. */
  readonly folder: string;
}

/**
 * Several kubeconfigs as one: of two entries with the same name, and of two current contexts, the first one counts (client-go
 * `clientcmd.ClientConfigLoadingRules`). Names of files count from the folder of their own kubeconfig.
 */
export function mergeKubeconfigs(files: readonly KubeconfigFile[]): JsonObject {
  const documents = files.filter((file): file is KubeconfigFile & { document: JsonObject } =>
    isJsonObject(file.document)
  );
  const entries = (list: string, field: string) =>
    documents.flatMap(({ document, folder }) => {
      const items = Array.isArray(document[list]) ? document[list].filter(isJsonObject) : [];
      return items.map((item) => isJsonObject(item[field]) ? { ...item, [field]: placed(item[field], folder) } : item);
    });
  const current = documents.map(({ document }) => document["current-context"]).find((name) =>
    name !== undefined && name !== ""
  );
  return {
    ...(current === undefined ? {} : { "current-context": current }),
    contexts: entries("contexts", "context"),
    clusters: entries("clusters", "cluster"),
    users: entries("users", "user"),
  };
}

/** An entry whose file names count from nowhere but the working folder. */
function placed(entry: JsonObject, folder: string): JsonObject {
  const full = (path: string) => path === "" || path.startsWith("/") ? path : `${folder}/${path}`;
  const found: Record<string, JsonValue> = { ...entry };
  for (const field of ["certificate-authority", "client-certificate", "client-key", "tokenFile"]) {
    const path = entry[field];
    if (typeof path === "string") found[field] = full(path);
  }
  const { exec } = entry;
  // A bare name is a program of the search path.
  if (isJsonObject(exec) && typeof exec.command === "string" && exec.command.includes("/")) {
    found.exec = { ...exec, command: full(exec.command) };
  }
  return found;
}

function fault(what: string): StageError {
  return new StageError("InvalidDocument", `Cannot connect to the cluster: ${what}`, {
    hint: "Look at the flags that name the cluster",
  });
}
