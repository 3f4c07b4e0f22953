import type { Network } from "../core/network.ts";
import type { FileSystem } from "../core/file_system.ts";
import type { RunningServer } from "../platform/deno_server.ts";

/** What a {@linkcode ControlSocket} works with. */
export interface ControlSocketTools {
  readonly fileSystem: Pick<FileSystem, "stat">;
  readonly serve: (handle: Network, path: string) => Promise<RunningServer>;
}

/** The socket for orders. Its file can be removed with the store's folder while the daemon runs: it is then made anew. */
export class ControlSocket {
  readonly address: string;
  readonly #handle: Network;
  readonly #tools: ControlSocketTools;
  #server: RunningServer;

  private constructor(handle: Network, server: RunningServer, tools: ControlSocketTools) {
    this.address = server.address;
    this.#handle = handle;
    this.#server = server;
    this.#tools = tools;
  }

  /** Serves on a path. @throws when it cannot be served there */
  static async open(handle: Network, path: string, tools: ControlSocketTools): Promise<ControlSocket> {
    return new ControlSocket(handle, await tools.serve(handle, path), tools);
  }

  /** Serves again when the socket's file is gone. */
  async restore(): Promise<void> {
    if (await this.#tools.fileSystem.stat(this.address) !== undefined) return;
    await this.#server.close(0);
    this.#server = await this.#tools.serve(this.#handle, this.address);
  }

  /** As {@linkcode RunningServer.close}. */
  close(graceMs: number): Promise<void> {
    return this.#server.close(graceMs);
  }
}
