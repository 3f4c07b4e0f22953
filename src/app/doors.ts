import type { Clock } from "../core/clock.ts";
import type { FileSystem } from "../core/file_system.ts";
import type { Connect, Lookup } from "../core/network.ts";
import type { Processes } from "../core/process.ts";
import type { Random } from "../core/random.ts";
import { denoClock } from "../platform/deno_clock.ts";
import { denoFileSystem } from "../platform/deno_file_system.ts";
import { denoConnect, denoLookup } from "../platform/deno_network.ts";
import { denoProcesses } from "../platform/deno_processes.ts";
import { denoRandom } from "../platform/deno_random.ts";
import type { ClusterPlace, OpenKubeApi } from "../platform/kube/connect_cluster.ts";

/** Everything through which the loop reaches outside; tests put their own in place. */
export interface Doors {
  readonly clock: Clock;
  readonly random: Random;
  readonly fileSystem: FileSystem;
  readonly connect: Connect;
  readonly lookup: Lookup;
  readonly processes: Processes;
  /** Opens the cluster of the settings. Default: over the network, by kubeconfig or the Pod's account. */
  readonly openCluster?: (place: ClusterPlace) => Promise<OpenKubeApi>;
  /** Opens the cluster of `spec.kubeConfig`. Default: over the network. */
  readonly openForeignCluster?: (kubeconfig: string) => Promise<OpenKubeApi>;
}

/** The doors of this machine. */
export const hostDoors: Doors = {
  clock: denoClock,
  random: denoRandom,
  fileSystem: denoFileSystem,
  connect: denoConnect,
  lookup: denoLookup,
  processes: denoProcesses,
};
