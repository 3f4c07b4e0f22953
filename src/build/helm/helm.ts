/**
 * Room `build`, part Helm: a chart and values become resources, with Helm's own text where it prints one.
 * In: a chart (folder or archive), values, the release's surroundings. Out: resources, hooks, CRDs, notes, texts.
 * May fail: `StageError` BuildFailed, ValuesError, ArtifactFailed, with Helm's words. Called by reconcile and the command line.
 * Everything impure is handed in; what has to be waited for is fetched between rounds of a render.
 *
 * @module
 */
import type { Builder, BuildResult } from "../../core/builder.ts";
import type { Digest } from "../../core/digest.ts";
import type { FileTree } from "../../core/file_tree.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Ownership } from "../../core/ownership.ts";
import { withOwnerLabels } from "../../core/ownership.ts";
import type { Resource } from "../../core/resource.ts";
import type { CommonMetadata } from "../../core/specs.ts";
import { asBuildError } from "./build_error.ts";
import { isLibrary } from "./chart/chart.ts";
import type { Chart } from "./chart/chart.ts";
import { changedChart } from "./chart/chart_change.ts";
import type { ChartChange } from "./chart/chart_change.ts";
import type { Dialect } from "./dialect.ts";
import { defaultDialect } from "./dialect.ts";
import { ChartCache, loadChart } from "./loaded_chart.ts";
import type { LoadedChart } from "./loaded_chart.ts";
import type { Notice } from "./notice.ts";
import { noticeText } from "./notice.ts";
import type { Capabilities } from "./release/capabilities.ts";
import { defaultCapabilities } from "./release/capabilities.ts";
import { settle } from "./release/inputs.ts";
import type { WorldTools } from "./release/inputs.ts";
import { postRenderManifests } from "./release/post_render.ts";
import type { KustomizeChange, PostRender, PostRenderStrategy } from "./release/post_render.ts";
import { checkReleaseName } from "./release/release_name.ts";
import { checkInstallable, documentsOf, RenderError, renderFiles } from "./release/render.ts";
import { crdResources, hookResources, ownedBy, resourcesOf } from "./release/resources.ts";
import type { ReleaseIdentity } from "./release/scopes.ts";
import type { RenderLimits } from "./template/run.ts";
import { fromJson } from "./template/value.ts";
import type { GoMap } from "./template/value.ts";
import { tableOf } from "./values/tables.ts";
import type { Table } from "./values/tables.ts";
import { mergeFluxValues } from "./values/values_from.ts";
import type { ReferredValues } from "./values/values_from.ts";

/** A release to build: values only, fit for `structuredClone`. */
export interface HelmBuildRequest extends ChartChange {
  /** Digest of the chart's content: charts and parsed templates are kept under it. Absent: nothing is kept. */
  readonly chartDigest?: Digest;
  readonly release: ReleaseIdentity;
  /** `spec.values`. */
  readonly values: JsonObject;
  /** What `spec.valuesFrom` found, in order. Default none. */
  readonly valuesFrom?: readonly ReferredValues[];
  /** Default `helm4.2.4`. */
  readonly dialect?: Dialect;
  /** What the cluster can do. Default: what Helm assumes without one. */
  readonly capabilities?: Capabilities;
  readonly skipSchemaValidation?: boolean;
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
  readonly crds: readonly Resource[];
  /** The chart as it was rendered. */
  readonly chart: { readonly name: string; readonly version: string; readonly appVersion: string };
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
    const chart = changedChart(loaded.chart, request, dialect);
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
    const crds = crdResources(rendered.crds, (text) => warnings.push(text)).map(withOwnerOf(request));
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
      chart: {
        name: chart.metadata.name,
        version: chart.metadata.version,
        appVersion: chart.metadata.appVersion,
      },
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

/** Puts the labels of a release's owner on a resource; leaves it as it is where nobody owns the release. */
function withOwnerOf({ origin, ownership }: HelmBuildRequest): <One extends JsonObject>(resource: One) => One {
  if (origin === undefined) return (resource) => resource;
  const owner = { kind: "HelmRelease", ...origin };
  return (resource) => withOwnerLabels(resource, owner, ownership ?? "flux");
}
