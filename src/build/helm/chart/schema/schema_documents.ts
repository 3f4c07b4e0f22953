import type { JsonObject, JsonValue } from "../../../../core/json.ts";
import { isJsonObject } from "../../../../core/json.ts";
import { quoteText } from "../../template/go_quote.ts";
import { metaSchemaTexts } from "./meta_schemas.ts";

/** Drafts by year or number, ordered. */
export type Draft = 4 | 6 | 7 | 2019 | 2020;

/** A schema that cannot be used; the message is what Helm shows below the chart's name. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

/** A schema with an address of its own: a document, or a part of one with an `$id`. */
export interface SchemaResource {
  /** Absolute URL without a fragment. */
  readonly url: string;
  readonly root: JsonValue;
  readonly draft: Draft;
  /** Nodes by `$anchor`, `$dynamicAnchor` and old `#id`s. */
  readonly anchors: Map<string, JsonValue>;
  readonly dynamicAnchors: Map<string, JsonValue>;
  readonly isRecursiveAnchor: boolean;
}

/** Where a schema node stands. */
export interface NodePlace {
  readonly resource: SchemaResource;
  /** `file:///values.schema.json#/properties/a` */
  readonly location: string;
}

/** URL of a chart's own schema, as error texts show it. */
export const ownSchemaUrl = "file:///values.schema.json";

const one = "one", list = "list", map = "map";

/** Keywords that hold schemas. `items` may be a list up to 2019-09. */
const subschemas: Readonly<Record<string, typeof one | typeof list | typeof map>> = {
  additionalItems: one,
  additionalProperties: one,
  allOf: list,
  anyOf: list,
  contains: one,
  contentSchema: one,
  definitions: map,
  $defs: map,
  dependencies: map,
  dependentSchemas: map,
  else: one,
  if: one,
  items: one,
  not: one,
  oneOf: list,
  patternProperties: map,
  prefixItems: list,
  properties: map,
  propertyNames: one,
  then: one,
  unevaluatedItems: one,
  unevaluatedProperties: one,
};

const drafts: Readonly<Record<string, Draft>> = {
  "http://json-schema.org/schema": 2020,
  "https://json-schema.org/schema": 2020,
  "http://json-schema.org/draft-04/schema": 4,
  "http://json-schema.org/draft-06/schema": 6,
  "http://json-schema.org/draft-07/schema": 7,
  "https://json-schema.org/draft/2019-09/schema": 2019,
  "https://json-schema.org/draft/2020-12/schema": 2020,
};

/** URL of the meta-schema of a draft. */
export function metaSchemaUrl(draft: Draft): string {
  return draft < 2019
    ? `http://json-schema.org/draft-0${draft}/schema`
    : `https://json-schema.org/draft/${draft === 2019 ? "2019-09" : "2020-12"}/schema`;
}

/** All documents that take part in one check: the chart's schema and the meta-schemas that it refers to. */
export class SchemaDocuments {
  readonly #resources = new Map<string, SchemaResource>();
  readonly #places = new Map<JsonObject, NodePlace>();
  readonly #onUrn: (urn: string) => void;

  /** @param onUrn told of each `urn:` reference that nothing answers: it allows everything, as in Helm */
  constructor(onUrn: (urn: string) => void) {
    this.#onUrn = onUrn;
  }

  /** Adds a document. @throws {SchemaError} for a draft that is not known */
  add(url: string, root: JsonValue): SchemaResource {
    const draft = this.#draftOf(root, 2020, url);
    return this.#addResource(url, root, draft, { url, pointer: "" });
  }

  /** A meta-schema by its URL. */
  metaSchema(url: string): SchemaResource {
    return this.#resourceAt(url);
  }

  /** Where a node stands; nodes that a pointer reached are known, too. */
  placeOf(node: JsonObject): NodePlace {
    const place = this.#places.get(node);
    if (place === undefined) throw new SchemaError("schema node is not known");
    return place;
  }

  /**
   * The node that a reference names, seen from a node.
   *
   * @throws {SchemaError} with Helm's text when it leads nowhere or would have to be fetched
   */
  resolve(
    reference: string,
    from: JsonObject,
  ): { readonly node: JsonValue; readonly location: string; readonly resource: SchemaResource } {
    const { resource: base } = this.placeOf(from);
    const hash = reference.indexOf("#");
    const address = hash < 0 ? reference : reference.slice(0, hash);
    const fragment = hash < 0 ? "" : decode(reference.slice(hash + 1));
    const resource = address === "" ? base : this.#resourceAt(absolute(address, base.url));
    const location = `${resource.url}#${fragment}`;
    if (fragment === "") return { node: resource.root, location, resource };
    if (!fragment.startsWith("/")) {
      const node = resource.anchors.get(fragment);
      if (node === undefined) {
        throw new SchemaError(`anchor in ${quoteText(location)} not found in schema ${quoteText(`${resource.url}#`)}`);
      }
      return { node, location, resource };
    }
    let node: JsonValue | undefined = resource.root;
    for (const part of fragment.slice(1).split("/")) {
      const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
      if (Array.isArray(node)) node = /^(?:0|[1-9][0-9]*)$/.test(key) ? node[Number(key)] : undefined;
      else node = isJsonObject(node) && Object.hasOwn(node, key) ? node[key] : undefined;
      if (node === undefined) throw new SchemaError(`json-pointer in ${quoteText(location)} not found`);
    }
    if (isJsonObject(node) && !this.#places.has(node)) {
      this.#index(node, resource, { url: resource.url, pointer: fragment });
    }
    return { node, location, resource };
  }

  #resourceAt(url: string): SchemaResource {
    const known = this.#resources.get(url) ?? this.#resources.get(url.replace(/\/$/, ""));
    if (known !== undefined) return known;
    const text = Object.hasOwn(metaSchemaTexts, url) ? metaSchemaTexts[url] : undefined;
    if (text !== undefined) return this.add(url, JSON.parse(text) as JsonValue);
    if (url.startsWith("urn:")) {
      this.#onUrn(url);
      return this.add(url, true);
    }
    throw new SchemaError(`failing loading ${quoteText(url)}: ${whyNot(url)}`);
  }

  #addResource(
    url: string,
    root: JsonValue,
    draft: Draft,
    at: { readonly url: string; readonly pointer: string },
  ): SchemaResource {
    const own = isJsonObject(root) ? idOf(root, draft) : undefined;
    const address = own === undefined ? url : absolute(own, url);
    const resource: SchemaResource = {
      url: at.pointer === "" ? url : address,
      root,
      draft,
      anchors: new Map(),
      dynamicAnchors: new Map(),
      isRecursiveAnchor: isJsonObject(root) && root.$recursiveAnchor === true,
    };
    this.#resources.set(url, resource);
    const based = address === resource.url ? resource : { ...resource, url: address };
    this.#resources.set(address, based);
    if (isJsonObject(root)) this.#index(root, based, at);
    return based;
  }

  /** Notes where a node and those below it stand. */
  #index(node: JsonObject, resource: SchemaResource, at: { readonly url: string; readonly pointer: string }): void {
    if (this.#places.has(node)) return;
    const draft = resource.draft;
    const id = idOf(node, draft);
    if (node !== resource.root && id !== undefined) {
      const inner = this.#draftOf(node, draft, resource.url);
      this.#addResource(absolute(id, resource.url), node, inner, at);
      return;
    }
    this.#places.set(node, { resource, location: `${at.url}#${at.pointer}` });
    const name = draft < 2019 ? oldAnchor(node, draft) : node.$anchor;
    if (typeof name === "string") resource.anchors.set(name, node);
    if (draft === 2020 && typeof node.$dynamicAnchor === "string") {
      resource.anchors.set(node.$dynamicAnchor, node);
      resource.dynamicAnchors.set(node.$dynamicAnchor, node);
    }
    for (const [keyword, form] of Object.entries(subschemas)) {
      const value = node[keyword];
      if (typeof value !== "object" || value === null) continue;
      const below = (inner: JsonValue | undefined, path: string) => {
        if (isJsonObject(inner)) this.#index(inner, resource, { url: at.url, pointer: `${at.pointer}/${path}` });
      };
      if (Array.isArray(value)) {
        if (form === list || keyword === "items") {
          value.forEach((inner: JsonValue, index) => below(inner, `${keyword}/${index}`));
        }
      } else if (form === map) {
        for (const [key, inner] of Object.entries(value as JsonObject)) {
          below(inner, `${keyword}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
        }
      } else if (form === one) below(value as JsonObject, keyword);
    }
  }

  #draftOf(root: JsonValue, inherited: Draft, url: string): Draft {
    if (!isJsonObject(root) || typeof root.$schema !== "string") return inherited;
    const named = root.$schema.replace(/#$/, "");
    const plain = named.replace(/^https:\/\/json-schema\.org\/draft-/, "http://json-schema.org/draft-");
    const draft = Object.hasOwn(drafts, plain) ? drafts[plain] : undefined;
    if (draft !== undefined) return draft;
    if (named === "") throw new SchemaError('failing loading "": no URLLoader registered for ""');
    if (!/^[a-z][a-z0-9+.-]*:/i.test(named)) {
      throw new SchemaError(`invalid $schema in ${quoteText(`${url}#`)}: relative url`);
    }
    // A meta-schema of its own would have to be loaded first.
    const resource = this.#resourceAt(named);
    return resource.draft;
  }
}

function idOf(node: JsonObject, draft: Draft): string | undefined {
  if (draft < 2019 && typeof node.$ref === "string") return undefined;
  const id = draft === 4 ? node.id : node.$id;
  if (typeof id !== "string") return undefined;
  const address = id.split("#", 1)[0] as string;
  return address === "" ? undefined : address;
}

function oldAnchor(node: JsonObject, draft: Draft): string | undefined {
  const id = draft === 4 ? node.id : node.$id;
  if (typeof id !== "string" || typeof node.$ref === "string") return undefined;
  const hash = id.indexOf("#");
  return hash < 0 || hash === id.length - 1 ? undefined : id.slice(hash + 1);
}

function absolute(address: string, base: string): string {
  try {
    return new URL(address, base).href.replace(/#$/, "");
  } catch (cause) {
    throw new SchemaError(`error in parsing ${quoteText(address)}: it is no URL`, { cause });
  }
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

/** Why a document is not there. Files of the machine that renders are no part of a chart; nothing is fetched. */
function whyNot(url: string): string {
  if (url.startsWith("file:")) return `open ${decode(new URL(url).pathname)}: no such file or directory`;
  return /^https?:/.test(url) ? "remote schemas are not fetched" : `no URLLoader registered for ${quoteText(url)}`;
}
