import type { FileSystem } from "../../core/file_system.ts";
import { treeOf } from "../../core/file_tree.ts";
import { FormatError } from "../../format/format_error.ts";
import { parseRange } from "../../format/semver.ts";
import { isGzip } from "./chart/archive.ts";
import type { Chart } from "./chart/chart.ts";
import { parseIgnoreRules } from "./chart/ignore.ts";
import type { IgnoreRules } from "./chart/ignore.ts";
import { checkChartHead, loadChartArchive, loadChartFolder } from "./chart/load.ts";
import type { LoadOptions } from "./chart/load.ts";
import { maxChartBytes, maxFileBytes, maxFileCount } from "./chart/archive.ts";
import { ChartError } from "./chart/metadata.ts";
import type { Dependency } from "./chart/metadata.ts";
import { cleanPath, joinPaths } from "./chart/go_path.ts";
import { isCompatibleRange } from "./chart/version_range.ts";
import { resolveLink } from "./chart/resolve_link.ts";
import { checkDependencies } from "./chart/dependencies.ts";
import { isHelm3 } from "./dialect.ts";
import type { Notify } from "./notice.ts";
import { quoteText } from "./template/go_quote.ts";
import { fromBytes } from "./template/go_string.ts";

/** How a registry is talked to. */
export interface RegistryLogin {
  readonly plainHttp: boolean;
  readonly insecureSkipTlsVerify: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** A chart to pull from a registry. */
export interface ChartReference extends RegistryLogin {
  /** `oci://host/repository`, with a tag or digest where one is written. */
  readonly url: string;
  /** Version or range; "" for the newest. */
  readonly version: string;
}

/** A chart that was pulled. */
export interface PulledChart {
  /** The packed chart. */
  readonly bytes: Uint8Array;
  /** Where it was found: `host/repository:tag`, or `host/repository@digest`. */
  readonly name: string;
  /** Digest of its manifest. */
  readonly digest: string;
}

/** What charts are read through: a disk, or files that are only in memory, which have no links. */
export type ChartFiles = Pick<FileSystem, "stat" | "read" | "list"> & Partial<Pick<FileSystem, "readLink">>;

/** Where a chart is. */
export type ChartLoader =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "archive"; readonly path: string; readonly bytes: Uint8Array };

/**
 * Finds a chart on disk.
 *
 * @throws {ChartError} with Helm's text: no such path, or the name of a repository's chart
 */
export async function chartSource(name: string, files: ChartFiles): Promise<ChartLoader> {
  const path = name.length > 1 ? name.replace(/\/+$/, "") : name;
  const info = path === "" ? undefined : await files.stat(path);
  if (info === undefined) {
    if (name.startsWith("/") || name.startsWith(".")) throw new ChartError(`path ${JSON.stringify(name)} not found`);
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) {
      throw new ChartError(
        `cannot fetch ${JSON.stringify(name)}: charts come from folders, archives and oci:// registries`,
      );
    }
    const slash = name.indexOf("/");
    if (slash < 0) {
      throw new ChartError(`non-absolute URLs should be in form of repo_name/path_to_chart, got: ${name}`);
    }
    throw new ChartError(`repo ${name.slice(0, slash)} not found`);
  }
  if (info.kind === "folder" || (info.kind === "link" && await files.list(path) !== undefined)) {
    return { kind: "folder", path };
  }
  return { kind: "archive", path, bytes: await files.read(path) ?? new Uint8Array() };
}

/** Loads what was found. @throws {ChartError} and its kin with Helm's text */
export async function loadLocated(source: ChartLoader, files: ChartFiles, options: LoadOptions): Promise<Chart> {
  if (source.kind === "folder") return await loadFolder(source.path, files, options);
  const { bytes, path } = source;
  if (!isGzip(bytes)) {
    if (/\.ya?ml$/.test(path)) {
      throw new ChartError(`file '${path}' seems to be a YAML file, but expected a gzipped archive`);
    }
    throw new ChartError(`file '${path}' does not appear to be a gzipped archive; got '${contentType(bytes)}'`);
  }
  try {
    return loadChartArchive(bytes, options);
  } catch (error) {
    if (isHelm3(options.dialect) || !(error instanceof ChartError) || !isArchiveFault(error.message)) throw error;
    throw new ChartError("unable to load chart archive", { cause: error });
  }
}

/** Faults of the archive itself, which Helm 4 does not tell apart. */
function isArchiveFault(message: string): boolean {
  return /^(?:chart illegally|chart contains illegally|chart yaml not in base|decompressed chart|no files in chart archive|unexpected EOF|EOF|gzip:|archive\/tar|chart archive has)/
    .test(message);
}

/** How pages start that Go takes for HTML. */
const hypertext = /^<(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--)[ >]/i;

/** Type of a content as Go's `http.DetectContentType` tells it, as far as error texts show it. */
function contentType(bytes: Uint8Array): string {
  const head = new Uint8Array(512);
  head.set(bytes.subarray(0, 512));
  const starts = (...magic: readonly number[]) => magic.every((byte, index) => head[index] === byte);
  const text = new TextDecoder("latin1").decode(head).trimStart();
  if (hypertext.test(text)) return "text/html; charset=utf-8";
  if (text.startsWith("<?xml")) return "text/xml; charset=utf-8";
  if (starts(0x50, 0x4b, 3, 4)) return "application/zip";
  if (starts(0x25, 0x50, 0x44, 0x46, 0x2d)) return "application/pdf";
  if (starts(0xef, 0xbb, 0xbf)) return "text/plain; charset=utf-8";
  if (starts(0x89, 0x50, 0x4e, 0x47)) return "image/png";
  const isBinary = head.some((byte) =>
    byte <= 8 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f)
  );
  return isBinary ? "application/octet-stream" : "text/plain; charset=utf-8";
}

async function loadFolder(path: string, files: ChartFiles, options: LoadOptions): Promise<Chart> {
  if (!isHelm3(options.dialect)) {
    const head = await files.read(`${path}/Chart.yaml`);
    if (head === undefined) {
      throw new ChartError(
        `unable to detect chart at ${path}/Chart.yaml: open ${path}/Chart.yaml: no such file or directory`,
      );
    }
    checkChartHead(head, options.dialect);
  }
  const ignore = await files.read(`${path}/.helmignore`);
  const rules = parseIgnoreRules(ignore === undefined ? "" : fromBytes(ignore));
  const found = new Map<string, Uint8Array>();
  const state = { root: path, files, rules, found, total: 0, notify: options.notify };
  if ((await files.stat(path))?.kind === "link") await tellLink(state, path);
  await walk(state, "", 0);
  return loadChartFolder(treeOf(found), options);
}

interface Walk {
  readonly root: string;
  readonly files: ChartFiles;
  readonly rules: IgnoreRules;
  readonly found: Map<string, Uint8Array>;
  readonly notify: Notify;
  total: number;
}

/** Says that a link is followed, also one that the rules leave out later. @throws {ChartError} for one that leads nowhere */
async function tellLink({ files, notify }: Walk, path: string): Promise<void> {
  const { stat, readLink } = files;
  if (readLink === undefined) return;
  let resolved: string;
  try {
    resolved = await resolveLink(path, { stat: stat.bind(files), readLink: readLink.bind(files) });
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
    throw new ChartError(`error evaluating symlink ${path}: ${error.message}`, { cause: error });
  }
  notify({
    level: "INFO",
    message: "found symbolic link in path. Contents of linked file included and used",
    fields: { path, resolved },
    helm3: `walk.go:75: found symbolic link in path: ${path} resolves to ${resolved}. ` +
      "Contents of linked file included and used",
  });
}

/** Reads a folder as Helm walks it: links are followed, what the rules leave out is not opened. */
async function walk(state: Walk, inner: string, depth: number): Promise<void> {
  if (depth > 64) throw new ChartError("chart folder is nested deeper than 64 levels");
  const { files, rules, root } = state;
  for (const entry of await files.list(inner === "" ? root : `${root}/${inner}`) ?? []) {
    const path = inner === "" ? entry.name : `${inner}/${entry.name}`;
    const full = `${root}/${path}`;
    if (entry.kind === "link") await tellLink(state, full);
    const isFolder = entry.kind === "folder" || (entry.kind === "link" && await files.list(full) !== undefined);
    if (rules.ignores(path, isFolder)) continue;
    if (isFolder) {
      await walk(state, path, depth + 1);
      continue;
    }
    if (entry.kind === "other") {
      throw new ChartError(`cannot load irregular file ${full} as it has file mode type bits set`);
    }
    const info = await files.stat(full);
    if ((info?.sizeBytes ?? 0) > maxFileBytes) {
      throw new ChartError(
        `chart file ${JSON.stringify(entry.name)} is larger than the maximum file size ${maxFileBytes}`,
      );
    }
    const bytes = await files.read(full);
    if (bytes === undefined) {
      // A link that was told of leads somewhere: it is the system that follows no more than 40 of them.
      const why = entry.kind === "link" ? "too many levels of symbolic links" : "no such file or directory";
      throw new ChartError(`open ${full}: ${why}`);
    }
    state.total += bytes.length;
    if (state.total > maxChartBytes) throw new ChartError(`chart is larger than the maximum size ${maxChartBytes}`);
    if (state.found.size >= maxFileCount) throw new ChartError(`chart folder has more than ${maxFileCount} files`);
    state.found.set(path, bytes);
  }
}

/** What fetching dependencies needs. */
export interface DependencyTools extends LoadOptions {
  readonly files: ChartFiles;
  readonly pullChart?: (reference: ChartReference, signal?: AbortSignal) => Promise<PulledChart>;
  /** How registries are talked to. */
  readonly login: RegistryLogin;
  readonly signal?: AbortSignal;
}

/**
 * A chart with the dependencies that it declares, fetched anew from folders (`file://`) and registries (`oci://`). What has
 * no repository must be there already. A lock does not count: Helm writes it anew, too.
 *
 * Differs: Helm writes them into `charts/`, with lines about it; here the chart on disk stays as it is, and nothing is said.
 * @throws {ChartError} naming a dependency that cannot be fetched
 */
export async function withDependencies(chart: Chart, source: ChartLoader, tools: DependencyTools): Promise<Chart> {
  const wanted = chart.metadata.dependencies ?? [];
  const folders = await findFolders(wanted, source, tools);
  const fetched = new Map<string, Chart>();
  for (const dependency of wanted) {
    const found = folders.get(dependency) ?? await pullDependency(dependency, tools);
    // One chart may be wanted twice, under other names: it is there once.
    if (found !== undefined) fetched.set(`${found.metadata.name} ${found.metadata.version}`, found);
  }
  const replaced = new Set([...fetched.values()].map((child) => child.metadata.name));
  const kept = chart.dependencies.filter((child) => !replaced.has(child.metadata.name));
  const whole = { ...chart, dependencies: [...kept, ...fetched.values()] };
  checkDependencies(whole);
  return whole;
}

/** Charts of dependencies that are folders. Every range is looked at before anything is pulled (Helm `resolver.go`). */
async function findFolders(
  wanted: readonly Dependency[],
  source: ChartLoader,
  tools: DependencyTools,
): Promise<ReadonlyMap<Dependency, Chart>> {
  const folders = new Map<Dependency, Chart>();
  const missing: string[] = [];
  for (const dependency of wanted) {
    const { name, repository, version } = dependency;
    if (!isRange(version)) {
      throw new ChartError(
        `dependency ${quoteText(name)} has an invalid version/constraint format: improper constraint: ${
          quoteText(version)
        }`,
      );
    }
    if (!repository.startsWith("file://") || source.kind !== "folder") continue;
    const written = repository.slice("file://".length);
    const path = written.startsWith("/") ? cleanPath(written) : joinPaths(source.path, written);
    if (await tools.files.stat(path) === undefined) throw new ChartError(`directory ${path} not found`);
    const found = await loadLocated(await chartSource(path, tools.files), tools.files, tools);
    folders.set(dependency, found);
    if (isCompatibleRange(version, found.metadata.version)) continue;
    missing.push(`${quoteText(name)} (repository ${quoteText(repository)}, version ${quoteText(version)})`);
  }
  if (missing.length === 0) return folders;
  throw new ChartError(
    `can't get a valid version for ${missing.length} subchart(s): ${
      missing.join(", ")
    }. Make sure a matching chart version exists in the repo, or change the version constraint in Chart.yaml`,
  );
}

async function pullDependency(dependency: Dependency, tools: DependencyTools): Promise<Chart | undefined> {
  const { repository, name, version } = dependency;
  if (repository === "") return undefined;
  if (repository.startsWith("oci://") && tools.pullChart !== undefined) {
    const url = `${repository.replace(/\/+$/, "")}/${name}`;
    const { bytes } = await tools.pullChart({ ...tools.login, url, version }, tools.signal);
    return loadChartArchive(bytes, tools);
  }
  throw new ChartError(
    `cannot fetch dependency ${JSON.stringify(name)} from ${
      JSON.stringify(repository)
    }: only file:// and oci:// are built`,
  );
}

function isRange(text: string): boolean {
  try {
    parseRange(text);
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}
