import type { FileTree } from "../../core/file_tree.ts";
import { subTree } from "../../core/file_tree.ts";
import { StageError } from "../../core/stage_error.ts";
import type { Chart } from "./chart/chart.ts";
import { UnmarshalError } from "./chart/go_struct.ts";
import { IgnoreSyntaxError } from "./chart/ignore.ts";
import { loadChartArchive, loadChartFolder } from "./chart/load.ts";
import type { LoadOptions } from "./chart/load.ts";
import { ChartError } from "./chart/metadata.ts";
import { YamlConversionError } from "./chart/read_yaml.ts";
import type { Dialect } from "./dialect.ts";
import { defaultDialect, languageOf } from "./dialect.ts";
import type { Notice } from "./notice.ts";
import { DocumentCache } from "./release/manifests.ts";
import type { TemplateCache } from "./release/render.ts";
import { sourcesOf } from "./release/scopes.ts";
import { parseTemplates } from "./template/template_set.ts";
import type { TemplateSet } from "./template/template_set.ts";

/** A chart that was read, and what was noticed on the way. Holds its parsed templates: keep it while its digest is in use. */
export interface LoadedChart {
  readonly chart: Chart;
  readonly notices: readonly Notice[];
  readonly cache: TemplateCache;
  /** Documents of earlier renders. */
  readonly documents: DocumentCache;
}

/** Charts kept by digest, the least recently used one going first. */
export class ChartCache {
  readonly #limit: number;
  readonly #charts = new Map<string, LoadedChart>();
  /** Shared by all charts, so that its limit is one for all. */
  readonly documents = new DocumentCache();

  /** @param limit most charts kept */
  constructor(limit = 16) {
    this.#limit = limit;
  }

  /** The chart of a key, loaded when it is not there. */
  get(key: string, load: () => LoadedChart): LoadedChart {
    const found = this.#charts.get(key) ?? load();
    this.#charts.delete(key);
    this.#charts.set(key, found);
    if (this.#charts.size > this.#limit) this.#charts.delete(this.#charts.keys().next().value as string);
    return found;
  }

  /** Forgets all charts. */
  clear(): void {
    this.#charts.clear();
    this.documents.clear();
  }
}

/**
 * Reads a chart of an artifact's tree: its root, the one folder in it, or the one `.tgz` file in it.
 *
 * @throws {StageError} ArtifactFailed with Helm's text when there is no chart or Helm would refuse it
 */
export function loadChart(
  tree: FileTree,
  dialect: Dialect = defaultDialect,
  documents: DocumentCache = new DocumentCache(),
): LoadedChart {
  const notices: Notice[] = [];
  const options = { dialect, notify: (notice: Notice) => void notices.push(notice) };
  try {
    return { chart: locateChart(tree, options), notices, cache: templateCache(), documents };
  } catch (error) {
    if (
      error instanceof ChartError || error instanceof UnmarshalError || error instanceof YamlConversionError ||
      error instanceof IgnoreSyntaxError
    ) throw new StageError("ArtifactFailed", `Cannot load the chart: ${error.message}`, { cause: error });
    throw error;
  }
}

function locateChart(tree: FileTree, options: LoadOptions): Chart {
  if (tree.has("Chart.yaml")) return loadChartFolder(tree, options);
  const files = [...tree.files()];
  const [only] = files;
  if (files.length === 1 && only !== undefined && /\.(?:tgz|tar\.gz)$/.test(only.path)) {
    return loadChartArchive(tree.read(only.path) ?? new Uint8Array(), options);
  }
  const folders = new Set(files.map((file) => file.path.split("/", 1)[0] as string));
  const [folder] = folders;
  if (folders.size === 1 && folder !== undefined && tree.has(`${folder}/Chart.yaml`)) {
    return loadChartFolder(subTree(tree, folder), options);
  }
  throw new ChartError("Chart.yaml file is missing");
}

/** A cache of parsed templates: the same files parse once, whatever values they are rendered with. */
function templateCache(): TemplateCache {
  const sets = new Map<string, TemplateSet>();
  const ids = new WeakMap<Uint8Array, number>();
  let lastId = 0;
  const idOf = (data: Uint8Array): number => {
    let id = ids.get(data);
    if (id === undefined) ids.set(data, id = ++lastId);
    return id;
  };
  return {
    get(templates, dialect) {
      const language = languageOf(dialect);
      const key = `${language}\n${templates.map(({ name, data }) => `${idOf(data)} ${name}`).join("\n")}`;
      let set = sets.get(key);
      if (set === undefined) {
        // Conditions give a chart a handful of forms; more than that is not worth its memory.
        if (sets.size >= 4) sets.delete(sets.keys().next().value as string);
        sets.set(key, set = parseTemplates(sourcesOf(templates), language));
      }
      return set;
    },
  };
}
