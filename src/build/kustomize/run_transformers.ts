import { nodeToJson, NodeValueError } from "../../format/yaml_node/node_json.ts";
import { fault } from "./fault.ts";
import type { NamedResource } from "./named_resource.ts";
import type { Origin } from "./origin.ts";
import { makePlugin } from "./plugins.ts";
import type { Accumulator, Target } from "./target.ts";
import { configuredBy, pluginOrigin } from "./target.ts";
import type { TransformerConfig } from "./transformer_config.ts";
import { mergeSpecs } from "./transformer_config.ts";
import type { TransformContext } from "./transformers/context.ts";
import { prepareImage } from "./transformers/images.ts";
import { prepareNamespace } from "./transformers/namespace.ts";
import type { Transform } from "./transformers/patches.ts";
import { prepareJsonPatch, prepareMergePatches, preparePatch } from "./transformers/patches.ts";
import { prepareReplacements } from "./transformers/replacements.ts";
import { prepareAffix, prepareReplicas, prepareTexts } from "./transformers/set_fields.ts";

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

function pluginSteps(target: Target, configurations: readonly NamedResource[]): Step[] {
  return configurations.map((config) => {
    const plugin = makePlugin(config, target.loader);
    if (plugin.kind !== "transformer") throw fault(`Plugin "${config.id().kind}" is not a transformer`);
    return { transform: plugin.transform, origin: pluginOrigin(config) };
  });
}

/**
 * Runs a kustomization's built-in transformations, then those of its plugins.
 *
 * @param plugins configurations that `transformers` names
 * @throws {StageError} BuildFailed
 */
export async function runTransformers(
  target: Target,
  into: Accumulator,
  plugins: () => Promise<readonly NamedResource[]>,
): Promise<void> {
  const steps = builtinSteps(target, into.config);
  steps.push(...pluginSteps(target, await plugins()));
  const context = contextOf(target);
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
}

/**
 * Runs a kustomization's validators: plugins that must leave everything as it is.
 *
 * @param plugins configurations that `validators` names
 * @throws {StageError} BuildFailed
 */
export async function runValidators(
  target: Target,
  into: Accumulator,
  plugins: () => Promise<readonly NamedResource[]>,
): Promise<void> {
  const steps = pluginSteps(target, await plugins());
  const context = contextOf(target);
  for (const { transform } of steps) {
    const before = into.set.list.map(snapshot);
    transform(into.set, context);
    const after = into.set.list.map(snapshot);
    if (before.length !== after.length || before.some((text, at) => text !== after[at])) {
      throw fault("Validator shouldn't modify the resource map");
    }
  }
}

function contextOf({ ground, loader }: Target): TransformContext {
  return { schema: ground.schema, scopes: ground.custom?.scopes, growth: loader.growth };
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
