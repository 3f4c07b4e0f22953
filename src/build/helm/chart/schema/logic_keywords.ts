import type { JsonValue } from "../../../../core/json.ts";
import { isJsonObject } from "../../../../core/json.ts";
import { compareStrings } from "../../template/go_string.ts";
import type { AppliedSchema } from "./applied_schema.ts";
import { isAsked } from "./applied_schema.ts";
import { localCount } from "./fault_text.ts";
import type { SchemaFault } from "./schema_fault.ts";

/** Keywords that join schemas: `not`, `allOf`, `anyOf`, `oneOf`, `if`. */
export function logicKeywords(applied: AppliedSchema): void {
  const { node, draft } = applied;
  const list = (keyword: string): readonly JsonValue[] =>
    Array.isArray(node[keyword]) ? node[keyword] as readonly JsonValue[] : [];
  if (node.not !== undefined && applied.same(node.not) === undefined) applied.say("'not' failed");
  const all = list("allOf").map((schema) => applied.same(schema)).filter((fault) => fault !== undefined);
  if (all.length > 0) applied.say("'allOf' failed", all);
  if (list("anyOf").length > 0) {
    const faults: SchemaFault[] = [];
    let hasMatch = false;
    for (const schema of list("anyOf")) {
      const fault = applied.same(schema);
      if (fault !== undefined) faults.push(fault);
      else {
        hasMatch = true;
        if (!isAsked(applied.unseen)) break;
      }
    }
    if (!hasMatch) applied.say("'anyOf' failed", faults);
  }
  if (list("oneOf").length > 0) {
    const faults: SchemaFault[] = [];
    let match = -1;
    for (const [index, schema] of list("oneOf").entries()) {
      const fault = applied.same(schema);
      if (fault !== undefined) faults.push(fault);
      else if (match < 0) match = index;
      else {
        applied.say(`'oneOf' failed, subschemas ${localCount(match)}, ${localCount(index)} matched`);
        break;
      }
    }
    if (match < 0) applied.say("'oneOf' failed, none matched", faults);
  }
  if (draft >= 7 && node.if !== undefined) {
    const branch = applied.same(node.if) === undefined ? node.then : node.else;
    if (branch !== undefined) applied.add(applied.same(branch));
  }
}

/** Keywords for what no other keyword has looked at. */
export function unevaluatedKeywords(applied: AppliedSchema): void {
  const { node, value, unseen } = applied;
  if (isJsonObject(value) && node.unevaluatedProperties !== undefined) {
    for (const key of [...unseen.keys ?? []].sort(compareStrings)) {
      applied.add(applied.part(node.unevaluatedProperties, value[key] as JsonValue, key));
    }
    unseen.keys?.clear();
  }
  if (Array.isArray(value) && node.unevaluatedItems !== undefined) {
    for (const index of unseen.items ?? []) {
      applied.add(applied.part(node.unevaluatedItems, value[index] as JsonValue, String(index)));
    }
    unseen.items?.clear();
  }
}
