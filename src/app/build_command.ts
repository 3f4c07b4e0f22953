import { runBuild as runKustomizeBuild } from "../build/kustomize/build_command.ts";
import type { RenderChart } from "../build/kustomize/generators/helm_chart.ts";
import type { FileTree } from "../core/file_tree.ts";
import { listFolder } from "../core/file_tree.ts";
import { absolutePath } from "../platform/deno_environment.ts";
import { reachOf, treeOfFolders } from "./disk_tree.ts";
import { type Doors, hostDoors } from "./doors.ts";
import { type LazyRegistries, lazyRegistries } from "./lazy_registries.ts";
import { splitReference } from "./split_reference.ts";
import type { Printed } from "./work.ts";

/**
 * `pilotfish build`: kustomize's command over a folder of this disk, or over an artifact: `oci://REFERENCE//PATH`,
 * `oci-layout://FOLDER:TAG//PATH` (without `//PATH`: its root). The registry client and the Helm engine are loaded where a
 * build needs them.
 *
 * Differs: charts are rendered by our own engine, and `--helm-command` says nothing.
 */
export async function runBuild(args: readonly string[], doors: Doors = hostDoors): Promise<Printed> {
  using registries = lazyRegistries(doors);
  const { fileSystem } = doors;
  const outcome = await runKustomizeBuild(args, {
    async openFolder(path) {
      const artifact = splitReference(path);
      if (artifact !== undefined) return await openArtifact(artifact, doors, registries);
      const folder = absolutePath(path === "" ? "." : path);
      if ((await fileSystem.stat(folder))?.kind !== "folder") return undefined;
      const { root, folders } = await reachOf(folder, fileSystem);
      const tree = await treeOfFolders(root, folders, fileSystem);
      return { tree, path: folder.slice(root.length).replace(/^\//, "") };
    },
    isFolder: async (path) => (await fileSystem.stat(absolutePath(path)))?.kind === "folder",
    renderChart: (tree) => lazyInflation(tree, doors, registries),
  });
  for (const [path, text] of outcome.written) await fileSystem.writeAtomic(absolutePath(path), text);
  return outcome;
}

async function openArtifact(
  artifact: { readonly reference: string; readonly path: string },
  doors: Doors,
  registries: LazyRegistries,
): Promise<{ readonly tree: FileTree; readonly path: string } | undefined> {
  const { openReference } = await import("./open_reference.ts");
  const { artifactTree } = await import("../source/artifact/artifact_tree.ts");
  const reach = { registries: await registries.open(), login: { insecure: false } };
  const opened = openReference(artifact.reference, doors, reach);
  const { tree } = await artifactTree(opened.repository, opened.wanted);
  return listFolder(tree, artifact.path) === undefined ? undefined : { tree, path: artifact.path };
}

function lazyInflation(tree: FileTree, doors: Doors, registries: LazyRegistries): RenderChart {
  return async (request, signal) => {
    const { chartInflation } = await import("../build/helm/chart_inflation.ts");
    const render = chartInflation(tree, {
      clock: doors.clock,
      random: doors.random,
      pullChart: async (reference, signal) =>
        (await import("./pull_chart.ts")).pullChart(reference, await registries.open(), signal),
    });
    return await render(request, signal);
  };
}
