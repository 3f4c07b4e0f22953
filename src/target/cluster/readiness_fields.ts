/**
 * Reading the fields that tell how an object is, and the words for what they tell.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";

/** What an object's own fields say of it. `reason` is kstatus's word for its condition; "" where it sets none. */
export interface Readiness {
  readonly status: "Current" | "InProgress" | "Failed" | "Terminating" | "Unknown";
  readonly message: string;
  readonly reason: string;
  /** Text of the condition where it says more than `message`. */
  readonly detail?: string;
}

/** Fields of an object that rules of kinds read. */
export interface Fields {
  readonly object: JsonObject;
  readonly spec: JsonObject;
  readonly status: JsonObject;
  readonly conditions: readonly StatusCondition[];
  /** Wall time in milliseconds. */
  readonly now: number;
}

/** A condition of an object; "" where a text is absent. */
export interface StatusCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** What decides for a kind. */
export type Rule = (fields: Fields) => Readiness;

/** Thrown for an object whose fields cannot be read; it never leaves `readiness.ts`. */
export class Unreadable extends Error {}

/** It is as it should be. */
export function current(message: string): Readiness {
  return { status: "Current", message, reason: "" };
}

/** It is on its way. */
export function waiting(reason: string, message: string): Readiness {
  return { status: "InProgress", message, reason };
}

/** It will not come by itself. */
export function stalled(reason: string, message: string): Readiness {
  return { status: "Failed", message, reason };
}

/** Fields of an object. @throws {Unreadable} */
export function fieldsOf(object: JsonObject, now: number): Fields {
  const status = childOf(object, "status");
  return { object, spec: childOf(object, "spec"), status, conditions: conditionsOf(object), now };
}

/** Conditions of an object; none where it has none. @throws {Unreadable} */
export function conditionsOf(object: JsonObject): readonly StatusCondition[] {
  const status = object.status;
  if (status !== undefined && status !== null && !isJsonObject(status)) {
    throw new Unreadable(`cannot restore struct from: ${kindOf(status)}`);
  }
  const list = isJsonObject(status) ? status.conditions : undefined;
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new Unreadable(`cannot restore slice from ${kindOf(list)}`);
  return list.map((item) => {
    if (!isJsonObject(item)) throw new Unreadable(`cannot restore struct from: ${kindOf(item as JsonValue)}`);
    const text = (field: string): string => {
      const value = item[field];
      if (value === undefined || value === null) return "";
      if (typeof value !== "string") throw new Unreadable("unrecognized type: string");
      return value;
    };
    return { type: text("type"), status: text("status"), reason: text("reason"), message: text("message") };
  });
}

function kindOf(value: JsonValue): string {
  if (Array.isArray(value)) return "slice";
  return isJsonObject(value) ? "map" : typeof value;
}

/** Object in a field; an empty one where there is none. */
export function childOf(object: JsonObject, field: string): JsonObject {
  const child = object[field];
  return isJsonObject(child) ? child : {};
}

/** Text in a field, if it is one. */
export function textAt(object: JsonObject, field: string): string | undefined {
  const value = object[field];
  return typeof value === "string" ? value : undefined;
}

/** Whole number in a field; `otherwise` where there is none. */
export function whole(object: JsonObject, field: string, otherwise: number): number {
  const value = object[field];
  return typeof value === "number" && Number.isInteger(value) ? value : otherwise;
}

/** Whole number in a field; `undefined` where the field is absent. @throws {Unreadable} for anything else */
export function wholeOrNone(object: JsonObject, field: string): number | undefined {
  const value = object[field];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new Unreadable(`cannot read ${field}: it must be a whole number`);
  }
  return value;
}
