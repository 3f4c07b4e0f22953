/**
 * JSON Schema as Helm checks values with it (santhosh-tekuri/jsonschema v6): drafts 4, 6, 7, 2019-09, 2020-12. A library
 * does not serve here: Helm shows the tree of faults in that validator's own words and order.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../../../../core/json.ts";
import { isJsonObject } from "../../../../core/json.ts";
import { FormatError } from "../../../../format/format_error.ts";
import { compileRegexp } from "../../../../format/go_regexp.ts";
import type { GoRegexp } from "../../../../format/go_regexp.ts";
import { regexpFault } from "../../functions/regexp_fault.ts";
import type { Dialect } from "../../dialect.ts";
import { quoteText } from "../../template/go_quote.ts";
import { isAsked, unseenOf } from "./applied_schema.ts";
import type { AppliedSchema, Unseen } from "./applied_schema.ts";
import { arrayKeywords } from "./array_keywords.ts";
import { compileSchema } from "./compile_schema.ts";
import { metaSchemaUrl } from "./draft.ts";
import type { Draft } from "./draft.ts";
import { logicKeywords, unevaluatedKeywords } from "./logic_keywords.ts";
import { objectKeywords } from "./object_keywords.ts";
import { constFault, enumFault, formatFault, numberFaults, textKeywords, typeFault } from "./scalar_keywords.ts";
import { locationText, pointerOf } from "./schema_address.ts";
import type { SchemaDocuments, SchemaResource, SchemaTarget } from "./schema_documents.ts";
import { SchemaError } from "./schema_error.ts";
import { faultLines, topFaults } from "./schema_fault.ts";
import type { SchemaFault } from "./schema_fault.ts";

/** Deepest nesting of values and schemas. */
const maxDepth = 500;
/** Most schemas that are checked: alternatives that refer to alternatives double with each step. */
const maxChecks = 1_000_000;

/**
 * Applies a schema of `documents` to values; `undefined` where they fit. Helm 3.22 carries v6.0.3 of the validator, Helm 4 up
 * to 4.2.4 carries v6.0.2.
 *
 * @throws {SchemaError} for a schema that cannot be used
 */
export function validateValues(
  documents: SchemaDocuments,
  resource: SchemaResource,
  values: JsonValue,
  options: { readonly dialect?: Dialect } = {},
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

class Validation {
  readonly #documents: SchemaDocuments;
  /** Meta-schemas of the resources of a schema that is checked itself, by their pointers. */
  readonly #metaSchemas: ReadonlyMap<string, () => SchemaResource> | undefined;
  readonly #dialect: Dialect | undefined;
  readonly #patterns = new Map<string, GoRegexp>();
  #checks = 0;

  constructor(
    documents: SchemaDocuments,
    metaSchemas: ReadonlyMap<string, () => SchemaResource> | undefined,
    dialect: Dialect | undefined,
  ) {
    this.#documents = documents;
    this.#metaSchemas = metaSchemas;
    this.#dialect = dialect;
  }

  /** Whether what version 6.0.3 mended is mended. */
  get isMended(): boolean {
    return this.#dialect === "helm3";
  }

  start(resource: SchemaResource, value: JsonValue): SchemaFault | undefined {
    const meta = this.#metaSchemas === undefined ? undefined : resource;
    const scope: Scope = { resource, node: resource.root, depth: 0, parent: undefined, keyword: undefined, meta };
    return this.check(scope, value, [], unseenOf(value, resource.root, false));
  }

  compile(root: JsonValue): void {
    compileSchema(root, this.#documents, {
      nodeAt: (target) => this.nodeAt(target),
      pattern: (text, node, keyword) => this.pattern(text, node, keyword),
    });
  }

  referred(reference: string, from: JsonObject): JsonValue {
    return this.nodeAt(this.#documents.locate(reference, from));
  }

  nodeAt(target: SchemaTarget): JsonValue {
    return this.#documents.nodeAt(
      target,
      (node, { draft }) => checkSchema(this.#documents, node, { ...target, draft, dialect: this.#dialect }),
    );
  }

  count(checks: number): void {
    this.#checks += checks;
    if (this.#checks > maxChecks) throw new SchemaError(`values take more than ${maxChecks} checks of schemas`);
  }

  pattern(text: string, node: JsonObject, keyword: string): GoRegexp {
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

  check(scope: Scope, value: JsonValue, path: readonly string[], unseen: Unseen): SchemaFault | undefined {
    const { node } = scope;
    if (typeof node === "boolean") {
      return node ? undefined : { path, text: "false schema", role: "fault", causes: [] };
    }
    if (!isJsonObject(node)) return undefined;
    this.count(1);
    if (scope.depth > maxDepth) throw new SchemaError(`values are nested deeper than ${maxDepth} levels`);
    const { draft } = scope.resource;
    const applied = new Application(this, { scope, node, draft, value, path, unseen });
    applied.say(this.#cycle(scope, node));
    if (applied.faults.length > 0) return applied.faults[0];
    if (draft < 2019 && typeof node.$ref === "string") return applied.reference(node.$ref, "$ref");
    applied.say(
      typeFault(node, value) ?? (draft >= 6 ? constFault(node, value, this.isMended) : undefined) ??
        enumFault(node, value) ??
        (draft < 2019 || scope.meta !== undefined ? formatFault(node, value) : undefined),
    );
    if (applied.faults.length > 0) return applied.faults[0];
    if (typeof node.$ref === "string") applied.add(applied.reference(node.$ref, "$ref"));
    if (isJsonObject(value)) objectKeywords(applied, value);
    else if (Array.isArray(value)) arrayKeywords(applied, value as readonly JsonValue[]);
    else if (typeof value === "string") textKeywords(applied, value);
    else if (typeof value === "number" || typeof value === "bigint") {
      numberFaults(node, value).forEach((text) => applied.say(text));
    }
    if (draft >= 2019 && typeof node.$recursiveRef === "string") {
      applied.add(applied.reference(node.$recursiveRef, "$recursiveRef"));
    }
    if (draft === 2020 && typeof node.$dynamicRef === "string") {
      applied.add(applied.reference(node.$dynamicRef, "$dynamicRef"));
    }
    logicKeywords(applied);
    if (draft >= 2019) unevaluatedKeywords(applied);
    const { faults } = applied;
    return faults.length < 2 ? faults[0] : { path, text: "validation failed", role: "group", causes: faults };
  }

  /** What is told of a schema that is being applied already, to the same value. */
  #cycle(scope: Scope, node: JsonObject): string | undefined {
    for (let outer = scope.parent; outer !== undefined && outer.depth === scope.depth; outer = outer.parent) {
      if (outer.node !== node) continue;
      const { location } = this.#documents.placeOf(node);
      const [one, other] = [this.#keywordPath(scope), this.#keywordPath(outer)];
      return `both ${one} and ${other} resolve to ${quoteText(location)} causing reference cycle`;
    }
    return undefined;
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
  inner(
    parent: Scope,
    node: JsonValue,
    at: { readonly depth: number; readonly path: readonly string[]; readonly keyword?: string },
  ): Scope {
    const { depth, keyword } = at;
    const other = parent.meta?.root === node ? this.#metaSchemas?.get(pointerOf(at.path))?.() : undefined;
    if (other !== undefined) {
      if (other.root !== node) this.compile(other.root);
      return { resource: other, node: other.root, depth, parent, keyword, meta: other };
    }
    const resource = isJsonObject(node) ? this.#documents.placeOf(node).resource : parent.resource;
    return { resource, node, depth, parent, keyword, meta: parent.meta };
  }
}

/** A schema at a value, in the course of a validation. */
class Application implements AppliedSchema {
  readonly node: JsonObject;
  readonly draft: Draft;
  readonly value: JsonValue;
  readonly path: readonly string[];
  readonly unseen: Unseen;
  readonly isMended: boolean;
  readonly faults: SchemaFault[] = [];
  readonly #run: Validation;
  readonly #scope: Scope;

  constructor(
    run: Validation,
    at: Pick<AppliedSchema, "node" | "draft" | "value" | "path" | "unseen"> & { readonly scope: Scope },
  ) {
    this.node = at.node;
    this.draft = at.draft;
    this.value = at.value;
    this.path = at.path;
    this.unseen = at.unseen;
    this.isMended = run.isMended;
    this.#run = run;
    this.#scope = at.scope;
  }

  say(text: string | undefined, causes: readonly SchemaFault[] = []): void {
    if (text !== undefined) this.faults.push({ path: this.path, text, role: "fault", causes });
  }

  add(fault: SchemaFault | undefined): void {
    if (fault !== undefined) this.faults.push(fault);
  }

  count(checks: number): void {
    this.#run.count(checks);
  }

  pattern(text: string, keyword: string): GoRegexp {
    return this.#run.pattern(text, this.node, keyword);
  }

  same(schema: JsonValue): SchemaFault | undefined {
    return this.#nested(this.#run.inner(this.#scope, schema, { depth: this.#scope.depth, path: this.path }));
  }

  part(schema: JsonValue, value: JsonValue, key: string): SchemaFault | undefined {
    const path = [...this.path, key];
    const scope = this.#run.inner(this.#scope, schema, { depth: this.#scope.depth + 1, path });
    return this.#run.check(scope, value, path, unseenOf(value, scope.node, false));
  }

  name(schema: JsonValue, key: string): SchemaFault | undefined {
    const scope = this.#run.inner(this.#scope, schema, { depth: this.#scope.depth + 1, path: this.path });
    // References of names see nothing of what is around.
    return this.#run.check({ ...scope, parent: undefined }, key, [], { keys: undefined, items: undefined });
  }

  /** Applies what a reference leads to. */
  reference(reference: string, keyword: "$ref" | "$recursiveRef" | "$dynamicRef"): SchemaFault | undefined {
    let found = this.#run.referred(reference, this.node);
    if (keyword === "$recursiveRef" && isJsonObject(found) && found.$recursiveAnchor === true) {
      for (let outer: Scope | undefined = this.#scope; outer !== undefined; outer = outer.parent) {
        if (outer.resource.isRecursiveAnchor) found = outer.node;
      }
    }
    if (keyword === "$dynamicRef") found = this.#dynamicTarget(reference, found);
    const fault = this.#nested(
      this.#run.inner(this.#scope, found, { depth: this.#scope.depth, path: this.path, keyword }),
    );
    if (fault === undefined) return undefined;
    return { path: this.path, text: "validation failed", role: "reference", causes: topFaults(fault) };
  }

  /** The schema of the same anchor in the outermost resource around, where there is one. */
  #dynamicTarget(reference: string, found: JsonValue): JsonValue {
    const name = reference.split("#")[1] ?? "";
    if (name === "" || name.startsWith("/") || !isJsonObject(found) || found.$dynamicAnchor !== name) return found;
    let target: JsonValue = found;
    for (let outer: Scope | undefined = this.#scope; outer !== undefined; outer = outer.parent) {
      const { document, anchors, dynamicAnchors } = outer.resource;
      const pointer = dynamicAnchors.has(name) ? anchors.get(name) : undefined;
      if (pointer !== undefined) target = this.#run.nodeAt({ document, pointer });
    }
    return target;
  }

  /** Applies a schema to the same value; where it fits, what it looked at is no longer unseen. */
  #nested(scope: Scope): SchemaFault | undefined {
    const { value, path, unseen } = this;
    const inner = unseenOf(value, scope.node, isAsked(unseen));
    const fault = this.#run.check(scope, value, path, inner);
    if (fault !== undefined) return fault;
    for (const key of unseen.keys ?? []) {
      if (inner.keys === undefined || !inner.keys.has(key)) unseen.keys?.delete(key);
    }
    for (const item of unseen.items ?? []) {
      if (inner.items === undefined || !inner.items.has(item)) unseen.items?.delete(item);
    }
    return undefined;
  }
}
