/** Pause after the first sign of a change, so that a burst (a swap of a whole folder) is told once. */
const quietMs = 50;
/** Pause between looks where the system tells of changes: catches what it cannot tell (a watched folder was replaced). */
const slowLookMs = 30_000;
/** The same where it does not (network disks, no watch handles left). */
const fastLookMs = 2_000;
/** Entries that a look goes through below one path; what lies beyond is left to the system's signs. */
const lookedAtMost = 10_000;

/**
 * Calls `onChange` on any change at or below `paths` until `signal` is aborted; a path may be missing and come later.
 *
 * The folder that holds a path is watched too, because files are replaced by renaming: an editor's save, and a mounted
 * ConfigMap, where `settings.yaml` links to `..data/settings.yaml` and `..data` is switched by a rename. Beside the
 * system's signs there is a look at names, sizes and times (links followed) at a slow pace, or at a fast one where the
 * system cannot watch.
 */
export function watchPaths(paths: readonly string[], onChange: () => void, signal: AbortSignal): void {
  if (signal.aborted) return;
  let quietTimer: ReturnType<typeof setTimeout> | undefined;
  let lookTimer: ReturnType<typeof setTimeout> | undefined;
  let known = lookAt(paths);
  let watchers = startWatchers(paths, tell);
  lookLater();
  signal.addEventListener("abort", stop, { once: true });

  function tell(): void {
    quietTimer ??= setTimeout(() => {
      quietTimer = undefined;
      known = lookAt(paths);
      // A path came, went or was replaced: the old handles watch what is no longer there.
      if (rootsOf(paths) !== watchers.roots) {
        watchers.close();
        watchers = startWatchers(paths, tell);
      }
      onChange();
    }, quietMs);
  }

  function lookLater(): void {
    lookTimer = setTimeout(() => {
      const seen = lookAt(paths);
      if (seen !== known) tell();
      known = seen;
      lookLater();
    }, watchers.isComplete ? slowLookMs : fastLookMs);
  }

  function stop(): void {
    clearTimeout(lookTimer);
    clearTimeout(quietTimer);
    watchers.close();
  }
}

interface Watchers {
  /** Whether every path is under watch. */
  readonly isComplete: boolean;
  /** {@linkcode rootsOf} the paths when the watch began. */
  readonly roots: string;
  close(): void;
}

function startWatchers(paths: readonly string[], tell: () => void): Watchers {
  const open: Deno.FsWatcher[] = [];
  let isComplete = true;
  const start = (path: string, recursive: boolean, only?: string) => {
    try {
      const watcher = Deno.watchFs(path, { recursive });
      open.push(watcher);
      void follow(watcher, only, tell);
    } catch {
      isComplete = false;
    }
  };
  for (const path of paths) {
    const isFolder = statOrMissing(path)?.isDirectory === true;
    start(parentOf(path), false, isFolder ? nameOf(path) : undefined);
    if (isFolder) start(path, true);
  }
  return {
    isComplete,
    roots: rootsOf(paths),
    close: () => {
      for (const watcher of open) watcher.close();
    },
  };
}

/** Text that differs when one of the paths became another file or folder. */
function rootsOf(paths: readonly string[]): string {
  return paths.map((path) => statOrMissing(path)?.ino ?? "-").join();
}

async function follow(watcher: Deno.FsWatcher, only: string | undefined, tell: () => void): Promise<void> {
  try {
    for await (const event of watcher) {
      if (event.kind === "access") continue;
      if (only === undefined || event.paths.length === 0 || event.paths.some((path) => nameOf(path) === only)) tell();
    }
  } catch {
    // The watch broke off; the looks go on.
  }
}

/** Text that differs when anything at or below the paths does. */
function lookAt(paths: readonly string[]): string {
  const seen: string[] = [];
  const visit = (path: string, depth: number) => {
    if (seen.length >= lookedAtMost || depth > 32) return;
    const info = statOrMissing(path);
    if (info === undefined) return void seen.push(`${path} -`);
    if (!info.isDirectory) return void seen.push(`${path} ${info.ino} ${info.size} ${info.mtime?.getTime()}`);
    seen.push(`${path} ${info.ino}`);
    for (const name of namesIn(path)) visit(`${path}/${name}`, depth + 1);
  };
  for (const path of paths) visit(path, 0);
  return seen.join("\n");
}

function statOrMissing(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return Array.from(Deno.readDirSync(path), (entry) => entry.name).sort();
  } catch {
    return [];
  }
}

function parentOf(path: string): string {
  const clean = path.replace(/\/+$/, "");
  const slash = clean.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : clean.slice(0, slash);
}

function nameOf(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) ?? "";
}
