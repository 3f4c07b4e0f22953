import type { JsonObject, JsonValue } from "../core/json.ts";
import { isJsonObject, jsonEqual } from "../core/json.ts";
import type { Resource } from "../core/resource.ts";
import type { PlannedChange } from "../core/target.ts";
import { parseYaml, printYaml } from "../format/yaml.ts";

/** Takes the values of Secrets out of a text. */
export type Hide = (text: string) => string;

/** Stands for a value beside one that is a secret. */
const markBefore = "*** (before)";

/** A resource without the values of Secrets, wherever substitution or templates put them; keys and names of fields stay. */
export function hideInResource(resource: Resource, hide: Hide): Resource {
  return hidden(resource, hide) as Resource;
}

/**
 * A change without the values of Secrets. What stands in the target where a secret is to come is hidden too: it may be one
 * that was replaced since, and nobody knows it any more.
 */
export function hideInChange(change: PlannedChange, hide: Hide): PlannedChange {
  const before = read(change.before);
  const after = read(change.after);
  return {
    ...change,
    ...(change.before === undefined
      ? {}
      : { before: before === undefined ? hide(change.before) : printYaml(hiddenBefore(before, after, hide)) }),
    ...(change.after === undefined
      ? {}
      : { after: after === undefined ? hide(change.after) : printYaml(hidden(after, hide)) }),
  };
}

function read(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const value = parseYaml(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function hidden(value: JsonValue, hide: Hide): JsonValue {
  if (typeof value === "string") return hide(value);
  if (typeof value === "number" || typeof value === "bigint") {
    const text = hide(`${value}`);
    return text === `${value}` ? value : text;
  }
  if (Array.isArray(value)) return value.map((item) => hidden(item, hide));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, hidden(member ?? null, hide)]));
}

function hiddenBefore(before: JsonValue, after: JsonValue | undefined, hide: Hide): JsonValue {
  if (isJsonObject(before)) {
    const there = isJsonObject(after) ? after : {};
    return Object.fromEntries(
      Object.entries(before).map(([key, member]) => [key, hiddenBefore(member ?? null, there[key], hide)]),
    );
  }
  if (Array.isArray(before)) {
    const there = Array.isArray(after) ? after : [];
    return before.map((item, index) => hiddenBefore(item, there[index], hide));
  }
  const isSecret = after !== undefined && !jsonEqual(hidden(after, hide), after);
  return isSecret && !jsonEqual(before, after) ? markBefore : hidden(before, hide);
}
