/**
 * JSON Schema as Helm checks values with it (santhosh-tekuri/jsonschema v6): drafts 4, 6, 7, 2019-09, 2020-12. A library
 * does not serve here: Helm shows the tree of faults in that validator's own words and order.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../../../../core/json.ts";
import { isJsonObject, jsonEqual } from "../../../../core/json.ts";
import { FormatError } from "../../../../format/format_error.ts";
import { compileRegexp } from "../../../../format/go_regexp.ts";
import type { GoRegexp } from "../../../../format/go_regexp.ts";
import { regexpFault } from "../../functions/regexp_fault.ts";
import type { Dialect } from "../../dialect.ts";
import { quoteText } from "../../template/go_quote.ts";
import { compareStrings } from "../../template/go_string.ts";
import { formatChecks } from "./formats.ts";
import { escapePointer, locationText, metaSchemaUrl, SchemaError } from "./schema_documents.ts";
import type { Draft, SchemaDocuments, SchemaResource, SchemaTarget } from "./schema_documents.ts";
import { faultLines, localCount, localNumber, quoted, quotedList, shown, topFaults } from "./schema_error.ts";
import type { SchemaFault } from "./schema_error.ts";
import { numberSource } from "./schema_text.ts";

/** A schema that is being applied, with the ones around it (for dynamic references). */
interface Scope {
  readonly resource: SchemaResource;
  readonly node: JsonValue;
  /** Depth in the values: a schema that meets itself at one depth is a cycle. */
  readonly depth: number;
  readonly parent: Scope | undefined;
  /** The keyword that led here, where it is a reference. */
  readonly keyword: string | undefined;
  /** The meta-schema by which schemas are checked: it changes with `$schema` inside. */
  readonly meta: SchemaResource | undefined;
}

/** What no keyword has looked at yet; absent where nobody asks. */
interface Unseen {
  readonly keys: Set<string> | undefined;
  readonly items: Set<number> | undefined;
}

/** Deepest nesting of values and schemas. */
const maxDepth = 500;
/** Most schemas that are checked: alternatives that refer to alternatives double with each step. */
const maxChecks = 1_000_000;

/** How values are checked. */
export interface ValidationOptions {
  /** Helm 3.22 carries v6.0.3 of the validator, Helm 4 up to 4.2.4 carries v6.0.2. */
  readonly dialect?: Dialect;
}

/** Applies a schema of `documents` to values; `undefined` where they fit. @throws {SchemaError} for a schema that cannot be used */
export function validateValues(
  documents: SchemaDocuments,
  resource: SchemaResource,
  values: JsonValue,
  options: ValidationOptions = {},
): SchemaFault | undefined {
  const run = new Validation(documents, undefined, options.dialect);
  run.compile(resource.root);
  return run.start(resource, values);
}

/** A schema's place, and by what it is checked. */
export interface SchemaPlace extends SchemaTarget {
  readonly draft: Draft;
  readonly dialect: Dialect | undefined;
}

/**
 * Checks a schema at a place against the meta-schema of its draft. Formats count there in all drafts.
 *
 * @throws {SchemaError} with Helm's text
 */
export function checkSchema(documents: SchemaDocuments, node: JsonValue, at: SchemaPlace): void {
  const url = metaSchemaUrl(at.draft);
  const inner = new Map(
    [...at.document.resources].map(([pointer, { draft }]) =>
      [pointer, () => documents.metaSchema(metaSchemaUrl(draft))] as const
    ),
  );
  const meta = documents.metaSchema(url);
  const run = new Validation(documents, inner, at.dialect);
  run.compile(meta.root);
  const fault = run.start(meta, node);
  if (fault === undefined) return;
  const lines = faultLines(topFaults(fault)).join("\n");
  throw new SchemaError(
    `${quoteText(locationText(at.document.url, at.pointer))} is not valid against metaschema: ` +
      `jsonschema validation failed with '${url}#'\n${lines}`,
  );
}

class Validation {
  readonly #documents: SchemaDocuments;
  /** Meta-schemas of the resources of a schema that is checked itself, by their pointers. */
  readonly #metaSchemas: ReadonlyMap<string, () => SchemaResource> | undefined;
  #checks = 0;
  readonly #patterns = new Map<string, GoRegexp>();

  /** Whether what version 6.0.3 mended is mended: places of items and names, numbers and texts that look alike. */
  readonly #isMended: boolean;
  readonly #dialect: Dialect | undefined;

  constructor(
    documents: SchemaDocuments,
    metaSchemas: ReadonlyMap<string, () => SchemaResource> | undefined,
    dialect: Dialect | undefined,
  ) {
    this.#documents = documents;
    this.#metaSchemas = metaSchemas;
    this.#isMended = dialect === "helm3";
    this.#dialect = dialect;
  }

  start(resource: SchemaResource, value: JsonValue): SchemaFault | undefined {
    const meta = this.#metaSchemas === undefined ? undefined : resource;
    const scope: Scope = { resource, node: resource.root, depth: 0, parent: undefined, keyword: undefined, meta };
    return this.check(scope, value, [], this.unseenOf(value, resource.root, false));
  }

  /** Resolves everything that a schema can reach, so that faults of the schema show before those of values. */
  compile(root: JsonValue): void {
    const seen = new Set<JsonValue>();
    const queue: (() => JsonValue)[] = [() => root];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const node = next();
      if (!isJsonObject(node) || seen.has(node)) continue;
      seen.add(node);
      const { resource: { draft } } = this.#documents.placeOf(node);
      const refer = (keyword: string) => {
        const reference = node[keyword];
        if (typeof reference !== "string") return;
        const target = this.#documents.locate(reference, node);
        queue.push(() => this.#nodeAt(target));
      };
      refer("$ref");
      if (draft < 2019 && typeof node.$ref === "string") continue;
      if (isJsonObject(node.patternProperties)) {
        for (const key of Object.keys(node.patternProperties)) this.#pattern(key, node, "patternProperties");
      }
      if (typeof node.pattern === "string") this.#pattern(node.pattern, node, "pattern");
      queue.push(...children(node, draft).map((child) => () => child));
      if (draft >= 2019) refer("$recursiveRef");
      if (draft === 2020) refer("$dynamicRef");
    }
  }

  #nodeAt(target: SchemaTarget): JsonValue {
    return this.#documents.nodeAt(
      target,
      (node, { draft }) => checkSchema(this.#documents, node, { ...target, draft, dialect: this.#dialect }),
    );
  }

  #count(checks: number): void {
    this.#checks += checks;
    if (this.#checks > maxChecks) throw new SchemaError(`values take more than ${maxChecks} checks of schemas`);
  }

  #pattern(text: string, node: JsonObject, keyword: string): GoRegexp {
    let pattern = this.#patterns.get(text);
    if (pattern === undefined) {
      try {
        this.#patterns.set(text, pattern = compileRegexp(text));
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        const { location } = this.#documents.placeOf(node);
        throw new SchemaError(
          `invalid regex ${quoteText(text)} at ${quoteText(`${location}/${keyword}`)}: ${regexpFault(error)}`,
        );
      }
    }
    return pattern;
  }

  unseenOf(value: JsonValue, node: JsonValue, isWanted: boolean): Unseen {
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

  check(scope: Scope, value: JsonValue, path: readonly string[], unseen: Unseen): SchemaFault | undefined {
    const { node } = scope;
    const fault = (text: string, causes: readonly SchemaFault[] = []): SchemaFault => ({
      path,
      text,
      role: "fault",
      causes,
    });
    if (typeof node === "boolean") return node ? undefined : fault("false schema");
    if (!isJsonObject(node)) return undefined;
    this.#count(1);
    if (scope.depth > maxDepth) throw new SchemaError(`values are nested deeper than ${maxDepth} levels`);
    for (let outer = scope.parent; outer !== undefined && outer.depth === scope.depth; outer = outer.parent) {
      if (outer.node === node) {
        const { location } = this.#documents.placeOf(node);
        const [one, other] = [this.#keywordPath(scope), this.#keywordPath(outer)];
        return fault(`both ${one} and ${other} resolve to ${quoteText(location)} causing reference cycle`);
      }
    }
    const { draft } = scope.resource;
    if (draft < 2019 && typeof node.$ref === "string") return this.#reference(scope, node, "$ref", value, path, unseen);
    const first = typeFault(node, value) ?? (draft >= 6 ? constFault(node, value, this.#isMended) : undefined) ??
      enumFault(node, value) ??
      (draft < 2019 || scope.meta !== undefined ? formatFault(node, value) : undefined);
    if (first !== undefined) return fault(first);
    const faults: SchemaFault[] = [];
    const add = (each: SchemaFault | undefined) => {
      if (each !== undefined) faults.push(each);
    };
    const say = (text: string | undefined, causes: readonly SchemaFault[] = []) => {
      if (text !== undefined) faults.push(fault(text, causes));
    };
    const work: Work = { scope, node, value, path, unseen, add, say };
    if (typeof node.$ref === "string") add(this.#reference(scope, node, "$ref", value, path, unseen));
    if (isJsonObject(value)) this.#object(work, value);
    else if (Array.isArray(value)) this.#array(work, value as readonly JsonValue[]);
    else if (typeof value === "string") this.#text(work, value);
    else if (typeof value === "number" || typeof value === "bigint") {
      numberFaults(node, value).forEach((text) => say(text));
    }
    if (draft >= 2019 && typeof node.$recursiveRef === "string") {
      add(this.#reference(scope, node, "$recursiveRef", value, path, unseen));
    }
    if (draft === 2020 && typeof node.$dynamicRef === "string") {
      add(this.#reference(scope, node, "$dynamicRef", value, path, unseen));
    }
    this.#conditions(work);
    if (draft >= 2019) this.#unevaluated(work);
    return faults.length < 2 ? faults[0] : { path, text: "validation failed", role: "group", causes: faults };
  }

  /** Keywords that led from the root to a schema. */
  #keywordPath(scope: Scope): string {
    let path = "";
    for (let at = scope; at.parent !== undefined; at = at.parent) {
      const [inner, outer] = [this.#locationOf(at), this.#locationOf(at.parent)];
      path = (at.keyword === undefined ? inner.slice(outer.length) : `/${at.keyword}`) + path;
    }
    return path;
  }

  #locationOf({ node }: Scope): string {
    return isJsonObject(node) ? this.#documents.placeOf(node).location : "";
  }

  /** The scope of a schema inside another one's; where a schema is checked, by the meta-schema that its part names. */
  #inner(
    parent: Scope,
    node: JsonValue,
    at: { readonly depth: number; readonly path: readonly string[]; readonly keyword?: string },
  ): Scope {
    const keyword = at.keyword;
    const other = parent.meta?.root === node
      ? this.#metaSchemas?.get(at.path.map((key) => `/${escapePointer(key)}`).join(""))?.()
      : undefined;
    if (other !== undefined) {
      if (other.root !== node) this.compile(other.root);
      return { resource: other, node: other.root, depth: at.depth, parent, keyword, meta: other };
    }
    const resource = this.#resourceOf(node, parent.resource);
    return { resource, node, depth: at.depth, parent, keyword, meta: parent.meta };
  }

  /** A schema for the same value. What it looked at, the caller has looked at. */
  #same(work: Work, node: JsonValue): SchemaFault | undefined {
    const { scope, value, path, unseen } = work;
    return this.#nested(this.#inner(scope, node, { depth: scope.depth, path }), value, path, unseen);
  }

  #nested(scope: Scope, value: JsonValue, path: readonly string[], unseen: Unseen): SchemaFault | undefined {
    const isWanted = (unseen.keys?.size ?? 0) > 0 || (unseen.items?.size ?? 0) > 0;
    const inner = this.unseenOf(value, scope.node, isWanted);
    const fault = this.check(scope, value, path, inner);
    if (fault === undefined) {
      for (const key of unseen.keys ?? []) {
        if (inner.keys === undefined || !inner.keys.has(key)) unseen.keys?.delete(key);
      }
      for (const item of unseen.items ?? []) {
        if (inner.items === undefined || !inner.items.has(item)) unseen.items?.delete(item);
      }
    }
    return fault;
  }

  /** A schema for a part of the value. */
  #part(work: Work, node: JsonValue, value: JsonValue, key: string): SchemaFault | undefined {
    const path = [...work.path, key];
    const scope = this.#inner(work.scope, node, { depth: work.scope.depth + 1, path });
    return this.check(scope, value, path, this.unseenOf(value, scope.node, false));
  }

  #resourceOf(node: JsonValue, outer: SchemaResource): SchemaResource {
    return isJsonObject(node) ? this.#documents.placeOf(node).resource : outer;
  }

  #reference(
    scope: Scope,
    node: JsonObject,
    keyword: "$ref" | "$recursiveRef" | "$dynamicRef",
    value: JsonValue,
    path: readonly string[],
    unseen: Unseen,
  ): SchemaFault | undefined {
    let found = this.#nodeAt(this.#documents.locate(node[keyword] as string, node));
    if (keyword === "$recursiveRef" && isJsonObject(found) && found.$recursiveAnchor === true) {
      for (let outer: Scope | undefined = scope; outer !== undefined; outer = outer.parent) {
        if (outer.resource.isRecursiveAnchor) found = outer.node;
      }
    }
    if (keyword === "$dynamicRef") {
      const name = (node[keyword] as string).split("#")[1] ?? "";
      if (name !== "" && !name.startsWith("/") && isJsonObject(found) && found.$dynamicAnchor === name) {
        for (let outer: Scope | undefined = scope; outer !== undefined; outer = outer.parent) {
          const { document, anchors, dynamicAnchors } = outer.resource;
          const pointer = dynamicAnchors.has(name) ? anchors.get(name) : undefined;
          if (pointer !== undefined) found = this.#nodeAt({ document, pointer });
        }
      }
    }
    const inner = this.#inner(scope, found, { depth: scope.depth, path, keyword });
    const fault = this.#nested(inner, value, path, unseen);
    if (fault === undefined) return undefined;
    return {
      path,
      text: "validation failed",
      role: "reference",
      causes: fault.role === "group" ? fault.causes : [fault],
    };
  }

  #object(work: Work, value: JsonObject): void {
    const { node, say, add, unseen } = work;
    const { draft } = work.scope.resource;
    const keys = Object.keys(value).sort(compareStrings);
    if (isCount(node.minProperties) && keys.length < node.minProperties) {
      say(`minProperties: got ${localCount(keys.length)}, want ${localCount(node.minProperties)}`);
    }
    if (isCount(node.maxProperties) && keys.length > node.maxProperties) {
      say(`maxProperties: got ${localCount(keys.length)}, want ${localCount(node.maxProperties)}`);
    }
    const missing = missingKeys(value, node.required);
    if (missing.length > 0) {
      say(
        missing.length === 1 ? `missing property ${quotedList(missing)}` : `missing properties ${quotedList(missing)}`,
      );
    }
    for (const [key, wanted] of sortedEntries(node.dependencies)) {
      if (!Object.hasOwn(value, key)) continue;
      if (!Array.isArray(wanted)) add(this.#same(work, wanted));
      else say(dependencyFault(value, key, wanted));
    }
    const extra: string[] = [];
    const patterns = isJsonObject(node.patternProperties) ? sortedEntries(node.patternProperties) : [];
    for (const key of keys) {
      const item = value[key] as JsonValue;
      let isSeen = false;
      if (isJsonObject(node.properties) && Object.hasOwn(node.properties, key)) {
        isSeen = true;
        add(this.#part(work, node.properties[key] as JsonValue, item, key));
      }
      for (const [pattern, schema] of patterns) {
        if (!this.#pattern(pattern, node, "patternProperties").test(key)) continue;
        isSeen = true;
        add(this.#part(work, schema, item, key));
      }
      if (!isSeen && node.additionalProperties !== undefined) {
        isSeen = true;
        if (node.additionalProperties === false) extra.push(key);
        else add(this.#part(work, node.additionalProperties, item, key));
      }
      if (isSeen) unseen.keys?.delete(key);
    }
    if (extra.length > 0) say(`additional properties ${quotedList(extra)} not allowed`);
    if (draft === 4) return;
    if (node.propertyNames !== undefined) {
      for (const key of keys) {
        const inner = this.#inner(work.scope, node.propertyNames, { depth: work.scope.depth + 1, path: work.path });
        // References of names see nothing of what is around.
        const scope: Scope = { ...inner, parent: undefined };
        const fault = this.check(scope, key, [], { keys: undefined, items: undefined });
        if (fault !== undefined) {
          add({
            path: this.#isMended ? work.path : [],
            text: `invalid propertyName ${quoted(key)}`,
            role: "fault",
            causes: fault.role === "group" ? fault.causes : [fault],
          });
        }
      }
    }
    if (draft < 2019) return;
    for (const [key, schema] of sortedEntries(node.dependentSchemas)) {
      if (Object.hasOwn(value, key)) add(this.#same(work, schema));
    }
    for (const [key, wanted] of sortedEntries(node.dependentRequired)) {
      if (Object.hasOwn(value, key) && Array.isArray(wanted)) say(dependencyFault(value, key, wanted));
    }
  }

  #array(work: Work, value: readonly JsonValue[]): void {
    const { node, say, add, unseen } = work;
    const { draft } = work.scope.resource;
    if (isCount(node.minItems) && value.length < node.minItems) {
      say(`minItems: got ${localCount(value.length)}, want ${localCount(node.minItems)}`);
    }
    if (isCount(node.maxItems) && value.length > node.maxItems) {
      say(`maxItems: got ${localCount(value.length)}, want ${localCount(node.maxItems)}`);
    }
    if (node.uniqueItems === true) {
      const pair = firstDuplicates(value, this.#isMended, (pairs) => this.#count(pairs / pairsPerCheck));
      if (pair !== undefined) say(`items at ${localCount(pair[0])} and ${localCount(pair[1])} are equal`);
    }
    const first = draft < 2020 ? node.items : node.prefixItems;
    const isTuple = Array.isArray(first);
    const tuple = isTuple ? first as readonly JsonValue[] : [];
    const rest = draft < 2020 ? isTuple ? node.additionalItems : node.items : node.items;
    const placed = Math.min(tuple.length, value.length);
    for (let index = 0; index < placed; index++) {
      unseen.items?.delete(index);
      add(this.#part(work, tuple[index] as JsonValue, value[index] as JsonValue, String(index)));
    }
    if (rest !== undefined && !Array.isArray(rest)) {
      if (draft < 2020 && isTuple && rest === false) {
        if (value.length > placed) say(`last ${localCount(value.length - placed)} additionalItem(s) not allowed`);
      } else {
        for (let index = placed; index < value.length; index++) {
          // Before 6.0.3 additional items and those behind a prefix are counted from 0 again.
          const place = this.#isMended ? index : index - placed;
          add(this.#part(work, rest, value[index] as JsonValue, String(place)));
        }
      }
      unseen.items?.clear();
    }
    if (draft > 4 && node.contains !== undefined) this.#contains(work, value, node.contains);
  }

  #contains(work: Work, value: readonly JsonValue[], schema: JsonValue): void {
    const { node, say, unseen } = work;
    const { draft } = work.scope.resource;
    const faults: SchemaFault[] = [];
    const matched: number[] = [];
    value.forEach((item, index) => {
      const fault = this.#part(work, schema, item, String(index));
      if (fault !== undefined) faults.push(fault);
      else {
        matched.push(index);
        if (draft === 2020) unseen.items?.delete(index);
      }
    });
    const least = draft >= 2019 && isCount(node.minContains) ? node.minContains : undefined;
    const most = draft >= 2019 && isCount(node.maxContains) ? node.maxContains : undefined;
    if (least === undefined) {
      if (matched.length === 0) say("no items match contains schema", faults);
    } else if (matched.length < least) {
      say(
        matched.length === 0
          ? `min ${localCount(least)} items required to match contains schema, but none matched`
          : `min ${localCount(least)} items required to match contains schema, but matched ${matched.length} items at ${
            matched.join(" ")
          }`,
        faults,
      );
    }
    if (most !== undefined && matched.length > most) {
      say(
        `max ${localCount(most)} items required to match contains schema, but matched ${matched.length} items at ${
          matched.join(" ")
        }`,
      );
    }
  }

  #text(work: Work, value: string): void {
    const { node, say } = work;
    const length = isCount(node.minLength) || isCount(node.maxLength) ? [...value].length : 0;
    if (isCount(node.minLength) && length < node.minLength) {
      say(`minLength: got ${localCount(length)}, want ${localCount(node.minLength)}`);
    }
    if (isCount(node.maxLength) && length > node.maxLength) {
      say(`maxLength: got ${localCount(length)}, want ${localCount(node.maxLength)}`);
    }
    if (typeof node.pattern === "string" && !this.#pattern(node.pattern, node, "pattern").test(value)) {
      say(`${quoted(value)} does not match pattern ${quoted(node.pattern)}`);
    }
  }

  #conditions(work: Work): void {
    const { node, say, add } = work;
    const { draft } = work.scope.resource;
    const list = (keyword: string): readonly JsonValue[] =>
      Array.isArray(node[keyword]) ? node[keyword] as readonly JsonValue[] : [];
    const isAsked = () => (work.unseen.keys?.size ?? 0) > 0 || (work.unseen.items?.size ?? 0) > 0;
    if (node.not !== undefined && this.#same(work, node.not) === undefined) say("'not' failed");
    const all = list("allOf").map((schema) => this.#same(work, schema)).filter((fault) => fault !== undefined);
    if (all.length > 0) say("'allOf' failed", all);
    if (list("anyOf").length > 0) {
      const faults: SchemaFault[] = [];
      let hasMatch = false;
      for (const schema of list("anyOf")) {
        const fault = this.#same(work, schema);
        if (fault !== undefined) faults.push(fault);
        else {
          hasMatch = true;
          if (!isAsked()) break;
        }
      }
      if (!hasMatch) say("'anyOf' failed", faults);
    }
    if (list("oneOf").length > 0) {
      const faults: SchemaFault[] = [];
      let match = -1;
      for (const [index, schema] of list("oneOf").entries()) {
        const fault = this.#same(work, schema);
        if (fault !== undefined) faults.push(fault);
        else if (match < 0) match = index;
        else {
          say(`'oneOf' failed, subschemas ${localCount(match)}, ${localCount(index)} matched`);
          break;
        }
      }
      if (match < 0) say("'oneOf' failed, none matched", faults);
    }
    if (draft >= 7 && node.if !== undefined) {
      const branch = this.#same(work, node.if) === undefined ? node.then : node.else;
      if (branch !== undefined) add(this.#same(work, branch));
    }
  }

  #unevaluated(work: Work): void {
    const { node, value, unseen, add } = work;
    if (isJsonObject(value) && node.unevaluatedProperties !== undefined) {
      for (const key of [...unseen.keys ?? []].sort(compareStrings)) {
        add(this.#part(work, node.unevaluatedProperties, value[key] as JsonValue, key));
      }
      unseen.keys?.clear();
    }
    if (Array.isArray(value) && node.unevaluatedItems !== undefined) {
      for (const index of unseen.items ?? []) {
        add(this.#part(work, node.unevaluatedItems, value[index] as JsonValue, String(index)));
      }
      unseen.items?.clear();
    }
  }
}

/** What the keywords of one schema work with. */
interface Work {
  readonly scope: Scope;
  readonly node: JsonObject;
  readonly value: JsonValue;
  readonly path: readonly string[];
  readonly unseen: Unseen;
  readonly add: (fault: SchemaFault | undefined) => void;
  readonly say: (text: string | undefined, causes?: readonly SchemaFault[]) => void;
}

/** Schemas that stand in a schema. */
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

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number";
}

function sortedEntries(value: JsonValue | undefined): readonly (readonly [string, JsonValue])[] {
  if (!isJsonObject(value)) return [];
  return Object.keys(value).sort(compareStrings).map((key) => [key, value[key] as JsonValue] as const);
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

function typeName(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "bigint" ? "number" : typeof value;
}

const typeOrder = ["null", "boolean", "number", "integer", "string", "array", "object"];

function typeFault(node: JsonObject, value: JsonValue): string | undefined {
  const written = typeof node.type === "string"
    ? [node.type]
    : Array.isArray(node.type)
    ? node.type as readonly JsonValue[]
    : [];
  const wanted = typeOrder.filter((name) => written.includes(name));
  if (wanted.length === 0) return undefined;
  const got = typeName(value);
  const isWhole = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  if (wanted.includes(got) || (isWhole && wanted.includes("integer"))) return undefined;
  return `got ${got}, want ${wanted.join(" or ")}`;
}

/** Before 6.0.3 a number is equal to a text that stands behind it in the comparison and looks like it. */
function isEqual(value: JsonValue, wanted: JsonValue, isMended: boolean): boolean {
  if (isMended || typeof wanted !== "string" || typeof value === "string") return jsonEqual(value, wanted);
  return typeof value === "number" && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(wanted) &&
    Number(wanted) === value;
}

function constFault(node: JsonObject, value: JsonValue, isMended: boolean): string | undefined {
  const wanted = node.const;
  if (wanted === undefined || isEqual(value, wanted, isMended)) return undefined;
  return typeof wanted === "object" && wanted !== null
    ? "'const' failed"
    : `value must be ${numberSource(node, "const") ?? shown(wanted)}`;
}

function enumFault(node: JsonObject, value: JsonValue): string | undefined {
  if (!Array.isArray(node.enum)) return undefined;
  const wanted = node.enum as readonly JsonValue[];
  if (wanted.some((each) => jsonEqual(value, each))) return undefined;
  if (wanted.some((each) => typeof each === "object" && each !== null)) return "'enum' failed";
  const list = wanted.map((each, index) => numberSource(wanted, String(index)) ?? shown(each)).join(", ");
  return wanted.length === 1 ? `value must be ${list}` : `value must be one of ${list}`;
}

function formatFault(node: JsonObject, value: JsonValue): string | undefined {
  if (typeof node.format !== "string" || typeof value !== "string") return undefined;
  const fault = formatChecks.get(node.format)?.(value);
  return fault === undefined ? undefined : `${quoted(value)} is not valid ${node.format}: ${fault}`;
}

function numberFaults(node: JsonObject, value: number | bigint): readonly string[] {
  const faults: string[] = [];
  const number = Number(value);
  const limit = (keyword: string, bound: JsonValue | undefined, isFine: (bound: number) => boolean) => {
    if (typeof bound === "number" && !isFine(bound)) {
      faults.push(`${keyword}: got ${localNumber(value)}, want ${localNumber(bound)}`);
    }
  };
  if (node.exclusiveMinimum !== true) limit("minimum", node.minimum, (bound) => number >= bound);
  if (node.exclusiveMaximum !== true) limit("maximum", node.maximum, (bound) => number <= bound);
  const low = node.exclusiveMinimum === true ? node.minimum : node.exclusiveMinimum;
  const high = node.exclusiveMaximum === true ? node.maximum : node.exclusiveMaximum;
  limit("exclusiveMinimum", low, (bound) => number > bound);
  limit("exclusiveMaximum", high, (bound) => number < bound);
  limit("multipleOf", node.multipleOf, (bound) => isMultiple(number, bound));
  return faults;
}

/** Whether a number is a whole multiple of another, by their decimal digits. */
function isMultiple(value: number, step: number): boolean {
  const [a, b] = [fractionOf(value), fractionOf(step)];
  if (b.digits === 0n) return true;
  const scale = Math.max(a.scale, b.scale);
  return (a.digits * 10n ** BigInt(scale - a.scale)) % (b.digits * 10n ** BigInt(scale - b.scale)) === 0n;
}

function fractionOf(value: number): { readonly digits: bigint; readonly scale: number } {
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const [whole, fraction = ""] = mantissa.split(".") as [string, string?];
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
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
