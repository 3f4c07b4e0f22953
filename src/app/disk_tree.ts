import type { FileSystem } from "../core/file_system.ts";
import type { FileTree, TreeFile } from "../core/file_tree.ts";
import type { YamlNode } from "../format/yaml_node/node.ts";
import { readYaml } from "../format/yaml_node/reader.ts";

/** Names of kustomization files, in the order in which kustomize looks for them. */
const kustomizationNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** Folders of this disk as one tree: links are followed to files, and hidden folders of version control are left out. */
export async function treeOfFolders(
  root: string,
  folders: readonly string[],
  fileSystem: FileSystem,
): Promise<FileTree> {
  const found = new Map<string, TreeFile>();
  const walk = async (folder: string, depth: number): Promise<void> => {
    if (depth > 64) return;
    for (const entry of await fileSystem.list(folder) ?? []) {
      const path = `${folder === "/" ? "" : folder}/${entry.name}`;
      if (entry.kind === "folder") {
        if (entry.name !== ".git") await walk(path, depth + 1);
        continue;
      }
      using file = fileSystem.open(path);
      if (file === undefined) continue;
      const info = await fileSystem.stat(path);
      const relative = path.slice(root === "/" ? 1 : root.length + 1);
      found.set(relative, {
        path: relative,
        sizeBytes: file.sizeBytes,
        isExecutable: ((info?.mode ?? 0) & 0o100) !== 0,
      });
    }
  };
  for (const folder of folders) await walk(folder, 0);
  const sorted = [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    files: () => sorted,
    has: (path) => found.has(path),
    read(path) {
      if (!found.has(path)) return undefined;
      using file = fileSystem.open(`${root === "/" ? "" : root}/${path}`);
      return file?.readAt(0, file.sizeBytes);
    },
  };
}

/**
 * The folders that a kustomization may reach, itself included, and their nearest common parent: what has to be in the
 * tree for a build that refers to `../base`.
 */
export async function reachOf(
  folder: string,
  fileSystem: FileSystem,
): Promise<{ readonly root: string; readonly folders: readonly string[] }> {
  const folders = new Set<string>();
  const visit = async (here: string): Promise<void> => {
    if (folders.has(here)) return;
    folders.add(here);
    for (const path of await pathsIn(here, fileSystem)) {
      const target = resolvePath(here, path);
      const info = await fileSystem.stat(target);
      if (info?.kind === "folder") await visit(target);
      // A file outside of what is walked anyway: its folder is taken as well.
      else if (info !== undefined && !target.startsWith(`${here}/`)) folders.add(parentOf(target));
    }
  };
  await visit(folder);
  const outermost = [...folders].filter((one) =>
    ![...folders].some((other) => other !== one && one.startsWith(`${other}/`))
  );
  return { root: outermost.reduce(commonParent), folders: outermost };
}

/** Every relative path that a folder's kustomization mentions. */
async function pathsIn(folder: string, fileSystem: FileSystem): Promise<readonly string[]> {
  for (const name of kustomizationNames) {
    const text = await fileSystem.readText(`${folder}/${name}`);
    if (text === undefined) continue;
    try {
      const node = readYaml(text);
      return (node === undefined ? [] : textsOf(node)).filter((one) =>
        one.length < 1_000 && !one.includes("\n") && !/^[a-z]+:\/\//.test(one)
      );
    } catch {
      // The build itself says what is wrong with the file.
      return [];
    }
  }
  return [];
}

function textsOf(node: YamlNode): readonly string[] {
  if (node.kind === "list") return node.items.flatMap(textsOf);
  if (node.kind === "map") return node.values.flatMap(textsOf);
  return [node.text.includes("=") ? node.text.slice(node.text.indexOf("=") + 1) : node.text];
}

function resolvePath(folder: string, path: string): string {
  const parts = path.startsWith("/") ? [] : folder.split("/").filter((part) => part !== "");
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function commonParent(a: string, b: string): string {
  const [left, right] = [a.split("/"), b.split("/")];
  const same = left.findIndex((part, at) => part !== right[at]);
  return (same < 0 ? left : left.slice(0, same)).join("/") || "/";
}
