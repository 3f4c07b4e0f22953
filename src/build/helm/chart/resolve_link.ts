import type { FileSystem } from "../../../core/file_system.ts";
import { ChartError } from "./metadata.ts";

/** What links are read through. */
export type LinkFiles = Pick<FileSystem, "stat" | "readLink">;

/** Most links of one path, as Go has it. */
const maxLinks = 255;

/**
 * A path with every link in it replaced by what it points at (Go's `filepath.EvalSymlinks`).
 *
 * @throws {ChartError} with Go's text: something is not there, or links go in circles
 */
export async function resolveLink(path: string, files: LinkFiles): Promise<string> {
  const waiting = path.split("/").reverse();
  let resolved = path.startsWith("/") ? "/" : "";
  for (let links = 0; waiting.length > 0;) {
    const name = waiting.pop() as string;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      resolved = parentOf(resolved);
      continue;
    }
    const next = resolved === "" || resolved.endsWith("/") ? `${resolved}${name}` : `${resolved}/${name}`;
    const info = await files.stat(next);
    if (info === undefined) throw new ChartError(`lstat ${next}: no such file or directory`);
    if (info.kind !== "link") {
      resolved = next;
      continue;
    }
    if (++links > maxLinks) throw new ChartError("EvalSymlinks: too many links");
    const target = await files.readLink(next) ?? "";
    if (target.startsWith("/")) resolved = "/";
    waiting.push(...target.split("/").reverse());
  }
  return resolved === "" ? "." : resolved;
}

function parentOf(path: string): string {
  if (path === "") return "..";
  if (path === ".." || path.endsWith("/..")) return `${path}/..`;
  const slash = path.lastIndexOf("/");
  return slash === 0 ? "/" : slash < 0 ? "" : path.slice(0, slash);
}
