import { readCrds } from "./crd_config.ts";
import { inlineResources, readResources } from "./documents.ts";
import { fault, wrapFault } from "./fault.ts";
import { componentKind } from "./kustomization_file.ts";
import type { Loader } from "./load.ts";
import { isHttp } from "./load.ts";
import type { NamedResource } from "./named_resource.ts";
import { appendPath } from "./origin.ts";
import { runGenerators } from "./run_generators.ts";
import { runTransformers, runValidators } from "./run_transformers.ts";
import type { Accumulator, Target } from "./target.ts";
import { emptyAccumulator, loadTarget, readValue, takeOpenApi } from "./target.ts";
import { defaultConfig, mergeConfig, readConfig } from "./transformer_config.ts";
import type { KnownVariable } from "./transformers/vars.ts";
import { bindVariables, knownVariable } from "./transformers/vars.ts";

/** Most folders that one build goes into, so that a wide nesting of bases ends. */
const maxDepth = 200;
/** Most folders that one build goes into in all: bases that name each other twice double with each step. */
const maxTargets = 20_000;

/**
 * Builds one kustomization into an accumulator: resources in order, depth first; configuration; generators; components,
 * which work on this same accumulator; transformers; validators; vars (kustomize 5.8.1 `api/internal/target`).
 *
 * @throws {StageError} BuildFailed
 */
export async function accumulate(target: Target, into: Accumulator): Promise<void> {
  const { kustomization, loader, ground, depth } = target;
  ground.signal?.throwIfAborted();
  if (depth > maxDepth) throw fault(`Kustomizations are nested deeper than ${maxDepth}`);
  if (++ground.targets > maxTargets) throw fault(`A build goes into more than ${maxTargets} kustomizations`);
  await addResources(target, into, kustomization.resources);
  let config = mergeConfig(into.config, defaultConfig);
  for (const path of kustomization.configurations) {
    config = mergeConfig(config, readConfig(readValue(path, loader, "v2"), path));
  }
  if (kustomization.crds.length > 0) config = mergeConfig(config, readCrds(kustomization.crds, loader));
  into.config = config;
  await runGenerators(target, into, () => pluginConfigurations(target, kustomization.generators));
  for (const path of kustomization.components) {
    try {
      await addFolder(target, into, { path, isComponent: true });
    } catch (error) {
      throw wrapFault(`Accumulating components: "${path}"`, error);
    }
  }
  await runTransformers(target, into, () => pluginConfigurations(target, kustomization.transformers));
  await runValidators(target, into, () => pluginConfigurations(target, kustomization.validators));
  const variables = kustomization.vars.map(knownVariable);
  bindVariables(into.set, variables);
  for (const variable of variables) addVariable(into, variable);
}

function addVariable(into: Accumulator, variable: KnownVariable): void {
  if (into.variables.has(variable.name)) throw fault(`Var "${variable.name}" already encountered`);
  into.variables.set(variable.name, variable);
}

/** Entries of `resources`: each a file, or a folder with a kustomization. */
async function addResources(target: Target, into: Accumulator, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if ((isHttp(path) && target.ground.mayFetch) || target.loader.hasFile(path)) {
      addFile(target, into, path);
    } else {
      try {
        await addFolder(target, into, { path, isComponent: false });
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

function addFile(target: Target, into: Accumulator, path: string): void {
  const { ground } = target;
  const text = readFile(target.loader, path);
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
  { path, isComponent }: { readonly path: string; readonly isComponent: boolean },
): Promise<void> {
  const { ground } = parent;
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
    depth: parent.depth + 1,
    ground,
  };
  if (isComponent) {
    await accumulate(target, into);
    into.set.checkUnique();
    return;
  }
  const inner = emptyAccumulator(ground);
  await accumulate(target, inner);
  into.set.appendAll(inner.set.list);
  into.config = mergeConfig(into.config, inner.config);
  for (const variable of inner.variables.values()) addVariable(into, variable);
}

/** Configurations of plugins: texts inline, files, or folders with a kustomization. */
async function pluginConfigurations(target: Target, entries: readonly string[]): Promise<readonly NamedResource[]> {
  if (entries.length === 0) return [];
  const into = emptyAccumulator(target.ground);
  const paths: string[] = [];
  for (const entry of entries) {
    const inline = inlineResources(entry, target.fileName, { growth: target.loader.growth });
    if (inline === undefined) {
      paths.push(entry);
      continue;
    }
    if (target.origin !== undefined) {
      for (const resource of inline) resource.origin = appendPath(target.origin, target.fileName);
    }
    into.set.appendAll(inline);
  }
  await addResources(target, into, paths);
  return into.set.list;
}
