import type { JsonObject, JsonValue } from "../../../../core/json.ts";
import { isJsonObject } from "../../../../core/json.ts";
import type { GoRegexp } from "../../../../format/go_regexp.ts";
import { compareStrings } from "../../template/go_string.ts";
import type { Draft } from "./draft.ts";
import type { SchemaFault } from "./schema_fault.ts";

/** What no keyword has looked at yet; absent where nobody asks. */
export interface Unseen {
  readonly keys: Set<string> | undefined;
  readonly items: Set<number> | undefined;
}

/** One schema at one value, as its keywords see it. What they find wrong is kept in order. */
export interface AppliedSchema {
  readonly node: JsonObject;
  readonly draft: Draft;
  readonly value: JsonValue;
  /** Keys and indexes that lead to the value. */
  readonly path: readonly string[];
  readonly unseen: Unseen;
  /** Whether what version 6.0.3 mended is mended: places of items and names, numbers and texts that look alike. */
  readonly isMended: boolean;
  /** Keeps a fault of this schema. */
  say(text: string | undefined, causes?: readonly SchemaFault[]): void;
  /** Keeps a fault that another schema found. */
  add(fault: SchemaFault | undefined): void;
  /** Applies a schema to the same value. What it looked at, this one has looked at. */
  same(schema: JsonValue): SchemaFault | undefined;
  /** Applies a schema to a part of the value. */
  part(schema: JsonValue, value: JsonValue, key: string): SchemaFault | undefined;
  /** Applies a schema to the name of a member. */
  name(schema: JsonValue, key: string): SchemaFault | undefined;
  /** A pattern that stands at `keyword`. @throws {SchemaError} for one that is none */
  pattern(text: string, keyword: string): GoRegexp;
  /** Counts work against the limit of a check. @throws {SchemaError} beyond it */
  count(checks: number): void;
}

/** What a schema has to tell of: all of a value, where it asks what nobody has looked at or a schema around it does. */
export function unseenOf(value: JsonValue, node: JsonValue, isWanted: boolean): Unseen {
  const schema = isJsonObject(node) ? node : {};
  return {
    keys: isJsonObject(value) && (isWanted || schema.unevaluatedProperties !== undefined)
      ? new Set(Object.keys(value))
      : undefined,
    items: Array.isArray(value) && (isWanted || schema.unevaluatedItems !== undefined)
      ? new Set(value.keys())
      : undefined,
  };
}

/** Whether anything is left that no keyword has looked at. */
export function isAsked({ keys, items }: Unseen): boolean {
  return (keys?.size ?? 0) > 0 || (items?.size ?? 0) > 0;
}

/** Whether a keyword's value is a number: others count for nothing. */
export function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number";
}

/** Members of a keyword that holds schemas by name, in the order of names. */
export function sortedEntries(value: JsonValue | undefined): readonly (readonly [string, JsonValue])[] {
  if (!isJsonObject(value)) return [];
  return Object.keys(value).sort(compareStrings).map((key) => [key, value[key] as JsonValue] as const);
}
