import type { Artifact, ArtifactStore } from "../core/artifact.ts";
import type { BuildResult } from "../core/builder.ts";
import { silentLog } from "../core/log.ts";
import type { DesiredObject } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Reason } from "../core/reason.ts";
import { messageOf, StageError } from "../core/stage_error.ts";
import { openWorkerThread, serveCalls, type WorkerThread } from "../platform/deno_worker.ts";
import type { ReleaseBuild, RenderedRelease } from "../reconcile/helm_release.ts";
import type { KustomizationBuild } from "../reconcile/kustomization.ts";
import { openStore } from "../source/store/open_store.ts";
import { type Builders, openBuilders } from "./builders.ts";
import { hostDoors } from "./doors.ts";

/** Layers of fewer bytes are built on the main thread. */
const largeLayerBytes = 256 * 1024;
/** Documents of a tree from which on a build is sent away: other files cost a build nothing, a worker costs 30 MB. */
const largeDocumentsBytes = 1024 * 1024;
/** Charts of at least this many bytes are rendered beside the main thread: rendering costs more per byte. */
const largeChartBytes = 100 * 1024;
/** Milliseconds of a build without a limit of its own. */
const longestBuildMs = 300_000;

/** A build as it is sent: values only. */
type Order =
  & { readonly storeFolder: string; readonly isDirectory: boolean }
  & (
    | { readonly kind: "kustomization"; readonly request: KustomizationBuild }
    | { readonly kind: "helmRelease"; readonly request: ReleaseBuild }
  );

/** What comes back; an error loses its class on the way, so its parts are sent. */
type Answer =
  | { readonly kind: "built"; readonly result: BuildResult | RenderedRelease }
  | { readonly kind: "failed"; readonly reason: Reason; readonly message: string; readonly hint: string };

/** What says whether a build may leave the main thread, and from where. */
export interface BuildWorkerOptions {
  /** Module that serves builds when it is started as a worker: the program itself. */
  readonly module: string;
  readonly store: ArtifactStore;
  /** The store's folder, which the worker opens for reading. */
  readonly storeFolder: string;
  readonly isDirectory: (object: DesiredObject) => boolean;
  /** Whether a release's templates may ask the cluster: that stays on the main thread, where its connection is. */
  readonly asksCluster: (request: ReleaseBuild) => boolean;
}

/**
 * Builders that hand large builds to one worker, so that status and probes are answered meanwhile. What needs keys, the
 * network or a cluster is built here, by `inner`; so is what cannot be sent.
 */
export function buildBeside(inner: Builders, options: BuildWorkerOptions): Builders & Disposable {
  const thread = openWorkerThread(options.module);
  const place = (object: DesiredObject) => ({
    storeFolder: options.storeFolder,
    isDirectory: options.isDirectory(object),
  });
  return {
    async kustomization(request, signal) {
      const { object, artifact } = request;
      if (object.spec.decryption !== undefined || !await hasManyDocuments(artifact, options.store)) {
        return await inner.kustomization(request, signal);
      }
      const order: Order = { ...place(object), kind: "kustomization", request };
      return await send(thread, order, signal) ?? await inner.kustomization(request, signal);
    },
    async helmRelease(request, signal) {
      if (request.artifact.sizeBytes < largeChartBytes || options.asksCluster(request)) {
        return await inner.helmRelease(request, signal);
      }
      const order: Order = { ...place(request.object), kind: "helmRelease", request };
      const result = await send(thread, order, signal) as RenderedRelease | undefined;
      return result ?? await inner.helmRelease(request, signal);
    },
    [Symbol.dispose]: () => thread[Symbol.dispose](),
  };
}

async function hasManyDocuments(artifact: Artifact, store: ArtifactStore): Promise<boolean> {
  if (artifact.sizeBytes < largeLayerBytes) return false;
  using tree = await store.openTree(artifact);
  let sizeBytes = 0;
  for (const file of tree.files()) if (/\.(?:ya?ml|json)$/.test(file.path)) sizeBytes += file.sizeBytes;
  return sizeBytes >= largeDocumentsBytes;
}

/** @returns `undefined` when the order holds something that cannot be sent */
async function send(thread: WorkerThread, order: Order, signal: AbortSignal): Promise<BuildResult | undefined> {
  const { object } = order.request;
  const { timeoutMs } = object.spec as { readonly timeoutMs?: number };
  let answer: Answer;
  try {
    answer = await thread.call(order, { signal, timeoutMs: timeoutMs ?? longestBuildMs }) as Answer;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof DOMException && error.name === "DataCloneError") return undefined;
    throw new StageError("BuildFailed", `Cannot build ${keyText(object.key)}: ${messageOf(error)}`, { cause: error });
  }
  if (answer.kind === "built") return answer.result;
  throw new StageError(answer.reason, answer.message, { hint: answer.hint });
}

/** Serves builds: what the program does when it is started as a worker of itself. */
export function serveBuilds(): void {
  serveCalls((value) => build(value as Order));
}

async function build(order: Order): Promise<Answer> {
  const never = new AbortController().signal;
  try {
    await using store = await openStore(order.storeFolder, {
      fileSystem: hostDoors.fileSystem,
      clock: hostDoors.clock,
      log: silentLog,
      maxSizeBytes: Number.MAX_SAFE_INTEGER,
      history: 1,
      access: "read",
    }).then((opened) => ({ opened, [Symbol.asyncDispose]: () => opened.close() }));
    const builders = openBuilders({
      store: store.opened,
      doors: hostDoors,
      isDirectory: () => order.isDirectory,
      factsOf: () => undefined,
    });
    const result = order.kind === "kustomization"
      ? await builders.kustomization(order.request, never)
      : await builders.helmRelease(order.request, never);
    return { kind: "built", result };
  } catch (error) {
    return error instanceof StageError
      ? { kind: "failed", reason: error.reason, message: messageOf(error), hint: error.hint }
      : { kind: "failed", reason: "BuildFailed", message: messageOf(error), hint: "" };
  }
}
