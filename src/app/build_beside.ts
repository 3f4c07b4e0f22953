import { answerTo, type KnownAnswer, maxRounds } from "../build/helm/release/inputs.ts";
import { RenderLimitError, type RenderLimits } from "../build/helm/template/run.ts";
import type { Artifact, ArtifactStore } from "../core/artifact.ts";
import type { Log } from "../core/log.ts";
import type { DesiredObject } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import { messageOf, StageError } from "../core/stage_error.ts";
import { BuildLimitError, type BuildProcess, CannotStartError, openBuildProcess } from "../platform/build_process.ts";
import { releaseMemory, residentBytes } from "../platform/deno_environment.ts";
import { memoryLimitBytes, privateBytes } from "../platform/memory_limit.ts";
import { UnsendableError } from "../platform/value_frames.ts";
import type { RenderedRelease } from "../reconcile/release_order.ts";
import { answerOf, type BuildAnswer, type BuildOrder, type RenderWorld } from "./build_order.ts";
import type { BuilderOptions, Builders } from "./builders.ts";
import type { Doors } from "./doors.ts";

/** Layers of fewer bytes are built on the main thread. */
const largeLayerBytes = 256 * 1024;
/** Documents of a tree from which on a build is sent away: other files cost a build nothing, a process 0.1 s. */
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
/** What a large one may use there where no other process can be started: some seconds, some hundred megabytes. */
const longRender: RenderLimits = { steps: 20_000_000, outputLength: 16 * mebi, madeLength: 64 * mebi, timeMs: 10_000 };
/** Milliseconds of a build without a limit of its own. */
const longestBuildMs = 300_000;
/** Bytes that a build's process may take. The largest charts in use take 300 MB. */
const usualBytes = 1024 * mebi;
/**
 * The same where the control group has little: so much of it may be used in all, and so much at least is tried. A group
 * that is full may be ended as a whole: Kubernetes asks the kernel for that.
 */
const maxShare = 0.85;
const leastBytes = 96 * mebi;

/** What says whether a build may leave the main thread, and from where. */
export interface BuildBesideOptions {
  /** Module that serves builds when it is started by us: the program's own. */
  readonly module: string;
  readonly store: ArtifactStore;
  /** The store's folder, which the other process opens for reading. */
  readonly storeFolder: string;
  readonly isDirectory: (object: DesiredObject) => boolean;
  /** As the builders here: the other process reads http(s) addresses itself. Default `false`. */
  readonly allowHttp?: boolean;
  /** What a release's templates may ask; they are answered from here, where the connection is. */
  readonly factsOf: BuilderOptions["factsOf"];
  /** What they may ask of the network, asked from here, too. Default: nothing. */
  readonly outside?: BuilderOptions["outside"];
  /** Bytes that a build's process may take. Default 1 GiB, or less where the control group has little left. */
  readonly limitBytes?: number;
  /** The render's moment and chance. */
  readonly doors: Pick<Doors, "clock" | "random">;
  /** Told once, until it works again, when no process can be started. */
  readonly log: Log;
}

/**
 * Builders that hand large builds to a process of their own, one after the other: status and probes are answered meanwhile,
 * and its memory is bounded and goes back whole. What needs keys or a registry is built here, by `inner`. A release's
 * templates may ask a cluster: the process then says what it misses, that is fetched here, and the render starts again.
 *
 * Where no process can be started (no permission, no memory, a system that forbids it) large builds run here, within
 * limits between those of small ones and the engine's: nothing is answered for some seconds then, and the log says why.
 */
export function buildBeside(inner: Builders, options: BuildBesideOptions): Builders & AsyncDisposable {
  const { limitBytes } = options;
  const room = limitBytes === undefined ? roomBeside() : { now: () => limitBytes, atStart: () => limitBytes };
  const process = openBuildProcess(options.module, { limitBytes: room.atStart, roomBytes: room.now });
  let isToldOf = false;
  const send = async (order: BuildOrder, signal: AbortSignal): Promise<Sent | undefined> => {
    try {
      const sent = await sendTo(process, order, signal);
      isToldOf = false;
      return sent;
    } catch (error) {
      if (!(error instanceof CannotStartError)) throw error;
      if (!isToldOf) {
        options.log.warn("large builds hold everything up: no process can be started", { error: error.message });
      }
      isToldOf = true;
      return undefined;
    }
  };
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
      const order: BuildOrder = { ...place(object), kind: "kustomization", request };
      const sent = await send(order, signal);
      return sent?.kind === "built" ? sent.result : await inner.kustomization(request, signal, longRender);
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
      const askable = { ...options.outside, ...(facts === undefined ? {} : { lookup: facts.lookup }) };
      const known: KnownAnswer[] = [];
      const world: RenderWorld = {
        nowMs: options.doors.clock.now(),
        seed: options.doors.random.bytes(32),
        ...(capabilities === undefined ? {} : { capabilities }),
        asks: [
          ...(askable.lookup === undefined ? [] : ["lookup" as const]),
          ...(askable.resolveHost === undefined ? [] : ["host" as const]),
          ...(askable.readSchema === undefined ? [] : ["schema" as const]),
        ],
        known,
      };
      const { monotonic } = options.doors.clock;
      const { timeoutMs = longestBuildMs } = request.object.spec as { readonly timeoutMs?: number };
      const lastAt = monotonic() + timeoutMs;
      for (let round = 0; round < maxRounds; round++) {
        const order: BuildOrder = {
          ...place(request.object),
          kind: "helmRelease",
          request,
          world,
        };
        const sent = await send(order, signal);
        if (sent === undefined) return await inner.helmRelease(request, signal, longRender);
        if (sent.kind === "built") return sent.result as RenderedRelease;
        known.push({ request: sent.request, answer: await answerTo(sent.request, askable, signal) });
        if (monotonic() > lastAt) throw tooMuch(request.object, `its questions take longer than ${timeoutMs / 1000} s`);
      }
      throw new StageError(
        "BuildFailed",
        `Cannot build ${keyText(request.object.key)}: after ${maxRounds} rounds a template still asks for more`,
      );
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
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

/** Bytes that there are for a build's process. */
interface Room {
  /** At the moment. */
  readonly now: () => number;
  /** When one is started: where there is little room, ours is made as small as it can be. */
  readonly atStart: () => number;
}

/** The room beside this process in its control group. What is mapped of files is taken back before anything is ended. */
function roomBeside(): Room {
  const limit = memoryLimitBytes();
  if (limit === undefined) return { now: () => usualBytes, atStart: () => usualBytes };
  const now = () => Math.max(0, Math.floor(maxShare * limit) - (privateBytes("self") ?? residentBytes()));
  return {
    now,
    atStart() {
      if (now() < usualBytes / 2) releaseMemory();
      return Math.min(usualBytes, Math.max(leastBytes, now()));
    },
  };
}

async function hasManyDocuments(artifact: Artifact, store: ArtifactStore): Promise<boolean> {
  if (artifact.sizeBytes < largeLayerBytes) return false;
  using tree = await store.openTree(artifact);
  let sizeBytes = 0;
  for (const file of tree.files()) if (/\.(?:ya?ml|json)$/.test(file.path)) sizeBytes += file.sizeBytes;
  return sizeBytes >= largeDocumentsBytes;
}

/** What is answered but for failures, which are thrown. */
type Sent = Exclude<BuildAnswer, { readonly kind: "failed" }>;

/** @returns `undefined` when the order holds something that cannot be sent @throws {CannotStartError} */
async function sendTo(process: BuildProcess, order: BuildOrder, signal: AbortSignal): Promise<Sent | undefined> {
  const { object } = order.request;
  const { timeoutMs = longestBuildMs } = object.spec as { readonly timeoutMs?: number };
  let answer: BuildAnswer;
  try {
    answer = answerOf(await process.call(order, { signal, timeoutMs }));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof CannotStartError) throw error;
    if (error instanceof BuildLimitError) throw tooMuch(object, messageOf(error), error);
    if (error instanceof UnsendableError) return undefined;
    throw new StageError("BuildFailed", `Cannot build ${keyText(object.key)}: ${messageOf(error)}`, { cause: error });
  }
  if (answer.kind !== "failed") return answer;
  throw new StageError(answer.reason, answer.message, { hint: answer.hint });
}
