import { ChartCache } from "../build/helm/helm.ts";
import type { Capabilities } from "../build/helm/release/capabilities.ts";
import { type KnownAnswer, maxRounds } from "../build/helm/release/inputs.ts";
import { type InputRequest, MissingInput } from "../build/helm/render_tools.ts";
import { RenderLimitError, type RenderLimits } from "../build/helm/template/run.ts";
import type { Artifact, ArtifactStore } from "../core/artifact.ts";
import type { BuildResult } from "../core/builder.ts";
import { silentLog } from "../core/log.ts";
import type { DesiredObject } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Reason } from "../core/reason.ts";
import { messageOf, StageError } from "../core/stage_error.ts";
import { memoryLimitBytes, residentBytes } from "../platform/deno_environment.ts";
import { openWorkerThread, serveCalls, WorkerLimitError, type WorkerThread } from "../platform/deno_worker.ts";
import type { ReleaseBuild, RenderedRelease } from "../reconcile/release_order.ts";
import type { KustomizationBuild } from "../reconcile/kustomization.ts";
import { openStore } from "../source/store/open_store.ts";
import { type BuilderOptions, type Builders, openBuilders } from "./builders.ts";
import { type Doors, hostDoors } from "./doors.ts";
import type { ReleaseFacts } from "./release_facts.ts";

/** Layers of fewer bytes are built on the main thread. */
const largeLayerBytes = 256 * 1024;
/** Documents of a tree from which on a build is sent away: other files cost a build nothing, a worker costs 30 MB. */
const largeDocumentsBytes = 1024 * 1024;
/** Charts of at least this many bytes are rendered beside the main thread: rendering costs more per byte. */
const largeChartBytes = 100 * 1024;
/** Files of a chart from which on it is rendered there too, however well they compress. */
const largeFilesBytes = 1024 * 1024;
const mebi = 1024 * 1024;
/** What a render may use on the main thread: some tenths of a second, some tens of megabytes. */
const shortRender: RenderLimits = {
  steps: 2_000_000,
  outputLength: 4 * mebi,
  madeLength: 16 * mebi,
  callLength: mebi,
  slowMs: 100,
  timeMs: 400,
};
/** Milliseconds of a build without a limit of its own. */
const longestBuildMs = 300_000;
/** Bytes by which a build in the worker may let the process grow. The largest charts in use take 300 MB. */
const usualGrowthBytes = 1024 * mebi;
/** The same where the machine gives the process little: so much of it may be used in all, and so much at least is tried. */
const maxShare = 0.85;
const leastGrowthBytes = 96 * mebi;

/** A build as it is sent: values only. */
type Order =
  & { readonly storeFolder: string; readonly isDirectory: boolean; readonly allowHttp: boolean }
  & (
    | { readonly kind: "kustomization"; readonly request: KustomizationBuild }
    | { readonly kind: "helmRelease"; readonly request: ReleaseBuild; readonly world: RenderWorld }
  );

/** Everything of the world that a render takes part of: the same in each of its rounds but for the answers. */
interface RenderWorld {
  readonly nowMs: number;
  readonly seed: Uint8Array<ArrayBuffer>;
  readonly capabilities?: Capabilities;
  /** Absent: nobody can be asked, and `lookup` is empty. */
  readonly known?: readonly KnownAnswer[];
}

/** What comes back; an error loses its class on the way, so its parts are sent. */
type Answer =
  | { readonly kind: "built"; readonly result: BuildResult | RenderedRelease }
  /** A template asks for what only the main thread can fetch: the render is to be sent again with the answer. */
  | { readonly kind: "missing"; readonly request: InputRequest }
  | { readonly kind: "failed"; readonly reason: Reason; readonly message: string; readonly hint: string };

/** What says whether a build may leave the main thread, and from where. */
export interface BuildWorkerOptions {
  /** Module that serves builds when it is started as a worker: the program itself. */
  readonly module: string;
  readonly store: ArtifactStore;
  /** The store's folder, which the worker opens for reading. */
  readonly storeFolder: string;
  readonly isDirectory: (object: DesiredObject) => boolean;
  /** As the builders here: the worker reads http(s) addresses itself. Default `false`. */
  readonly allowHttp?: boolean;
  /** What a release's templates may ask; they are answered from here, where the connection is. */
  readonly factsOf: BuilderOptions["factsOf"];
  /** Bytes by which a build in the worker may let the process grow. Default 1 GiB, or less where the machine gives little. */
  readonly maxGrowthBytes?: number;
  /** The render's moment and chance. */
  readonly doors: Pick<Doors, "clock" | "random">;
}

/**
 * Builders that hand large builds to one worker, so that status and probes are answered meanwhile. What needs keys or a
 * registry is built here, by `inner`; so is what cannot be sent. A release's templates may ask a cluster: the worker then
 * says what it misses, that is fetched here, and the render starts again with it.
 */
export function buildBeside(inner: Builders, options: BuildWorkerOptions): Builders & Disposable {
  const thread = openWorkerThread(options.module);
  const send = (order: Order, signal: AbortSignal) =>
    sendTo(thread, order, { signal, maxGrowthBytes: options.maxGrowthBytes ?? growthBytes() });
  const place = (object: DesiredObject) => ({
    storeFolder: options.storeFolder,
    isDirectory: options.isDirectory(object),
    allowHttp: options.allowHttp === true,
  });
  return {
    async kustomization(request, signal) {
      const { object, artifact } = request;
      if (object.spec.decryption !== undefined) return await inner.kustomization(request, signal);
      if (!await hasManyDocuments(artifact, options.store)) {
        try {
          return await inner.kustomization(request, signal, shortRender);
        } catch (error) {
          if (!(error instanceof RenderLimitError)) throw error;
        }
      }
      const order: Order = { ...place(object), kind: "kustomization", request };
      const sent = await send(order, signal);
      return sent?.kind === "built" ? sent.result : await inner.kustomization(request, signal);
    },
    async helmRelease(request, signal) {
      if (!await isLargeChart(request.artifact, options.store)) {
        try {
          return await inner.helmRelease(request, signal, shortRender);
        } catch (error) {
          // A small chart can hold much work: it begins again where nobody waits behind it.
          if (!(error instanceof RenderLimitError)) throw error;
        }
      }
      const facts = await options.factsOf(request.object);
      const capabilities = await facts?.capabilities?.(signal);
      const world: RenderWorld = {
        nowMs: options.doors.clock.now(),
        seed: options.doors.random.bytes(32),
        ...(capabilities === undefined ? {} : { capabilities }),
      };
      const known: KnownAnswer[] = [];
      const { monotonic } = options.doors.clock;
      const { timeoutMs = longestBuildMs } = request.object.spec as { readonly timeoutMs?: number };
      const lastAt = monotonic() + timeoutMs;
      for (let round = 0; round < maxRounds; round++) {
        const order: Order = {
          ...place(request.object),
          kind: "helmRelease",
          request,
          world: facts === undefined ? world : { ...world, known },
        };
        const sent = await send(order, signal);
        if (sent === undefined) return await inner.helmRelease(request, signal);
        if (sent.kind === "built") return sent.result as RenderedRelease;
        const answer = sent.request.kind === "lookup" ? await facts?.lookup(sent.request, signal) : "";
        known.push({ request: sent.request, answer: answer ?? {} });
        if (monotonic() > lastAt) throw tooMuch(request.object, `its questions take longer than ${timeoutMs / 1000} s`);
      }
      throw new StageError(
        "BuildFailed",
        `Cannot build ${keyText(request.object.key)}: after ${maxRounds} rounds a template still asks for more`,
      );
    },
    [Symbol.dispose]: () => thread[Symbol.dispose](),
  };
}

async function isLargeChart(artifact: Artifact, store: ArtifactStore): Promise<boolean> {
  if (artifact.sizeBytes >= largeChartBytes) return true;
  using tree = await store.openTree(artifact);
  let sizeBytes = 0;
  for (const file of tree.files()) sizeBytes += file.sizeBytes;
  return sizeBytes >= largeFilesBytes;
}

function tooMuch(object: DesiredObject, what: string, cause?: unknown): StageError {
  return new StageError("BuildFailed", `Cannot build ${keyText(object.key)}: ${what}`, {
    hint: "Look for a loop or a text that grows without end in its templates, or give the process more memory and time",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Bytes by which a build may let this process grow: less where the machine gives it little. */
function growthBytes(): number {
  const limit = memoryLimitBytes();
  if (limit === undefined) return usualGrowthBytes;
  return Math.min(usualGrowthBytes, Math.max(leastGrowthBytes, Math.floor(maxShare * limit) - residentBytes()));
}

async function hasManyDocuments(artifact: Artifact, store: ArtifactStore): Promise<boolean> {
  if (artifact.sizeBytes < largeLayerBytes) return false;
  using tree = await store.openTree(artifact);
  let sizeBytes = 0;
  for (const file of tree.files()) if (/\.(?:ya?ml|json)$/.test(file.path)) sizeBytes += file.sizeBytes;
  return sizeBytes >= largeDocumentsBytes;
}

/** @returns `undefined` when the order holds something that cannot be sent */
async function sendTo(
  thread: WorkerThread,
  order: Order,
  { signal, maxGrowthBytes }: { readonly signal: AbortSignal; readonly maxGrowthBytes: number },
): Promise<Exclude<Answer, { readonly kind: "failed" }> | undefined> {
  const { object } = order.request;
  const { timeoutMs } = object.spec as { readonly timeoutMs?: number };
  let answer: Answer;
  try {
    answer = await thread.call(order, {
      signal,
      timeoutMs: timeoutMs ?? longestBuildMs,
      maxGrowthBytes,
    }) as Answer;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof WorkerLimitError) throw tooMuch(object, messageOf(error), error);
    if (error instanceof DOMException && error.name === "DataCloneError") return undefined;
    throw new StageError("BuildFailed", `Cannot build ${keyText(object.key)}: ${messageOf(error)}`, { cause: error });
  }
  if (answer.kind !== "failed") return answer;
  throw new StageError(answer.reason, answer.message, { hint: answer.hint });
}

/** Serves builds: what the program does when it is started as a worker of itself. Charts are kept for the rounds of a render. */
export function serveBuilds(): void {
  const charts = new ChartCache(2);
  serveCalls((value, isStopped) => build(value as Order, { charts, isStopped }));
}

async function build(
  order: Order,
  { charts, isStopped }: { readonly charts: ChartCache; readonly isStopped: () => boolean },
): Promise<Answer> {
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
    const world = order.kind === "helmRelease" ? order.world : undefined;
    const builders = openBuilders({
      store: store.opened,
      doors: doorsOf(isStopped, world),
      charts,
      isDirectory: () => order.isDirectory,
      allowHttp: order.allowHttp,
      factsOf: () => world === undefined ? undefined : factsOf(world),
    });
    const result = order.kind === "kustomization"
      ? await builders.kustomization(order.request, never)
      : await builders.helmRelease(order.request, never);
    return { kind: "built", result };
  } catch (error) {
    if (error instanceof MissingInput) return { kind: "missing", request: error.request };
    return error instanceof StageError
      ? { kind: "failed", reason: error.reason, message: messageOf(error), hint: error.hint }
      : { kind: "failed", reason: "BuildFailed", message: messageOf(error), hint: "" };
  }
}

/**
 * The doors of this machine, with the moment and the chance that the order names. When the answer is not wanted any more the clock
 * stands at the end of all times, so that a render that is under way reaches its limit of time.
 */
function doorsOf(isStopped: () => boolean, world: RenderWorld | undefined): Doors {
  const { clock, random } = hostDoors;
  return {
    ...hostDoors,
    clock: {
      now: () => world?.nowMs ?? clock.now(),
      monotonic: () => isStopped() ? Infinity : clock.monotonic(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      after: (ms, action) => clock.after(ms, action),
    },
    random: world === undefined ? random : { next: () => random.next(), bytes: () => world.seed },
  };
}

/** What a render may ask here: what it was sent. */
function factsOf({ capabilities, known }: RenderWorld): Promise<ReleaseFacts> | undefined {
  if (known === undefined) return undefined;
  return Promise.resolve({
    ...(capabilities === undefined ? {} : { capabilities: () => Promise.resolve(capabilities) }),
    lookup: (request) => Promise.reject(new MissingInput(request)),
    known,
  });
}
