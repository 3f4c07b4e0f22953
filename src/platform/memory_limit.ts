/**
 * Files that may bound the memory of a process, by what its `/proc/self/cgroup` says: its control group's and those of the
 * groups that hold it, of either version. In a container the group is often the root of what can be seen.
 */
export function memoryLimitFiles(groups: string): readonly string[] {
  const files = groups.split("\n").flatMap((line) => {
    const [, number = "", controllers = "", path = ""] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (number === "0" && controllers === "") return foldersOf(path).map((of) => `/sys/fs/cgroup${of}/memory.max`);
    if (!controllers.split(",").includes("memory")) return [];
    return foldersOf(path).map((of) => `/sys/fs/cgroup/memory${of}/memory.limit_in_bytes`);
  });
  return [...files, "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
}

/** `/a/b` gives itself and `/a`; `..` names what cannot be seen. */
function foldersOf(path: string): readonly string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.includes("..") ? [] : parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`).reverse();
}

/** Bytes that the control groups of this process may use (Linux); `undefined` where there is no limit, or none that shows. */
export function memoryLimitBytes(): number | undefined {
  const limits = memoryLimitFiles(textOf("/proc/self/cgroup") ?? "").map((file) => Number(textOf(file) ?? NaN))
    // Version 1 says "no limit" by a number near 2^63, version 2 by a word.
    .filter((bytes) => bytes > 0 && bytes < 2 ** 60);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/**
 * Bytes of memory that a process has for itself, without what it maps of files, which the system takes back when it is short
 * (Linux); `undefined` elsewhere, and for one that is not there.
 */
export function privateBytes(pid: number | "self"): number | undefined {
  const kibi = /^RssAnon:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/status`) ?? "")?.[1];
  return kibi === undefined ? undefined : Number(kibi) * 1024;
}

function textOf(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    // Not this version, not there, or not Linux.
    return undefined;
  }
}
