import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { nodeToJson } from "../../format/yaml_node/node_json.ts";
import { readYaml } from "../../format/yaml_node/reader.ts";
import type { Decoded, Decoder } from "./decode.ts";
import { anything, bool, decode, dictionary, integer, list, object, optional, text } from "./decode.ts";
import { fault, textFault } from "./fault.ts";
import { fieldSpec } from "./transformer_config.ts";

/** File names of a kustomization; exactly one of them stands in its folder. */
export const kustomizationFileNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"] as const;

const strings = list(text);
const texts = dictionary(text);

/** Selector of resources: parts are regular expressions that must match as a whole; empty means any. */
export const selector = object({
  group: text,
  version: text,
  kind: text,
  name: text,
  namespace: text,
  annotationSelector: text,
  labelSelector: text,
});

/** One entry of `patches` and `patchesJson6902`. */
export const patchEntry = object({
  path: text,
  patch: text,
  target: optional(selector),
  options: optional(object({ allowNameChange: bool, allowKindChange: bool })),
});

/** One entry of `images`. */
export const imageEntry = object({ name: text, newName: text, tagSuffix: text, newTag: text, digest: text });

/** One entry of `replicas`. */
export const replicaEntry = object({ name: text, count: integer });

/** One entry of `labels`. */
const labelEntry = object({
  pairs: texts,
  includeSelectors: bool,
  includeTemplates: bool,
  fields: list(fieldSpec),
});

/** `generatorOptions`, and `options` of a generator. */
export const generatorOptions = object({
  labels: texts,
  annotations: texts,
  disableNameSuffixHash: bool,
  immutable: bool,
});

/** Fields that both generators share. */
const generatorFields = {
  namespace: text,
  name: text,
  behavior: text,
  literals: strings,
  files: strings,
  envs: strings,
  env: text,
  options: optional(generatorOptions),
};

/** One entry of `configMapGenerator`. */
export const configMapEntry = object(generatorFields);

/** One entry of `secretGenerator`. */
export const secretEntry = object({ ...generatorFields, type: text });

const fieldOptions = object({ delimiter: text, index: integer, encoding: text, create: bool });

/** Source and targets of a replacement. */
export const replacement = object({
  source: optional(object({
    group: text,
    version: text,
    kind: text,
    name: text,
    namespace: text,
    fieldPath: text,
    options: optional(fieldOptions),
  })),
  targets: optional(list(object({
    select: optional(selector),
    reject: list(selector),
    fieldPaths: strings,
    options: optional(fieldOptions),
  }))),
  sourceValue: optional(text),
});

/** One entry of `replacements`: a replacement, or a file with one or more. */
export const replacementEntry: Decoder<{ readonly path: string; readonly value: JsonValue }> = (
  value,
  path,
  options,
) => {
  const file = object({ path: text, source: anything, targets: anything, sourceValue: anything })(value, path, options);
  if (file.path !== "" && (file.source !== undefined || file.targets !== undefined)) {
    throw fault(`Cannot read ${options.what}: field "${path}" has both a path and an inline replacement`);
  }
  if (file.path === "") replacement(value, path, { ...options, unknownFields: true });
  return { path: file.path, value: value ?? {} };
};

const variable = object({
  name: text,
  objref: object({ apiVersion: text, group: text, version: text, kind: text, name: text, namespace: text }),
  fieldref: object({ fieldPath: text, fieldpath: text }),
});

const sortOptions = object({
  order: text,
  legacySortOptions: optional(object({ orderFirst: strings, orderLast: strings })),
});

const freeObject: Decoder<JsonObject | undefined> = (value, path, options) => {
  if (value === undefined || value === null) return undefined;
  if (isJsonObject(value)) return value;
  throw fault(`Cannot read ${options.what}: field "${path}" must be a mapping`);
};

/** Fields of `helmGlobals`. */
export const helmGlobalFields = { chartHome: text, configHome: text };

/** Fields of one entry of `helmCharts`. */
export const helmChartFields = {
  name: text,
  version: text,
  repo: text,
  releaseName: text,
  namespace: text,
  additionalValuesFiles: strings,
  valuesFile: text,
  valuesInline: freeObject,
  valuesMerge: text,
  includeCRDs: bool,
  skipHooks: bool,
  apiVersions: strings,
  kubeVersion: text,
  nameTemplate: text,
  skipTests: bool,
  debug: bool,
  devel: bool,
};

const oldChart = object({
  chartName: text,
  chartVersion: text,
  chartRepoUrl: text,
  chartHome: text,
  chartRepoName: text,
  helmBin: text,
  helmHome: text,
  values: text,
  valuesLocal: freeObject,
  valuesMerge: text,
  releaseName: text,
  releaseNamespace: text,
  extraArgs: strings,
});

const fileShape = object({
  apiVersion: text,
  kind: text,
  metadata: optional(object({ name: text, namespace: text, labels: texts, annotations: texts })),
  openapi: texts,
  namePrefix: text,
  nameSuffix: text,
  namespace: text,
  commonLabels: texts,
  labels: list(labelEntry),
  commonAnnotations: texts,
  patchesStrategicMerge: strings,
  patchesJson6902: list(patchEntry),
  patches: list(patchEntry),
  images: list(imageEntry),
  imageTags: list(imageEntry),
  replacements: list(replacementEntry),
  replicas: list(replicaEntry),
  vars: list(variable),
  sortOptions: optional(sortOptions),
  resources: strings,
  components: strings,
  crds: strings,
  bases: strings,
  configMapGenerator: list(configMapEntry),
  secretGenerator: list(secretEntry),
  helmGlobals: optional(object(helmGlobalFields)),
  helmCharts: list(object(helmChartFields)),
  helmChartInflationGenerator: list(oldChart),
  generatorOptions: optional(generatorOptions),
  configurations: strings,
  generators: strings,
  transformers: strings,
  validators: strings,
  buildMetadata: strings,
});

type FileShape = Decoded<typeof fileShape>;

/** A kustomization: what its file says, old fields moved to their new places. */
export type Kustomization = Omit<FileShape, "bases" | "imageTags" | "helmChartInflationGenerator">;

/** A variable of `vars`. */
export type Variable = Decoded<typeof variable>;
/** An entry of `patches`. */
export type PatchEntry = Decoded<typeof patchEntry>;
/** A selector of resources. */
export type Selector = Decoded<typeof selector>;
/** An entry of `images`. */
export type ImageEntry = Decoded<typeof imageEntry>;
/** An entry of `configMapGenerator`. */
export type ConfigMapEntry = Decoded<typeof configMapEntry>;
/** An entry of `secretGenerator`. */
export type SecretEntry = Decoded<typeof secretEntry>;
/** Options of generators. */
export type GeneratorOptions = Decoded<typeof generatorOptions>;
/** A replacement. */
export type Replacement = Decoded<typeof replacement>;
/** `sortOptions`. */
export type SortOptions = Decoded<typeof sortOptions>;

/** Kind of a kustomization that changes the one that includes it. */
export const componentKind = "Component";
const kustomizationKind = "Kustomization";
const versions = {
  [kustomizationKind]: "kustomize.config.k8s.io/v1beta1",
  [componentKind]: "kustomize.config.k8s.io/v1alpha1",
} as const;

const fixHint = "Run 'kustomize edit fix' to update your Kustomization automatically.";
const deprecated: readonly (readonly [field: string, instead: string, hint: string])[] = [
  ["bases", "resources", fixHint],
  ["commonLabels", "labels", fixHint],
  ["imageTags", "images", fixHint],
  ["patchesJson6902", "patches", fixHint],
  ["patchesStrategicMerge", "patches", fixHint],
  ["vars", "replacements", `[EXPERIMENTAL] ${fixHint}`],
];

/** A kustomization and what its author should know. */
export interface ReadKustomization {
  readonly kustomization: Kustomization;
  readonly warnings: readonly string[];
}

/**
 * Reads a kustomization file: YAML 1.1 as sigs.k8s.io/yaml reads it (a key twice: the later one counts), field names
 * without regard to case, unknown ones refused (kustomize 5.8.1 `api/types/kustomization.go`).
 *
 * @throws {StageError} BuildFailed
 */
export function readKustomization(content: string, file: string): ReadKustomization {
  let value: JsonValue;
  try {
    const node = readYaml(content, { dialect: "v2" });
    value = node === undefined ? null : nodeToJson(node, { dialect: "v2", keys: "lenient" });
  } catch (error) {
    throw textFault(file, error, "Invalid Kustomization");
  }
  return checkKustomization(value, file);
}

/** A kustomization of a JSON value; see {@linkcode readKustomization}. */
export function checkKustomization(value: JsonValue, file: string): ReadKustomization {
  const read = decode(fileShape, value, { what: `"${file}"` });
  const given = new Set(
    isJsonObject(value)
      ? Object.keys(value).filter((key) => value[key] !== null && value[key] !== "").map((key) => key.toLowerCase())
      : [],
  );
  const warnings = deprecated.filter(([field]) => given.has(field.toLowerCase())).map(([field, instead, hint]) =>
    `# Warning: '${field}' is deprecated. Please use '${instead}' instead. ${hint}`
  );
  if ([...given].every((key) => key === "kind" || key === "apiversion")) {
    throw fault(`Kustomization file "${file}" is empty`);
  }
  const kustomization = upgrade(read);
  checkKind(kustomization, file);
  return { kustomization, warnings };
}

function upgrade(read: FileShape): Kustomization {
  const { bases, imageTags, helmChartInflationGenerator: oldCharts, ...rest } = read;
  const kind = rest.kind || kustomizationKind;
  const oldGlobals = { chartHome: "", configHome: "" };
  for (const chart of oldCharts) {
    if (chart.helmHome !== "") oldGlobals.configHome = chart.helmHome;
    if (chart.chartHome !== "") oldGlobals.chartHome = chart.chartHome;
  }
  const hasOldGlobals = oldGlobals.chartHome !== "" || oldGlobals.configHome !== "";
  return {
    ...rest,
    kind,
    apiVersion: rest.apiVersion || versions[kind === componentKind ? componentKind : kustomizationKind],
    resources: [...rest.resources, ...bases],
    images: [...rest.images, ...imageTags],
    configMapGenerator: rest.configMapGenerator.map(moveEnv),
    secretGenerator: rest.secretGenerator.map(moveEnv),
    helmGlobals: rest.helmGlobals ?? (hasOldGlobals ? oldGlobals : undefined),
    helmCharts: [
      ...rest.helmCharts,
      ...oldCharts.map((old) => ({
        name: old.chartName,
        version: old.chartVersion,
        repo: old.chartRepoUrl,
        releaseName: old.releaseName,
        namespace: "",
        additionalValuesFiles: [],
        valuesFile: old.values,
        valuesInline: old.valuesLocal,
        valuesMerge: old.valuesMerge,
        includeCRDs: false,
        skipHooks: false,
        apiVersions: [],
        kubeVersion: "",
        nameTemplate: "",
        skipTests: false,
        debug: false,
        devel: false,
      })),
    ],
  };
}

/** `env` is an old form of one more entry in `envs`. */
export function moveEnv<Entry extends { readonly env: string; readonly envs: string[] }>(entry: Entry): Entry {
  return entry.env === "" ? entry : { ...entry, envs: [...entry.envs, entry.env], env: "" };
}

function checkKind(kustomization: Kustomization, file: string): void {
  const { kind, apiVersion } = kustomization;
  if (kind !== kustomizationKind && kind !== componentKind) {
    throw fault(`Cannot read "${file}": kind should be Kustomization or Component, not "${kind}"`);
  }
  const wanted = versions[kind];
  if (apiVersion !== wanted) {
    throw fault(`Cannot read "${file}": apiVersion for ${kind} should be ${wanted}, not "${apiVersion}"`);
  }
}
