import type { Clock } from "../core/clock.ts";
import type { FileSystem } from "../core/file_system.ts";
import { type DesiredState, mergeDesired } from "./desired.ts";
import type { LoadedConfig } from "./load.ts";

/** What a reload gave. */
export interface Reload {
  /** The state that counts from now on: the documents', with the last good form of what is broken in them. */
  readonly desired: DesiredState;
  readonly problems: LoadedConfig["problems"];
  /** Whether no document is wrong. */
  readonly isGood: boolean;
}

/** What a watch is handed. */
export interface WatchRequest {
  /** Files and folders; `-` is not watched. */
  readonly paths: readonly string[];
  /** The state that counts now. */
  readonly current: DesiredState;
  /** Reads and checks the documents ({@linkcode loadConfig}). */
  readonly load: () => Promise<LoadedConfig>;
  readonly fileSystem: Pick<FileSystem, "watch">;
  readonly clock: Clock;
  /** Called after each reload, good or not, one at a time. */
  readonly onReload: (reload: Reload) => void | Promise<void>;
  /** Called when a reload itself fails: a fault of ours or of the disk. */
  readonly onError: (error: unknown) => void;
}

/** Milliseconds without a change before documents are read again. */
const quietMs = 300;
/** Milliseconds before what could not be read is looked at once more: it may have been half written. */
const settleMs = 1_000;

/**
 * Reads the documents again when something at their paths changes, and keeps the last good form of what is wrong in
 * them ({@linkcode mergeDesired}). A burst of changes is one reload. What cannot be read, a file cut short or an empty
 * folder, is read a second time before it counts, because it may be in the middle of being written.
 *
 * @returns a function that reloads at once, for SIGHUP; ends with `signal`
 */
export function watchConfig(request: WatchRequest, signal: AbortSignal): () => void {
  const { clock } = request;
  let current = request.current;
  let cancelQuiet: (() => void) | undefined;
  let isRunning = false;
  let isDirty = false;

  const readTwice = async (): Promise<LoadedConfig> => {
    const first = await request.load();
    if (first.desired.unreadable.length === 0) return first;
    await clock.sleep(settleMs, signal);
    return await request.load();
  };

  const reloadOnce = async () => {
    const { desired, problems } = await readTwice();
    if (signal.aborted) return;
    current = mergeDesired(current, desired);
    const isGood = !problems.some((problem) => problem.severity === "error");
    await request.onReload({ desired: current, problems, isGood });
  };

  const reload = async () => {
    if (isRunning) {
      isDirty = true;
      return;
    }
    isRunning = true;
    do {
      isDirty = false;
      try {
        await reloadOnce();
      } catch (error) {
        if (!signal.aborted) request.onError(error);
      }
    } while (isDirty && !signal.aborted);
    isRunning = false;
  };

  const later = () => {
    cancelQuiet?.();
    cancelQuiet = clock.after(quietMs, () => void reload());
  };
  signal.addEventListener("abort", () => cancelQuiet?.(), { once: true });
  const watched = request.paths.filter((path) => path !== "-");
  if (watched.length > 0) request.fileSystem.watch(watched, later, signal);
  return () => {
    cancelQuiet?.();
    void reload();
  };
}
