import { RE2JS } from "re2js";
import type { JsonObject } from "../../core/json.ts";
import type { Resource } from "../../core/resource.ts";
import { refOf } from "../../core/resource.ts";
import { StageError } from "../../core/stage_error.ts";
import type { ResourceSelector, TargetOptions } from "../../core/target.ts";
import { jsonEqual } from "../../core/json.ts";
import { pointerParts, valueAt, withValueAt } from "./compare.ts";
import { parseLabelSelector } from "./label_selector.ts";
import { fieldsOf, hasField, managerEntries } from "./managed_fields.ts";
import { textsOf } from "./marks.ts";
import type { OverriddenManager } from "./take_over.ts";
import { isOverridden } from "./take_over.ts";

/** Which fields of a resource are somebody else's business: paths of JSON pointers. */
export type IgnoreRules = (resource: Resource) => readonly (readonly string[])[];

/**
 * Reads rules of what drift to leave alone (Kustomization `spec.ignore`). Names in selectors are anchored regular
 * expressions.
 *
 * @throws {StageError} InvalidDocument for a pointer, expression or selector that cannot be read
 */
export function ignoreRules(rules: TargetOptions["ignore"]): IgnoreRules {
  const compiled = (rules ?? []).map((rule) => ({
    paths: rule.paths.map((path) => {
      const parts = pointerParts(path);
      if (parts === undefined || parts.length === 0) {
        throw new StageError(
          "InvalidDocument",
          `Cannot read JSON pointer "${path}" of an ignore rule: it must start with "/"`,
        );
      }
      return parts;
    }),
    matches: selectorMatch(rule.target),
  }));
  return (resource) => compiled.filter((rule) => rule.matches(resource)).flatMap((rule) => rule.paths);
}

function selectorMatch(selector: ResourceSelector | undefined): (resource: Resource) => boolean {
  if (selector === undefined) return () => true;
  const texts = (["group", "version", "kind", "namespace", "name"] as const).flatMap((field) => {
    const pattern = selector[field];
    return pattern === undefined || pattern === "" ? [] : [{ field, pattern: anchored(pattern) }];
  });
  const labels = parseLabelSelector(selector.labelSelector ?? "");
  const annotations = parseLabelSelector(selector.annotationSelector ?? "");
  return (resource) => {
    const ref = refOf(resource);
    return texts.every(({ field, pattern }) => pattern.matches(ref[field])) && labels(textsOf(resource, "labels")) &&
      annotations(textsOf(resource, "annotations"));
  };
}

function anchored(pattern: string): RE2JS {
  try {
    return RE2JS.compile(`^(?:${pattern})$`);
  } catch (error) {
    throw new StageError("InvalidDocument", `Cannot read regular expression "${pattern}" of an ignore rule`, {
      cause: error,
    });
  }
}

/** The object without the fields that are ignored: what is compared. */
export function withoutIgnored(object: JsonObject, paths: readonly (readonly string[])[]): JsonObject {
  return paths.reduce<JsonObject>((current, path) => withValueAt(current, path, undefined) as JsonObject, object);
}

/**
 * The configuration that leaves drifted fields as they are: a field that another manager applies is left out, so that it
 * stays that manager's; else the live value is taken over (kustomize-controller 1.9, `spec.ignore`). What is missing in
 * the cluster is applied as written. A manager whose rows become ours is no other one: without its fields they would be reset.
 */
export function respectIgnored(
  body: Resource,
  live: JsonObject,
  options: {
    readonly paths: readonly (readonly string[])[];
    readonly manager: string;
    readonly managers: readonly OverriddenManager[];
  },
): Resource {
  const { manager, managers } = options;
  let result: JsonObject = body;
  for (const path of options.paths) {
    const now = valueAt(live, path);
    const wanted = valueAt(body, path);
    if (now === undefined || wanted === undefined || jsonEqual(now, wanted)) continue;
    const fieldPath = path.map((part) => `f:${part}`);
    const isApplied = managerEntries(live).some((entry) =>
      entry.operation === "Apply" && entry.manager !== manager && !isOverridden(entry, manager, managers) &&
      hasField(fieldsOf(entry), fieldPath)
    );
    result = withValueAt(result, path, isApplied ? undefined : now) as JsonObject;
  }
  return result as Resource;
}
