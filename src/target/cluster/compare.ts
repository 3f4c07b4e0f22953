import type { JsonObject, JsonValue } from "../../core/json.ts";
import { canonicalJson, isJsonObject, jsonEqual } from "../../core/json.ts";
import { textsOf } from "./marks.ts";

/**
 * Fields in which two states of an object differ, as JSON pointers: labels, annotations and everything outside metadata
 * and status. What is empty and what is not there are the same (fluxcd/pkg ssa `hasDrifted`). Metrics that an autoscaler
 * has twice count once: older servers double them when they convert between versions (`fixHorizontalPodAutoscaler`).
 */
export function driftedFields(before: JsonObject, after: JsonObject): readonly string[] {
  const [live, wanted] = [withoutDoubledMetrics(before), withoutDoubledMetrics(after)];
  const pointers: string[] = [];
  for (const field of ["labels", "annotations"] as const) {
    differ(textsOf(live, field), textsOf(wanted, field), `/metadata/${field}`, pointers);
  }
  for (const key of new Set([...Object.keys(live), ...Object.keys(wanted)])) {
    if (key === "metadata" || key === "status" || key === "apiVersion" || key === "kind") continue;
    differ(live[key], wanted[key], `/${escapePointer(key)}`, pointers);
  }
  return pointers;
}

function withoutDoubledMetrics(object: JsonObject): JsonObject {
  const { spec } = object;
  if (object.kind !== "HorizontalPodAutoscaler" || !isJsonObject(spec) || !Array.isArray(spec.metrics)) return object;
  const texts = spec.metrics.map((metric) => canonicalJson(metric as JsonValue));
  const metrics = spec.metrics.filter((_, index) => texts.indexOf(texts[index] ?? "") === index);
  return { ...object, spec: { ...spec, metrics: metrics as readonly JsonValue[] } };
}

function differ(a: JsonValue | undefined, b: JsonValue | undefined, path: string, pointers: string[]): void {
  if (isEmpty(a) && isEmpty(b)) return;
  if (isJsonObject(a) && isJsonObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      differ(a[key], b[key], `${path}/${escapePointer(key)}`, pointers);
    }
  } else if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    a.forEach((item, index) => differ(item as JsonValue, b[index] as JsonValue, `${path}/${index}`, pointers));
  } else if (!jsonEqual(a, b)) pointers.push(path);
}

function isEmpty(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || Array.isArray(value) && value.length === 0 ||
    isJsonObject(value) && Object.keys(value).length === 0;
}

/** One part of a JSON pointer as it is written (RFC 6901). */
function escapePointer(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Parts of a JSON pointer; `undefined` when the text is none. */
export function pointerParts(pointer: string): readonly string[] | undefined {
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) return undefined;
  return pointer.slice(1).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Value at a pointer; `undefined` when there is none. */
export function valueAt(value: JsonValue | undefined, parts: readonly string[]): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const part of parts) {
    if (Array.isArray(current)) {
      current = /^\d+$/.test(part) ? current[Number(part)] as JsonValue | undefined : undefined;
    } else if (isJsonObject(current)) current = Object.hasOwn(current, part) ? current[part] : undefined;
    else return undefined;
  }
  return current;
}

/** The object with another value at a pointer; `undefined` takes it away. Objects on the way are made, list items are not. */
export function withValueAt(value: JsonValue, parts: readonly string[], next: JsonValue | undefined): JsonValue {
  const [part, ...rest] = parts;
  if (part === undefined) return next ?? null;
  if (Array.isArray(value)) {
    const index = Number(part);
    if (!/^\d+$/.test(part) || index >= value.length) return value;
    if (rest.length === 0 && next === undefined) return value.filter((_, place) => place !== index) as JsonValue;
    return value.map((item, place) => place === index ? withValueAt(item as JsonValue, rest, next) : item) as JsonValue;
  }
  if (!isJsonObject(value)) return value;
  if (rest.length === 0) {
    if (next !== undefined) return { ...value, [part]: next };
    const { [part]: _, ...others } = value;
    return others;
  }
  const inner = Object.hasOwn(value, part) ? value[part] : undefined;
  if (inner === undefined && next === undefined) return value;
  return { ...value, [part]: withValueAt(inner ?? {}, rest, next) };
}
