import { denoClock } from "../platform/deno_clock.ts";
import { denoConnect } from "../platform/deno_network.ts";
import { denoProcesses } from "../platform/deno_processes.ts";
import { unixNetwork } from "../platform/deno_server.ts";
import type { ControlClient } from "../report/control_client.ts";
import { controlClient } from "../report/control_client.ts";
import { problemText } from "../config/problem.ts";
import { readSettings } from "../config/settings.ts";
import { configPathsOf, readDocuments } from "./check_documents.ts";
import { RefusedError } from "./refused_error.ts";

/**
 * A client of the running daemon: by address, by socket, or by the settings that the daemon itself was started with.
 *
 * @throws {RefusedError} when the documents that should name it cannot be read
 */
export async function connectDaemon(place: {
  readonly configPaths: readonly string[];
  readonly socket?: string;
  readonly server?: string;
}): Promise<ControlClient> {
  if (place.server !== undefined) {
    const base = place.server.includes("://") ? place.server : `http://${place.server}`;
    const { send } = denoConnect({});
    const network = (request: Request) => {
      const { pathname, search } = new URL(request.url);
      return send(new Request(`${base.replace(/\/$/, "")}${pathname}${search}`, request));
    };
    return controlClient(network, { address: place.server, clock: denoClock });
  }
  const socket = place.socket ?? await settingsSocket(place.configPaths);
  return controlClient(unixNetwork(socket).send, { address: socket, clock: denoClock });
}

async function settingsSocket(configPaths: readonly string[]): Promise<string> {
  const paths = configPathsOf(configPaths);
  const config = "kind" in paths ? undefined : await readDocuments(paths, { noCrossNamespaceRefs: false });
  const document = config?.desired.settings;
  // What cannot be read at all was typed wrong: the daemon of the usual store would be another one.
  if (config !== undefined && document === undefined && config.desired.objects.length === 0) {
    const errors = config.problems.filter((problem) => problem.severity === "error");
    if (errors.length > 0) throw new RefusedError(errors.map(problemText).join("\n"));
  }
  const { settings } = readSettings({
    flags: {},
    env: denoProcesses.env,
    ...(document === undefined ? {} : { document }),
  });
  return settings.control.socket;
}
