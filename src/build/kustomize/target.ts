import type { JsonValue } from "../../core/json.ts";
import type { ScalarNode } from "../../format/yaml_node/node.ts";
import { nodeToJson } from "../../format/yaml_node/node_json.ts";
import { readYaml } from "../../format/yaml_node/reader.ts";
import { fault, textFault } from "./fault.ts";
import type { RenderChart } from "./generators/helm_chart.ts";
import type { Kustomization } from "./kustomization_file.ts";
import { kustomizationFileNames, readKustomization } from "./kustomization_file.ts";
import type { Loader } from "./load.ts";
import type { CustomSchema, MergeSchema } from "./merge/schema.ts";
import { customSchema } from "./merge/schema.ts";
import type { NamedResource } from "./named_resource.ts";
import type { Origin } from "./origin.ts";
import { cleanJoin } from "./origin.ts";
import { ResourceSet } from "./resource_set.ts";
import type { TransformerConfig } from "./transformer_config.ts";
import { emptyConfig } from "./transformer_config.ts";
import type { KnownVariable } from "./transformers/vars.ts";

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
  /** How many kustomizations stand above it. */
  readonly depth: number;
  readonly ground: BuildGround;
}

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

/** JSON value of a YAML file: configuration, schemas. @throws {StageError} BuildFailed */
export function readValue(path: string, loader: Loader, dialect: "v2" | "v3"): JsonValue {
  try {
    const node = readYaml(loader.readText(path), { dialect });
    return node === undefined ? null : nodeToJson(node, { dialect, keys: "lenient" });
  } catch (error) {
    throw textFault(path, error);
  }
}

/** Origin of what a field of a kustomization makes or changes, as if a plugin of that kind did; `undefined` when not asked for. */
export function configuredBy(target: Target, kind: string): Origin | undefined {
  if (target.origin === undefined) return undefined;
  return {
    configuredIn: cleanJoin(target.origin.path ?? "", target.fileName),
    configuredBy: { apiVersion: "builtin", kind },
  };
}

/** Origin of what a plugin makes or changes; `undefined` when not asked for. */
export function pluginOrigin(config: NamedResource): Origin | undefined {
  if (config.origin === undefined) return undefined;
  const { group, version, kind, name, namespace } = config.id();
  return {
    configuredIn: config.origin.path ?? "",
    configuredBy: { apiVersion: group === "" ? version : `${group}/${version}`, kind, name, namespace },
  };
}
