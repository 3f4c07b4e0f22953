import { denoClock } from "../../src/platform/deno_clock.ts";
import { denoConnect, denoLookup } from "../../src/platform/deno_network.ts";
import { denoRandom } from "../../src/platform/deno_random.ts";
import type { Network } from "../../src/core/network.ts";
import { RegistryClient } from "../../src/source/registry/registry_client.ts";
import { labProgram } from "./lab.ts";

/** A real registry on loopback; stopped and removed when it is disposed. */
export interface LabRegistry extends AsyncDisposable {
  readonly host: string;
  readonly folder: string;
  /** Runs a program of the lab, for example `crane`. @returns what it printed */
  run(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
}

/** Starts a registry of the lab. `arguments`: `--tls`, `--htpasswd USER:PASSWORD`, `--referrers`. */
export async function startRegistry(flags: readonly string[] = []): Promise<LabRegistry> {
  const lab = labProgram();
  if (lab === undefined) throw new Error("the lab is not here");
  const folder = await Deno.makeTempDir({ prefix: "pilotfish-registry-" });
  const bin = (await run(lab, ["install"])).trim();
  const host = (await run(lab, ["registry", folder, ...flags])).trim();
  return {
    host,
    folder,
    run: (program, args, env) => run(`${bin}/${program}`, args, { HOME: folder, DOCKER_CONFIG: folder, ...env }),
    async [Symbol.asyncDispose]() {
      await run(lab, ["stop", folder]);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A client of the host's network. `seen` counts requests. */
export function openLabClient(seen: string[] = []): RegistryClient {
  return new RegistryClient({
    connect: (options) => {
      const network = denoConnect(options);
      const send: Network = (request) => {
        seen.push(`${request.method} ${new URL(request.url).pathname}`);
        return network.send(request);
      };
      return { send, [Symbol.dispose]: () => network[Symbol.dispose]() };
    },
    clock: denoClock,
    random: denoRandom,
    lookup: denoLookup,
  });
}

async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
