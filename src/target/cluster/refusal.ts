/**
 * What an API server's refusal of a trial means: a field that cannot change, something that the same apply makes, fields that the
 * kind does not have.
 *
 * @module
 */
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeError } from "../../core/kube_api.ts";
import { valueAt, withValueAt } from "./compare.ts";

/**
 * Whether the server refuses a change only because a field cannot change. Any other invalid field in the same answer
 * means that the new body would not be accepted either.
 *
 * Differs: Flux makes an object anew after every Invalid or Conflict answer.
 */
export function namesImmutableField(error: KubeError): boolean {
  if (error.code !== 422 && error.code !== 403 && error.code !== 409) return false;
  const pattern =
    /immutable|may not be (?:changed|updated)|may not change once set|cannot change roleRef|updates to \S+ spec for fields other than|is invalid and cannot be changed/i;
  if (error.causes.length > 0) return error.causes.every((cause) => pattern.test(cause.message));
  return pattern.test(error.message);
}

/**
 * Whether a refusal is only about something that this apply is about to make.
 *
 * @param coming whether a text (`<plural>/<name>`) names a resource of the same apply
 */
export function dependsOnComing(error: KubeError, coming: (text: string) => boolean): boolean {
  if (error.code === 404) {
    const match = /^(\S+?)(?:\.(\S+))? "([^"]+)" not found/.exec(error.message);
    return match !== null && coming(`${match[1]}/${match[3]}`);
  }
  // A role that is about to be made may be what allows it (escalation check of a binding).
  if (error.code === 403) {
    return /not found: \S*roles?\b|roles?\.rbac\.authorization\.k8s\.io "[^"]+" not found/.test(error.message);
  }
  const webhook = /failed calling webhook .*service "([^"]+)" not found/.exec(error.message);
  return webhook !== null && coming(`services/${webhook[1]}`);
}

/** Paths of fields that a typed kind does not have, from structured-merge-diff's error; parts in brackets pick list items. */
export function unknownFields(error: KubeError): readonly (readonly string[])[] {
  if (error.code !== 400 && error.code !== 500 && error.code !== 422) return [];
  const paths: string[][] = [];
  for (const match of error.message.matchAll(/(\.[^\s:]\S*?|\.\S+?\[.*?\]\S*?): field not declared in schema/g)) {
    const parts: string[] = [];
    for (const part of (match[1] ?? "").matchAll(/\.([^.[\]]+)|\[([^\]]*)\]/g)) parts.push(part[1] ?? `[${part[2]}]`);
    paths.push(parts);
  }
  return paths;
}

/** The object without a field of {@linkcode unknownFields}; the same where it has none. */
export function dropField(object: JsonObject, path: readonly string[]): JsonObject {
  const pointer: string[] = [];
  for (const part of path) {
    if (!part.startsWith("[")) {
      pointer.push(part);
      continue;
    }
    const list = valueAt(object, pointer);
    const index = Array.isArray(list) ? indexOfItem(list, part.slice(1, -1)) : -1;
    if (index < 0) return object;
    pointer.push(String(index));
  }
  return valueAt(object, pointer) === undefined ? object : withValueAt(object, pointer, undefined) as JsonObject;
}

/** Place of the item that `name="web",port=80` or `2` picks. */
function indexOfItem(list: readonly unknown[], keys: string): number {
  if (/^\d+$/.test(keys)) return Number(keys);
  const wanted = [...keys.matchAll(/([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]+)/g)].map((match) =>
    [match[1] ?? "", match[2] ?? ""] as const
  );
  return list.findIndex((item) =>
    isJsonObject(item) && wanted.every(([key, value]) => JSON.stringify(item[key]) === value || item[key] === undefined)
  );
}
