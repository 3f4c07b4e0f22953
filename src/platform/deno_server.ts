import type { Network } from "../core/network.ts";

/** Something that answers requests until it is closed. */
export interface RunningServer {
  /** `host:port`, or the socket's path. */
  readonly address: string;
  /** Takes no more requests and ends when those under way are answered, or at once after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Serves on a TCP address. Port 0 takes a free one. @throws when the address is taken */
export function serveTcp(
  handle: Network,
  address: { readonly hostname: string; readonly port: number },
): RunningServer {
  const server = Deno.serve({ ...address, onListen: () => {} }, (request) => handle(request));
  const { hostname, port } = server.addr;
  return { address: `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`, close: closing(server) };
}

/**
 * Serves on a unix socket that only this user may open (mode 0600). A socket that a dead process left is replaced.
 *
 * @throws when another program listens there, or something else than a socket is there
 */
export async function serveUnix(handle: Network, path: string): Promise<RunningServer> {
  await removeDead(path);
  const before = Deno.umask(0o177);
  let server: Deno.HttpServer<Deno.UnixAddr>;
  try {
    server = Deno.serve({ path, onListen: () => {} }, (request) => handle(request));
  } finally {
    Deno.umask(before);
  }
  await Deno.chmod(path, 0o600);
  const close = closing(server);
  return {
    address: path,
    close: async (graceMs) => {
      await close(graceMs);
      await Deno.remove(path).catch(() => {});
    },
  };
}

/** Removes a socket that nobody listens on. */
async function removeDead(path: string): Promise<void> {
  const info = await Deno.lstat(path).catch(() => undefined);
  if (info === undefined) return;
  if (info.isSocket !== true) throw new Error("what is there is no socket");
  const answers = await Deno.connect({ transport: "unix", path }).then((other) => {
    other.close();
    return true;
  }, () => false);
  if (answers) throw new Error("another program listens there");
  await Deno.remove(path);
}

/** A network whose requests all go to a unix socket. */
export function unixNetwork(path: string): { readonly send: Network } & Disposable {
  const client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
  return {
    send: (request) => fetch(request, { client }),
    [Symbol.dispose]: () => client.close(),
  };
}

function closing(server: Deno.HttpServer<Deno.Addr>): (graceMs: number) => Promise<void> {
  return async (graceMs) => {
    const timer = Promise.withResolvers<void>();
    const handle = setTimeout(timer.resolve, graceMs);
    await Promise.race([server.shutdown(), timer.promise]);
    clearTimeout(handle);
  };
}
