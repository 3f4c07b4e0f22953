import type { ArtifactStore } from "../core/artifact.ts";
import type { BuildResult } from "../core/builder.ts";
import type { Digest } from "../core/digest.ts";
import { treeOf } from "../core/file_tree.ts";
import { canonicalJson } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import { explainRelease } from "../build/helm/explain_release.ts";
import { type HelmBuildRequest, HelmReleaseBuilder } from "../build/helm/helm.ts";
import { ChartCache, loadChart } from "../build/helm/loaded_chart.ts";
import { chartInflation } from "../build/helm/chart_inflation.ts";
import type { KnownAnswer } from "../build/helm/release/inputs.ts";
import type { KustomizeChange } from "../build/helm/release/post_render.ts";
import type { RenderLimits } from "../build/helm/template/run.ts";
import { maxFileBytes } from "../build/kustomize/documents.ts";
import { build as kustomize } from "../build/kustomize/kustomize.ts";
import { printYamlDocuments } from "../format/yaml.ts";
import { openDecryptor } from "../build/decrypt/decryptor.ts";
import { kustomizationBuilder } from "../build/kustomize/kustomization_builder.ts";
import type { HelmReleaseSpec } from "../core/specs.ts";
import type { ReleaseBuild, RenderedRelease } from "../reconcile/release_order.ts";
import type { KustomizationBuild } from "../reconcile/kustomization.ts";
import type { Doors } from "./doors.ts";
import type { Outside } from "./outside.ts";
import { placedRelease } from "./placed_release.ts";
import type { ReleaseFacts } from "./release_facts.ts";

/** What builders are opened with. */
export interface BuilderOptions {
  readonly store: ArtifactStore;
  readonly doors: Doors;
  /** Whether an object goes to a directory: chance in its templates is then made repeatable. */
  readonly isDirectory: (object: DesiredObject) => boolean;
  /** What templates may ask of where a release goes; `undefined` where nobody can be asked. */
  readonly factsOf: (object: DesiredObject<HelmReleaseSpec>) => Promise<ReleaseFacts | undefined> | undefined;
  /** Charts that were read before. Default: none. */
  readonly charts?: ChartCache;
  /** Kustomizations may name files and charts of http(s) addresses. Default `false`. */
  readonly allowHttp?: boolean;
  /** What charts may ask of the network. Default: nothing. */
  readonly outside?: Outside;
  /** What charts asked in earlier rounds, and what was answered. Default: nothing. */
  readonly known?: readonly KnownAnswer[];
  /** Told where each value of a release came from, a line each; absent: nobody asks. */
  readonly onExplained?: (owner: ObjectKey, text: string) => void;
}

/** Builders over the store's trees. */
export interface Builders {
  /** @throws {RenderLimitError} when a chart in it goes beyond `limits`; default those of the engine */
  readonly kustomization: (
    request: KustomizationBuild,
    signal: AbortSignal,
    limits?: RenderLimits,
  ) => Promise<BuildResult>;
  /** @throws {RenderLimitError} beyond `limits`; default those of the engine */
  readonly helmRelease: (
    request: ReleaseBuild,
    signal: AbortSignal,
    limits?: RenderLimits,
  ) => Promise<RenderedRelease>;
}

/** Opens the builders. */
export function openBuilders(options: BuilderOptions): Builders {
  const { store, doors } = options;
  const charts = options.charts ?? new ChartCache();
  return {
    async kustomization(request, signal, limits) {
      const { object, artifact, variables, decryptionKeys } = request;
      using tree = await store.openTree(artifact);
      using network = doors.connect({});
      const decryptor = object.spec.decryption === undefined ? undefined : openDecryptor({
        secret: decryptionKeys?.data ?? new Map(),
        env: doors.processes.env,
        network: network.send,
        now: doors.clock.now,
      });
      let isChartRead = false;
      const web = options.allowHttp === true ? (await import("./http_files.ts")).httpFiles(doors) : undefined;
      const built = await kustomizationBuilder.build(
        {
          owner: object.key,
          ...(request.ownership === undefined ? {} : { ownership: request.ownership }),
          spec: object.spec,
          variables,
          ...(decryptor === undefined ? {} : { decryptor }),
          ...(web === undefined ? {} : {
            fetchFile: (url, signal) =>
              web(url, { limitBytes: maxFileBytes, ...(signal === undefined ? {} : { signal }) }),
          }),
          // Only charts of the artifact, unless asked for: what is pulled beside it is neither verified nor there offline.
          renderChart: (files) =>
            chartInflation(files, {
              clock: doors.clock,
              random: doors.random,
              ...(limits === undefined ? {} : { limits }),
              ...(options.isDirectory(object) ? { seed: keyText(object.key) } : {}),
              ...(web === undefined ? {} : {
                readUrl(url, limits) {
                  isChartRead = true;
                  return web(url, limits);
                },
              }),
            }),
        },
        tree,
        signal,
      );
      return isChartRead ? { ...built, isRepeatable: false } : built;
    },
    async helmRelease(request, signal, limits) {
      const { artifact } = request;
      const chartDigest = artifact.content.kind === "tree"
        ? artifact.content.digest
        : artifact.content.descriptor.digest;
      const facts = await options.factsOf(request.object);
      const capabilities = await facts?.capabilities?.(signal);
      const build: HelmBuildRequest = {
        ...helmRequest(request, chartDigest, options.isDirectory(request.object)),
        ...(capabilities === undefined ? {} : { capabilities }),
        ...(limits === undefined ? {} : { limits }),
      };
      const tools = {
        nowMs: doors.clock.now(),
        monotonicMs: () => doors.clock.monotonic(),
        random: doors.random,
        postRender,
        ...options.outside,
        ...(facts === undefined ? {} : { lookup: facts.lookup }),
        ...(options.known === undefined ? {} : { known: options.known }),
      };
      using tree = await store.openTree(artifact);
      options.onExplained?.(request.object.key, explainedText(explainRelease(loadChart(tree), build)));
      const built = await new HelmReleaseBuilder(() => tools, charts).build(build, tree, signal);
      return options.isDirectory(request.object) ? placedRelease(built, build.release.namespace) : built;
    },
  };
}

/** A HelmRelease's fields as the engine takes them. */
function helmRequest(request: ReleaseBuild, chartDigest: Digest, isDirectory: boolean): HelmBuildRequest {
  const { spec, key } = request.object;
  const { chart } = spec;
  return {
    chartDigest,
    release: {
      name: spec.releaseName,
      namespace: spec.targetNamespace,
      revision: request.revision,
      isUpgrade: request.action === "upgrade",
    },
    values: spec.values,
    valuesFrom: request.valuesFrom.map(({ reference, text }) => ({
      source: `${reference.kind}/${reference.name}/${reference.valuesKey}`,
      text,
      literal: reference.literal,
      ...(reference.targetPath === undefined ? {} : { targetPath: reference.targetPath }),
    })),
    ...(chart.kind === "repository"
      ? { valuesFiles: chart.valuesFiles, ignoreMissingValuesFiles: chart.ignoreMissingValuesFiles }
      : {}),
    skipSchemaValidation: spec[request.action].disableSchemaValidation === true,
    postRenderers: spec.postRenderers.map((renderer) => renderer.kustomize),
    postRenderStrategy: spec.postRenderStrategy,
    ...(spec.commonMetadata === undefined ? {} : { commonMetadata: spec.commonMetadata }),
    origin: { name: key.name, namespace: key.namespace },
    ...(request.ownership === undefined ? {} : { ownership: request.ownership }),
    isDeterministic: isDirectory,
  };
}

/** Helm's post-renderer: the documents through the kustomize engine. */
async function postRender(documents: readonly JsonObject[], change: KustomizeChange): Promise<readonly JsonObject[]> {
  const kustomization = { resources: ["documents.yaml"], patches: change.patches, images: change.images };
  const tree = treeOf({
    "kustomization.yaml": JSON.stringify(kustomization),
    "documents.yaml": printYamlDocuments(documents),
  });
  const built = await kustomize(tree, "");
  return built.resources().filter(isJsonObject);
}

/** A line per value: path, value (never a secret's), where it came from. */
function explainedText(values: ReturnType<typeof explainRelease>): string {
  return values.map(({ path, value, source }) =>
    `${path}: ${value === undefined ? "***" : canonicalJson(value)}  # ${source}\n`
  ).join("");
}
