import { runBuild as runKustomizeBuild } from "../build/kustomize/build_command.ts";
import { absolutePath } from "../platform/deno_environment.ts";
import { denoFileSystem } from "../platform/deno_file_system.ts";
import { reachOf, treeOfFolders } from "./disk_tree.ts";
import type { Printed } from "./work.ts";

/** `pilotfish build`: kustomize's command over a folder of this disk. */
export async function runBuild(args: readonly string[]): Promise<Printed> {
  const outcome = await runKustomizeBuild(args, {
    async openFolder(path) {
      const folder = absolutePath(path === "" ? "." : path);
      if ((await denoFileSystem.stat(folder))?.kind !== "folder") return undefined;
      const { root, folders } = await reachOf(folder, denoFileSystem);
      const tree = await treeOfFolders(root, folders, denoFileSystem);
      return { tree, path: folder.slice(root.length).replace(/^\//, "") };
    },
    isFolder: async (path) => (await denoFileSystem.stat(absolutePath(path)))?.kind === "folder",
  });
  for (const [path, text] of outcome.written) await denoFileSystem.writeAtomic(absolutePath(path), text);
  return outcome;
}

/** `pilotfish template`: helm's command. */
export function runTemplate(_args: readonly string[]): Promise<Printed> {
  return Promise.resolve({ stdout: "", stderr: "Error: template is not built yet\n", exitCode: 1 });
}
