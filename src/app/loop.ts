import type { DesiredState } from "../config/desired.ts";
import { referencesOf } from "../config/desired.ts";
import { lazyModule } from "../core/lazy_module.ts";
import type { Log } from "../core/log.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { References } from "../core/references.ts";
import type { Reporter } from "../core/reporter.ts";
import type { HelmReleaseSpec, Settings } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import type { Target } from "../core/target.ts";
import { absolutePath } from "../platform/deno_environment.ts";
import { checkoutPipeline } from "../reconcile/checkout.ts";
import type { Checkpoints } from "../reconcile/checkpoint.ts";
import { openCheckpoints } from "../reconcile/checkpoint.ts";
import { Engine } from "../reconcile/engine.ts";
import { kubeconfigOf } from "../reconcile/foreign_cluster.ts";
import { helmReleasePipeline } from "../reconcile/helm_release.ts";
import { hooksInSecret } from "../reconcile/release_hooks.ts";
import { targetAnnotation, withConfirmedPrune } from "../reconcile/apply_and_prune.ts";
import { kustomizationPipeline } from "../reconcile/kustomization.ts";
import type { Pipeline } from "../reconcile/pipeline.ts";
import { sourcePipeline } from "../reconcile/source_pipeline.ts";
import type { ClusterReporter } from "../target/cluster/cluster_reporter.ts";
import { buildBeside } from "./build_beside.ts";
import { openBuilders } from "./builders.ts";
import { readChartName } from "./chart_name.ts";
import { ClusterOutage } from "./cluster_outage.ts";
import { openCheckouts } from "./checkouts.ts";
import { takeChildren } from "./children.ts";
import { withDefaultAccount } from "./default_account.ts";
import { type Doors, hostDoors } from "./doors.ts";
import { KnownSecrets } from "./known_secrets.ts";
import { scratchCheckpoints } from "./preview.ts";
import { BundleReferences, contentText, firstOf } from "./references.ts";
import { directoryFacts, type ReleaseFacts } from "./release_facts.ts";
import { valueOpener } from "./sealed_values.ts";
import { outsideOf } from "./outside.ts";
import { openSources } from "./sources.ts";
import { openTargets } from "./targets.ts";
import { checkpointsWithoutSecrets, type CleanText, logWithoutSecrets } from "./without_secrets.ts";

/** Expressions of dependencies: few documents have one. */
const celModule = lazyModule(() => import("../format/cel.ts"));

/** What a loop is opened with. */
export interface LoopOptions {
  readonly settings: Settings;
  readonly desired: DesiredState;
  /** Files and folders that the documents are read from. Absent: nothing in the store counts as that of others. */
  readonly configPaths?: readonly string[];
  readonly log: Log;
  readonly reporter: Reporter;
  /** Wraps each target; a preview puts its notebook here and keeps nothing. */
  readonly preview?: (target: Target) => Target;
  /** Told where each value of a rendered release came from. */
  readonly onExplained?: (owner: ObjectKey, text: string) => void;
  /** Default: the doors of this machine. */
  readonly doors?: Doors;
  /** The program's own module: large builds run in a process started from it. Absent: every build runs here. */
  readonly buildModule?: string;
  /** Called when nothing is left to do for now. */
  readonly onQuiet?: () => void;
  /** Told all secret values that were handed to anybody, each time there is a new one: they must never be shown. */
  readonly onSecrets?: (values: readonly string[]) => void;
  /** Takes secrets out of what is logged and kept. Default: texts stay as they are. */
  readonly clean?: CleanText;
}

/** Rooms and engine, plugged together. */
export interface Loop extends AsyncDisposable {
  readonly engine: Engine;
  /** Makes a newly read state the desired one. */
  update(desired: DesiredState): void;
  /** Whether the store can be written; else why not. */
  storeFault(): string | undefined;
  /** Frees what nobody needs any more. */
  tidy(): Promise<void>;
  readonly storeBytes: () => number | undefined;
  /** Where the cluster is told what happens; `undefined` when the settings do not ask for it. */
  readonly clusterReporter: () => Promise<ClusterReporter> | undefined;
  /** Whether another daemon works in the cluster, and this one only waits for its turn. */
  readonly isStandby: () => boolean;
}

/** Milliseconds that a stop may take. */
const stopDeadlineMs = 20_000;

/** Opens rooms and engine. Nothing runs before {@linkcode Loop.update}. @throws {StageError} when the store cannot be used */
export async function openLoop(options: LoopOptions): Promise<Loop> {
  const { settings, doors = hostDoors, clean = (text) => text } = options;
  const log = logWithoutSecrets(options.log, clean);
  const isPreview = options.preview !== undefined;
  await using stack = new AsyncDisposableStack();
  let current = options.desired;
  const account = settings.target.kind === "cluster" ? settings.target.defaultServiceAccount : undefined;
  const isPruneFree = settings.target.kind === "cluster" && settings.target.noPruneGuards === true;
  const asActedOn = (object: DesiredObject) => ({
    ...withDefaultAccount(isPruneFree ? withConfirmedPrune(object) : object, account),
    ...(object.place === undefined ? {} : { origin: filePath(object.place.file) }),
  });
  const roots = options.configPaths?.map(filePath);

  const held: { engine?: Engine } = {};
  const wakeReferrers = (kind: "Secret" | "ConfigMap", namespace: string, name: string) =>
    held.engine?.wakeReferrers(kind, namespace, name);
  const bundles = new BundleReferences(wakeReferrers);
  const targets = stack.use(openTargets(settings, {
    log,
    doors,
    ...(options.preview === undefined ? { storeFolder: settings.store.path } : { wrap: options.preview }),
    onReferenceChanged: wakeReferrers,
    isReferred: (kind, namespace, name) => held.engine?.hasReferrers(kind, namespace, name) ?? true,
  }));
  const secrets = new KnownSecrets(options.onSecrets ?? (() => {}));
  const referencesFor = (object: Pick<DesiredObject, "parent">): References =>
    secrets.noting(firstOf(() => [
      referencesOf(current),
      ...(object.parent === undefined ? [] : [bundles.of(object.parent)]),
      ...targets.clusterReferences(),
    ]));
  const sources = stack.use(await openSources(settings, { log, doors, referencesOf: referencesFor, isPreview }));
  const isDirectory = (object: DesiredObject) =>
    targets.targetOf(object.annotations[targetAnnotation]).kind === "directory";
  const factsOf = async (object: DesiredObject<HelmReleaseSpec>): Promise<ReleaseFacts | undefined> => {
    const { key, spec: { serviceAccountName, kubeConfig } } = object;
    const annotation = object.annotations[targetAnnotation];
    const target = targets.targetOf(annotation);
    if (target.kind === "directory") return directoryFacts(target, key);
    return await targets.factsOf(annotation, key, {
      ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
      ...(kubeConfig === undefined
        ? {}
        : { kubeconfig: await kubeconfigOf(key.namespace, kubeConfig, referencesFor(object)) }),
    });
  };
  const reach = { outside: outsideOf(doors, settings), ...(settings.allowHttp === true ? { allowHttp: true } : {}) };
  const here = openBuilders({
    store: sources.store,
    doors,
    ...(options.onExplained === undefined ? {} : { onExplained: options.onExplained }),
    factsOf,
    isDirectory,
    ...reach,
  });
  const builders = options.buildModule === undefined ? here : stack.use(buildBeside(here, {
    module: options.buildModule,
    store: sources.store,
    storeFolder: `${settings.store.path}/store`,
    isDirectory,
    factsOf,
    ...reach,
    doors,
    log,
  }));
  const checkouts = openCheckouts({ store: sources.store, doors, isPreview });

  const stateFolder = `${settings.store.path}/state`;
  const disk = await openCheckpoints(stateFolder, {
    fileSystem: doors.fileSystem,
    isReadOnly: isPreview,
    onDamaged: (file, error) => log.error("state file set aside", { file, error: String(error) }),
  });
  const checkpoints: Checkpoints = isPreview ? scratchCheckpoints(disk.all()) : checkpointsWithoutSecrets(disk, clean);

  const applyTools = {
    targetOf: targets.targetOf,
    referencesOf: referencesFor,
    openValue: valueOpener(doors, (key, value) => secrets.add(key, value)),
  };
  // deno-lint-ignore no-explicit-any -- one list for kinds whose specs differ
  const pipelines: readonly Pipeline<any>[] = [
    sourcePipeline("OCIRepository", { store: sources.store, open: sources.open }),
    kustomizationPipeline({
      ...applyTools,
      ...(isPreview ? {} : { pins: sources.store }),
      build: builders.kustomization,
      takeChildren: (resources, parent) => {
        secrets.seeNames(resources);
        const taken = takeChildren(resources, parent, settings);
        bundles.keep(parent.key, taken.rest, taken.children.length > 0);
        return { ...taken, children: taken.children.map(asActedOn) };
      },
    }),
    helmReleasePipeline({
      ...applyTools,
      store: sources.store,
      openChart: sources.openChart,
      render: builders.helmRelease,
      readChart: (artifact) => readChartName(sources.store, artifact),
      ...(isPreview ? {} : { hookKeep: hooksInSecret }),
    }),
    checkoutPipeline(checkouts),
    passive("HelmRepository", "Its charts are pulled by the releases that use them"),
    ...["Provider", "Alert", "Receiver"].map(notBuilt),
  ];
  const outage = stack.use(
    new ClusterOutage({
      clock: doors.clock,
      random: doors.random,
      ask: targets.clusterAnswers,
      retry: (key) => held.engine?.retry(key),
    }),
  );
  const running = new Engine({
    clock: doors.clock,
    random: doors.random,
    log,
    reporter: options.reporter,
    checkpoints,
    pipelines: pipelines.map((pipeline) => outage.noting(pipeline)),
    concurrency: settings.concurrency,
    evaluate: (expression, variables) => {
      const { compileCel, evaluateCelBoolean } = celModule();
      return evaluateCelBoolean(compileCel(expression, Object.keys(variables)), variables);
    },
    ...(options.onQuiet === undefined ? {} : { onQuiet: options.onQuiet }),
  });
  held.engine = running;
  const owned = stack.move();

  return {
    engine: running,
    update(desired) {
      const changed = changedData(current, desired);
      current = desired;
      secrets.take(desired);
      running.update([...desired.objects.map(asActedOn), ...desired.notifications], {
        complete: desired.isComplete && !isPreview,
        ...(roots === undefined ? {} : { covers: (file) => roots.some((root) => isAtOrBelow(file, root)) }),
      });
      for (const { kind, namespace, name } of changed) {
        if (kind === "Secret" || kind === "ConfigMap") running.wakeReferrers(kind, namespace, name);
      }
    },
    storeFault: sources.fault,
    storeBytes: sources.sizeBytes,
    clusterReporter: targets.clusterReporter,
    isStandby: targets.isStandby,
    tidy: async () => {
      if (!isPreview) await sources.store.collect();
    },
    async [Symbol.asyncDispose]() {
      await running.stop(stopDeadlineMs);
      await owned.disposeAsync();
    },
  };
}

/** A path of documents as it is kept; standard input has none. */
function filePath(path: string): string {
  return path === "-" ? path : absolutePath(path);
}

/** Whether a file is `root` or stands below it. */
function isAtOrBelow(file: string, root: string): boolean {
  return file === root || file.startsWith(root.endsWith("/") ? root : `${root}/`);
}

/** Secrets and ConfigMaps whose content differs between two states. */
function changedData(before: DesiredState, after: DesiredState) {
  const keys = [];
  for (const [name, document] of after.data) {
    if (contentText(before.data.get(name)?.data) !== contentText(document.data)) keys.push(document.key);
  }
  for (const [name, document] of before.data) if (!after.data.has(name)) keys.push(document.key);
  return keys;
}

/** A kind that does nothing by itself. */
function passive(kind: string, message: string): Pipeline<unknown> {
  return {
    kind,
    run: () => Promise.resolve({ record: {}, reason: "Succeeded", message, events: [], warnings: [] }),
    remove: () => Promise.resolve(),
  };
}

/** A kind that is read and checked, and whose work is not built: it says so in its status. */
function notBuilt(kind: string): Pipeline<unknown> {
  return {
    kind,
    run: (run) =>
      Promise.reject(
        new StageError("NotBuiltYet", `Cannot act on ${keyText(run.object.key)}: kind "${kind}" is not built yet`, {
          hint: "The document is checked and kept; remove it to silence this",
        }),
      ),
    remove: () => Promise.resolve(),
  };
}
