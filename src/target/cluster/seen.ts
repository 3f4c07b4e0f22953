import { digestOf } from "../../core/digest.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { canonicalJson, isJsonObject } from "../../core/json.ts";
import { appliedEntry, fieldPointers, fieldsOf, subtractFields, valuesAt } from "./managed_fields.ts";
import { fluxReadinessOf } from "./readiness.ts";
import type { Readiness } from "./readiness_fields.ts";
import type { OverriddenManager } from "./take_over.ts";
import { foreignTraces } from "./take_over.ts";

/** What is remembered of an object that a watch saw: a few hundred bytes, never its content. */
export interface Seen {
  readonly uid: string;
  readonly resourceVersion: string;
  /**
   * Digest of everything that is ours in it: our row of managed fields, the values that stand there, traces of managers
   * that we would take over. The same digest means that an apply would change nothing. "" where nothing is ours.
   */
  readonly owned: string;
  /** Our row of managed fields as text. */
  readonly fields: string;
  readonly status: Readiness["status"];
}

/** Whose view it is. */
export interface SeenOptions {
  /** Our field manager. */
  readonly manager: string;
  readonly managers: readonly OverriddenManager[];
  /** Key of the digests ({@linkcode shortHash}). */
  readonly digestKey: string;
  /** Wall time in milliseconds. */
  readonly now: number;
}

/** What to remember of an object. */
export function seenOf(object: JsonObject, options: SeenOptions): Seen {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  const entry = appliedEntry(object, options.manager);
  const fields = fieldsOf(entry);
  return {
    uid: textOf(metadata.uid),
    resourceVersion: textOf(metadata.resourceVersion),
    owned: entry === undefined ? "" : shortHash([
      entry.apiVersion ?? "",
      fields,
      valuesAt(object, fields),
      foreignTraces(object, options.manager, options.managers),
    ], options.digestKey),
    fields: entry === undefined ? "" : JSON.stringify(fields),
    status: fluxReadinessOf(object, options.now).status,
  };
}

/**
 * Sixteen hex digits of a value's digest: enough to tell one state of an object from another. They stand in a ConfigMap: with a
 * key nobody who reads that can try what a short secret is.
 *
 * @param key secret text of fixed length; "" for none
 */
export function shortHash(value: JsonValue, key: string): string {
  const digest = digestOf(key + canonicalJson(value));
  // The digest of a digest: nothing can be appended to what was hashed.
  return (key === "" ? digest : digestOf(key + digest)).slice(7, 23);
}

/** Fields that were ours and are not any more, as JSON pointers. */
export function lostFields(before: string, after: string): readonly string[] {
  if (before === "" || before === after) return [];
  const then = JSON.parse(before) as JsonObject;
  const now = after === "" ? {} : JSON.parse(after) as JsonObject;
  return fieldPointers(subtractFields(then, now));
}

/** Resource version of an object; "" for one that has none. */
export function versionOf(object: JsonObject): string {
  const version = isJsonObject(object.metadata) ? object.metadata.resourceVersion : undefined;
  return typeof version === "string" ? version : "";
}

/** Whether a resource version is older than another; `false` where they cannot be compared. */
export function isOlder(version: string, than: string): boolean {
  if (!/^\d{1,20}$/.test(version) || !/^\d{1,20}$/.test(than)) return false;
  return version.length !== than.length ? version.length < than.length : version < than;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
