/**
 * Charts inside of kustomizations: what kustomize does by running helm, with our own engine and without a program.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { FileTree } from "../../core/file_tree.ts";
import type { JsonValue, MutableJson } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Random } from "../../core/random.ts";
import { printYaml } from "../../format/yaml_print.ts";
import { nodeFromJson, nodeToJson } from "../../format/yaml_node/node_json.ts";
import { readYaml } from "../../format/yaml_node/reader.ts";
import { fault, textFault, wrapFault } from "../kustomize/fault.ts";
import type { ChartRequest, RenderChart } from "../kustomize/generators/helm_chart.ts";
import { isHttp } from "../kustomize/load.ts";
import { cleanJoin } from "../kustomize/origin.ts";
import { builtinSchema } from "../kustomize/merge/schema.ts";
import { strategicMerge } from "../kustomize/merge/strategic_merge.ts";
import { readChartArchive } from "./chart/archive.ts";
import { ChartError } from "./chart/metadata.ts";
import type { FetchLimited } from "./chart_repository.ts";
import { pullFromRepository } from "./chart_repository.ts";
import type { ChartFiles } from "./chart/chart_folder.ts";
import type { ChartReference } from "./chart/chart_reference.ts";
import { runTemplate } from "./command/template_command.ts";
import type { RenderLimits } from "./template/run.ts";

/** What the inflation of charts may use. */
export interface InflationTools {
  readonly clock: Clock;
  readonly random: Random;
  /** The packed chart of a reference. Absent: charts come from the tree alone. */
  readonly pullChart?: (reference: ChartReference, signal?: AbortSignal) => Promise<Uint8Array>;
  /** Reads files of http(s) addresses: charts of repositories of the old kind. Absent: those are refused. */
  readonly readUrl?: FetchLimited;
  /** Makes random values and the time of a render repeatable. */
  readonly seed?: string;
  /** What each render may use. Default: the engine's. A render beyond it throws `RenderLimitError`. */
  readonly limits?: RenderLimits;
}

/** Files by path, each read when it is asked for. */
type Files = Map<string, () => Uint8Array>;

/** The packed chart of a request, from its repository. */
type PullChart = (request: ChartRequest, signal?: AbortSignal) => Promise<Uint8Array>;

/**
 * Renders the charts that the kustomizations of a tree ask for, as kustomize 5.8.1 has them rendered by helm 4.2.4.
 *
 * A chart is the folder `<chartHome>/<name>` (`<chartHome>/<name>-<version>/<name>` where `repo` and `version` are
 * named), else it is pulled from `repo`.
 * Differs: a packed chart of the tree (`<chartHome>/<name>-<version>.tgz` or `<name>.tgz`) is taken before anything is
 * pulled; `http(s)://` is pulled only where it is allowed; what was pulled is not written into the tree.
 * @returns a renderer that throws {StageError} BuildFailed naming the chart
 */
export function chartInflation(tree: FileTree, tools: InflationTools): RenderChart {
  // A build that misses a module or a file begins again: it gets the very same charts, pulled once.
  const known = new Map<string, Uint8Array>();
  const pull: PullChart = async (request, signal) => {
    const key = JSON.stringify([request.repo, request.name, request.version, request.devel]);
    const bytes = known.get(key) ?? await pulled(request, tools, signal);
    known.set(key, bytes);
    return bytes;
  };
  return async (request, signal) => {
    const files = await chartFiles(tree, request, pull, signal);
    const chart = folderOf(request);
    const values = `${request.name}-kustomize-values.yaml`;
    const own = () => files.get(`${chart}/values.yaml`)?.();
    const bytes = valuesBytes(request, tree, own);
    files.set(values, () => bytes);
    for (const path of request.additionalValuesFiles) files.set(path, () => tree.read(path) ?? new Uint8Array());
    const outcome = await runTemplate(templateArguments(request, `/${chart}`, `/${values}`), {
      files: readerOf(files),
      clock: tools.clock,
      random: tools.random,
      ...(tools.seed === undefined ? {} : { seed: tools.seed }),
      ...(tools.limits === undefined ? {} : { limits: tools.limits }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (outcome.exitCode === 0) return outcome.stdout;
    const said = outcome.stderr.trim().replace(/^Error: /m, "");
    throw fault(`Cannot render Helm chart "${request.name}": ${said}`);
  };
}

/** Folder of the chart. */
function folderOf({ chartHome, name, version, repo }: ChartRequest): string {
  return cleanJoin(chartHome, version !== "" && repo !== "" ? `${name}-${version}/${name}` : name);
}

/** Files of the chart below its home: of the tree, of an archive in the tree, or pulled. */
async function chartFiles(
  tree: FileTree,
  request: ChartRequest,
  pull: PullChart,
  signal?: AbortSignal,
): Promise<Files> {
  const { name } = request;
  const folder = folderOf(request);
  const files: Files = new Map();
  const archives: string[] = [];
  for (const { path } of tree.files()) {
    if (path.startsWith(`${folder}/`)) files.set(path, () => tree.read(path) ?? new Uint8Array());
    else if (isArchiveOf(request, path)) archives.push(path);
  }
  if (files.size > 0) return files;
  if (archives.length > 1) {
    throw fault(`Cannot choose the chart "${name}": there are ${archives.join(", ")}; name its version`);
  }
  const [archive] = archives;
  const bytes = archive === undefined ? await pull(request, signal) : tree.read(archive) ?? new Uint8Array();
  try {
    for (const file of readChartArchive(bytes)) files.set(`${folder}/${file.name}`, () => file.data);
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
    throw fault(`Cannot unpack Helm chart "${name}": ${error.message}`);
  }
  return files;
}

/** Whether a file is a packed form of the chart: of its version, or of any where none is named. */
function isArchiveOf(request: ChartRequest, path: string): boolean {
  const { chartHome, name, version } = request;
  const start = cleanJoin(chartHome, name);
  if (!path.startsWith(start) || !path.endsWith(".tgz")) return false;
  const rest = path.slice(start.length, -".tgz".length);
  return version === "" ? rest === "" || /^-v?\d[^/]*$/.test(rest) : rest === `-${version}`;
}

async function pulled(request: ChartRequest, tools: InflationTools, signal?: AbortSignal): Promise<Uint8Array> {
  const { name, repo, version, devel } = request;
  if (repo === "") {
    throw fault(
      `Cannot find Helm chart "${name}": no repo specified for pull, no chart found at "${folderOf(request)}"`,
    );
  }
  const hint = `put the chart into "${folderOf(request)}"`;
  if (isHttp(repo) && tools.readUrl !== undefined) {
    const wanted = { url: repo, name, version: version || (devel ? ">0.0.0-0" : "") };
    try {
      return await pullFromRepository(wanted, tools.readUrl, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw wrapFault(`Cannot pull Helm chart "${name}" from "${repo}"`, error);
    }
  }
  if (!repo.startsWith("oci://")) {
    const refusal = isHttp(repo) ? "only oci:// is pulled here (http(s) with --allow-http)" : "only oci:// is pulled";
    throw fault(`Cannot pull Helm chart "${name}" from "${repo}": ${refusal}; ${hint}`);
  }
  if (tools.pullChart === undefined) {
    throw fault(`Cannot pull Helm chart "${name}" from "${repo}": charts are not pulled here; ${hint}`);
  }
  try {
    return await tools.pullChart({
      url: `${repo.replace(/\/$/, "")}/${name}`,
      version: version || (devel ? ">0.0.0-0" : ""),
      plainHttp: false,
      insecureSkipTlsVerify: false,
    }, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw wrapFault(`Cannot pull Helm chart "${name}" from "${repo}"`, error);
  }
}

/** The one values file that is handed on: the file's values with the inline ones over or under them. */
function valuesBytes(request: ChartRequest, tree: FileTree, own: () => Uint8Array | undefined): Uint8Array {
  const { valuesInline, valuesFile, valuesMerge, name } = request;
  const file = valuesFile ?? `${folderOf(request)}/values.yaml`;
  const read = (): Uint8Array => {
    const bytes = valuesFile === undefined ? own() : tree.read(valuesFile);
    if (bytes === undefined) throw fault(`Cannot render Helm chart "${name}": it has no values file "${file}"`);
    return bytes;
  };
  if (valuesInline === undefined || Object.keys(valuesInline).length === 0) return read();
  const values = valuesMerge === "replace" ? valuesInline : mergedValues(request, { file, bytes: read() });
  return new TextEncoder().encode(printYaml(asFloats(values)));
}

function mergedValues(
  request: ChartRequest,
  given: { readonly file: string; readonly bytes: Uint8Array },
): JsonValue {
  const inline = nodeFromJson(request.valuesInline ?? {});
  const text = new TextDecoder().decode(given.bytes);
  let merged: MutableJson;
  try {
    const file = readYaml(text);
    if (file === undefined) throw fault("it holds no values");
    const [target, patch] = request.valuesMerge === "override" ? [file, inline] : [inline, file];
    const node = strategicMerge(target, patch, { schema: builtinSchema, newItems: "last" });
    merged = node === undefined ? {} : nodeToJson(node);
  } catch (error) {
    throw textFault(given.file, error, `Cannot merge inline values with "${given.file}"`);
  }
  if (!isJsonObject(merged)) throw fault(`Cannot merge inline values with "${given.file}": it must be a mapping`);
  return merged;
}

/** kustomize's values pass through Go's maps, where every number is a float: digits beyond 2^53 are lost. */
function asFloats(value: JsonValue): JsonValue {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(asFloats);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asFloats(inner)]));
}

/** Arguments of `helm template` (kustomize 5.8.1, `api/types/helmchartargs.go`). */
function templateArguments(request: ChartRequest, chart: string, values: string): readonly string[] {
  const flag = (name: string, value: string) => value === "" ? [] : [name, value];
  return [
    request.releaseName === "" ? "--generate-name" : request.releaseName,
    chart,
    ...flag("--namespace", request.namespace),
    ...flag("--name-template", request.nameTemplate),
    ...flag("-f", values),
    ...request.additionalValuesFiles.flatMap((path) => ["-f", `/${path}`]),
    ...request.apiVersions.flatMap((version) => ["--api-versions", version]),
    ...flag("--kube-version", request.kubeVersion),
    ...(request.includeCRDs ? ["--include-crds"] : []),
    ...(request.skipTests ? ["--skip-tests"] : []),
    ...(request.skipHooks ? ["--no-hooks"] : []),
  ];
}

/** Files in memory as the engine reads a disk; paths start with `/`. */
function readerOf(files: Files): ChartFiles {
  const folders = new Map<string, Map<string, "file" | "folder">>([["", new Map()]]);
  for (const path of files.keys()) {
    const parts = path.split("/");
    for (let depth = parts.length; depth > 0; depth--) {
      const parent = parts.slice(0, depth - 1).join("/");
      const names = folders.get(parent) ?? new Map<string, "file" | "folder">();
      folders.set(parent, names.set(parts[depth - 1] as string, depth === parts.length ? "file" : "folder"));
    }
  }
  const inner = (path: string): string => path.replace(/^\/+/, "");
  return {
    stat(path) {
      const name = inner(path);
      const read = files.get(name);
      const kind = read !== undefined ? "file" : folders.has(name) ? "folder" : undefined;
      return Promise.resolve(
        kind === undefined
          ? undefined
          : { kind, sizeBytes: read?.().length ?? 0, mode: kind === "file" ? 0o644 : 0o755, modifiedAt: 0 },
      );
    },
    read: (path) => Promise.resolve(files.get(inner(path))?.()),
    list(path) {
      const names = folders.get(inner(path));
      return Promise.resolve(
        names === undefined
          ? undefined
          : [...names].map(([name, kind]) => ({ name, kind })).sort((a, b) => (a.name < b.name ? -1 : 1)),
      );
    },
  };
}
