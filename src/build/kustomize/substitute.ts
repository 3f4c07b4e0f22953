import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Resource } from "../../core/resource.ts";
import { isResource, refOf, refText } from "../../core/resource.ts";
import { StageError } from "../../core/stage_error.ts";
import { substitute } from "../../format/envsubst.ts";
import { printYaml } from "../../format/yaml_print.ts";
import { nodeToJson } from "../../format/yaml_node/node_json.ts";
import { readYaml } from "../../format/yaml_node/reader.ts";
import { messageOf } from "../../core/stage_error.ts";

/** Label or annotation (value `disabled`) that keeps a resource as it is. */
const optOut = "kustomize.toolkit.fluxcd.io/substitute";

/** How variables are put in (Flux `spec.postBuild`). */
export interface SubstituteRequest {
  readonly variables: Readonly<Record<string, string>>;
  /** `WithVariables`: nothing is done when there are no variables; `Always`: then too. */
  readonly strategy: "WithVariables" | "Always";
}

/** Most faults that are told of all resources. */
const mostProblems = 100;
/** Most characters by which values make the texts of all resources longer: many resources can use one long value. */
const mostAdded = 64 * 1024 * 1024;

const variableName = /^[_A-Za-z][_A-Za-z0-9]*$/;

/**
 * Resources with variables put into their YAML text, which is then read again as YAML 1.1, as Flux does it (fluxcd/pkg
 * `kustomize/kustomize_varsub.go`; strict since kustomize-controller 1.9). Line breaks are taken out of values.
 *
 * @throws {StageError} BuildFailed for a bad name, and with the missing variables of all resources, up to a hundred, each
 * with its resource and the line in its text
 */
export function substituteResources(resources: readonly Resource[], request: SubstituteRequest): readonly Resource[] {
  const names = Object.keys(request.variables);
  if (names.length === 0 && request.strategy !== "Always") return resources;
  const bad = names.filter((name) => !variableName.test(name));
  if (bad.length > 0) {
    throw new StageError(
      "BuildFailed",
      `Cannot substitute variables: ${bad.map((name) => `"${name}"`).join(", ")} must match ${variableName.source}`,
    );
  }
  const values = new Map(names.map((name) => [name, (request.variables[name] as string).replaceAll("\n", "")]));
  const problems: string[] = [];
  let added = 0;
  const out = resources.map((resource) => {
    if (problems.length >= mostProblems || isDisabled(resource)) return resource;
    const text = printYaml(resource);
    if (!text.includes("$")) return resource;
    const result = substitute(text, (name) => values.get(name), { strict: true });
    if (result.kind === "failed") {
      const where = refText(refOf(resource));
      for (const problem of result.problems) problems.push(`${where} line ${problem.line}: ${problem.message}`);
      return resource;
    }
    added += Math.max(0, result.text.length - text.length);
    if (added > mostAdded) {
      throw new StageError(
        "BuildFailed",
        `Cannot substitute variables: their values add more than ${mostAdded.toLocaleString("en")} characters`,
      );
    }
    return readAgain(result.text, resource);
  });
  if (problems.length > 0) {
    const shown = problems.slice(0, mostProblems).join("; ");
    const more = problems.length < mostProblems ? "" : "; there may be more";
    throw new StageError("BuildFailed", `Cannot substitute variables: ${shown}${more}`, {
      hint: "Set the variables in spec.postBuild, or give them defaults: ${NAME:-default}",
    });
  }
  return out;
}

function isDisabled(resource: Resource): boolean {
  const { labels, annotations } = resource.metadata;
  return [labels, annotations].some((marks) => isJsonObject(marks) && marks[optOut] === "disabled");
}

function readAgain(text: string, resource: Resource): Resource {
  const where = refText(refOf(resource));
  let value: unknown;
  try {
    const node = readYaml(text, { dialect: "v2" });
    value = node === undefined ? null : nodeToJson(node, { dialect: "v2", keys: "lenient" });
  } catch (error) {
    // The text may hold secret values: only what is wrong with it is told.
    throw new StageError("BuildFailed", `Cannot read ${where} after substitution: ${messageOf(error)}`);
  }
  if (!isResource(value)) {
    throw new StageError("BuildFailed", `${where} has no apiVersion, kind or metadata.name after substitution`);
  }
  return value as JsonObject & Resource;
}
