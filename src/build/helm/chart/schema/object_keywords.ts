import type { JsonObject, JsonValue } from "../../../../core/json.ts";
import { isJsonObject } from "../../../../core/json.ts";
import { compareStrings } from "../../template/go_string.ts";
import type { AppliedSchema } from "./applied_schema.ts";
import { isCount, sortedEntries } from "./applied_schema.ts";
import { localCount, quoted, quotedList } from "./fault_text.ts";
import { topFaults } from "./schema_fault.ts";
import type { SchemaFault } from "./schema_fault.ts";

/** Keywords for objects: their number of keys, which there must be, and schemas of members and names. */
export function objectKeywords(applied: AppliedSchema, value: JsonObject): void {
  const { node, draft, unseen } = applied;
  const keys = Object.keys(value).sort(compareStrings);
  if (isCount(node.minProperties) && keys.length < node.minProperties) {
    applied.say(`minProperties: got ${localCount(keys.length)}, want ${localCount(node.minProperties)}`);
  }
  if (isCount(node.maxProperties) && keys.length > node.maxProperties) {
    applied.say(`maxProperties: got ${localCount(keys.length)}, want ${localCount(node.maxProperties)}`);
  }
  const missing = missingKeys(value, node.required);
  if (missing.length > 0) {
    applied.say(
      missing.length === 1 ? `missing property ${quotedList(missing)}` : `missing properties ${quotedList(missing)}`,
    );
  }
  for (const [key, wanted] of sortedEntries(node.dependencies)) {
    if (!Object.hasOwn(value, key)) continue;
    if (!Array.isArray(wanted)) applied.add(applied.same(wanted));
    else applied.say(dependencyFault(value, key, wanted));
  }
  const extra: string[] = [];
  const patterns = isJsonObject(node.patternProperties) ? sortedEntries(node.patternProperties) : [];
  for (const key of keys) {
    const item = value[key] as JsonValue;
    let isSeen = false;
    if (isJsonObject(node.properties) && Object.hasOwn(node.properties, key)) {
      isSeen = true;
      applied.add(applied.part(node.properties[key] as JsonValue, item, key));
    }
    for (const [pattern, schema] of patterns) {
      if (!applied.pattern(pattern, "patternProperties").test(key)) continue;
      isSeen = true;
      applied.add(applied.part(schema, item, key));
    }
    if (!isSeen && node.additionalProperties !== undefined) {
      isSeen = true;
      if (node.additionalProperties === false) extra.push(key);
      else applied.add(applied.part(node.additionalProperties, item, key));
    }
    if (isSeen) unseen.keys?.delete(key);
  }
  if (extra.length > 0) applied.say(`additional properties ${quotedList(extra)} not allowed`);
  if (draft === 4) return;
  if (node.propertyNames !== undefined) {
    for (const key of keys) applied.add(nameFault(applied, node.propertyNames, key));
  }
  if (draft < 2019) return;
  for (const [key, schema] of sortedEntries(node.dependentSchemas)) {
    if (Object.hasOwn(value, key)) applied.add(applied.same(schema));
  }
  for (const [key, wanted] of sortedEntries(node.dependentRequired)) {
    if (Object.hasOwn(value, key) && Array.isArray(wanted)) applied.say(dependencyFault(value, key, wanted));
  }
}

function nameFault(applied: AppliedSchema, schema: JsonValue, key: string): SchemaFault | undefined {
  const fault = applied.name(schema, key);
  if (fault === undefined) return undefined;
  const path = applied.isMended ? applied.path : [];
  return { path, text: `invalid propertyName ${quoted(key)}`, role: "fault", causes: topFaults(fault) };
}

function missingKeys(value: JsonObject, wanted: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(wanted)) return [];
  return (wanted as readonly JsonValue[]).filter((key): key is string =>
    typeof key === "string" && !Object.hasOwn(value, key)
  );
}

function dependencyFault(value: JsonObject, key: string, wanted: JsonValue): string | undefined {
  const missing = missingKeys(value, wanted);
  return missing.length === 0 ? undefined : `properties ${quotedList(missing)} required, if ${quoted(key)} exists`;
}
