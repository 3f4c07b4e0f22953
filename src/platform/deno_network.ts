import type { Connect, Lookup, NetworkOptions, OpenNetwork } from "../core/network.ts";

/**
 * The host's network through `fetch`, which reuses connections. What `fetch` cannot do goes another way (node_network.ts):
 * accepting any certificate, and the ports on its block list. Redirects are never followed here and bodies never unpacked
 * when the request says `accept-encoding: identity`.
 */
export const denoConnect: Connect = (options) => {
  if (options.skipVerify === true) return nodeNetwork(options);
  const client = Deno.createHttpClient({
    ...(options.caCerts === undefined ? {} : { caCerts: [...options.caCerts] }),
    ...(options.clientCert === undefined ? {} : options.clientCert),
    ...proxyOf(options),
    http1: options.http !== "2",
    http2: options.http === "2",
    poolIdleTimeout: 90_000,
  });
  let beside: OpenNetwork | undefined;
  return {
    send: (request) => {
      if (blockedPorts.has(Number(new URL(request.url).port))) {
        beside ??= nodeNetwork(options);
        return beside.send(request);
      }
      return fetch(request, { client, redirect: "manual" });
    },
    [Symbol.dispose]() {
      client.close();
      beside?.[Symbol.dispose]();
    },
  };
};

/** A network over node's client, loaded with its first request. */
function nodeNetwork(options: NetworkOptions): OpenNetwork {
  let opened: Promise<OpenNetwork> | undefined;
  return {
    async send(request) {
      opened ??= import("./node_network.ts").then(({ openNodeNetwork }) => openNodeNetwork(options, environment));
      return await (await opened).send(request);
    },
    [Symbol.dispose]: () => void opened?.then((network) => network[Symbol.dispose](), () => {}),
  };
}

/** The host's resolver. Address literals are given back as they are. */
export const denoLookup: Lookup = async (host) => {
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(host.replace(/^\[|\]$/g, ""), { all: true });
  return found.map((entry) => entry.address);
};

function environment(name: string): string | undefined {
  return Deno.env.get(name);
}

function proxyOf(options: NetworkOptions): { proxy?: Deno.Proxy } {
  const proxy = options.proxy;
  if (proxy === undefined) return {};
  return {
    proxy: {
      transport: /^socks5h?:/i.test(proxy.url) ? "socks5" : /^https:/i.test(proxy.url) ? "https" : "http",
      url: proxy.url,
      ...(proxy.username === undefined
        ? {}
        : { basicAuth: { username: proxy.username, password: proxy.password ?? "" } }),
    } as Deno.Proxy,
  };
}

/** Ports that `fetch` refuses (Fetch standard, "port blocking"). */
const blockedPorts: ReadonlySet<number> = new Set(
  ("1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135 " +
    "137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 " +
    "1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080")
    .split(" ").map(Number),
);
