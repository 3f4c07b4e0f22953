import { isClusterLogin, parseClusterLogin } from "../core/cluster_login.ts";
import type { Log } from "../core/log.ts";
import type { References } from "../core/references.ts";
import type { TargetSettings } from "../core/specs.ts";
import type { Target } from "../core/target.ts";
import { parseYaml } from "../format/yaml.ts";
import type { ClusterTools, OpenKubeApi } from "../platform/kube/connect_cluster.ts";
import { ClusterIdentity } from "../target/cluster/cluster_identity.ts";
import { type ClusterReferences, clusterReferences } from "../target/cluster/cluster_references.ts";
import { type ClusterReporter, clusterReporter } from "../target/cluster/cluster_reporter.ts";
import { type ClusterTarget, clusterTarget } from "../target/cluster/cluster_target.ts";
import { type OpenLease, openLease } from "../target/cluster/lease.ts";
import type { Doors } from "./doors.ts";
import { LazyTarget } from "./lazy_target.ts";

/** What clusters are opened with. */
export interface ClusterOptions {
  readonly doors: Doors;
  /** Folder of the store, where the key of what clusters keep stands; absent for a preview. */
  readonly storeFolder?: string;
  readonly log: Log;
  readonly onReferenceChanged: (kind: "Secret" | "ConfigMap", namespace: string, name: string) => void;
  /** Whether a document names it, so that a change of it wakes somebody. */
  readonly isReferred: (kind: "Secret" | "ConfigMap", namespace: string, name: string) => boolean;
}

/** A cluster as target and as a place to look things up. */
interface OpenCluster {
  readonly target: Target;
  readonly references: References;
  /** Where the cluster is told what happens; `undefined` when the settings do not ask for it. */
  reporter(): Promise<ClusterReporter> | undefined;
  /** Asks it something. @throws while it is away */
  answers(signal: AbortSignal): Promise<unknown>;
  /** What templates may ask of the cluster that an owner's resources go to ({@linkcode ClusterTarget.facts}). */
  readonly facts: ClusterTarget["facts"];
}

/** Clusters by settings, connected when first used. */
export interface Clusters {
  open(place: Extract<TargetSettings, { kind: "cluster" }>): OpenCluster;
  /** Whether another process works in one of them, and this one only waits for its turn. */
  readonly isStandby: boolean;
  close(): Promise<void>;
}

/** Name of the Lease that keeps two daemons from writing at the same time. */
const leaseName = "pilotfish";

/** Opens clusters on demand. A cluster that cannot be reached is tried again with the next use. */
export function openClusters(options: ClusterOptions): Clusters {
  const { doors, log } = options;
  const tools: ClusterTools = { ...doors, parseYaml, env: doors.processes.env };
  const opened = new Map<string, OpenCluster>();
  const leases: OpenLease[] = [];
  const closing: (() => Promise<void> | void)[] = [];

  const connect = async (place: Extract<TargetSettings, { kind: "cluster" }>) => {
    const kube = await import("../platform/kube/connect_cluster.ts");
    const connection: OpenKubeApi = await (doors.openCluster?.(place) ?? kube.openCluster(place, tools));
    const { api } = connection;
    const lease: OpenLease | undefined = place.noLease === true ? undefined : openLease(api, {
      namespace: api.namespace,
      name: leaseName,
      identity: `${doors.processes.env("HOSTNAME") ?? "pilotfish"}-${hex(doors.random.bytes(6))}`,
      clock: doors.clock,
      random: doors.random,
      log,
    });
    const leased = lease === undefined ? {} : { lease };
    if (lease !== undefined) leases.push(lease);
    const target: ClusterTarget = clusterTarget({
      api,
      digestKey: await digestKey(options),
      clock: doors.clock,
      random: doors.random,
      ...leased,
      guards: place.noPruneGuards !== true,
      ownership: place.ownership ?? "flux",
      openCluster: (kubeconfig) =>
        doors.openForeignCluster !== undefined
          ? doors.openForeignCluster(kubeconfig)
          : isClusterLogin(kubeconfig)
          ? kube.openClusterByAccount(parseClusterLogin(kubeconfig), api, tools)
          : kube.openForeignCluster(kubeconfig, tools),
    });
    const references: ClusterReferences = clusterReferences(api, {
      clock: doors.clock,
      random: doors.random,
      onChange: ({ kind, namespace, name }) => options.onReferenceChanged(kind, namespace, name),
      isReferred: ({ kind, namespace, name }) => options.isReferred(kind, namespace, name),
    });
    const reporter: ClusterReporter = clusterReporter(api, {
      clock: doors.clock,
      log,
      events: place.events ?? false,
      status: place.status ?? false,
      ...leased,
    });
    closing.push(async () => {
      await reporter[Symbol.asyncDispose]();
      references[Symbol.dispose]();
      target[Symbol.dispose]();
      await lease?.[Symbol.asyncDispose]();
      connection[Symbol.dispose]();
    });
    return { target, references, reporter, identity: new ClusterIdentity(api, doors.clock) };
  };

  return {
    open(place) {
      const name = JSON.stringify(place);
      const known = opened.get(name);
      if (known !== undefined) return known;
      let connected: ReturnType<typeof connect> | undefined;
      const ready = () => {
        connected ??= connect(place).catch((error: unknown) => {
          connected = undefined;
          throw error;
        });
        return connected;
      };
      const made: OpenCluster = {
        target: new LazyTarget("cluster", place.ownership ?? "flux", async () => (await ready()).target),
        reporter: () => place.events === true || place.status === true ? ready().then((it) => it.reporter) : undefined,
        answers: async (signal) => {
          const { identity } = await ready();
          identity.forget();
          return await identity.read(signal);
        },
        facts: async (owner, identity) => (await ready()).target.facts(owner, identity),
        references: {
          secret: async (namespace, secret) => (await ready()).references.secret(namespace, secret),
          configMap: async (namespace, configMap) => (await ready()).references.configMap(namespace, configMap),
          imagePullSecrets: async (namespace, account) =>
            (await ready()).references.imagePullSecrets(namespace, account),
        },
      };
      opened.set(name, made);
      return made;
    },
    get isStandby() {
      return leases.some((lease) => lease.isStandby);
    },
    async close() {
      for (const close of closing.reverse()) await close();
    },
  };
}

/** The key of the digests that a cluster keeps, made with the first use. Without a disk it lasts as long as we run. */
async function digestKey({ doors, log, storeFolder }: ClusterOptions): Promise<string> {
  const made = hex(doors.random.bytes(32));
  if (storeFolder === undefined) return made;
  const path = `${storeFolder}/digest.key`;
  try {
    const kept = (await doors.fileSystem.readText(path))?.trim() ?? "";
    if (/^[0-9a-f]{64}$/.test(kept)) return kept;
    await doors.fileSystem.makeFolder(storeFolder);
    await doors.fileSystem.writeAtomic(path, `${made}\n`, { mode: 0o600 });
  } catch (error) {
    log.warn("key of inventory digests not kept: a restart compares everything", { path, error: String(error) });
  }
  return made;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
