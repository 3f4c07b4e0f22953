import type { ClusterLogin } from "../../core/cluster_login.ts";
import type { Clock } from "../../core/clock.ts";
import type { FileSystem } from "../../core/file_system.ts";
import type { JsonValue } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import type { Connect, OpenNetwork } from "../../core/network.ts";
import type { Processes } from "../../core/process.ts";
import type { Random } from "../../core/random.ts";
import { messageOf, StageError } from "../../core/stage_error.ts";
import { accountTokens } from "./account_token.ts";
import { authorizer, groupHeader } from "./credentials.ts";
import { kubeClient } from "./kube_client.ts";
import type { KubeConnection, PemSource } from "./kubeconfig.ts";
import { parseKubeconfig } from "./kubeconfig.ts";
import type { KubeconfigFile, LoginInstead } from "./login_instead.ts";
import { mergeKubeconfigs, withInstead } from "./login_instead.ts";
import { loginPlugin } from "./login_plugin.ts";
import { openNodeNetwork } from "../node_network.ts";

/** What a connection to a cluster is made with. */
export interface ClusterTools {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  /** Reads YAML; throws on what is none. */
  readonly parseYaml: (text: string) => JsonValue;
  readonly env: (name: string) => string | undefined;
  /** For logins by programs. */
  readonly processes: Pick<Processes, "run">;
  /** For logins that ask an issuer of tokens. */
  readonly connect: Connect;
  /** Tries of a request that may be repeated. Default 5. */
  readonly tries?: number;
}

/** A cluster's API whose connection stays open until it is disposed. */
export interface OpenKubeApi extends Disposable {
  readonly api: KubeApi;
}

/** Where the cluster of the settings is found. */
export interface ClusterPlace {
  /** Path of a kubeconfig; `~/` is the home folder. Default: `KUBECONFIG`, the account of the Pod, `~/.kube/config`. */
  readonly kubeconfig?: string;
  /** Default: the kubeconfig's current context. */
  readonly context?: string;
  /** What counts in place of what the kubeconfig says, or without one. */
  readonly instead?: LoginInstead;
}

/** Folder in which the kubelet puts the account of a Pod; `PILOTFISH_POD_ACCOUNT` names another (a projected token's). */
const podAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Connects to the cluster of the settings. Nothing is sent yet.
 *
 * @throws {StageError} InvalidDocument when there is no kubeconfig or it cannot be used
 */
export async function openCluster(place: ClusterPlace, tools: ClusterTools): Promise<OpenKubeApi> {
  const { instead = {} } = place;
  const named = place.kubeconfig === undefined ? await variableFiles(tools) : [place.kubeconfig];
  if (named.length === 0) {
    const account = await podAccount(tools);
    if (account !== undefined) return await open(withInstead(account, instead), tools);
  }
  const paths = (named.length === 0 ? ["~/.kube/config"] : named).map((path) => expand(path, tools));
  const files: KubeconfigFile[] = [];
  for (const path of paths) {
    const text = await tools.fileSystem.readText(path);
    if (text !== undefined) files.push({ document: parse(text, tools), folder: folderOf(path) });
  }
  const isAlone = files.length === 0 && place.kubeconfig === undefined && instead.server !== undefined;
  if (files.length === 0 && !isAlone) {
    throw new StageError("InvalidDocument", `Cannot find kubeconfig "${paths.join(":")}"`, {
      hint: place.instead === undefined
        ? "Name one with target.cluster.kubeconfig, or run in a Pod with a service account"
        : "Name one with --kubeconfig or KUBECONFIG, or a server with --kube-apiserver",
    });
  }
  const context = place.context === undefined ? {} : { context: place.context };
  const connection: KubeConnection = isAlone
    ? { server: "", namespace: "default", login: { kind: "none" }, skipVerify: false }
    : files.length === 1
    ? parseKubeconfig((files[0] as KubeconfigFile).document, {
      folder: (files[0] as KubeconfigFile).folder,
      ...context,
    })
    : parseKubeconfig(mergeKubeconfigs(files), context);
  return await open(withInstead(connection, instead), tools);
}

/** Files that `KUBECONFIG` names; those that are missing do not count as long as one is there (client-go `clientcmd`). */
async function variableFiles(tools: ClusterTools): Promise<readonly string[]> {
  const named = (tools.env("KUBECONFIG") ?? "").split(":").filter((path) => path !== "");
  const found: string[] = [];
  for (const path of named) {
    if (await tools.fileSystem.stat(expand(path, tools)) !== undefined) found.push(path);
  }
  return found.length === 0 ? named : found;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/"))) || ".";
}

/**
 * Connects to the cluster of a kubeconfig's text, for example from a Secret. It may hold data only: programs, plugins
 * and names of files are refused.
 *
 * @throws {StageError} InvalidDocument
 */
export async function openForeignCluster(text: string, tools: ClusterTools): Promise<OpenKubeApi> {
  return await open(parseKubeconfig(parse(text, tools), { isForeign: true }), tools);
}

/**
 * Connects to another cluster with tokens that `api` issues.
 *
 * @throws {StageError} InvalidDocument when its certificate authority cannot be used
 */
export async function openClusterByAccount(
  login: ClusterLogin,
  api: KubeApi,
  tools: ClusterTools,
): Promise<OpenKubeApi> {
  const token = accountTokens(api, login, tools.clock);
  const connection: KubeConnection = {
    server: login.server,
    namespace: "default",
    ...(login.ca === undefined ? {} : { ca: { kind: "text", pem: login.ca } }),
    login: { kind: "plugin", user: login.serviceAccount },
    skipVerify: false,
  };
  return await open(connection, tools, async (isRefused) => ({ authorization: `Bearer ${await token(isRefused)}` }));
}

function parse(text: string, tools: ClusterTools): JsonValue {
  try {
    return tools.parseYaml(text);
  } catch {
    // The parser's message shows the line, which may hold a token.
    throw new StageError("InvalidDocument", "Cannot read kubeconfig: it is not YAML");
  }
}

async function podAccount(tools: ClusterTools): Promise<KubeConnection | undefined> {
  const host = tools.env("KUBERNETES_SERVICE_HOST");
  const port = tools.env("KUBERNETES_SERVICE_PORT") ?? "443";
  if (host === undefined || host === "") return undefined;
  const accountFolder = tools.env("PILOTFISH_POD_ACCOUNT") || podAccountFolder;
  if (await tools.fileSystem.stat(`${accountFolder}/token`) === undefined) return undefined;
  const namespace = (await tools.fileSystem.readText(`${accountFolder}/namespace`))?.trim();
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    namespace: namespace || "default",
    ca: { kind: "file", path: `${accountFolder}/ca.crt` },
    login: { kind: "tokenFile", path: `${accountFolder}/token` },
    skipVerify: false,
  };
}

async function open(
  connection: KubeConnection,
  tools: ClusterTools,
  headers?: (isRefused: boolean) => Promise<Readonly<Record<string, string>>>,
): Promise<OpenKubeApi> {
  const plugin = connection.plugin === undefined ? undefined : loginPlugin(connection.plugin, tools);
  const pluginCert = (await plugin?.(false))?.clientCert;
  const network = await followingFiles(connection, pluginCert, tools);
  const api = kubeClient({
    server: connection.server,
    namespace: connection.namespace,
    network: network.send,
    clock: tools.clock,
    random: tools.random,
    ...(tools.tries === undefined ? {} : { tries: tools.tries }),
    ...(network.renew === undefined ? {} : { onSilence: network.renew }),
    authorize: authorizer(connection, {
      fileSystem: tools.fileSystem,
      clock: tools.clock,
      plugin: headers ?? (async (isRefused) => (await plugin?.(isRefused))?.headers ?? {}),
    }),
  });
  return { api, [Symbol.dispose]: () => network[Symbol.dispose]() };
}

/** Certificates of a connection, PEM. */
interface Certificates {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Milliseconds for which files with certificates are not read again. */
const filesFreshMs = 10_000;

/** A network whose certificates are read again from their files, so that renewed ones count without a restart. */
async function followingFiles(
  connection: KubeConnection,
  pluginCert: { readonly cert: string; readonly key: string } | undefined,
  tools: ClusterTools,
): Promise<RenewableNetwork> {
  const read = async (): Promise<Certificates> => ({
    ca: await pemText(connection.ca, tools),
    cert: pluginCert?.cert ?? await pemText(connection.cert, tools),
    key: pluginCert?.key ?? await pemText(connection.key, tools),
  });
  let certificates = await read();
  let network = connect(connection, certificates, tools);
  const sources = pluginCert === undefined ? [connection.ca, connection.cert, connection.key] : [connection.ca];
  if (!sources.some((source) => source?.kind === "file")) return network;
  let readAt = tools.clock.monotonic();
  const refresh = async () => {
    if (tools.clock.monotonic() - readAt < filesFreshMs) return;
    readAt = tools.clock.monotonic();
    try {
      const next = await read();
      if (JSON.stringify(next) === JSON.stringify(certificates)) return;
      const renewed = connect(connection, next, tools);
      network[Symbol.dispose]();
      network = renewed;
      certificates = next;
    } catch {
      // In the middle of a renewal they may be missing or not fit: what worked goes on until they do.
    }
  };
  return {
    send: async (request) => {
      await refresh();
      return await network.send(request);
    },
    renew: () => network.renew?.(),
    [Symbol.dispose]: () => network[Symbol.dispose](),
  };
}

/** Differs: `fetch` adds the given authority to the host's own ones; client-go trusts the given one alone. */
function connect(
  connection: KubeConnection,
  pem: Certificates,
  tools: ClusterTools,
): RenewableNetwork {
  const { tlsServerName, skipVerify, proxyUrl } = connection;
  const { clock } = tools;
  if (tlsServerName !== undefined || skipVerify) {
    // What `fetch` cannot: no check of the certificate, or one under another name.
    return openNodeNetwork({
      skipVerify,
      repeated: [groupHeader],
      ...(pem.ca === undefined || skipVerify ? {} : { caCerts: [pem.ca] }),
      ...(pem.cert === undefined || pem.key === undefined ? {} : { clientCert: { cert: pem.cert, key: pem.key } }),
      ...(tlsServerName === undefined ? {} : { serverName: tlsServerName }),
      ...(proxyUrl === undefined ? {} : { proxy: { url: proxyUrl } }),
    }, tools.env);
  }
  const open = () =>
    Deno.createHttpClient({
      http1: true,
      http2: true,
      poolMaxIdlePerHost: 8,
      ...(pem.ca === undefined ? {} : { caCerts: [pem.ca] }),
      ...(pem.cert === undefined || pem.key === undefined ? {} : { cert: pem.cert, key: pem.key }),
      ...(proxyUrl === undefined ? {} : { proxy: { url: proxyUrl } as Deno.Proxy }),
    } as Deno.CreateHttpClientOptions);
  try {
    return renewable(open, clock);
  } catch (error) {
    throw new StageError("InvalidDocument", `Cannot use the certificates of the kubeconfig: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** A network whose connection can be given up for a new one. */
interface RenewableNetwork extends OpenNetwork {
  /** Lets the connection go; what is under way on it may end. */
  readonly renew?: () => void;
}

/** Milliseconds for which a new connection is not given up again. */
const renewAtMostEveryMs = 5_000;

/**
 * A network over `fetch`. A connection whose other side vanished without a word would take requests for minutes: whoever
 * gets no answer asks for a new one.
 */
function renewable(open: () => Deno.HttpClient, clock: Clock): RenewableNetwork {
  let client = open();
  let openedAt = clock.monotonic();
  let send = firstAlone(sender(client));
  return {
    send: (request) => send(request),
    renew: () => {
      if (clock.monotonic() - openedAt < renewAtMostEveryMs) return;
      client.close();
      client = open();
      openedAt = clock.monotonic();
      send = firstAlone(sender(client));
    },
    [Symbol.dispose]: () => client.close(),
  };
}

function sender(client: Deno.HttpClient): OpenNetwork["send"] {
  // A redirect is an answer: what is sent, Secrets among it, is meant for the server that was named.
  return (request) => fetch(request, { client, redirect: "manual" });
}

/** Lets the first request through alone, so that its connection is there to be shared: HTTP/2 needs only one. */
function firstAlone(send: OpenNetwork["send"]): OpenNetwork["send"] {
  let first: Promise<unknown> | undefined;
  return async (request) => {
    if (first === undefined) {
      const sent = Promise.resolve(send(request));
      first = sent.catch(() => {
        first = undefined;
      });
      return await sent;
    }
    await first;
    return await send(request);
  };
}

async function pemText(source: PemSource | undefined, tools: ClusterTools): Promise<string | undefined> {
  if (source === undefined) return undefined;
  if (source.kind === "text") return source.pem;
  const text = await tools.fileSystem.readText(source.path);
  if (text === undefined) {
    throw new StageError("InvalidDocument", `Cannot find "${source.path}", which the kubeconfig names`);
  }
  return text;
}

function expand(path: string, tools: ClusterTools): string {
  return path.startsWith("~/") ? `${tools.env("HOME") ?? ""}/${path.slice(2)}` : path;
}
