import type { JsonObject, JsonValue } from "../../../../core/json.ts";
import { isJsonObject } from "../../../../core/json.ts";
import { escapePointer } from "./schema_address.ts";

/** Drafts by year or number, ordered. */
export type Draft = 4 | 6 | 7 | 2019 | 2020;

/** The draft that a `$schema` names, by its URL without a fragment. */
export const draftsByUrl: Readonly<Record<string, Draft>> = Object.fromEntries(
  ["http", "https"].flatMap((scheme) => [
    [`${scheme}://json-schema.org/schema`, 2020],
    [`${scheme}://json-schema.org/draft-04/schema`, 4],
    [`${scheme}://json-schema.org/draft-06/schema`, 6],
    [`${scheme}://json-schema.org/draft-07/schema`, 7],
    [`${scheme}://json-schema.org/draft/2019-09/schema`, 2019],
    [`${scheme}://json-schema.org/draft/2020-12/schema`, 2020],
  ]),
);

/** URL of the meta-schema of a draft. */
export function metaSchemaUrl(draft: Draft): string {
  return draft < 2019
    ? `http://json-schema.org/draft-0${draft}/schema`
    : `https://json-schema.org/draft/${draft === 2019 ? "2019-09" : "2020-12"}/schema`;
}

/** Where schemas stand, by the draft that added the place: `*` for each member, `[]` for each item. */
const newPlaces: readonly (readonly [Draft, readonly string[]])[] = [
  [4, [
    "definitions/*",
    "not",
    "allOf/[]",
    "anyOf/[]",
    "oneOf/[]",
    "properties/*",
    "additionalProperties",
    "patternProperties/*",
    "items",
    "items/[]",
    "additionalItems",
    "dependencies/*",
  ]],
  [6, ["propertyNames", "contains"]],
  [7, ["if", "then", "else"]],
  [2019, ["$defs/*", "dependentSchemas/*", "unevaluatedProperties", "unevaluatedItems", "contentSchema"]],
  [2020, ["prefixItems/[]"]],
];

/** Schemas that stand in a schema of a draft, each with its pointer. */
export function subschemas(
  node: JsonObject,
  pointer: string,
  draft: Draft,
): readonly (readonly [string, JsonValue])[] {
  const found: (readonly [string, JsonValue])[] = [];
  for (const [since, places] of newPlaces) {
    if (since > draft) break;
    for (const place of places) addNodesAt(place, { node, pointer, found });
  }
  return found;
}

/** Adds the nodes at a place like `properties/*`. */
function addNodesAt(
  place: string,
  { node, pointer, found }: {
    readonly node: JsonObject;
    readonly pointer: string;
    readonly found: (readonly [string, JsonValue])[];
  },
): void {
  const [keyword, each] = place.split("/") as [string, string?];
  if (!Object.hasOwn(node, keyword)) return;
  const value = node[keyword] as JsonValue;
  const at = `${pointer}/${keyword}`;
  if (each === undefined) found.push([at, value]);
  else if (each === "[]") {
    if (Array.isArray(value)) value.forEach((item: JsonValue, index) => found.push([`${at}/${index}`, item]));
  } else if (isJsonObject(value)) {
    for (const key of Object.keys(value)) found.push([`${at}/${escapePointer(key)}`, value[key] as JsonValue]);
  }
}
