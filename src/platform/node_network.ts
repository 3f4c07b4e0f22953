import { Buffer } from "node:buffer";
import * as http from "node:http";
import * as https from "node:https";
import { BlockList, isIP } from "node:net";
import { Readable } from "node:stream";
import * as tls from "node:tls";
import type { NetworkOptions, OpenNetwork } from "../core/network.ts";

/** Value of an environment variable. */
type Environment = (name: string) => string | undefined;

interface Proxy {
  readonly url: URL;
  readonly authorization?: string;
}

/** How such a network behaves. */
export interface NodeNetworkOptions extends NetworkOptions {
  /** Name that a server's certificate must have, where it is not its host's. */
  readonly serverName?: string;
  /** Names of headers, in lower case, of which each value goes in a line of its own, where `", "` joins them. */
  readonly repeated?: readonly string[];
}

/**
 * A network over `node:http` and `node:https`, for what `fetch` refuses: any certificate (`skipVerify`), and ports on its
 * block list. HTTP/1.1 only; connections are reused, except through a proxy's tunnel. An HTTP proxy is taken from the
 * options or from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
 */
export function openNodeNetwork(options: NodeNetworkOptions, environment: Environment): OpenNetwork {
  const { serverName } = options;
  const security: { rejectUnauthorized: boolean; ca?: string[]; cert?: string; key?: string; servername?: string } = {
    rejectUnauthorized: options.skipVerify !== true,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(options.caCerts === undefined ? {} : { ca: [...tls.rootCertificates, ...options.caCerts] }),
    ...(options.clientCert === undefined ? {} : options.clientCert),
  };
  const plain = new http.Agent({ keepAlive: true, timeout: 90_000 });
  const secure = new https.Agent({ keepAlive: true, timeout: 90_000, ...security });

  const start = async (request: Request, url: URL): Promise<http.ClientRequest> => {
    const proxy = proxyFor(url, options, environment);
    const base: http.RequestOptions = {
      method: request.method,
      headers: Object.fromEntries(
        [...request.headers].map((
          [name, value],
        ) => [name, options.repeated?.includes(name) ? value.split(", ") : value]),
      ),
      hostname: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
      path: `${url.pathname}${url.search}`,
    };
    if (url.protocol === "http:") {
      if (proxy === undefined) return http.request({ ...base, agent: plain });
      return http.request({
        ...base,
        agent: plain,
        hostname: proxy.url.hostname,
        port: proxyPort(proxy),
        path: url.href,
        headers: {
          ...base.headers as Record<string, string>,
          host: url.host,
          ...(proxy.authorization === undefined ? {} : { "proxy-authorization": proxy.authorization }),
        },
      });
    }
    if (proxy === undefined) return https.request({ ...base, agent: secure });
    const socket = await openTunnel(proxy, `${url.hostname}:${base.port}`, request.signal);
    return https.request({
      ...base,
      ...security,
      agent: false,
      createConnection: () =>
        tls.connect({ ...security, socket, servername: serverName ?? (isIP(url.hostname) ? "" : url.hostname) }),
    });
  };

  return {
    send: async (request) => {
      request.signal.throwIfAborted();
      const url = new URL(request.url);
      const outgoing = await start(request, url);
      return await exchange(request, outgoing);
    },
    [Symbol.dispose]() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Sends the body and waits for the head of the answer. */
function exchange(request: Request, outgoing: http.ClientRequest): Promise<Response> {
  return new Promise((resolve, reject) => {
    const stop = () => outgoing.destroy(asError(request.signal.reason));
    request.signal.addEventListener("abort", stop, { once: true });
    outgoing.on("error", (error) => {
      request.signal.removeEventListener("abort", stop);
      reject(asError(error));
    });
    outgoing.on("response", (incoming) => {
      incoming.on("close", () => request.signal.removeEventListener("abort", stop));
      const response = responseOf(request, incoming);
      if (response.body !== null) return resolve(response);
      // Its connection is free again a moment after the end: who asks the next thing at once goes on with it.
      incoming.on("close", () => setImmediate(() => resolve(response)));
    });
    if (request.body === null) outgoing.end();
    else sendBody(request.body, outgoing).catch((error) => outgoing.destroy(asError(error)));
  });
}

async function sendBody(body: ReadableStream<Uint8Array>, outgoing: http.ClientRequest): Promise<void> {
  for await (const chunk of body) {
    if (outgoing.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const go = () => {
        outgoing.off("drain", go);
        outgoing.off("close", go);
        resolve();
      };
      outgoing.on("drain", go);
      outgoing.on("close", go);
    });
    if (outgoing.destroyed) return;
  }
  outgoing.end();
}

function responseOf(request: Request, incoming: http.IncomingMessage): Response {
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? "", incoming.rawHeaders[at + 1] ?? "");
  }
  const status = incoming.statusCode ?? 502;
  const isBodyless = request.method === "HEAD" || status === 204 || status === 205 || status === 304;
  if (isBodyless) incoming.resume();
  const body = isBodyless ? null : Readable.toWeb(incoming) as unknown as ReadableStream<Uint8Array<ArrayBuffer>>;
  return new Response(body, { status, headers });
}

/** Asks a proxy for a way through to `authority`. */
function openTunnel(proxy: Proxy, authority: string, signal: AbortSignal): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const asked = http.request({
      method: "CONNECT",
      hostname: proxy.url.hostname,
      port: proxyPort(proxy),
      path: authority,
      agent: false,
      headers: {
        host: authority,
        ...(proxy.authorization === undefined ? {} : { "proxy-authorization": proxy.authorization }),
      },
    });
    const stop = () => asked.destroy(asError(signal.reason));
    signal.addEventListener("abort", stop, { once: true });
    asked.on("error", (error) => reject(asError(error)));
    asked.on("connect", (answer, socket) => {
      signal.removeEventListener("abort", stop);
      if (answer.statusCode === 200) return resolve(socket as tls.TLSSocket);
      socket.destroy();
      reject(new TypeError(`the proxy answered ${answer.statusCode}`));
    });
    asked.end();
  });
}

function proxyFor(url: URL, options: NetworkOptions, environment: Environment): Proxy | undefined {
  const fromEnvironment = () => {
    const either = (name: string) => environment(name.toLowerCase()) ?? environment(name);
    if (isExempt(url, either("NO_PROXY") ?? "")) return undefined;
    return (url.protocol === "https:" ? either("HTTPS_PROXY") : either("HTTP_PROXY")) ?? either("ALL_PROXY");
  };
  const text = options.proxy?.url ?? fromEnvironment();
  if (text === undefined || text === "") return undefined;
  const address = URL.canParse(text) ? new URL(text) : new URL(`http://${text}`);
  if (address.protocol !== "http:") {
    throw new TypeError(
      `a proxy of scheme "${address.protocol}" cannot be used here, only "http:" (skipVerify, or port ${url.port})`,
    );
  }
  const username = options.proxy?.username ?? decodeURIComponent(address.username);
  const password = options.proxy?.password ?? decodeURIComponent(address.password);
  return username === ""
    ? { url: address }
    : { url: address, authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}

/** Whether `NO_PROXY` names a host: exactly, as a suffix (`.example.com` or `example.com`), with a port, as a range, or by `*`. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const family = isIP(host);
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === "") return false;
    if (entry === "*") return true;
    const [, range, bits] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(entry) ?? [];
    if (range !== undefined) {
      if (family === 0 || isIP(range) !== family || Number(bits) > (family === 4 ? 32 : 128)) return false;
      const block = new BlockList();
      block.addSubnet(range, Number(bits), family === 4 ? "ipv4" : "ipv6");
      return block.check(host, family === 4 ? "ipv4" : "ipv6");
    }
    const bare = entry.toLowerCase().replace(/^\*?\./, "");
    const [, name = "", port] = isIP(bare) === 6 ? [bare, bare] : /^(.*?)(?::(\d+))?$/.exec(bare) ?? [];
    if (port !== undefined && port !== url.port) return false;
    return host === name || (family === 0 && host.endsWith(`.${name}`));
  });
}

function proxyPort(proxy: Proxy): number {
  return proxy.url.port === "" ? 80 : Number(proxy.url.port);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
