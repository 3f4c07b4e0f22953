import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { nodeToJson } from "../../format/yaml_node/node_json.ts";
import { readYaml } from "../../format/yaml_node/reader.ts";
import { fault, textFault } from "./fault.ts";
import type { FieldSpec } from "./field_path.ts";
import type { Loader } from "./load.ts";
import type { TransformerConfig } from "./transformer_config.ts";
import { emptyConfig, mergeConfig } from "./transformer_config.ts";

/** Most levels of references that are followed. */
const maxLevels = 32;

/**
 * Configuration of the files that `crds` names: OpenAPI definitions (not CustomResourceDefinitions) whose extensions
 * `x-kubernetes-annotation`, `-label-selector`, `-identity` and `-object-ref-…` mark fields.
 *
 * @throws {StageError} BuildFailed for files that are no YAML or JSON
 */
export function readCrds(paths: readonly string[], loader: Loader): TransformerConfig {
  let config = emptyConfig;
  for (const path of paths) {
    let value: JsonValue;
    try {
      const node = readYaml(loader.readText(path), { dialect: "v2" });
      value = node === undefined ? null : nodeToJson(node, { dialect: "v2", keys: "lenient" });
    } catch (error) {
      throw textFault(path, error, `Unable to parse OpenAPI definition from "${path}"`);
    }
    if (!isJsonObject(value) || !Object.values(value).every((definition) => isJsonObject(definition))) {
      throw fault(`Unable to parse OpenAPI definition from "${path}": it must be a mapping of definitions`);
    }
    for (const name of Object.keys(value)) {
      const properties = propertiesOf(value, name);
      if (!["kind", "apiVersion", "metadata"].every((field) => Object.hasOwn(properties, field))) continue;
      const kind = name.slice(name.lastIndexOf(".") + 1);
      config = mergeConfig(config, configOf(kind, value, name, [], 0));
    }
  }
  return config;
}

function propertiesOf(definitions: JsonObject, name: string): JsonObject {
  const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  const schema = isJsonObject(definition) ? field(definition, "schema") : undefined;
  const properties = isJsonObject(schema) ? field(schema, "properties") : undefined;
  return isJsonObject(properties) ? properties : {};
}

/** A field of a Go type without JSON names: case does not count. */
function field(object: JsonObject, name: string): JsonValue | undefined {
  const key = Object.keys(object).find((known) => known.toLowerCase() === name);
  return key === undefined ? undefined : object[key];
}

function configOf(
  kind: string,
  definitions: JsonObject,
  name: string,
  path: readonly string[],
  level: number,
): TransformerConfig {
  let config = emptyConfig;
  if (level > maxLevels) return config;
  for (const [key, property] of Object.entries(propertiesOf(definitions, name))) {
    if (!isJsonObject(property)) continue;
    const here = [...path, key];
    const spec = (more: readonly string[] = []): FieldSpec => ({
      group: "",
      version: "",
      kind,
      path: [...here, ...more].join("/"),
      create: false,
    });
    const extension = (word: string): string | undefined => {
      const value = property[`x-kubernetes-${word}`];
      return typeof value === "string" ? value : undefined;
    };
    const add = (part: Partial<TransformerConfig>) => config = mergeConfig(config, { ...emptyConfig, ...part });
    if (extension("annotation") !== undefined) add({ commonAnnotations: [spec()] });
    if (extension("label-selector") !== undefined) add({ commonLabels: [spec()] });
    if (extension("identity") !== undefined) add({ namePrefix: [spec()] });
    const version = extension("object-ref-api-version");
    const referred = extension("object-ref-kind");
    if (version !== undefined && referred !== undefined) {
      const fields = [spec([extension("object-ref-name-key") ?? "name"])];
      add({ nameReference: [{ group: "", version, kind: referred, fields }] });
    }
    const reference = property.$ref;
    if (typeof reference === "string") {
      config = mergeConfig(config, configOf(kind, definitions, reference, here, level + 1));
    }
  }
  return config;
}
