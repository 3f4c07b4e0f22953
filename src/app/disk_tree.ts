import type { FileSystem } from "../core/file_system.ts";
import type { FileTree, TreeFile, TreePlace } from "../core/file_tree.ts";
import { locatePath } from "../platform/locate_path.ts";
import { denoFileSystem } from "../platform/deno_file_system.ts";

/** A tree whose links are followed. */
export interface LinkedTree extends FileTree {
  locate(path: string): TreePlace | undefined;
}

/**
 * This disk as a tree; its root is `/`. Each path is looked at when it is asked for, so that a build costs what it reads.
 * It lists no files: {@linkcode withFolder} does, for those of one folder. A pipe or a device is nothing in it.
 */
export const diskTree: LinkedTree = {
  files: () => [],
  has: (path) => diskTree.locate(path)?.kind === "file",
  read(path) {
    if (!diskTree.has(path)) return undefined;
    using file = denoFileSystem.open(`/${path}`);
    return file?.readAt(0, file.sizeBytes);
  },
  locate(path) {
    const place = locatePath(`/${path}`);
    return place === undefined ? undefined : { path: place.path.slice(1), kind: place.kind };
  },
};

/** Deepest folder that is listed. */
const maxDepth = 64;

/**
 * The disk with the files of one folder listed: by the paths that lead to them, also through links, and without those of
 * version control. A link to a folder that it stands in is passed over.
 */
export async function withFolder(folder: string, fileSystem: FileSystem): Promise<FileTree> {
  const found: TreeFile[] = [];
  const walk = async (path: string, within: readonly string[]): Promise<void> => {
    for (const entry of await fileSystem.list(`/${path}`) ?? []) {
      const inner = path === "" ? entry.name : `${path}/${entry.name}`;
      const place = diskTree.locate(inner);
      if (place?.kind === "file") {
        const info = await fileSystem.stat(`/${place.path}`);
        const isExecutable = ((info?.mode ?? 0) & 0o100) !== 0;
        found.push({ path: inner, sizeBytes: info?.sizeBytes ?? 0, isExecutable });
      } else if (place !== undefined && entry.name !== ".git" && !within.includes(place.path)) {
        if (within.length < maxDepth) await walk(inner, [...within, place.path]);
      }
    }
  };
  const start = diskTree.locate(folder);
  if (start?.kind === "folder") await walk(folder, [start.path]);
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { ...diskTree, files: () => found };
}
