import type { FileSystem } from "../../../core/file_system.ts";
import { treeOf } from "../../../core/file_tree.ts";
import { isHelm3 } from "../dialect.ts";
import type { Notify } from "../notice.ts";
import { fromBytes } from "../template/go_string.ts";
import { maxChartBytes, maxFileBytes, maxFileCount } from "./archive.ts";
import type { Chart } from "./chart.ts";
import { parseIgnoreRules } from "./ignore.ts";
import type { IgnoreRules } from "./ignore.ts";
import { checkChartHead, loadChartFolder } from "./load.ts";
import type { LoadOptions } from "./load.ts";
import { ChartError } from "./metadata.ts";
import { resolveLink } from "./resolve_link.ts";

/** What charts are read through: a disk, or files that are only in memory, which have no links. */
export type ChartFiles = Pick<FileSystem, "stat" | "read" | "list"> & Partial<Pick<FileSystem, "readLink">>;

/**
 * The chart of a folder on disk. Helm 4 looks at its Chart.yaml before it walks the folder.
 *
 * @throws {ChartError} and its kin with Helm's text
 */
export async function readChartFolder(path: string, files: ChartFiles, options: LoadOptions): Promise<Chart> {
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
  const rules = parseIgnoreRules(ignore === undefined ? "" : fromBytes(ignore), options.dialect);
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
