import type { JsonValue } from "../../../../core/json.ts";
import type { AppliedSchema } from "./applied_schema.ts";
import { isCount } from "./applied_schema.ts";
import { localCount } from "./fault_text.ts";
import { isEqual } from "./scalar_keywords.ts";
import type { SchemaFault } from "./schema_fault.ts";

/** Keywords for arrays: their length, equal items, and schemas of items. */
export function arrayKeywords(applied: AppliedSchema, value: readonly JsonValue[]): void {
  const { node, draft, unseen } = applied;
  if (isCount(node.minItems) && value.length < node.minItems) {
    applied.say(`minItems: got ${localCount(value.length)}, want ${localCount(node.minItems)}`);
  }
  if (isCount(node.maxItems) && value.length > node.maxItems) {
    applied.say(`maxItems: got ${localCount(value.length)}, want ${localCount(node.maxItems)}`);
  }
  if (node.uniqueItems === true) {
    const pair = firstDuplicates(value, applied.isMended, (pairs) => applied.count(pairs / pairsPerCheck));
    if (pair !== undefined) applied.say(`items at ${localCount(pair[0])} and ${localCount(pair[1])} are equal`);
  }
  const first = draft < 2020 ? node.items : node.prefixItems;
  const isTuple = Array.isArray(first);
  const tuple = isTuple ? first as readonly JsonValue[] : [];
  const rest = draft < 2020 ? isTuple ? node.additionalItems : node.items : node.items;
  const placed = Math.min(tuple.length, value.length);
  for (let index = 0; index < placed; index++) {
    unseen.items?.delete(index);
    applied.add(applied.part(tuple[index] as JsonValue, value[index] as JsonValue, String(index)));
  }
  if (rest !== undefined && !Array.isArray(rest)) {
    if (draft < 2020 && isTuple && rest === false) {
      if (value.length > placed) applied.say(`last ${localCount(value.length - placed)} additionalItem(s) not allowed`);
    } else {
      for (let index = placed; index < value.length; index++) {
        // Before 6.0.3 additional items and those behind a prefix are counted from 0 again.
        const place = applied.isMended ? index : index - placed;
        applied.add(applied.part(rest, value[index] as JsonValue, String(place)));
      }
    }
    unseen.items?.clear();
  }
  if (draft > 4 && node.contains !== undefined) contains(applied, value, node.contains);
}

function contains(applied: AppliedSchema, value: readonly JsonValue[], schema: JsonValue): void {
  const { node, draft, unseen } = applied;
  const faults: SchemaFault[] = [];
  const matched: number[] = [];
  value.forEach((item, index) => {
    const fault = applied.part(schema, item, String(index));
    if (fault !== undefined) faults.push(fault);
    else {
      matched.push(index);
      if (draft === 2020) unseen.items?.delete(index);
    }
  });
  const least = draft >= 2019 && isCount(node.minContains) ? node.minContains : undefined;
  const most = draft >= 2019 && isCount(node.maxContains) ? node.maxContains : undefined;
  if (least === undefined) {
    if (matched.length === 0) applied.say("no items match contains schema", faults);
  } else if (matched.length < least) {
    applied.say(
      matched.length === 0
        ? `min ${localCount(least)} items required to match contains schema, but none matched`
        : `min ${localCount(least)} items required to match contains schema, but matched ${matched.length} items at ${
          matched.join(" ")
        }`,
      faults,
    );
  }
  if (most !== undefined && matched.length > most) {
    applied.say(
      `max ${localCount(most)} items required to match contains schema, but matched ${matched.length} items at ${
        matched.join(" ")
      }`,
    );
  }
}

/** Pairs of items that are compared for the price of one check. */
const pairsPerCheck = 16;

function firstDuplicates(
  items: readonly JsonValue[],
  isMended: boolean,
  count: (pairs: number) => void,
): readonly [number, number] | undefined {
  for (let index = 1; index < items.length; index++) {
    count(index);
    for (let earlier = 0; earlier < index; earlier++) {
      if (isEqual(items[index] as JsonValue, items[earlier] as JsonValue, isMended)) return [earlier, index];
    }
  }
  return undefined;
}
