import type { FileTree } from "../../src/core/file_tree.ts";
import { treeOf } from "../../src/core/file_tree.ts";
import { parseIgnoreRules } from "../../src/build/helm/chart/ignore.ts";

/** Files of a chart's folder, without what `.helmignore` leaves out. */
export function chartFolder(root: string): FileTree {
  const found = new Map<string, Uint8Array>();
  let ignore = "";
  try {
    ignore = Deno.readTextFileSync(`${root}/.helmignore`);
  } catch {
    // None.
  }
  const rules = parseIgnoreRules(ignore);
  const walk = (inner: string) => {
    for (const entry of Deno.readDirSync(`${root}/${inner}`)) {
      const path = inner === "" ? entry.name : `${inner}/${entry.name}`;
      const isFolder = entry.isDirectory || (entry.isSymlink && Deno.statSync(`${root}/${path}`).isDirectory);
      if (rules.ignores(path, isFolder)) continue;
      if (isFolder) walk(path);
      else found.set(path, Deno.readFileSync(`${root}/${path}`));
    }
  };
  walk("");
  return treeOf(found);
}
