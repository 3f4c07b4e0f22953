import type { JsonObject, JsonValue } from "../core/json.ts";
import { isJsonObject, jsonEqual } from "../core/json.ts";

/** Annotation in which kubectl keeps the whole object, secrets included. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * A resource before and after, with the values of Secrets masked so that a diff shows which changed and never what
 * they are: equal values become `***`, different ones `*** (before)` and `*** (after)` (as `kubectl diff` does).
 */
export function maskPair(
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): { readonly before: JsonObject | undefined; readonly after: JsonObject | undefined } {
  const plain = { before: withoutLastApplied(before), after: withoutLastApplied(after) };
  if (before?.kind !== "Secret" && after?.kind !== "Secret") return plain;
  return {
    before: plain.before === undefined ? undefined : masked(plain.before, plain.after, "before"),
    after: plain.after === undefined ? undefined : masked(plain.after, plain.before, "after"),
  };
}

function masked(resource: JsonObject, other: JsonObject | undefined, side: string): JsonObject {
  const result: Record<string, JsonValue> = { ...resource };
  for (const field of ["data", "stringData"]) {
    const values = resource[field];
    if (!isJsonObject(values)) continue;
    const others = other?.[field];
    result[field] = Object.fromEntries(
      Object.entries(values).map(([key, value]) => {
        const there = isJsonObject(others) ? others[key] : undefined;
        return [key, there === undefined || jsonEqual(value, there) ? "***" : `*** (${side})`];
      }),
    );
  }
  return result;
}

function withoutLastApplied(resource: JsonObject | undefined): JsonObject | undefined {
  const metadata = resource?.metadata;
  if (!isJsonObject(metadata) || !isJsonObject(metadata.annotations) || !(lastApplied in metadata.annotations)) {
    return resource;
  }
  const { [lastApplied]: _, ...annotations } = metadata.annotations;
  return { ...resource, metadata: { ...metadata, annotations } };
}
