import { watchConfig } from "../config/watch.ts";
import { problemText } from "../config/problem.ts";
import type { DesiredState } from "../config/desired.ts";
import { digestOf } from "../core/digest.ts";
import type { JsonValue } from "../core/json.ts";
import { canonicalJson } from "../core/json.ts";
import type { Log } from "../core/log.ts";
import { messageOf } from "../core/stage_error.ts";
import { mapLargeBuffers } from "../platform/deno_allocator.ts";
import { denoClock } from "../platform/deno_clock.ts";
import { onHangUp, releaseMemory, residentBytes } from "../platform/deno_environment.ts";
import { denoFileSystem } from "../platform/deno_file_system.ts";
import { openLog } from "../platform/log_writer.ts";
import { mainModule } from "../platform/own_program.ts";
import type { OpenTools } from "../report/http.ts";
import { Metrics } from "../report/metrics.ts";
import { stateOf, StatusBoard } from "../report/status_board.ts";
import { type Pass, type Refused, version, type WorkOptions } from "./work.ts";
import { aborted, cutShort, timeLimit } from "./time_limit.ts";
import { readConfig, readDocuments } from "./check_documents.ts";
import { reportToCluster } from "./cluster_report.ts";
import { FirstPass } from "./first_pass.ts";
import type { ControlSocket } from "./control_socket.ts";
import { type Loop, openLoop } from "./loop.ts";
import { RefusedError } from "./refused_error.ts";
import { openServers } from "./servers.ts";

/** Milliseconds without work after which memory is given back and the store is tidied. */
const quietMs = 5_000;
/** Milliseconds that open answers get when the daemon stops. */
const answerGraceMs = 2_000;

/** Runs the daemon until `signal` is aborted. @returns 0 after an orderly end, 2 when documents or flags refuse it */
export async function runDaemon(options: WorkOptions, signal: AbortSignal): Promise<number> {
  const read = await readConfig(options.configPaths, options.flags);
  if (read.kind === "refused") throw new RefusedError(read.message);
  const { config, settings, paths } = read;
  mapLargeBuffers();
  using log = openLog(settings.log);
  for (const problem of config.problems) {
    (problem.severity === "error" ? log.error : log.warn)("document has a problem", { text: problemText(problem) });
  }
  let isConfigGood = !config.problems.some((problem) => problem.severity === "error");

  const stopping = new AbortController();
  const held: { loop?: Loop; socket?: ControlSocket; content: string } = { content: contentOf(config.desired) };
  const board: StatusBoard = new StatusBoard({
    log,
    meter: { count: (change) => metrics.count(change), forget: (key) => metrics.forget(key) },
  });
  const metrics = new Metrics(() => board.statuses(), () => {
    const storeBytes = held.loop?.storeBytes();
    return {
      residentBytes: residentBytes(),
      version,
      isConfigGood,
      ...(storeBytes === undefined ? {} : { storeBytes }),
    };
  });
  const quiet = quietTimer(() => held, log);
  await using running = await openLoop({
    settings,
    desired: config.desired,
    configPaths: paths,
    log,
    reporter: board,
    onQuiet: () => {
      quiet.touch();
      if (held.loop?.engine.firstPassDone === true) told.allTold();
    },
    buildModule: mainModule(),
    onSecrets: (values) => board.hide(values),
    clean: (text) => board.clean(text),
  });
  held.loop = running;
  using told = reportToCluster(board, running.clusterReporter, { clock: denoClock, log });

  const firstPass = new FirstPass(running.engine);
  const tools: OpenTools = {
    board,
    metrics,
    version,
    liveness: [{ name: "loop", check: () => running.engine.isAlive ? undefined : "the loop stands still" }],
    readiness: [
      // Who stands by has done all that he may.
      { name: "first pass", check: () => running.isStandby() ? undefined : firstPass.check() },
      { name: "store", check: running.storeFault },
    ],
    startup: [{ name: "documents", check: () => undefined }],
    now: denoClock.now,
    stopping: stopping.signal,
    clock: denoClock,
  };
  const { servers, socket } = await openServers(settings, { open: tools, engine: running.engine, log });
  if (socket !== undefined) held.socket = socket;
  const reload = watchConfig({
    paths,
    current: config.desired,
    load: () => readDocuments(paths, settings),
    fileSystem: denoFileSystem,
    clock: denoClock,
    onReload: ({ desired, problems, isGood }) => {
      if (isGood && !isConfigGood) log.info("documents have no problem any more");
      isConfigGood = isGood;
      for (const problem of problems.filter((one) => one.severity === "error")) {
        log.error("document has a problem, the last good state stays", { text: problemText(problem) });
      }
      // A change beside the documents (a log file in the same folder) is none of theirs.
      const content = contentOf(desired);
      if (content === held.content) return;
      held.content = content;
      log.info("documents read", { objects: desired.objects.length, good: isGood });
      running.update(desired);
    },
    onError: (error) => log.error("documents could not be read again", { error: messageOf(error) }),
  }, stopping.signal);
  using _hangUp = onHangUp(reload);

  running.update(config.desired);
  firstPass.begin();
  log.info("daemon started", { version, objects: config.desired.objects.length, store: settings.store.path });
  await aborted(signal);

  log.info("daemon stops");
  quiet.stop();
  stopping.abort();
  await Promise.all(servers.map((server) => server.close(answerGraceMs)));
  return 0;
}

/** Runs every object until nothing is left to do. */
export async function runOnce(
  options: WorkOptions & { readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<Pass | Refused> {
  const read = await readConfig(options.configPaths, options.flags);
  if (read.kind === "refused") return read;
  const { config, settings, paths } = read;
  using log = openLog(settings.log);
  for (const problem of config.problems) {
    (problem.severity === "error" ? log.error : log.warn)("document has a problem", { text: problemText(problem) });
  }
  const board = new StatusBoard({ log, meter: { count: () => {}, forget: () => {} } });
  await using loop = await openLoop({
    settings,
    desired: config.desired,
    configPaths: paths,
    log,
    reporter: board,
    onSecrets: (values) => board.hide(values),
    clean: (text) => board.clean(text),
  });
  loop.update(config.desired);
  using limit = timeLimit(options.timeoutMs, signal);
  const isCutShort = await cutShort(loop.engine.settled(), limit.signal);
  signal.throwIfAborted();
  await loop.tidy().catch((error: unknown) => log.warn("store could not be tidied", { error: messageOf(error) }));
  const statuses = board.statuses();
  const hasBroken = config.problems.some((problem) => problem.severity === "error");
  const failing = statuses.filter((status) => ["failing", "working"].includes(stateOf(status)));
  if (hasBroken && failing.length === 0 && !isCutShort) {
    return { kind: "refused", message: "Cannot take all documents: see the log for what was left out" };
  }
  return { kind: "done", statuses, failing, isCutShort };
}

/** Tidies up once the loop was quiet for a while after work. */
function quietTimer(
  held: () => { readonly loop?: Loop; readonly socket?: ControlSocket },
  log: Log,
): { touch(): void; stop(): void } {
  let cancel: (() => void) | undefined;
  return {
    touch() {
      if (cancel !== undefined) return;
      cancel = denoClock.after(quietMs, () => {
        cancel = undefined;
        void (async () => {
          const { loop, socket } = held();
          await loop?.tidy();
          await socket?.restore();
          releaseMemory();
        })().catch((error: unknown) => log.warn("store could not be tidied", { error: messageOf(error) }));
      });
    },
    stop: () => cancel?.(),
  };
}

/** Digest of everything that documents say. */
function contentOf(desired: DesiredState): string {
  const data = [...desired.data].map((
    [name, { data: { data } }],
  ) => [name, [...data].map(([key, value]) => [key, digestOf(value)])]);
  const documents = [...desired.objects, ...desired.notifications].map((object) => object.document);
  return digestOf(canonicalJson([documents, data as JsonValue, desired.isComplete]));
}
