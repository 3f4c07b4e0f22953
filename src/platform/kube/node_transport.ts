import * as https from "node:https";
import { Readable } from "node:stream";
import type { OpenNetwork } from "../../core/network.ts";

/** TLS settings that the runtime's `fetch` does not have. */
export interface NodeTlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly skipVerify: boolean;
}

/**
 * A network on `node:https` over a pool of kept connections: for a server whose certificate is not checked, or that is
 * asked for under another name (`insecure-skip-tls-verify`, `tls-server-name`). `fetch` can do neither.
 */
export function nodeNetwork(options: NodeTlsOptions): OpenNetwork {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 64 });
  return {
    send: async (request) => {
      const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
      return await new Promise<Response>((resolve, reject) => {
        const url = new URL(request.url);
        const sent = https.request({
          agent,
          host: url.hostname.replace(/^\[|\]$/g, ""),
          port: url.port || 443,
          path: url.pathname + url.search,
          method: request.method,
          headers: {
            ...Object.fromEntries(request.headers),
            ...(body === undefined ? {} : { "content-length": String(body.length) }),
          },
          rejectUnauthorized: !options.skipVerify,
          ...(options.ca === undefined ? {} : { ca: options.ca }),
          ...(options.cert === undefined ? {} : { cert: options.cert }),
          ...(options.key === undefined ? {} : { key: options.key }),
          ...(options.serverName === undefined ? {} : { servername: options.serverName }),
        }, (answer) => {
          const headers = new Headers();
          for (const [name, value] of Object.entries(answer.headers)) {
            if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
          }
          const status = answer.statusCode ?? 500;
          const hasBody = status !== 204 && status !== 304;
          resolve(
            new Response(hasBody ? Readable.toWeb(answer) as ReadableStream<Uint8Array<ArrayBuffer>> : null, {
              status,
              headers,
            }),
          );
        });
        const stop = () => sent.destroy(new Error("aborted"));
        request.signal.addEventListener("abort", stop, { once: true });
        sent.on("error", reject);
        sent.on("close", () => request.signal.removeEventListener("abort", stop));
        sent.end(body);
      });
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}
