import type { Clock } from "../../core/clock.ts";
import type { FileSystem } from "../../core/file_system.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { KubeError } from "../../core/kube_api.ts";
import type { Connect } from "../../core/network.ts";
import type { Processes } from "../../core/process.ts";
import { messageOf } from "../../core/stage_error.ts";
import { openIdLogin } from "./openid_login.ts";

/** What a login plugin gave. */
export interface PluginLogin {
  readonly headers: Readonly<Record<string, string>>;
  /** Client certificate, for plugins that answer with one. */
  readonly clientCert?: { readonly cert: string; readonly key: string };
}

/** Runs the plugin, or gives what it gave while that is good. `isRefused`: forget what it gave. */
export type RunPlugin = (isRefused: boolean) => Promise<PluginLogin>;

/** The part of a kubeconfig's user that names a plugin, as written. */
export interface PluginDocument {
  /** `exec`: a program that prints an `ExecCredential`. */
  readonly exec?: JsonObject;
  /** `auth-provider`: of these only `oidc` is left in client-go. */
  readonly authProvider?: JsonObject;
  /** The cluster's entry: what a program with `provideClusterInfo` is told. */
  readonly cluster: JsonObject;
  /** Folder that relative commands count from. */
  readonly folder?: string;
}

/** What plugins reach. */
export interface PluginTools {
  readonly processes: Pick<Processes, "run">;
  readonly connect: Connect;
  readonly clock: Clock;
  readonly fileSystem: Pick<FileSystem, "readText">;
}

/** A login and when it ends, in milliseconds since 1970. */
export interface TimedLogin {
  readonly login: PluginLogin;
  readonly endsAt: number;
}

/** Milliseconds that a program may take: it may ask a server, never a person. */
const programTimeoutMs = 60_000;
const apiGroup = "client.authentication.k8s.io";

/**
 * Logins of a kubeconfig that need a program (`exec`, client-go `plugin/pkg/client/auth/exec`) or an OpenID Connect
 * exchange (`auth-provider: oidc`, `plugin/pkg/client/auth/oidc`). Programs get no terminal.
 *
 * The returned function throws {@linkcode KubeError} Unauthorized when there is no login to be had.
 */
export function loginPlugin(document: PluginDocument, tools: PluginTools): RunPlugin {
  const fetchLogin = loginOf(document, tools);
  let known: TimedLogin | undefined;
  return async (isRefused) => {
    if (known !== undefined && !isRefused && tools.clock.now() < known.endsAt) return known.login;
    known = undefined;
    try {
      known = await fetchLogin(isRefused);
    } catch (error) {
      throw new KubeError(`Cannot log in by the plugin of the kubeconfig: ${messageOf(error)}`, {
        code: 0,
        reason: "Unauthorized",
        cause: error,
      });
    }
    return known.login;
  };
}

function loginOf(document: PluginDocument, tools: PluginTools): (isRefused: boolean) => Promise<TimedLogin> {
  const { exec, authProvider } = document;
  if (exec !== undefined) return () => runProgram(exec, document, tools);
  const name = text(authProvider?.name);
  const config = isJsonObject(authProvider?.config) ? authProvider.config : {};
  if (name === "oidc") return openIdLogin(config, tools);
  return () => Promise.reject(new Error(`auth-provider "${name}" was removed from Kubernetes: use exec in its place`));
}

/** Runs a program that prints an `ExecCredential` (`client.authentication.k8s.io`, v1 and v1beta1). */
async function runProgram(exec: JsonObject, document: PluginDocument, tools: PluginTools): Promise<TimedLogin> {
  const { processes, clock } = tools;
  const apiVersion = text(exec.apiVersion);
  if (apiVersion !== `${apiGroup}/v1` && apiVersion !== `${apiGroup}/v1beta1`) {
    throw new Error(`exec.apiVersion "${apiVersion}" must be ${apiGroup}/v1 or /v1beta1`);
  }
  if (exec.interactiveMode === "Always") throw new Error("exec.interactiveMode is Always, and there is no terminal");
  const command = text(exec.command);
  if (command === "") throw new Error("exec.command is empty");
  // As client-go: a name is looked up in PATH, a relative path counts from the kubeconfig's folder.
  const isRelative = command.includes("/") && !command.startsWith("/") && document.folder !== undefined;
  const program = isRelative ? `${document.folder}/${command}` : command;
  const variables = list(exec.env).filter(isJsonObject).map((one) => [text(one.name), text(one.value)]);
  const info = {
    kind: "ExecCredential",
    apiVersion,
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo === true ? { cluster: clusterInfo(document.cluster) } : {}),
    },
  };
  const ending = new AbortController();
  const cancel = clock.after(programTimeoutMs, () => ending.abort(new Error(`it ran longer than 60 s`)));
  try {
    const result = await processes.run([program, ...list(exec.args).map(text)], {
      env: { ...Object.fromEntries(variables), KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      signal: ending.signal,
    });
    if (result.code !== 0) {
      throw new Error(`exit code ${result.code}: ${result.stderr.trim().slice(0, 1_000)}`);
    }
    return credentialOf(result.stdout, apiVersion);
  } catch (error) {
    const hint = text(exec.installHint);
    throw new Error(`"${command}": ${messageOf(error)}${hint === "" ? "" : `; ${hint}`}`, { cause: error });
  } finally {
    cancel();
  }
}

/** The answer's text holds secrets: messages name what is missing, never what is there. */
function credentialOf(output: string, apiVersion: string): TimedLogin {
  let document: unknown;
  try {
    document = JSON.parse(output);
  } catch {
    throw new Error("its output is not JSON");
  }
  if (!isJsonObject(document) || document.kind !== "ExecCredential" || document.apiVersion !== apiVersion) {
    throw new Error(`its output is no ExecCredential of ${apiVersion}`);
  }
  const status = isJsonObject(document.status) ? document.status : {};
  const token = text(status.token);
  const cert = text(status.clientCertificateData);
  const key = text(status.clientKeyData);
  if ((cert === "") !== (key === "")) throw new Error("it gave a certificate or a key alone");
  if (token === "" && cert === "") throw new Error("it gave neither token nor certificate");
  const endsAt = Date.parse(text(status.expirationTimestamp));
  return {
    login: {
      headers: token === "" ? {} : { authorization: `Bearer ${token}` },
      ...(cert === "" ? {} : { clientCert: { cert, key } }),
    },
    endsAt: Number.isNaN(endsAt) ? Infinity : endsAt,
  };
}

function clusterInfo(cluster: JsonObject): JsonObject {
  const extensions = list(cluster.extensions).filter(isJsonObject);
  const config = extensions.find((one) => one.name === `${apiGroup}/exec`)?.extension;
  const fields = ["server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url"];
  const given = fields.filter((field) => cluster[field] !== undefined);
  return {
    ...Object.fromEntries(given.map((field) => [field, cluster[field] ?? null])),
    ...(config === undefined ? {} : { config }),
  };
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
