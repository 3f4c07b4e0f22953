import { isJson } from "../../../format/is_json.ts";
import type { JsonPatchOperation } from "../../../format/json_patch.ts";
import { applyJsonPatch as patchedJson } from "../../../format/json_patch.ts";
import { nodeFromJson, nodeToJson } from "../../../format/yaml_node/node_json.ts";
import { buildModules } from "../build_modules.ts";
import { fault } from "../fault.ts";
import { type Growth, jsonSize } from "../growth.ts";
import type { NamedResource } from "../named_resource.ts";

/** Operations of a JSON 6902 patch. */
export type JsonPatch = readonly JsonPatchOperation[];

/** Most operations of one patch. */
const maxOperations = 10_000;

/**
 * Operations of a text: JSON when it begins with `[`, else YAML (its first document).
 *
 * @throws {Error} when it is no list of operations
 */
export function readJsonPatch(text: string): JsonPatch {
  // Text that begins as JSON must be JSON.
  if (text.startsWith("[") && !isJson(text)) {
    throw fault('The patch begins with "[", so that it must be JSON, and is not');
  }
  const operations = buildModules.jsonPatch().parseJsonPatch(text);
  if (operations.length > maxOperations) {
    throw fault(`A JSON patch has ${operations.length} operations, the limit is ${maxOperations}`);
  }
  return operations;
}

/**
 * Applies a patch to a resource. Where kustomize would hold annotations of its own, `metadata.annotations` is there for
 * the patch. Numbers come out as Go's floats, as kustomize has them.
 *
 * @throws {Error} when an operation does not apply
 */
export function applyJsonPatch(resource: NamedResource, patch: JsonPatch, growth: Growth): void {
  resource.openAnnotations();
  for (const { value } of patch) if (typeof value === "object" && value !== null) growth.spend(jsonSize(value));
  const changed = patchedJson(nodeToJson(resource.node), patch, {
    onCopy: (value) => growth.spend(jsonSize(value)),
    onShift: (count) => growth.shift(count),
  });
  const node = nodeFromJson(changed, { floats: true });
  if (node.kind !== "map") throw fault("The patched resource is no mapping");
  resource.node = node;
  if (patch.some(replacesAnnotations)) {
    // Former names survive in kustomize, but where a resource comes from stands in an ordinary annotation.
    resource.origin = undefined;
    resource.transformations = [];
  }
  resource.closeAnnotations();
}

function replacesAnnotations(operation: JsonPatchOperation): boolean {
  const places = ["", "/metadata", "/metadata/annotations"];
  const { op, path, from } = operation;
  if (op === "move" && places.includes(String(from))) return true;
  return op !== "test" && places.includes(String(path));
}
