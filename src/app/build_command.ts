import type { BuildReach } from "../build/kustomize/build_command.ts";
import { runBuild as runKustomizeBuild } from "../build/kustomize/build_command.ts";
import { maxFileBytes } from "../build/kustomize/documents.ts";
import type { RenderChart } from "../build/kustomize/generators/helm_chart.ts";
import type { FileTree } from "../core/file_tree.ts";
import { listFolder } from "../core/file_tree.ts";
import { absolutePath } from "../platform/deno_environment.ts";
import { diskTree, withFolder } from "./disk_tree.ts";
import { type Doors, hostDoors } from "./doors.ts";
import type { HttpFileOptions, HttpFiles } from "./http_files.ts";
import { type LazyRegistries, lazyRegistries } from "./lazy_registries.ts";
import type { RegistryLogin } from "./registry.ts";
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
    async openFolder(path, reach) {
      const artifact = splitReference(path);
      if (artifact !== undefined) return await openArtifact(artifact, doors, { registries, reach });
      const place = diskTree.locate(absolutePath(path === "" ? "." : path).slice(1));
      return place?.kind === "folder" ? { tree: diskTree, path: place.path, shownFrom: place.path } : undefined;
    },
    isFolder: async (path) => (await fileSystem.stat(absolutePath(path)))?.kind === "folder",
    renderChart: (tree, reach) => lazyInflation(tree, doors, { registries, reach }),
    fetchFile: async (url, signal) => await (await openFiles(doors))(url, fileLimits(signal)),
  });
  for (const [path, text] of outcome.written) await fileSystem.writeAtomic(absolutePath(path), text);
  return outcome;
}

/** Registries of a command and how its flags reach them. */
interface Reach {
  readonly registries: LazyRegistries;
  readonly reach: BuildReach;
}

async function openFiles(doors: Doors, reach?: BuildReach): Promise<HttpFiles> {
  const caCert = reach === undefined ? undefined : await caCertOf(reach, doors);
  return (await import("./http_files.ts")).httpFiles(doors, caCert === undefined ? {} : { caCert });
}

function fileLimits(signal: AbortSignal | undefined): HttpFileOptions {
  return { limitBytes: maxFileBytes, ...(signal === undefined ? {} : { signal }) };
}

/** How registries are logged in to, as the flags say. @throws {Error} for a file that is not there */
async function loginOf(reach: BuildReach, doors: Doors): Promise<RegistryLogin> {
  const caCert = await caCertOf(reach, doors);
  return {
    insecure: reach.insecure,
    ...(reach.credentials === undefined ? {} : { credentials: reach.credentials }),
    ...(caCert === undefined ? {} : { caCert }),
  };
}

async function caCertOf({ caFile }: BuildReach, { fileSystem }: Doors): Promise<string | undefined> {
  if (caFile === undefined) return undefined;
  const caCert = await fileSystem.readText(absolutePath(caFile));
  if (caCert === undefined) throw new Error(`Cannot read --ca-file "${caFile}": there is no such file`);
  return caCert;
}

async function openArtifact(
  artifact: { readonly reference: string; readonly path: string },
  doors: Doors,
  { registries, reach }: Reach,
): Promise<{ readonly tree: FileTree; readonly path: string } | undefined> {
  const { openReference } = await import("./open_reference.ts");
  const { artifactTree } = await import("../source/artifact/artifact_tree.ts");
  const login = await loginOf(reach, doors);
  const opened = openReference(artifact.reference, doors, { registries: await registries.open(), login });
  const { tree } = await artifactTree(opened.repository, opened.wanted);
  return listFolder(tree, artifact.path) === undefined ? undefined : { tree, path: artifact.path };
}

function lazyInflation(tree: FileTree, doors: Doors, { registries, reach }: Reach): RenderChart {
  return async (request, signal) => {
    const { chartInflation } = await import("../build/helm/chart_inflation.ts");
    const login = await loginOf(reach, doors);
    const [username, ...password] = login.credentials?.split(":") ?? [];
    const files = tree === diskTree ? await withFolder(request.chartHome, doors.fileSystem) : tree;
    const render = chartInflation(files, {
      clock: doors.clock,
      random: doors.random,
      ...(reach.allowHttp ? { readUrl: await openFiles(doors, reach) } : {}),
      pullChart: async (reference, signal) =>
        (await import("./pull_chart.ts")).pullChart(
          {
            ...reference,
            plainHttp: reach.insecure,
            ...(username === undefined ? {} : { username, password: password.join(":") }),
            ...(reach.caFile === undefined ? {} : { caFile: absolutePath(reach.caFile) }),
          },
          await registries.open(),
          signal,
        ),
    });
    return await render(request, signal);
  };
}
