import type { Hono } from "hono";
import type { EngineControl } from "../core/control.ts";
import type { Log } from "../core/log.ts";
import type { Settings } from "../core/specs.ts";
import { asStageError } from "../core/stage_error.ts";
import { absolutePath } from "../platform/deno_environment.ts";
import { denoFileSystem } from "../platform/deno_file_system.ts";
import { type RunningServer, serveTcp, serveUnix } from "../platform/deno_server.ts";
import { controlApp, openApp, type OpenTools } from "../report/http.ts";
import { ControlSocket } from "./control_socket.ts";
import { RefusedError } from "./refused_error.ts";

/** What the servers show, and whom they take orders for. */
export interface ServerTools {
  readonly open: OpenTools;
  readonly engine: EngineControl;
  readonly log: Log;
}

/** Servers that run; `socket` is among `servers`, and is made anew when its file is removed. */
export interface OpenServers {
  readonly servers: readonly RunningServer[];
  readonly socket?: ControlSocket;
}

/**
 * Opens what the settings ask for: the open port, the socket for orders, the guarded port for orders.
 *
 * @throws {StageError} InvalidDocument with the flag that names an address or path which the system refuses
 * @throws {RefusedError} for a token that is too short
 */
export async function openServers(settings: Settings, { open, engine, log }: ServerTools): Promise<OpenServers> {
  const servers: RunningServer[] = [];
  let socket: ControlSocket | undefined;
  const handle = (app: Hono) => (request: Request) => app.fetch(request);
  if (settings.listen !== "off") {
    const isLocal = /^(?:127\.|localhost$|::1$)/.test(addressOf(settings.listen).hostname);
    const server = listening("--listen", settings.listen, handle(openApp({ ...open, isLocal })));
    servers.push(server);
    log.info("status served", { address: `http://${server.address}/` });
  }
  const control = controlApp({ ...open, engine });
  if (settings.control.socket !== "off") {
    const path = absolutePath(settings.control.socket);
    try {
      socket = await ControlSocket.open(handle(control), path, { fileSystem: denoFileSystem, serve: serveUnix });
    } catch (error) {
      throw asStageError(error, "InvalidDocument", `Cannot take orders on "${path}"`, {
        hint: "Name another socket in --socket, in a folder that Pilotfish may write to, or off",
      });
    }
    servers.push(socket);
  }
  if (settings.control.listen !== undefined && settings.control.tokenFile !== undefined) {
    const token = (await denoFileSystem.readText(settings.control.tokenFile))?.trim() ?? "";
    if (token.length < 16) {
      throw new RefusedError(`Cannot use the token in "${settings.control.tokenFile}": it needs 16 characters`);
    }
    const guarded = controlApp({ ...open, engine, token });
    servers.push(listening("--control-listen", settings.control.listen, handle(guarded)));
  }
  return { servers, ...(socket === undefined ? {} : { socket }) };
}

/** Serves on an address. @throws {StageError} with the flag that names it, when the system refuses it */
function listening(flag: string, address: string, handle: (request: Request) => Response | Promise<Response>) {
  try {
    return serveTcp(handle, addressOf(address));
  } catch (error) {
    throw asStageError(error, "InvalidDocument", `Cannot listen on "${address}"`, {
      hint: (error as { readonly code?: unknown }).code === "EACCES"
        ? `Ports below 1024 are not for everybody: name another address in ${flag}`
        : `Is another program there, perhaps a Pilotfish? Name another address in ${flag}`,
    });
  }
}

function addressOf(text: string): { readonly hostname: string; readonly port: number } {
  const colon = text.lastIndexOf(":");
  return { hostname: text.slice(0, colon).replace(/^\[|\]$/g, "") || "0.0.0.0", port: Number(text.slice(colon + 1)) };
}
