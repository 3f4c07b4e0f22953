/**
 * Room `build/kustomize`: `kustomize build` in-process, as kustomize 5.8.1 does it.
 * In: a tree of files and the path of a kustomization. Out: resources as values, and their YAML byte for byte.
 * May fail: BuildFailed, naming file and field. Called by `build_command.ts`, `kustomization_builder.ts` and Helm
 * post-renderers. Pure: no global state, no network, no other program; builds may run side by side.
 *
 * @module
 */
import type { FileTree } from "../../core/file_tree.ts";
import { withModules } from "../../core/lazy_module.ts";
import type { JsonValue } from "../../core/json.ts";
import type { Resource } from "../../core/resource.ts";
import { isResource } from "../../core/resource.ts";
import { messageOf, StageError } from "../../core/stage_error.ts";
import type { MapNode, YamlNode } from "../../format/yaml_node/node.ts";
import { dropField, getField, isEmptyNode, mapNode, putField, textScalar } from "../../format/yaml_node/node.ts";
import { printYaml } from "../../format/yaml_print.ts";
import { nodeToJson } from "../../format/yaml_node/node_json.ts";
import { accumulate } from "./accumulate.ts";
import { fault, wrapFault } from "./fault.ts";
import type { RenderChart } from "./generators/helm_chart.ts";
import { idText, textOf } from "./identity.ts";
import { Growth } from "./growth.ts";
import type { Kustomization } from "./kustomization_file.ts";
import type { FetchFile, LoadRestriction, RemoteFiles } from "./load.ts";
import { openLoader } from "./load.ts";
import { builtinSchema, eitherSchema } from "./merge/schema.ts";
import type { NamedResource } from "./named_resource.ts";
import { originAnnotation, originText, transformationsAnnotation, transformationsText } from "./origin.ts";
import type { ResourceSet } from "./resource_set.ts";
import type { BuildGround, ChartDefaults } from "./target.ts";
import { emptyAccumulator, loadTarget, takeOpenApi } from "./target.ts";
import { addHashes } from "./transformers/hash_suffix.ts";
import { fixNameReferences } from "./transformers/name_reference.ts";
import { sortResources } from "./transformers/order.ts";
import { prepareTexts } from "./transformers/set_fields.ts";
import { resolveVariables } from "./transformers/vars.ts";

/** The version whose answers are given. */
const kustomizeVersion = "v5.8.1";

/** How a build is done. Absent fields: as kustomize's library does it. */
export interface BuildOptions {
  /** Default `root-only`. */
  readonly loadRestriction?: LoadRestriction;
  /** Folder of the tree from which messages count paths. Default: its root. */
  readonly shownFrom?: string;
  /** `legacy` sorts as kustomize's command does by default; `none` keeps the order. `sortOptions` of the root wins. Default `none`. */
  readonly reorder?: "legacy" | "none";
  /** Whether a person asked for `reorder`; then `sortOptions` in the file leads to a warning. Default: when it is given. */
  readonly isReorderAsked?: boolean;
  /** Whether `helmCharts` are rendered, by `renderChart`. Default `false`. */
  readonly enableHelm?: boolean;
  readonly renderChart?: RenderChart;
  /** Kubernetes version and API versions for charts that name none. */
  readonly chartDefaults?: ChartDefaults;
  /** Reads files of http(s) addresses, wherever a file may be named; without it they are refused. At most 100 in a build. */
  readonly fetchFile?: FetchFile;
  /** Most values that aliases, patches and replacements make. Default 4,000,000. */
  readonly maxGrowth?: number;
  /** Adds the label `app.kubernetes.io/managed-by`. Default: what `buildMetadata` says. */
  readonly addManagedByLabel?: boolean;
  /**
   * `add`: `openapi.path` adds to what is known of the built-in kinds, as in Flux. `replace`: as kustomize. Default `replace`.
   */
  readonly customSchema?: "add" | "replace";
  /** Changes the root's kustomization before it is built. */
  readonly overlay?: (kustomization: Kustomization) => Kustomization;
  /** Stands in for the root's file when the folder has none. */
  readonly generated?: Kustomization;
  readonly signal?: AbortSignal;
}

/** What a build yields. */
export interface KustomizeResult {
  /** One node per resource, in order. They may be changed by who gets them. */
  readonly documents: readonly MapNode[];
  /** Old fields and the like, as kustomize prints them. */
  readonly warnings: readonly string[];
  /** YAML of all resources, byte for byte as `kustomize build` prints it. @throws {StageError} BuildFailed for values that have no YAML form */
  text(): string;
  /** The resources as JSON. @throws {StageError} BuildFailed for one without apiVersion, kind or name */
  resources(): readonly Resource[];
}

/**
 * Builds the kustomization at `path` (`""` or `.` is the tree's root).
 *
 * @throws {StageError} BuildFailed
 */
export async function build(tree: FileTree, path: string, options: BuildOptions = {}): Promise<KustomizeResult> {
  const { fetchFile, signal } = options;
  if (fetchFile === undefined) return await withModules(() => buildOnce(tree, path, options, undefined));
  const files = new Map<string, Uint8Array>();
  for (;;) {
    const wanted = new Set<string>();
    try {
      return await withModules(() => buildOnce(tree, path, options, { files, wanted }));
    } catch (error) {
      if (wanted.size === 0) throw error;
      for (const url of wanted) {
        if (files.size >= maxRemoteFiles) {
          throw fault(`Cannot read "${url}": a build reads at most ${maxRemoteFiles} files of http(s) addresses`);
        }
        files.set(url, await fetched(url, fetchFile, signal));
      }
    }
  }
}

/** Most files of http(s) addresses that one build reads. */
const maxRemoteFiles = 100;

async function fetched(url: string, fetchFile: FetchFile, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await fetchFile(url, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new StageError("BuildFailed", messageOf(error), {
      cause: error,
      hint: `Is its host there? A copy in the tree needs no network: put "${url}" into it`,
    });
  }
}

async function buildOnce(
  tree: FileTree,
  path: string,
  options: BuildOptions,
  remote: RemoteFiles | undefined,
): Promise<KustomizeResult> {
  const loader = openLoader(tree, path, {
    restriction: options.loadRestriction ?? "root-only",
    remote,
    shownFrom: options.shownFrom,
    maxGrowth: options.maxGrowth,
  });
  const draft: { -readonly [Key in keyof BuildGround]: BuildGround[Key] } = {
    schema: builtinSchema,
    custom: undefined,
    targets: 0,
    hasOpenApi: false,
    addCustomSchema: (custom) => options.customSchema === "add" ? eitherSchema(custom, builtinSchema) : custom,
    warnings: [],
    enableHelm: options.enableHelm ?? false,
    renderChart: options.renderChart,
    chartDefaults: options.chartDefaults ?? {},
    mayFetch: remote !== undefined,
    signal: options.signal,
    keys: new Map(),
    buildMetadata: [],
  };
  const ground: BuildGround = draft;
  const loaded = options.generated === undefined
    ? loadTarget(loader, ground)
    : { kustomization: options.generated, fileName: "kustomization.yaml" };
  const kustomization = options.overlay?.(loaded.kustomization) ?? loaded.kustomization;
  takeOpenApi(kustomization, loader, ground);
  draft.buildMetadata = kustomization.buildMetadata;
  const into = emptyAccumulator(ground);
  const origin = kustomization.buildMetadata.length > 0 ? {} : undefined;
  const { fileName } = loaded;
  await accumulate({ kustomization, loader, fileName, origin, chartNamespace: "", depth: 0, ground }, into);
  const { set } = into;
  addHashes(set);
  fixNameReferences(set, into.config.nameReference);
  const variables = [...into.variables.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const unused = resolveVariables(set, {
    variables,
    fields: into.config.varReference,
    growth: loader.growth,
  });
  // Differs: kustomize prints them behind the time, and in no order.
  if (unused.length > 0) ground.warnings.push(`well-defined vars that were never replaced: ${unused.join(",")}`);
  dropLocal(set);
  sort(set, kustomization, options, ground);
  finish(set, kustomization, options, ground);
  return result(set.list, ground.warnings);
}

function sort(set: ResourceSet, kustomization: Kustomization, options: BuildOptions, ground: BuildGround): void {
  if (kustomization.sortOptions !== undefined) {
    if (options.isReorderAsked ?? options.reorder !== undefined) {
      ground.warnings.push(
        "Warning: Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI flag ('--reorder'). " +
          "Using the kustomization file over the CLI flag.",
      );
    }
    sortResources(set, kustomization.sortOptions);
  } else if (options.reorder === "legacy") sortResources(set, { order: "legacy", legacySortOptions: undefined });
}

/** Drops what is only for local use (`config.kubernetes.io/local-config`, any value but "false"). */
function dropLocal(set: ResourceSet): void {
  const kept = set.list.filter((resource) => {
    if (isEmptyNode(resource.node)) return false;
    const mark = getField(resource.annotations(), "config.kubernetes.io/local-config");
    return mark === undefined || textOf(mark) === "false";
  });
  if (kept.length < set.list.length) set.reset(kept);
  for (const resource of set.list) {
    const { kind, name } = resource.id();
    if (name === "" && !kind.endsWith("List")) throw fault(`Missing metadata.name in object of kind "${kind}"`);
  }
  // Patches may have given two resources the same identity.
  set.checkUnique();
}

function finish(set: ResourceSet, kustomization: Kustomization, options: BuildOptions, ground: BuildGround): void {
  const asked = new Set(kustomization.buildMetadata);
  if (options.addManagedByLabel === true || asked.has("managedByLabel")) {
    const labels = new Map([["app.kubernetes.io/managed-by", `kustomize-${kustomizeVersion}`]]);
    const field = { path: "metadata/labels", create: true, group: "", version: "", kind: "" };
    prepareTexts(labels, [field])(set, {
      schema: ground.schema,
      scopes: ground.custom?.scopes,
      growth: new Growth(),
    });
  }
  for (const resource of set.list) {
    finishAnnotations(resource, asked.has("originAnnotations"), asked.has("transformerAnnotations"));
  }
}

/** Annotations as texts, less kustomize's own, plus those that `buildMetadata` asks for. */
function finishAnnotations(resource: NamedResource, withOrigin: boolean, withTransformations: boolean): void {
  const metadata = getField(resource.node, "metadata");
  if (metadata?.kind !== "map") return;
  const found = getField(metadata, "annotations");
  const needsOrigin = withOrigin && resource.origin !== undefined;
  const needsTransformations = withTransformations && resource.transformations.length > 0;
  if (found === undefined && !needsOrigin && !needsTransformations) return;
  const made = mapNode();
  if (found?.kind === "map") {
    for (let at = 0; at < found.keys.length; at++) {
      const key = (found.keys[at] as { text: string }).text;
      if (isInternal(key, withOrigin, withTransformations)) continue;
      putField(made, key, textScalar(textOf(found.values[at])));
    }
  }
  if (needsOrigin) putField(made, originAnnotation, textScalar(originText(resource.origin ?? {})));
  if (needsTransformations) {
    putField(made, transformationsAnnotation, textScalar(transformationsText(resource.transformations)));
  }
  if (made.keys.length === 0) dropField(metadata, "annotations");
  else putField(metadata, "annotations", made);
}

const readerAnnotations: ReadonlySet<string> = new Set([
  "internal.config.kubernetes.io/path",
  "internal.config.kubernetes.io/index",
  "internal.config.kubernetes.io/seqindent",
  "internal.config.kubernetes.io/id",
  "internal.config.kubernetes.io/annotations-migration-resource-id",
  "internal.config.kubernetes.io/previousKinds",
  "internal.config.kubernetes.io/previousNames",
  "internal.config.kubernetes.io/previousNamespaces",
  "internal.config.kubernetes.io/prefixes",
  "internal.config.kubernetes.io/suffixes",
  "internal.config.kubernetes.io/allowNameChange",
  "internal.config.kubernetes.io/allowKindChange",
  "internal.config.kubernetes.io/refBy",
  "internal.config.kubernetes.io/generatorBehavior",
  "internal.config.kubernetes.io/needsHashSuffix",
  "config.kubernetes.io/path",
  "config.kubernetes.io/index",
  "config.k8s.io/id",
]);

function isInternal(key: string, withOrigin: boolean, withTransformations: boolean): boolean {
  if (key === originAnnotation) return !withOrigin;
  if (key === transformationsAnnotation) return !withTransformations;
  return readerAnnotations.has(key);
}

/** Most characters that a build prints. */
const maxPrinted = 256 * 1024 * 1024;

/** Resources whose texts are joined at once. A text that was put together is a tree of pieces until it is joined. */
const joinedAtOnce = 32;

/** Texts with `---` lines between them, made one after another, so that a large build does not stand in memory twice. */
function joinedText(list: readonly NamedResource[], print: (resource: NamedResource) => string): string {
  const parts: string[] = [];
  let length = 0;
  for (let at = 0; at < list.length; at += joinedAtOnce) {
    const part = list.slice(at, at + joinedAtOnce).map(print).join("---\n");
    length += part.length;
    if (length > maxPrinted) {
      throw fault(`The resources of a build have more than ${maxPrinted.toLocaleString("en")} characters as YAML`);
    }
    parts.push(part);
  }
  return parts.join("---\n");
}

function result(list: readonly NamedResource[], warnings: readonly string[]): KustomizeResult {
  let values: readonly JsonValue[] | undefined;
  const valueOf = (resource: NamedResource): JsonValue => {
    try {
      return nodeToJson(resource.node as YamlNode);
    } catch (error) {
      throw wrapFault(`Cannot write ${idText(resource.id())} as YAML`, error);
    }
  };
  return {
    documents: list.map((resource) => resource.node),
    warnings,
    text: () => joinedText(list, (resource) => printYaml(valueOf(resource))),
    resources: () =>
      (values ??= list.map(valueOf)).map((value, at) => {
        if (!isResource(value)) {
          const resource = list[at] as NamedResource;
          throw fault(`Resource ${idText(resource.id())} needs apiVersion, kind and metadata.name`);
        }
        return value;
      }),
  };
}
