import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { parseYaml, printYaml } from "../../format/yaml.ts";
import { maskPair } from "../mask_secrets.ts";

/** The resource in a file's text; `undefined` where somebody broke it: it is shown as absent, and applying replaces it. */
export function parsed(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const value = parseYaml(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a file says that it outlives what wrote it (`helm.sh/resource-policy: keep`). */
export function isKept(text: string | undefined): boolean {
  if (text?.includes("helm.sh/resource-policy") !== true) return false;
  const resource = parsed(text);
  const metadata = isJsonObject(resource?.metadata) ? resource.metadata : {};
  const annotations = isJsonObject(metadata.annotations) ? metadata.annotations : {};
  return String(annotations["helm.sh/resource-policy"] ?? "").trim().toLowerCase() === "keep";
}

/** Texts of a change for people: values of Secrets are hidden in both. */
export function maskedTexts(
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): { readonly before?: string; readonly after?: string } {
  const masked = maskPair(before, after);
  return {
    ...(masked.before === undefined ? {} : { before: printYaml(masked.before) }),
    ...(masked.after === undefined ? {} : { after: printYaml(masked.after) }),
  };
}
