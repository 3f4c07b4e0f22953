import type { JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { nodeToJson } from "../../format/yaml_node/node_json.ts";
import { readYaml } from "../../format/yaml_node/reader.ts";
import { apiVersionText } from "./api_version.ts";
import type { Decoded, Decoder } from "./decode.ts";
import { anything, bool, decode, dictionary, integer, list, object, optional, text } from "./decode.ts";
import { fault, textFault, wrapFault } from "./fault.ts";
import { makeConfigMap, makeSecret } from "./generators/config_data.ts";
import type { ChartRequest } from "./generators/helm_chart.ts";
import { chartEntry, chartRequest } from "./generators/helm_chart.ts";
import { idText } from "./identity.ts";
import {
  configMapEntry,
  imageEntry,
  moveEnv,
  patchEntry,
  replacementEntry,
  replicaEntry,
  secretEntry,
  selector,
} from "./kustomization_file.ts";
import type { Loader } from "./load.ts";
import type { NamedResource } from "./named_resource.ts";
import { readResources } from "./documents.ts";
import { fieldSpec } from "./transformer_config.ts";
import { addHashes } from "./transformers/hash_suffix.ts";
import { prepareImage } from "./transformers/images.ts";
import { prepareNamespace, setNamespace } from "./transformers/namespace.ts";
import type { Transform } from "./transformers/patches.ts";
import { prepareJsonPatch, prepareMergePatches, preparePatch } from "./transformers/patches.ts";
import { prepareReplacements } from "./transformers/replacements.ts";
import { selectResources } from "./transformers/select.ts";
import { prepareAffix, prepareReplicas, prepareTexts, setValue } from "./transformers/set_fields.ts";

/** A configured plugin: makes resources, inflates a chart, or changes what is there. */
export type Plugin =
  | { readonly kind: "generator"; generate(): NamedResource[] }
  | { readonly kind: "chart"; readonly request: ChartRequest }
  | { readonly kind: "transformer"; readonly transform: Transform };

interface Configuration {
  readonly value: JsonValue;
  readonly loader: Loader;
}

type Make = (configuration: Configuration) => Plugin;

const fieldSpecs = list(fieldSpec);
const texts = dictionary(text);
const metadata = optional(object({ name: text, namespace: text, labels: texts, annotations: texts }));

/** Reads the fields of a configuration as sigs.k8s.io/yaml does into a Go type: unknown ones are passed over. */
function read<Value>(decoder: Decoder<Value>, value: JsonValue): Value {
  return decode(decoder, value, { what: "the plugin's configuration", lenientTexts: true, unknownFields: true });
}

function transformer(make: (configuration: Configuration) => Transform): Make {
  return (configuration) => ({ kind: "transformer", transform: make(configuration) });
}

const namespaceConfig = object({ metadata, fieldSpecs, unsetOnly: bool, setRoleBindingSubjects: text });
const labelConfig = object({ labels: texts, fieldSpecs });
const annotationConfig = object({ annotations: texts, fieldSpecs });
const prefixConfig = object({ prefix: text, fieldSpecs: optional(fieldSpecs) });
const suffixConfig = object({ suffix: text, fieldSpecs: optional(fieldSpecs) });
const imageConfig = object({ imageTag: imageEntry, fieldSpecs });
const replicaConfig = object({ replica: replicaEntry, fieldSpecs });
const replacementConfig = object({ replacements: list(replacementEntry) });
const jsonPatchConfig = object({ target: optional(selector), path: text, jsonOp: text });
const mergePatchConfig = object({ paths: list(text), patches: text });
const valueTarget = object({ selector: optional(selector), fieldPath: text, filePathPosition: integer });
const valueConfig = object({ value: text, targets: list(valueTarget), targetFilePath: text });
const named = object({ metadata, value: anything });
const iamConfig = object({
  cloud: text,
  kubernetesService: object({ name: text, namespace: text }),
  serviceAccount: object({ name: text, projectId: text }),
});

function affix(part: "prefix" | "suffix", value: JsonValue): Transform {
  const config = part === "prefix" ? read(prefixConfig, value) : read(suffixConfig, value);
  if (config.fieldSpecs === undefined) throw fault("FieldSpecs is not expected to be nil");
  return prepareAffix(part, "prefix" in config ? config.prefix : config.suffix, config.fieldSpecs);
}

function withMetadata<Entry extends Decoded<typeof configMapEntry>>(entry: Entry, value: JsonValue): Entry {
  const { metadata: own } = read(named, value);
  return moveEnv({
    ...entry,
    name: entry.name || (own?.name ?? ""),
    namespace: entry.namespace || (own?.namespace ?? ""),
  });
}

const makers: Readonly<Record<string, Make>> = {
  AnnotationsTransformer: transformer(({ value }) => {
    const config = read(annotationConfig, value);
    return prepareTexts(config.annotations, config.fieldSpecs);
  }),
  ConfigMapGenerator: ({ value, loader }) => ({
    kind: "generator",
    generate: () => [makeConfigMap(withMetadata(read(configMapEntry, value), value), loader)],
  }),
  HashTransformer: transformer(() => (set) => addHashes(set)),
  HelmChartInflationGenerator: ({ value, loader }) => {
    const entry = read(chartEntry, value);
    return { kind: "chart", request: chartRequest(entry, entry, loader) };
  },
  IAMPolicyGenerator: ({ value }) => ({ kind: "generator", generate: () => [makeServiceAccount(value)] }),
  ImageTagTransformer: transformer(({ value }) => {
    const config = read(imageConfig, value);
    return prepareImage(config.imageTag, config.fieldSpecs);
  }),
  LabelTransformer: transformer(({ value }) => {
    const config = read(labelConfig, value);
    return prepareTexts(config.labels, config.fieldSpecs);
  }),
  NamespaceTransformer: transformer(({ value }) => {
    const config = read(namespaceConfig, value);
    return prepareNamespace({
      namespace: config.metadata?.namespace ?? "",
      fields: config.fieldSpecs,
      unsetOnly: config.unsetOnly,
      subjects: config.setRoleBindingSubjects,
    });
  }),
  PatchJson6902Transformer: transformer(({ value, loader }) => {
    const config = read(jsonPatchConfig, value);
    return prepareJsonPatch({ target: config.target, path: config.path, patch: config.jsonOp }, loader);
  }),
  PatchStrategicMergeTransformer: transformer(({ value, loader }) => {
    const config = read(mergePatchConfig, value);
    if (config.paths.length === 0 && config.patches === "") throw fault("Empty file path and empty patch content");
    return prepareMergePatches(config.paths, loader, config.patches);
  }),
  PatchTransformer: transformer(({ value, loader }) => preparePatch(read(patchEntry, value), loader)),
  PrefixSuffixTransformer: transformer(({ value }) => {
    const both = [affix("prefix", value), affix("suffix", value)];
    return (set, context) => both.forEach((transform) => transform(set, context));
  }),
  PrefixTransformer: transformer(({ value }) => affix("prefix", value)),
  ReplacementTransformer: transformer(({ value, loader }) =>
    prepareReplacements(read(replacementConfig, value).replacements, loader)
  ),
  ReplicaCountTransformer: transformer(({ value }) => {
    const config = read(replicaConfig, value);
    return prepareReplicas(config.replica, config.fieldSpecs);
  }),
  SecretGenerator: ({ value, loader }) => ({
    kind: "generator",
    generate: () => [makeSecret(withMetadata(read(secretEntry, value), value), loader)],
  }),
  SuffixTransformer: transformer(({ value }) => affix("suffix", value)),
  ValueAddTransformer: transformer(({ value, loader }) => prepareValues(value, loader)),
};

/** Names of the plugins that are built in. */
const builtinPlugins: readonly string[] = Object.keys(makers);

/**
 * Plugin of a configuration resource. Only kustomize's built-in ones (`apiVersion: builtin`) are there: no programs, no
 * containers.
 *
 * @throws {StageError} BuildFailed for any other, and for a configuration that cannot work
 */
export function makePlugin(resource: NamedResource, loader: Loader): Plugin {
  const id = resource.id();
  if (id.group !== "" || id.version !== "builtin") {
    throw fault(
      `Plugin "${apiVersionText(id)} ${id.kind}" is refused: external plugins are disabled, ` +
        "only those with apiVersion builtin are run",
    );
  }
  const make = Object.hasOwn(makers, id.kind) ? makers[id.kind] : undefined;
  if (make === undefined) {
    throw fault(`Unable to load builtin "${id.kind}"; known are ${builtinPlugins.join(", ")}`);
  }
  try {
    return make({ value: nodeToJson(resource.node), loader });
  } catch (error) {
    throw wrapFault(`Plugin ${idText(id)} fails configuration`, error);
  }
}

function prepareValues(value: JsonValue, loader: Loader): Transform {
  const config = read(valueConfig, value);
  const { folder } = loader;
  const filling = config.value.trim() || folder.slice(folder.lastIndexOf("/") + 1);
  const targets = [...config.targets];
  if (config.targetFilePath !== "") {
    let more: JsonValue;
    try {
      const node = readYaml(loader.readText(config.targetFilePath), { dialect: "v2" });
      more = node === undefined ? null : nodeToJson(node, { dialect: "v2", keys: "lenient" });
    } catch (error) {
      throw textFault(config.targetFilePath, error);
    }
    targets.push(...read(object({ targets: list(valueTarget) }), isJsonObject(more) ? more : {}).targets);
  }
  if (targets.length === 0) throw fault("Must specify at least one target");
  for (const target of targets) {
    if (target.fieldPath === "") throw fault("FieldPath cannot be empty");
    if (target.filePathPosition < 0) {
      throw fault(`Value of filePathPosition (${target.filePathPosition}) cannot be negative`);
    }
  }
  return (set) => {
    for (const target of targets) {
      const selected = target.selector === undefined ? [...set.list] : selectResources(set, target.selector);
      for (const resource of selected) {
        if (target.fieldPath === "metadata/namespace") setNamespace(resource, filling, set.scopes);
        else setValue(resource.node, target.fieldPath, filling, Number(target.filePathPosition));
      }
    }
    set.touch();
  };
}

function makeServiceAccount(value: JsonValue): NamedResource {
  const config = read(iamConfig, value);
  if (config.cloud !== "gke") throw fault(`Cloud provider "${config.cloud}" not supported yet`);
  const { kubernetesService: account, serviceAccount: cloud } = config;
  const lines = [
    "apiVersion: v1",
    "kind: ServiceAccount",
    "metadata:",
    "  annotations:",
    `    iam.gke.io/gcp-service-account: ${cloud.name}@${cloud.projectId}.iam.gserviceaccount.com`,
    `  name: ${account.name}`,
  ];
  if (account.namespace !== "") lines.push(`  namespace: ${account.namespace}`);
  return readResources(`${lines.join("\n")}\n`, "IAMPolicyGenerator")[0] ?? emptyResource();
}

function emptyResource(): never {
  throw fault("IAMPolicyGenerator made no resource");
}
