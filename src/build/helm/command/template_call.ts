import type { Clock } from "../../../core/clock.ts";
import type { Random } from "../../../core/random.ts";
import type { ChartReference, PulledChart } from "../chart/chart_reference.ts";
import type { ChartFiles } from "../chart/chart_folder.ts";
import type { Dialect } from "../dialect.ts";
import type { WorldTools } from "../release/inputs.ts";
import type { RenderLimits } from "../template/run.ts";
import type { ClusterDoor, KubeFlags } from "./cluster_door.ts";
import type { ParsedFlags } from "./parse_flags.ts";
import type { Printout } from "./printout.ts";

/** What the command may use. */
export interface TemplateDoors {
  readonly files: ChartFiles;
  readonly clock: Clock;
  readonly random: Random;
  /** Standard input, for `-f -`. Absent: empty. */
  readonly readStdin?: () => Promise<Uint8Array>;
  /** The packed chart of a reference. Absent: charts come from folders and archives only. */
  readonly pullChart?: (reference: ChartReference, signal?: AbortSignal) => Promise<PulledChart>;
  /** Opens the cluster that flags name; it is closed when the command ends. Absent: no cluster can be asked. */
  readonly openCluster?: (flags: KubeFlags, signal?: AbortSignal) => Promise<ClusterDoor>;
  /** Answers `getHostByName` for `--enable-dns`. Absent: always "". */
  readonly resolveHost?: WorldTools["resolveHost"];
  /** Reads schemas for `--allow-http`. Absent: none are read. */
  readonly readSchema?: WorldTools["readSchema"];
  /** Namespace of the kubeconfig's context, which nobody connects to. Absent: `default`. */
  readonly contextNamespace?: (flags: KubeFlags) => Promise<string | undefined>;
  /** Value of an environment variable: `HELM_NAMESPACE`, `HELM_DEBUG`, `HELM_KUBE…`. */
  readonly environment?: (name: string) => string | undefined;
  /** Makes random values and the time of a render repeatable. */
  readonly seed?: string;
  /** What the render may use. Default: the engine's limits. A render beyond limits that are given here throws. */
  readonly limits?: RenderLimits;
  readonly signal?: AbortSignal;
}

/** One call of the command: what was written, what it may use, and where its texts go. */
export interface TemplateCall {
  readonly flags: ParsedFlags;
  readonly dialect: Dialect;
  readonly doors: TemplateDoors;
  readonly printout: Printout;
}
