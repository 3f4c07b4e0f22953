import type { Log } from "../core/log.ts";
import type { ObjectKey } from "../core/object.ts";
import type { References } from "../core/references.ts";
import type { Settings, TargetSettings } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import type { Target, TargetOptions as ApplyOptions } from "../core/target.ts";
import { absolutePath } from "../platform/deno_environment.ts";
import type { Doors } from "./doors.ts";
import type { ClusterReporter } from "../target/cluster/cluster_reporter.ts";
import type { ClusterFacts } from "../target/cluster/cluster_facts.ts";
import { openClusters } from "./clusters.ts";
import { DirectoryTarget } from "../target/directory/directory.ts";
import { Ownership } from "../target/directory/ownership.ts";

/** What targets are opened with. */
export interface TargetOptions {
  readonly log: Log;
  readonly doors: Doors;
  /** Folder of the store; absent for a preview. */
  readonly storeFolder?: string;
  readonly wrap?: (target: Target) => Target;
  readonly onReferenceChanged: (kind: "Secret" | "ConfigMap", namespace: string, name: string) => void;
  /** Whether a document names it, so that a change of it wakes somebody. */
  readonly isReferred: (kind: "Secret" | "ConfigMap", namespace: string, name: string) => boolean;
}

/** Targets, each opened when it is first used and kept. */
export interface Targets extends AsyncDisposable {
  /** The target of an annotation's text (`cluster`, `directory:PATH`), or the default one. @throws {StageError} InvalidDocument */
  readonly targetOf: (annotation: string | undefined) => Target;
  /** What templates may ask of the cluster that an object goes to; `undefined` for a directory. */
  readonly factsOf: (
    annotation: string | undefined,
    owner: ObjectKey,
    identity: Pick<ApplyOptions, "kubeconfig" | "serviceAccountName">,
  ) => Promise<ClusterFacts> | undefined;
  /** Asks our cluster something, which fails while it is away; `undefined` where there is none. */
  readonly clusterAnswers: (signal: AbortSignal) => Promise<unknown> | undefined;
  /** Look-up of Secrets and ConfigMaps in the cluster, where there is one. */
  readonly clusterReferences: () => readonly References[];
  /** Where the cluster is told what happens; `undefined` when the settings do not ask for it. */
  readonly clusterReporter: () => Promise<ClusterReporter> | undefined;
  /** Whether another daemon works in the cluster, and this one only waits for its turn. */
  readonly isStandby: () => boolean;
}

/** Opens targets on demand. */
export function openTargets(settings: Settings, options: TargetOptions): Targets {
  const open = new Map<string, Target>();
  const clusters = openClusters(options);
  const { fileSystem } = options.doors;
  /** By folder: several targets may write to one, in different layouts. */
  const ownerships = new Map<string, Ownership>();
  const make = (wanted: TargetSettings): Target => {
    if (wanted.kind === "directory") {
      const folder = absolutePath(wanted.path);
      const ownership = ownerships.get(folder) ?? new Ownership(folder, fileSystem);
      ownerships.set(folder, ownership);
      return new DirectoryTarget(folder, { fileSystem, layout: wanted.layout, ownership });
    }
    return clusters.open(wanted).target;
  };
  return {
    targetOf(annotation) {
      const wanted = annotation === undefined ? settings.target : parseTarget(annotation, settings);
      const name = JSON.stringify(wanted);
      const known = open.get(name);
      if (known !== undefined) return known;
      const made = make(wanted);
      const target = options.wrap === undefined ? made : options.wrap(made);
      open.set(name, target);
      return target;
    },
    factsOf(annotation, owner, identity) {
      const wanted = annotation === undefined ? settings.target : parseTarget(annotation, settings);
      return wanted.kind === "cluster" ? clusters.open(wanted).facts(owner, identity) : undefined;
    },
    clusterAnswers: (signal) =>
      settings.target.kind === "cluster" ? clusters.open(settings.target).answers(signal) : undefined,
    clusterReferences: () => settings.target.kind === "cluster" ? [clusters.open(settings.target).references] : [],
    clusterReporter: () => settings.target.kind === "cluster" ? clusters.open(settings.target).reporter() : undefined,
    isStandby: () => clusters.isStandby,
    [Symbol.asyncDispose]: () => clusters.close(),
  };
}

/** Target of an annotation: `cluster`, or `directory:PATH` with a layout behind `,layout=`. */
export function parseTarget(text: string, settings: Settings): TargetSettings {
  if (text === "cluster") return settings.target.kind === "cluster" ? settings.target : { kind: "cluster" };
  const match = /^directory:(.+?)(?:,layout=(tree|static-pods|k3s))?$/.exec(text);
  if (match?.[1] === undefined) {
    throw new StageError("InvalidDocument", `Cannot use target "${text}": it must be "cluster" or "directory:PATH"`, {
      hint: 'Correct the annotation pilotfish.dev/target; a layout is written "directory:PATH,layout=static-pods"',
    });
  }
  return { kind: "directory", path: match[1], layout: (match[2] ?? "tree") as "tree" };
}
