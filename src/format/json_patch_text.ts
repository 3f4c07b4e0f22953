import { isJsonObject } from "../core/json.ts";
import { FormatError } from "./format_error.ts";
import type { JsonPatchOperation } from "./json_patch.ts";
import { parseYaml } from "./yaml.ts";

/**
 * Operations of a patch text, JSON or YAML; an empty text has none. Whether they make sense shows when they are applied.
 *
 * @throws {FormatError} when the text cannot be read or is no list of maps
 */
export function parseJsonPatch(text: string, options: { readonly file?: string } = {}): readonly JsonPatchOperation[] {
  const value = parseYaml(text, options);
  if (value === null) return [];
  const refuse = (what: string) => {
    throw new FormatError(`Cannot read the JSON patch: ${what}`, options);
  };
  if (!Array.isArray(value)) return refuse("it must be a list of operations");
  return value.map((operation) =>
    operation === null ? {} : isJsonObject(operation) ? operation : refuse("each operation must be a map")
  );
}
