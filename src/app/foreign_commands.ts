import { runBuild as runKustomizeBuild } from "../build/kustomize/build_command.ts";
import type { ChartReference } from "../build/helm/chart_source.ts";
import { chartInflation } from "../build/helm/chart_inflation.ts";
import { runTemplate as runHelmTemplate } from "../build/helm/template_command.ts";
import { mediaTypes } from "../core/descriptor.ts";
import { listFolder } from "../core/file_tree.ts";
import { parseImageReference } from "../format/image_reference.ts";
import { newestTag } from "../format/semver.ts";
import { absolutePath, readStandardInput } from "../platform/deno_environment.ts";
import { denoFileSystem } from "../platform/deno_file_system.ts";
import { reachOf, treeOfFolders } from "./disk_tree.ts";
import { artifactTree } from "../source/artifact/artifact_tree.ts";
import { readLayer } from "../source/artifact/inspect_artifact.ts";
import { parseManifestDocument } from "../source/manifest_document.ts";
import type { OciSource } from "../source/oci_source.ts";
import { type Doors, hostDoors } from "./doors.ts";
import { openReference, splitReference } from "./open_reference.ts";
import { openRegistries, type Registries } from "./registry.ts";
import type { Printed } from "./work.ts";

/**
 * `pilotfish build`: kustomize's command over a folder of this disk, or over an artifact: `oci://REFERENCE//PATH`,
 * `oci-layout://FOLDER:TAG//PATH` (without `//PATH`: its root).
 *
 * Differs: charts are rendered by our own engine, and `--helm-command` says nothing.
 */
export async function runBuild(args: readonly string[], doors: Doors = hostDoors): Promise<Printed> {
  using registries = openRegistries(doors);
  const { fileSystem } = doors;
  const outcome = await runKustomizeBuild(args, {
    async openFolder(path) {
      const artifact = splitReference(path);
      if (artifact !== undefined) {
        const opened = openReference(artifact.reference, doors, { registries, login: { insecure: false } });
        const { tree } = await artifactTree(opened.repository, opened.wanted);
        return listFolder(tree, artifact.path) === undefined ? undefined : { tree, path: artifact.path };
      }
      const folder = absolutePath(path === "" ? "." : path);
      if ((await fileSystem.stat(folder))?.kind !== "folder") return undefined;
      const { root, folders } = await reachOf(folder, fileSystem);
      const tree = await treeOfFolders(root, folders, fileSystem);
      return { tree, path: folder.slice(root.length).replace(/^\//, "") };
    },
    isFolder: async (path) => (await fileSystem.stat(absolutePath(path)))?.kind === "folder",
    renderChart: (tree) =>
      chartInflation(tree, {
        clock: doors.clock,
        random: doors.random,
        pullChart: (reference, signal) => pullChart(reference, registries, signal),
      }),
  });
  for (const [path, text] of outcome.written) await fileSystem.writeAtomic(absolutePath(path), text);
  return outcome;
}

/** `pilotfish template`: helm's command over charts of this disk and of registries. */
export async function runTemplate(args: readonly string[]): Promise<Printed> {
  const doors = hostDoors;
  using registries = openRegistries(doors);
  const outcome = await runHelmTemplate(args, {
    files: doors.fileSystem,
    clock: doors.clock,
    random: doors.random,
    readStdin: async () => new TextEncoder().encode(await readStandardInput()),
    environment: doors.processes.env,
    pullChart: (reference, signal) => pullChart(reference, registries, signal),
  });
  for (const [path, text] of outcome.written) {
    const full = absolutePath(path);
    await doors.fileSystem.makeFolder(full.slice(0, full.lastIndexOf("/")));
    await doors.fileSystem.writeAtomic(full, text);
  }
  return outcome;
}

/** The packed chart of a reference: the layer of Helm's type. A version may be a range. */
async function pullChart(reference: ChartReference, registries: Registries, signal?: AbortSignal): Promise<Uint8Array> {
  const image = parseImageReference(reference.url);
  const caCert = reference.caFile === undefined ? undefined : await denoFileSystem.readText(reference.caFile);
  const repository = registries.ofCommand(image, {
    insecure: reference.plainHttp || reference.insecureSkipTlsVerify,
    ...(reference.username === undefined ? {} : { credentials: `${reference.username}:${reference.password ?? ""}` }),
    ...(caCert === undefined ? {} : { caCert }),
  });
  const call = signal === undefined ? {} : { signal };
  const wanted = image.digest ?? image.tag ?? await chartTag(repository, reference, call);
  const resolved = await repository.resolve(wanted, call);
  if (resolved.kind !== "found") throw new Error(`${wanted}: not found`);
  const { bytes } = await repository.manifest(resolved.descriptor.digest, call);
  const document = parseManifestDocument(bytes);
  const layer = document.kind === "manifest"
    ? document.manifest.layers.find((one) => one.mediaType === mediaTypes.helmChart)
    : undefined;
  if (layer === undefined) throw new Error(`${reference.url}:${wanted} holds no Helm chart`);
  return await readLayer(repository, layer, { limitBytes: largestChartBytes, ...call });
}

/** Largest chart that is pulled. */
const largestChartBytes = 100 * 1024 * 1024;

/** Tag of a version: `+` is written `_` in tags; a range takes the newest that fits. */
async function chartTag(
  repository: OciSource,
  reference: ChartReference,
  call: { readonly signal?: AbortSignal },
): Promise<string> {
  const { version } = reference;
  if (/^v?\d+\.\d+\.\d+([-+].*)?$/.test(version)) return version.replaceAll("+", "_");
  const tags = await repository.tags(call);
  const versions = tags.map((tag) => tag.replaceAll("_", "+"));
  const newest = newestTag(versions, version === "" ? "*" : version);
  if (newest === undefined) throw new Error(`could not locate a version matching provided version string ${version}`);
  return newest.replaceAll("+", "_");
}
