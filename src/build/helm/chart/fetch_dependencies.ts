import { quoteText } from "../template/go_quote.ts";
import type { Chart } from "./chart.ts";
import type { ChartFiles } from "./chart_folder.ts";
import type { ChartReference, PulledChart, RegistryLogin } from "./chart_reference.ts";
import { findChart, loadFound } from "./chart_source.ts";
import type { ChartSource } from "./chart_source.ts";
import { checkDependencies } from "./dependencies.ts";
import { cleanPath, joinPaths } from "./go_path.ts";
import { loadChartArchive } from "./load.ts";
import type { LoadOptions } from "./load.ts";
import { ChartError } from "./metadata.ts";
import type { Dependency } from "./metadata.ts";
import { isCompatibleRange, isRange } from "./version_range.ts";

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
export async function withDependencies(chart: Chart, source: ChartSource, tools: DependencyTools): Promise<Chart> {
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
  source: ChartSource,
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
    const found = await loadFound(await findChart(path, tools.files), tools.files, tools);
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
