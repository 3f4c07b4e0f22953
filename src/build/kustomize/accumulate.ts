import type { JsonValue } from "../../core/json.ts";
import { StageError } from "../../core/stage_error.ts";
import type { ScalarNode } from "../../format/yaml_node/node.ts";
import { nodeToJson, NodeValueError } from "../../format/yaml_node/node_json.ts";
import { readYaml } from "../../format/yaml_node/reader.ts";
import { readCrds } from "./crd_config.ts";
import { readResources } from "./documents.ts";
import { fault, textFault, wrapFault } from "./fault.ts";
import { makeConfigMap, makeSecret, mergeOptions } from "./generators/config_data.ts";
import type { ChartRequest, RenderChart } from "./generators/helm_chart.ts";
import { chartRequest } from "./generators/helm_chart.ts";
import { Growth } from "./growth.ts";
import type { Kustomization } from "./kustomization_file.ts";
import { componentKind, kustomizationFileNames, readKustomization } from "./kustomization_file.ts";
import type { Loader } from "./load.ts";
import { isHttp } from "./load.ts";
import type { CustomSchema, MergeSchema } from "./merge/schema.ts";
import { customSchema } from "./merge/schema.ts";
import type { NamedResource } from "./named_resource.ts";
import type { Origin } from "./origin.ts";
import { appendPath, cleanJoin } from "./origin.ts";
import { makePlugin } from "./plugins.ts";
import { ResourceSet } from "./resource_set.ts";
import type { TransformerConfig } from "./transformer_config.ts";
import { defaultConfig, emptyConfig, mergeConfig, mergeSpecs, readConfig } from "./transformer_config.ts";
import { prepareImage } from "./transformers/images.ts";
import { prepareNamespace } from "./transformers/namespace.ts";
import type { Transform } from "./transformers/patches.ts";
import { prepareJsonPatch, prepareMergePatches, preparePatch } from "./transformers/patches.ts";
import { prepareReplacements } from "./transformers/replacements.ts";
import { prepareAffix, prepareReplicas, prepareTexts } from "./transformers/set_fields.ts";
import type { KnownVariable } from "./transformers/vars.ts";
import { bindVariables, knownVariable } from "./transformers/vars.ts";

/** What all kustomizations of one build share. */
export interface BuildGround {
  /** Merge keys; the first kustomization with `openapi` sets it. */
  schema: MergeSchema;
  custom: CustomSchema | undefined;
  /** Kustomizations gone into so far. */
  targets: number;
  /** Whether some kustomization has set `openapi`. */
  hasOpenApi: boolean;
  readonly addCustomSchema: (custom: CustomSchema) => MergeSchema;
  readonly warnings: string[];
  readonly enableHelm: boolean;
  readonly renderChart: RenderChart | undefined;
  /** What charts are rendered for where their entry does not say. */
  readonly chartDefaults: ChartDefaults;
  /** Whether files of http(s) addresses may be read. */
  readonly mayFetch: boolean;
  readonly signal: AbortSignal | undefined;
  /** Keys of mappings that all files share. */
  readonly keys: Map<string, ScalarNode>;
  /** `buildMetadata` of the root, which counts everywhere. */
  readonly buildMetadata: readonly string[];
}

/** What charts are rendered for where their entry does not say: kustomize's flags `--helm-kube-version` and `--helm-api-versions`. */
export interface ChartDefaults {
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
}

/** Resources of a kustomization under way, with the configuration and variables that its parents inherit. */
export interface Accumulator {
  set: ResourceSet;
  config: TransformerConfig;
  variables: Map<string, KnownVariable>;
}

/** A kustomization that is being built. */
export interface Target {
  readonly kustomization: Kustomization;
  readonly loader: Loader;
  readonly fileName: string;
  /** Where it stands, seen from the root; `undefined` when origins are not asked for. */
  readonly origin: Origin | undefined;
  /** Namespace for charts, inherited from above. */
  readonly chartNamespace: string;
}

/** Most folders that one build goes into, so that a wide nesting of bases ends. */
const maxDepth = 200;
/** Most folders that one build goes into in all: bases that name each other twice double with each step. */
const maxTargets = 20_000;

/** An accumulator with nothing in it. */
export function emptyAccumulator(ground: BuildGround): Accumulator {
  return { set: new ResourceSet(ground.custom?.scopes), config: emptyConfig, variables: new Map() };
}

/**
 * Kustomization of a folder.
 *
 * @throws {StageError} BuildFailed when there is none, or several, or one that is wrong
 */
export function loadTarget(loader: Loader, ground: BuildGround): { kustomization: Kustomization; fileName: string } {
  const names = kustomizationFileNames.filter((name) => loader.mayRead(name));
  const name = names[0];
  if (name === undefined) {
    throw fault(
      `Unable to find one of ${kustomizationFileNames.map((known) => `"${known}"`).join(", ")} in folder "${
        loader.shown("")
      }"`,
    );
  }
  if (names.length > 1) {
    throw fault(`Found multiple kustomization files under "${loader.shown("")}": ${names.join(", ")}`);
  }
  const path = loader.shown(name);
  const { kustomization, warnings } = readKustomization(loader.readText(name), path);
  for (const warning of warnings) ground.warnings.push(warning);
  return { kustomization, fileName: name };
}

/** Takes over a kustomization's `openapi` unless one came before. @throws {StageError} BuildFailed */
export function takeOpenApi(kustomization: Kustomization, loader: Loader, ground: BuildGround): void {
  const path = kustomization.openapi.get("path");
  const version = kustomization.openapi.get("version");
  if (path === undefined && version === undefined) return;
  if (ground.hasOpenApi) {
    if (path !== undefined) loader.read(path);
    return;
  }
  if (path !== undefined && version !== undefined) {
    throw fault("Builtin version and custom schema provided in openapi, cannot use both");
  }
  if (path === undefined) {
    if (version === "") return;
    if (version !== "v1.21.2" && version !== "v1212") {
      throw fault(`The specified OpenAPI version "${version}" is not built in; v1.21.2 is`);
    }
    ground.hasOpenApi = true;
    return;
  }
  ground.custom = customSchema(readValue(path, loader, "v3"));
  ground.schema = ground.addCustomSchema(ground.custom);
  ground.hasOpenApi = true;
}

function readValue(path: string, loader: Loader, dialect: "v2" | "v3"): JsonValue {
  try {
    const node = readYaml(loader.readText(path), { dialect });
    return node === undefined ? null : nodeToJson(node, { dialect, keys: "lenient" });
  } catch (error) {
    throw textFault(path, error);
  }
}

/**
 * Builds one kustomization into an accumulator: resources in order, depth first; configuration; generators; components,
 * which work on this same accumulator; transformers; validators; vars (kustomize 5.8.1 `api/internal/target`).
 *
 * @throws {StageError} BuildFailed
 */
export async function accumulate(target: Target, into: Accumulator, ground: BuildGround, depth = 0): Promise<void> {
  ground.signal?.throwIfAborted();
  if (depth > maxDepth) throw fault(`Kustomizations are nested deeper than ${maxDepth}`);
  if (++ground.targets > maxTargets) throw fault(`A build goes into more than ${maxTargets} kustomizations`);
  const { kustomization, loader } = target;
  await addResources(target, into, kustomization.resources, ground, depth);
  let config = mergeConfig(into.config, defaultConfig);
  for (const path of kustomization.configurations) {
    config = mergeConfig(config, readConfig(readValue(path, loader, "v2"), path));
  }
  if (kustomization.crds.length > 0) config = mergeConfig(config, readCrds(kustomization.crds, loader));
  into.config = config;
  await runGenerators(target, into, ground, depth);
  for (const path of kustomization.components) {
    try {
      await addFolder(target, into, path, ground, depth, true);
    } catch (error) {
      throw wrapFault(`Accumulating components: "${path}"`, error);
    }
  }
  await runTransformers(target, into, ground, depth);
  const variables = kustomization.vars.map(knownVariable);
  bindVariables(into.set, variables);
  for (const variable of variables) addVariable(into, variable);
}

function addVariable(into: Accumulator, variable: KnownVariable): void {
  if (into.variables.has(variable.name)) throw fault(`Var "${variable.name}" already encountered`);
  into.variables.set(variable.name, variable);
}

/** Entries of `resources`: each a file, or a folder with a kustomization. */
async function addResources(
  target: Target,
  into: Accumulator,
  paths: readonly string[],
  ground: BuildGround,
  depth: number,
): Promise<void> {
  for (const path of paths) {
    if (isHttp(path) && ground.mayFetch) {
      addFile(target, into, path, readFile(target.loader, path), ground);
    } else if (target.loader.hasFile(path)) {
      addFile(target, into, path, readFile(target.loader, path), ground);
    } else {
      try {
        await addFolder(target, into, path, ground, depth, false);
      } catch (error) {
        throw wrapFault(`Accumulating resources from "${path}"`, error);
      }
    }
  }
}

function readFile(loader: Loader, path: string): string {
  try {
    return loader.readText(path);
  } catch (error) {
    throw wrapFault(`Accumulating resources from "${path}"`, error);
  }
}

function addFile(target: Target, into: Accumulator, path: string, text: string, ground: BuildGround): void {
  const file = isHttp(path) ? path : target.loader.shown(path);
  const resources = readResources(text, file, { keys: ground.keys, growth: target.loader.growth });
  if (target.origin !== undefined) {
    const origin = appendPath(target.origin, path);
    for (const resource of resources) resource.origin = origin;
  }
  try {
    // A file's own resources must differ too.
    into.set.appendAll(resources);
  } catch (error) {
    throw wrapFault(`Merging resources from "${path}"`, error);
  }
}

async function addFolder(
  parent: Target,
  into: Accumulator,
  path: string,
  ground: BuildGround,
  depth: number,
  isComponent: boolean,
): Promise<void> {
  const loader = parent.loader.enter(path);
  const { kustomization, fileName } = loadTarget(loader, ground);
  takeOpenApi(kustomization, loader, ground);
  const shown = loader.shown("");
  if (isComponent && kustomization.kind !== componentKind) {
    throw fault(`Expected kind "Component" for path "${shown}" but got "${kustomization.kind}"`);
  }
  if (!isComponent && kustomization.kind === componentKind) {
    throw fault(`Expected kind != "Component" for path "${shown}"`);
  }
  const target: Target = {
    kustomization,
    loader,
    fileName,
    origin: parent.origin === undefined ? undefined : appendPath(parent.origin, path),
    chartNamespace: parent.kustomization.namespace || parent.chartNamespace,
  };
  if (isComponent) {
    await accumulate(target, into, ground, depth + 1);
    into.set.checkUnique();
    return;
  }
  const inner = emptyAccumulator(ground);
  await accumulate(target, inner, ground, depth + 1);
  into.set.appendAll(inner.set.list);
  into.config = mergeConfig(into.config, inner.config);
  for (const variable of inner.variables.values()) addVariable(into, variable);
}

function configuredBy(target: Target, kind: string): Origin | undefined {
  if (target.origin === undefined) return undefined;
  return {
    configuredIn: cleanJoin(target.origin.path ?? "", target.fileName),
    configuredBy: { apiVersion: "builtin", kind },
  };
}

interface Generated {
  readonly resources: NamedResource[] | ChartRequest;
  readonly origin: Origin | undefined;
}

async function runGenerators(target: Target, into: Accumulator, ground: BuildGround, depth: number): Promise<void> {
  const { kustomization, loader } = target;
  const generated: Generated[] = [];
  for (const entry of kustomization.configMapGenerator) {
    const options = mergeOptions(entry.options, kustomization.generatorOptions);
    const resources = [makeConfigMap({ ...entry, options }, loader)];
    generated.push({ resources, origin: configuredBy(target, "ConfigMapGenerator") });
  }
  for (const entry of kustomization.secretGenerator) {
    const options = mergeOptions(entry.options, kustomization.generatorOptions);
    const resources = [makeSecret({ ...entry, options }, loader)];
    generated.push({ resources, origin: configuredBy(target, "SecretGenerator") });
  }
  const globals = kustomization.helmGlobals ?? { chartHome: "", configHome: "" };
  for (const chart of kustomization.helmCharts) {
    const namespace = chart.namespace || kustomization.namespace || target.chartNamespace;
    checkHelm(ground, chart.name);
    const request = chartRequest({ ...chart, namespace }, globals, loader);
    generated.push({ resources: request, origin: configuredBy(target, "HelmChartInflationGenerator") });
  }
  for (const config of await pluginConfigurations(target, kustomization.generators, ground, depth)) {
    const plugin = makePlugin(config, loader);
    const origin = pluginOrigin(config);
    if (plugin.kind === "transformer") throw fault(`Plugin "${config.id().kind}" is not a generator`);
    if (plugin.kind === "chart") checkHelm(ground, plugin.request.name);
    generated.push({ resources: plugin.kind === "chart" ? plugin.request : plugin.generate(), origin });
  }
  for (const { resources, origin } of generated) {
    const list = Array.isArray(resources) ? resources : await inflate(resources as ChartRequest, ground);
    for (const resource of list) {
      if (origin !== undefined) resource.origin ??= origin;
      into.set.absorb(resource);
    }
  }
}

function checkHelm(ground: BuildGround, name: string): void {
  if (!ground.enableHelm) {
    throw fault(`Cannot inflate Helm chart "${name}": must specify --enable-helm`);
  }
  if (ground.renderChart === undefined) {
    throw fault(`Cannot inflate Helm chart "${name}": helmCharts are not rendered here`);
  }
}

async function inflate(request: ChartRequest, ground: BuildGround): Promise<NamedResource[]> {
  const { kubeVersion = "", apiVersions = [] } = ground.chartDefaults;
  const full: ChartRequest = {
    ...request,
    kubeVersion: request.kubeVersion || kubeVersion,
    apiVersions: request.apiVersions.length > 0 ? request.apiVersions : apiVersions,
  };
  const text = await (ground.renderChart as RenderChart)(full, ground.signal);
  const resources = readResources(text, `chart ${request.name}`, { growth: new Growth() });
  for (const resource of resources) resource.isFromChart = true;
  return resources;
}

/** Configurations of plugins: texts inline, files, or folders with a kustomization. */
async function pluginConfigurations(
  target: Target,
  entries: readonly string[],
  ground: BuildGround,
  depth: number,
): Promise<readonly NamedResource[]> {
  if (entries.length === 0) return [];
  const into = emptyAccumulator(ground);
  const paths: string[] = [];
  for (const entry of entries) {
    let inline: NamedResource[];
    try {
      inline = readResources(entry, target.fileName, { growth: target.loader.growth });
    } catch (error) {
      if (!(error instanceof StageError)) throw error;
      // No text of resources, so it is a path.
      paths.push(entry);
      continue;
    }
    if (target.origin !== undefined) {
      for (const resource of inline) resource.origin = appendPath(target.origin, target.fileName);
    }
    into.set.appendAll(inline);
  }
  await addResources(target, into, paths, ground, depth);
  return into.set.list;
}

function pluginOrigin(config: NamedResource): Origin | undefined {
  if (config.origin === undefined) return undefined;
  const { group, version, kind, name, namespace } = config.id();
  return {
    configuredIn: config.origin.path ?? "",
    configuredBy: { apiVersion: group === "" ? version : `${group}/${version}`, kind, name, namespace },
  };
}

interface Step {
  readonly transform: Transform;
  readonly origin: Origin | undefined;
}

/** The built-in transformations in kustomize's fixed order. All are prepared before the first one runs. */
function builtinSteps(target: Target, config: TransformerConfig): Step[] {
  const { kustomization: k, loader } = target;
  const steps: Step[] = [];
  const add = (kind: string, transform: Transform) => steps.push({ transform, origin: configuredBy(target, kind) });
  if (k.patchesStrategicMerge.length > 0) {
    add("PatchStrategicMergeTransformer", prepareMergePatches(k.patchesStrategicMerge, loader));
  }
  for (const entry of k.patches) add("PatchTransformer", preparePatch(entry, loader));
  if (k.namespace !== "") {
    add(
      "NamespaceTransformer",
      prepareNamespace({ namespace: k.namespace, fields: config.namespace, unsetOnly: false, subjects: "" }),
    );
  }
  if (k.namePrefix !== "") add("PrefixTransformer", prepareAffix("prefix", k.namePrefix, config.namePrefix));
  if (k.nameSuffix !== "") add("SuffixTransformer", prepareAffix("suffix", k.nameSuffix, config.nameSuffix));
  for (const label of k.labels) {
    let fields = mergeSpecs(label.fields, config.labels, "labels");
    if (label.includeSelectors) fields = mergeSpecs(fields, config.commonLabels, "labels");
    else {
      if (label.includeTemplates) fields = mergeSpecs(fields, config.templateLabels, "labels");
      const own = { path: "metadata/labels", create: true, group: "", version: "", kind: "" };
      fields = mergeSpecs(fields, [own], "labels");
    }
    add("LabelTransformer", prepareTexts(label.pairs, fields));
  }
  if (k.labels.length > 0 || k.commonLabels.size > 0) {
    add("LabelTransformer", prepareTexts(k.commonLabels, config.commonLabels));
  }
  if (k.commonAnnotations.size > 0) {
    add("AnnotationsTransformer", prepareTexts(k.commonAnnotations, config.commonAnnotations));
  }
  for (const entry of k.patchesJson6902) add("PatchJson6902Transformer", prepareJsonPatch(entry, loader));
  for (const entry of k.replicas) add("ReplicaCountTransformer", prepareReplicas(entry, config.replicas));
  for (const entry of k.images) add("ImageTagTransformer", prepareImage(entry, config.images));
  if (k.replacements.length > 0) add("ReplacementTransformer", prepareReplacements(k.replacements, loader));
  return steps;
}

async function pluginSteps(
  target: Target,
  entries: readonly string[],
  ground: BuildGround,
  depth: number,
): Promise<Step[]> {
  const configurations = await pluginConfigurations(target, entries, ground, depth);
  return configurations.map((config) => {
    const plugin = makePlugin(config, target.loader);
    if (plugin.kind !== "transformer") throw fault(`Plugin "${config.id().kind}" is not a transformer`);
    return { transform: plugin.transform, origin: pluginOrigin(config) };
  });
}

async function runTransformers(target: Target, into: Accumulator, ground: BuildGround, depth: number): Promise<void> {
  const { kustomization } = target;
  const steps = builtinSteps(target, into.config);
  steps.push(...await pluginSteps(target, kustomization.transformers, ground, depth));
  const context = { schema: ground.schema, scopes: ground.custom?.scopes, growth: target.loader.growth };
  for (const { transform, origin } of steps) {
    transform(into.set, context);
    if (origin !== undefined) {
      for (const resource of into.set.list) {
        resource.separateAnnotations();
        if (resource.origin === undefined) resource.origin = origin;
        else resource.transformations.push(origin);
      }
    }
    into.set.dropEmpty();
  }
  for (const { transform } of await pluginSteps(target, kustomization.validators, ground, depth)) {
    const before = into.set.list.map((resource) => snapshot(resource));
    transform(into.set, context);
    const after = into.set.list.map((resource) => snapshot(resource));
    if (before.length !== after.length || before.some((text, at) => text !== after[at])) {
      throw fault("Validator shouldn't modify the resource map");
    }
  }
}

/** Everything of a resource, and what kustomize keeps in annotations, but the label that says who validated it. */
function snapshot(resource: NamedResource): string {
  const { former, prefixes, suffixes, needsHash } = resource;
  try {
    const value = { node: nodeToJson(resource.node), former, prefixes, suffixes, needsHash };
    return JSON.stringify(value, (key, inner) => {
      if (key === "validated-by") return undefined;
      return typeof inner === "bigint" ? inner.toString() : inner;
    });
  } catch (error) {
    // A value without a JSON form is told by what is wrong with it.
    if (!(error instanceof NodeValueError)) throw error;
    return error.message;
  }
}
