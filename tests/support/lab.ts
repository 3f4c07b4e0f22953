import { denoClock } from "../../src/platform/deno_clock.ts";
import { denoFileSystem } from "../../src/platform/deno_file_system.ts";
import { denoConnect } from "../../src/platform/deno_network.ts";
import { denoProcesses } from "../../src/platform/deno_processes.ts";
import { denoRandom } from "../../src/platform/deno_random.ts";
import type { ClusterTools, OpenKubeApi } from "../../src/platform/kube/connect_cluster.ts";
import { openCluster } from "../../src/platform/kube/connect_cluster.ts";
import { parseYaml } from "../../src/format/yaml.ts";
import { fromFileUrl } from "./paths.ts";

/** The lab's program, or `undefined` where there is none: such tests say that they are skipped. */
export function labProgram(): string | undefined {
  const path = Deno.env.get("PILOTFISH_LAB") ?? fromFileUrl(new URL("../../../shared/lab/lab", import.meta.url));
  try {
    return Deno.statSync(path).isFile ? path : undefined;
  } catch {
    return undefined;
  }
}

/** A real control plane on loopback; stopped and removed when it is disposed. */
export interface LabCluster extends AsyncDisposable {
  readonly folder: string;
  readonly kubeconfig: string;
  /** Kubeconfig with a bearer token instead of a certificate. */
  readonly tokenKubeconfig: string;
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  /** Runs another program of the lab against the cluster. */
  run(program: string, args: readonly string[]): Promise<string>;
  /** Runs Flux's controllers beside the cluster: those that are installed. */
  flux(): Promise<void>;
  /** Stops the whole control plane. */
  stop(): Promise<void>;
  /** Starts it again at the same address with what it held. */
  start(): Promise<void>;
}

/** Starts a cluster of the lab. `isBare`: API server and etcd alone. `isAudited`: each request is a line of `audit.log`. */
export async function startCluster(
  options: { readonly isBare?: boolean; readonly isAudited?: boolean } = {},
): Promise<LabCluster> {
  const program = labProgram();
  if (program === undefined) throw new Error("the lab is not here");
  const folder = await Deno.makeTempDir({ prefix: "pilotfish-lab-" });
  const bin = (await run(program, ["install"])).trim();
  const kind = options.isBare === true ? ["--bare"] : [];
  const env = options.isAudited === true ? { LAB_AUDIT: "1" } : {};
  await run(program, ["cluster", folder, ...kind], { env });
  const kubeconfig = `${folder}/kubeconfig`;
  const port = /server: "[^"]*:(\d+)"/.exec(await Deno.readTextFile(kubeconfig))?.[1] ?? "";
  return {
    folder,
    kubeconfig,
    tokenKubeconfig: `${folder}/token.kubeconfig`,
    kubectl: (args, stdin) => run(`${bin}/kubectl`, ["--kubeconfig", kubeconfig, ...args], { stdin }),
    run: (name, args) => run(`${bin}/${name}`, ["--kubeconfig", kubeconfig, ...args]),
    flux: async () => void await run(program, ["flux", folder]),
    stop: async () => void await run(program, ["stop", folder]),
    start: async () => void await run(program, ["cluster", folder, ...kind, "--port", port], { env }),
    async [Symbol.asyncDispose]() {
      await run(program, ["stop", folder]);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function run(
  command: string,
  args: readonly string[],
  options: { readonly stdin?: string | undefined; readonly env?: Record<string, string> } = {},
): Promise<string> {
  const { stdin, env = {} } = options;
  const child = new Deno.Command(command, {
    args: [...args],
    env,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  }
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** What connects to a lab's cluster. */
export const clusterTools: ClusterTools = {
  fileSystem: denoFileSystem,
  clock: denoClock,
  random: denoRandom,
  parseYaml,
  env: (name) => (name === "HOME" ? "/nowhere" : undefined),
  processes: denoProcesses,
  connect: denoConnect,
};

/** The API of a lab's cluster. */
export function connectLab(kubeconfig: string): Promise<OpenKubeApi> {
  return openCluster({ kubeconfig }, clusterTools);
}
