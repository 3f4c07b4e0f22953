/**
 * Room `build`, part Helm: a chart and values become resources, with Helm's own text where it prints one.
 * In: a chart (folder or archive), values, the release's surroundings. Out: resources, hooks, CRDs, notes, texts.
 * May fail: `StageError` BuildFailed, ValuesError, ArtifactFailed, with Helm's words. Called by reconcile and the command line.
 * Everything impure is handed in; what has to be waited for is fetched between rounds of a render.
 *
 * @module
 */
import type { Builder, BuildResult, HookResource } from "../../core/builder.ts";
import type { Digest } from "../../core/digest.ts";
import { digestOf } from "../../core/digest.ts";
import type { FileTree } from "../../core/file_tree.ts";
import { subTree } from "../../core/file_tree.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Ownership } from "../../core/ownership.ts";
import { withOwnerLabels } from "../../core/ownership.ts";
import type { Resource } from "../../core/resource.ts";
import { isResource } from "../../core/resource.ts";
import type { CommonMetadata } from "../../core/specs.ts";
import { StageError } from "../../core/stage_error.ts";
import { FormatError } from "../../format/format_error.ts";
import { parseYamlDocuments, printYaml } from "../../format/yaml.ts";
import { isLibrary } from "./chart/chart.ts";
import type { Chart, ChartCrd } from "./chart/chart.ts";
import { UnmarshalError } from "./chart/go_struct.ts";
import { IgnoreSyntaxError } from "./chart/ignore.ts";
import { loadChartArchive, loadChartFolder } from "./chart/load.ts";
import { ChartError } from "./chart/metadata.ts";
import { mergeMaps, readValues, YamlConversionError } from "./chart/read_yaml.ts";
import type { Dialect } from "./dialect.ts";
import { defaultDialect, languageOf } from "./dialect.ts";
import type { Notice } from "./notice.ts";
import { noticeText } from "./notice.ts";
import type { Capabilities } from "./release/capabilities.ts";
import { defaultCapabilities } from "./release/capabilities.ts";
import { settle } from "./release/inputs.ts";
import type { WorldTools } from "./release/inputs.ts";
import { manifestText } from "./release/manifest_text.ts";
import { DocumentCache } from "./release/manifests.ts";
import type { HookManifest, Manifest } from "./release/manifests.ts";
import { postRenderManifests, withMetadata } from "./release/post_render.ts";
import type { KustomizeChange, PostRender, PostRenderStrategy } from "./release/post_render.ts";
import { checkReleaseName } from "./release/release_name.ts";
import { checkInstallable, documentsOf, RenderError, renderFiles } from "./release/render.ts";
import type { TemplateCache } from "./release/render.ts";
import type { ReleaseIdentity } from "./release/scopes.ts";
import { sourcesOf } from "./release/scopes.ts";
import { fromBytes } from "./template/go_string.ts";
import { RenderLimitError } from "./template/run.ts";
import type { RenderLimits } from "./template/run.ts";
import { parseTemplates } from "./template/template_set.ts";
import type { TemplateSet } from "./template/template_set.ts";
import { tableOf } from "./values/tables.ts";
import type { Table } from "./values/tables.ts";
import { jsonOf } from "./values/value_json.ts";
import { mergeFluxValues } from "./values/values_from.ts";
import type { ReferredValues } from "./values/values_from.ts";
import { fromJson } from "./template/value.ts";
import type { GoMap } from "./template/value.ts";

/** A release to build: values only, fit for `structuredClone`. */
export interface HelmBuildRequest {
  /** Digest of the chart's content: charts and parsed templates are kept under it. Absent: nothing is kept. */
  readonly chartDigest?: Digest;
  readonly release: ReleaseIdentity;
  /** `spec.values`. */
  readonly values: JsonObject;
  /** What `spec.valuesFrom` found, in order. Default none. */
  readonly valuesFrom?: readonly ReferredValues[];
  /** Values files of the chart that take the place of its values.yaml, in order (`spec.chart.spec.valuesFiles`). */
  readonly valuesFiles?: readonly string[];
  readonly ignoreMissingValuesFiles?: boolean;
  /** Default `helm4.2.4`. */
  readonly dialect?: Dialect;
  /** What the cluster can do. Default: what Helm assumes without one. */
  readonly capabilities?: Capabilities;
  readonly skipSchemaValidation?: boolean;
  /** Build metadata for the chart's version, for example the first 12 hex digits of the artifact's digest, as Flux shows it to templates. */
  readonly versionMetadata?: string;
  readonly postRenderers?: readonly KustomizeChange[];
  /** Default `combined`. */
  readonly postRenderStrategy?: PostRenderStrategy;
  readonly commonMetadata?: CommonMetadata;
  /** The HelmRelease that owns the resources: becomes labels. */
  readonly origin?: { readonly name: string; readonly namespace: string };
  /** Which owner labels. Default `flux`. */
  readonly ownership?: Ownership;
  /**
   * Adds Helm's marks of ownership to the resources (label `app.kubernetes.io/managed-by: Helm`, annotations
   * `meta.helm.sh/…`), as Helm does when it applies them. Default `true`.
   */
  readonly marksOwnership?: boolean;
  /** The render's moment and chance come from names instead of clock and machine: the same request gives the same text. */
  readonly isDeterministic?: boolean;
  readonly limits?: RenderLimits;
}

/** What a render may use. */
export interface HelmTools extends WorldTools {
  /** The kustomize engine, for post-renderers. Absent: asking for them is an error. */
  readonly postRender?: PostRender;
}

/** A rendered release. */
export interface RenderedRelease extends BuildResult {
  /** Documents as Helm prints and stores them, hooks not among them. */
  readonly manifest: string;
  /** Hooks in Helm's order, with their texts. */
  readonly hookManifests: readonly HookManifest[];
  readonly crds: readonly Resource[];
  /** The chart as it was rendered. */
  readonly chart: { readonly name: string; readonly version: string; readonly appVersion: string };
  /** Digest of the user's merged values as sorted YAML, of nothing where there are none: what Flux compares (fluxcd/pkg `chartutil/digest.go`). */
  readonly valuesDigest: Digest;
}

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

function locateChart(tree: FileTree, options: Parameters<typeof loadChartFolder>[1]): Chart {
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

/**
 * Renders a release of a chart that is loaded.
 *
 * @throws {StageError} BuildFailed or ValuesError, with Helm's text
 */
export async function renderRelease(
  loaded: LoadedChart,
  request: HelmBuildRequest,
  tools: HelmTools,
  signal?: AbortSignal,
): Promise<RenderedRelease> {
  const dialect = request.dialect ?? defaultDialect;
  const notices: Notice[] = [...loaded.notices];
  const values = userValues(request, dialect);
  try {
    checkReleaseName(request.release.name);
    const chart = preparedChart(loaded.chart, request, dialect);
    notices.push(...missingDependencies(chart, dialect));
    const world = request.isDeterministic === true ? deterministic(request, tools) : tools;
    let heard: Notice[] = [];
    const { value: rendered, isRepeatable } = await settle(
      (render) => {
        heard = [];
        return renderFiles(
          {
            chart,
            values,
            release: request.release,
            dialect,
            capabilities: request.capabilities ?? defaultCapabilities(dialect),
            skipSchemaValidation: request.skipSchemaValidation === true,
            ...(request.limits === undefined ? {} : { limits: request.limits }),
          },
          render,
          { notify: (notice) => heard.push(notice), cache: loaded.cache },
        );
      },
      world,
      signal,
    );
    notices.push(...heard);
    const notify = (notice: Notice) => void notices.push(notice);
    const sorted = await postRenderManifests(
      documentsOf(rendered.files, { dialect, notify, documents: loaded.documents }),
      {
        kustomize: request.postRenderers ?? [],
        strategy: request.postRenderStrategy ?? "combined",
        ...(request.commonMetadata === undefined ? {} : { commonMetadata: request.commonMetadata }),
        ...(request.origin === undefined ? {} : { withOwner: withOwnerOf(request) }),
      },
      { dialect, notify, ...(tools.postRender === undefined ? {} : { postRender: tools.postRender }) },
    );
    const warnings = notices.filter((notice) => notice.level !== "DEBUG").map(noticeText);
    const crds = crdResources(rendered.crds, request, warnings);
    const mark = request.marksOwnership === false
      ? (resource: Resource) => resource
      : (resource: Resource) => ownedBy(resource, request.release);
    return {
      resources: sorted.manifests.flatMap((manifest) => resourcesOf(manifest)).map(mark),
      hooks: sorted.hooks.flatMap(hookResources),
      crds,
      warnings: [...new Set(warnings)],
      ...(rendered.notes === "" ? {} : { notes: rendered.notes }),
      isRepeatable,
      manifest: manifestText(sorted.manifests),
      hookManifests: sorted.hooks,
      chart: {
        name: chart.metadata.name,
        version: chart.metadata.version,
        appVersion: chart.metadata.appVersion,
      },
      valuesDigest: digestOf(values.entries.size === 0 ? "" : printYaml(jsonOf(values))),
    };
  } catch (error) {
    throw asBuildError(error);
  }
}

/** Builder of HelmReleases: keeps charts and their parsed templates by digest. */
export class HelmReleaseBuilder implements Builder<HelmBuildRequest> {
  readonly #tools: () => HelmTools;
  readonly #charts: ChartCache;

  /** @param tools asked for once per build: it says what time it is */
  constructor(tools: () => HelmTools, charts: ChartCache = new ChartCache()) {
    this.#tools = tools;
    this.#charts = charts;
  }

  /** @throws {StageError} ArtifactFailed, BuildFailed, ValuesError */
  async build(request: HelmBuildRequest, tree: FileTree, signal?: AbortSignal): Promise<RenderedRelease> {
    const dialect = request.dialect ?? defaultDialect;
    const load = () => loadChart(tree, dialect, this.#charts.documents);
    const loaded = request.chartDigest === undefined
      ? load()
      : this.#charts.get(`${dialect} ${request.chartDigest}`, load);
    return await renderRelease(loaded, request, this.#tools(), signal);
  }
}

/**
 * A notice of declared dependencies that are not in `charts/`. Flux renders such a chart (a condition may disable what is
 * missing), the command line refuses it.
 *
 * @throws {RenderError} for a library chart
 */
function missingDependencies(chart: Chart, dialect: Dialect): readonly Notice[] {
  try {
    checkInstallable(chart, dialect);
    return [];
  } catch (error) {
    if (!(error instanceof RenderError) || isLibrary(chart)) throw error;
    const cause = error.cause instanceof Error ? error.cause.message : error.message;
    return [{ level: "WARN", message: `Dependencies were ${cause}` }];
  }
}

/** Moment and seed of a deterministic render: names and the chart, nothing of this machine. */
function deterministic(request: HelmBuildRequest, tools: HelmTools): HelmTools {
  const { name, namespace } = request.release;
  const seed = `${namespace}/${name}/${request.chartDigest ?? ""}`;
  return { ...tools, seed, nowMs: 0 };
}

function userValues(request: HelmBuildRequest, dialect: Dialect): Table {
  const references = request.valuesFrom ?? [];
  return references.length === 0
    ? tableOf(fromJson(request.values) as GoMap)
    : mergeFluxValues(request.values, references, dialect);
}

/** The chart with the version and the default values that the release asks for. */
function preparedChart(chart: Chart, request: HelmBuildRequest, dialect: Dialect): Chart {
  const { versionMetadata } = request;
  const files = request.valuesFiles ?? [];
  const versioned = versionMetadata === undefined ? chart : {
    ...chart,
    metadata: { ...chart.metadata, version: `${chart.metadata.version.split("+", 1)[0]}+${versionMetadata}` },
  };
  if (files.length === 0) return versioned;
  let values = tableOf(undefined);
  for (const path of files) {
    if (path === "values.yaml") {
      values = tableOf(mergeMaps(values, tableOf(chart.values)));
      continue;
    }
    const file = chart.files.find((each) => each.name === path);
    if (file !== undefined) values = tableOf(mergeMaps(values, readValues(file.data, dialect)));
    else if (request.ignoreMissingValuesFiles !== true) throw new ChartError(`no values file found at path '${path}'`);
  }
  return { ...versioned, values };
}

/** Resources of a document: a List stands for its items. */
function resourcesOf(manifest: Manifest): readonly Resource[] {
  return itemsOf(manifest.value).map((item) => {
    if (isResource(item)) return item;
    const what = isJsonObject(item) && typeof item.kind === "string" ? ` of kind "${item.kind}"` : "";
    throw new StageError(
      "BuildFailed",
      `Cannot use a document${what} of "${manifest.path}": it needs apiVersion, kind and metadata.name`,
    );
  });
}

function itemsOf(value: JsonValue): readonly JsonValue[] {
  if (value === null) return [];
  if (isJsonObject(value) && Object.keys(value).length === 0) return [];
  if (
    isJsonObject(value) && typeof value.kind === "string" && value.kind.endsWith("List") && Array.isArray(value.items)
  ) {
    return (value.items as readonly JsonValue[]).flatMap(itemsOf);
  }
  return [value];
}

function hookResources(hook: HookManifest): readonly HookResource[] {
  return resourcesOf(hook).map((resource) => ({
    resource,
    events: hook.events,
    weight: hook.weight,
    deletePolicies: hook.deletePolicies,
    path: hook.path,
  }));
}

/** Puts the labels of a release's owner on a resource; leaves it as it is where nobody owns the release. */
function withOwnerOf({ origin, ownership }: HelmBuildRequest): <One extends JsonObject>(resource: One) => One {
  if (origin === undefined) return (resource) => resource;
  const owner = { kind: "HelmRelease", ...origin };
  return (resource) => withOwnerLabels(resource, owner, ownership ?? "flux");
}

/** CRDs of `crds/` folders; what else stands there is left out with a warning, as helm-controller does. */
function crdResources(crds: readonly ChartCrd[], request: HelmBuildRequest, warnings: string[]): readonly Resource[] {
  const withOwner = withOwnerOf(request);
  return crds.flatMap((crd) => {
    let documents;
    try {
      documents = parseYamlDocuments(fromBytes(crd.data), { file: crd.path });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new StageError("BuildFailed", `Cannot read "${crd.path}": ${error.what}`, { cause: error });
    }
    return documents.flatMap(({ value }) => itemsOf(value)).flatMap((item) => {
      if (isResource(item) && item.kind === "CustomResourceDefinition") {
        return [withOwner(item)];
      }
      const kind = isJsonObject(item) && typeof item.kind === "string" ? item.kind : "something";
      warnings.push(`"${crd.path}" holds ${kind}, which is no CustomResourceDefinition: it is left out`);
      return [];
    });
  });
}

/** A resource with Helm's marks of ownership (Helm 4.2.4, `pkg/action/validate.go`). */
function ownedBy(resource: Resource, release: ReleaseIdentity): Resource {
  return withMetadata(resource, {
    labels: { "app.kubernetes.io/managed-by": "Helm" },
    annotations: {
      "meta.helm.sh/release-name": release.name,
      "meta.helm.sh/release-namespace": release.namespace,
    },
  }) as Resource;
}

/** A failure in the room's words. Helm's own text stays as it is. */
export function asBuildError(error: unknown): unknown {
  if (error instanceof RenderError) {
    // A render that was too long here may be worth another try elsewhere: it keeps its class.
    if (error.cause instanceof RenderLimitError) return error.cause;
    return error.step === "values"
      ? new StageError("ValuesError", error.message, { cause: error, hint: valuesHint })
      : new StageError("BuildFailed", error.message, { cause: error, hint: chartHint });
  }
  if (error instanceof ChartError || error instanceof YamlConversionError || error instanceof UnmarshalError) {
    return new StageError("BuildFailed", error.message, { cause: error, hint: chartHint });
  }
  if (error instanceof RangeError) {
    return new StageError("BuildFailed", "Cannot read what the chart gives: it is nested too deep", { cause: error });
  }
  return error;
}

const chartHint = "See where its values come from: pilotfish render --explain values hr NAME";
const valuesHint = "Check the values against the chart's values.schema.json: pilotfish render --explain values hr NAME";
