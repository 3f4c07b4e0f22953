import type { JsonObject, JsonValue } from "../../../../core/json.ts";
import { isJsonObject } from "../../../../core/json.ts";
import { sortedEntries } from "./applied_schema.ts";
import type { Draft } from "./draft.ts";
import type { SchemaDocuments, SchemaTarget } from "./schema_documents.ts";

/** What is done on the way through schemas. */
export interface SchemaVisitor {
  /** The schema at a place. @throws {SchemaError} */
  readonly nodeAt: (target: SchemaTarget) => JsonValue;
  /** Looks at a pattern of a node. @throws {SchemaError} for one that is none */
  readonly pattern: (text: string, node: JsonObject, keyword: string) => void;
}

/** Resolves everything that a schema can reach, so that faults of the schema show before those of values. */
export function compileSchema(root: JsonValue, documents: SchemaDocuments, { nodeAt, pattern }: SchemaVisitor): void {
  const seen = new Set<JsonValue>();
  const queue: (() => JsonValue)[] = [() => root];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const node = next();
    if (!isJsonObject(node) || seen.has(node)) continue;
    seen.add(node);
    const { resource } = documents.placeOf(node);
    const { document, draft } = resource;
    // The resource of what is reached takes part as a whole, and with it the anchors that a dynamic reference may find.
    queue.push(() => nodeAt(resource));
    if (draft === 2020 && node === resource.root) {
      for (const [name, pointer] of resource.anchors) {
        if (resource.dynamicAnchors.has(name)) queue.push(() => nodeAt({ document, pointer }));
      }
    }
    const follow = (reference: JsonValue | undefined) => {
      if (typeof reference !== "string") return;
      const target = documents.locate(reference, node);
      queue.push(() => nodeAt(target));
    };
    follow(node.$ref);
    if (draft < 2019 && typeof node.$ref === "string") continue;
    if (isJsonObject(node.patternProperties)) {
      for (const key of Object.keys(node.patternProperties)) pattern(key, node, "patternProperties");
    }
    if (typeof node.pattern === "string") pattern(node.pattern, node, "pattern");
    queue.push(...children(node, draft).map((child) => () => child));
    if (draft >= 2019) follow(node.$recursiveRef);
    if (draft === 2020) follow(node.$dynamicRef);
  }
}

/** Schemas that take part where a schema is applied, in the order in which the validator compiles them. */
function children(node: JsonObject, draft: Draft): readonly JsonValue[] {
  const single = ["not", "items", "additionalProperties"];
  if (draft < 2020 && Array.isArray(node.items)) single.push("additionalItems");
  if (draft >= 6) single.push("contains", "propertyNames");
  if (draft >= 7 && node.if !== undefined) {
    single.push("if", ...(node.if === false ? [] : ["then"]), ...(node.if === true ? [] : ["else"]));
  }
  if (draft >= 2019) single.push("unevaluatedItems", "unevaluatedProperties");
  const lists = ["allOf", "anyOf", "oneOf", ...(draft === 2020 ? ["prefixItems"] : ["items"])];
  const maps = ["properties", "patternProperties", "dependencies", ...(draft >= 2019 ? ["dependentSchemas"] : [])];
  return [
    ...lists.flatMap((keyword) => Array.isArray(node[keyword]) ? node[keyword] as readonly JsonValue[] : []),
    ...maps.flatMap((keyword) => sortedEntries(node[keyword]).map(([, schema]) => schema)),
    ...single.map((keyword) => node[keyword]),
  ].filter((each) => isJsonObject(each));
}
