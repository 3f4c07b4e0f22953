import type { JsonObject, JsonValue } from "../../../../core/json.ts";
import { isJsonObject } from "../../../../core/json.ts";
import { quoteText } from "../../template/go_quote.ts";
import { draftsByUrl, metaSchemaUrl, subschemas } from "./draft.ts";
import type { Draft } from "./draft.ts";
import { metaSchemaTexts } from "./meta_schemas.ts";
import { absolute, decode, identity, locationText, urlFault } from "./schema_address.ts";
import { SchemaError } from "./schema_error.ts";

/** A schema with an address of its own: a document, or a part of one with an `$id`. */
export interface SchemaResource {
  /** Absolute URL without a fragment. */
  readonly url: string;
  readonly document: SchemaDocument;
  /** Where it stands in its document: a JSON pointer. */
  readonly pointer: string;
  readonly root: JsonValue;
  readonly draft: Draft;
  /** Pointers by `$anchor`, `$dynamicAnchor` and old `#id`s. */
  readonly anchors: Map<string, string>;
  readonly dynamicAnchors: Set<string>;
  readonly isRecursiveAnchor: boolean;
}

/** A document with the resources in it. */
export interface SchemaDocument {
  readonly url: string;
  readonly root: JsonValue;
  /** By their pointers; that of the document is the first. */
  readonly resources: Map<string, SchemaResource>;
  /** Pointers of all schemas that are known to be such. */
  readonly schemas: Set<string>;
}

/** Where a schema node stands. */
export interface NodePlace {
  readonly resource: SchemaResource;
  readonly pointer: string;
  /** `file:///values.schema.json#/properties/a` */
  readonly location: string;
}

/** What a reference leads to: the node is looked up with {@link SchemaDocuments.nodeAt}. */
export interface SchemaTarget {
  readonly document: SchemaDocument;
  readonly pointer: string;
}

/** URL of a chart's own schema, as error texts show it. */
export const ownSchemaUrl = "file:///values.schema.json";

/** What documents that nothing here holds are got with. */
export interface SchemaDoors {
  /** Told of each `urn:` reference that nothing answers: it allows everything, as in Helm. */
  readonly onUrn: (urn: string) => void;
  /** The document of an http(s) address. Absent: none is read. @throws {SchemaError} saying why it cannot be read */
  readonly read?: (url: string) => JsonValue;
}

/** All documents that take part in one check: the chart's schema, and the schemas and meta-schemas that it refers to. */
export class SchemaDocuments {
  readonly #documents = new Map<string, SchemaDocument>();
  readonly #places = new Map<JsonObject, NodePlace>();
  readonly #doors: SchemaDoors;

  constructor(doors: SchemaDoors) {
    this.#doors = doors;
  }

  /** Adds a document. @throws {SchemaError} for a draft that is not known, and names that are there twice */
  add(url: string, root: JsonValue): SchemaResource {
    const document: SchemaDocument = { url, root, resources: new Map(), schemas: new Set() };
    this.#documents.set(url, document);
    this.#collect(document, root, { base: url, pointer: "", draft: 2020 });
    return document.resources.get("") as SchemaResource;
  }

  /** A meta-schema by its URL. */
  metaSchema(url: string): SchemaResource {
    return this.#documentAt(url).resources.get("") as SchemaResource;
  }

  /** Where a node stands; nodes that a reference reached are known, too. */
  placeOf(node: JsonObject): NodePlace {
    const place = this.#places.get(node);
    if (place === undefined) throw new SchemaError("schema node is not known");
    return place;
  }

  /** Where a reference leads, seen from a node. @throws {SchemaError} with Helm's text, also where it would have to be fetched */
  locate(reference: string, from: JsonObject): SchemaTarget {
    const { resource: base } = this.placeOf(from);
    const hash = reference.indexOf("#");
    const address = absolute(hash < 0 ? reference : reference.slice(0, hash), base.url);
    const fragment = hash < 0 ? "" : decode(reference.slice(hash + 1), reference);
    const here = base.document;
    const near = address === here.url
      ? here.resources.get("")
      : [...here.resources.values()].find((each) => each.url === address);
    const resource = near ?? this.#documentAt(address).resources.get("") as SchemaResource;
    const { document } = resource;
    if (fragment === "" || fragment.startsWith("/")) return { document, pointer: resource.pointer + fragment };
    const pointer = resource.anchors.get(fragment);
    if (pointer !== undefined) return { document, pointer };
    const location = locationText(resource.url, fragment);
    throw new SchemaError(`anchor in ${quoteText(location)} not found in schema ${quoteText(document.url)}`);
  }

  /**
   * The node at a pointer. Where no schema was known to stand, it is taken for one from now on and told to `onNew`.
   *
   * @throws {SchemaError} with Helm's text when nothing stands there
   */
  nodeAt(target: SchemaTarget, onNew?: (node: JsonValue, resource: SchemaResource) => void): JsonValue {
    const { document, pointer } = target;
    let node: JsonValue | undefined = document.root;
    for (const part of pointer.split("/").slice(1)) {
      if (/~(?![01])/.test(part)) {
        throw new SchemaError(`invalid json-pointer ${quoteText(locationText(document.url, pointer))}`);
      }
      const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
      if (Array.isArray(node)) node = /^\+?[0-9]+$/.test(key) ? node[Number(key)] : undefined;
      else node = isJsonObject(node) && Object.hasOwn(node, key) ? node[key] : undefined;
      if (node === undefined) {
        throw new SchemaError(`json-pointer in ${quoteText(locationText(document.url, pointer))} not found`);
      }
    }
    if (!document.schemas.has(pointer)) {
      const { url: base, draft } = resourceOf(document, pointer);
      this.#collect(document, node, { base, pointer, draft });
      onNew?.(node, resourceOf(document, pointer));
    }
    return node;
  }

  #documentAt(url: string): SchemaDocument {
    const known = this.#documents.get(url);
    if (known !== undefined) return known;
    const named = draftsByUrl[url] === undefined ? url : metaSchemaUrl(draftsByUrl[url]);
    const text = Object.hasOwn(metaSchemaTexts, named) ? metaSchemaTexts[named] : undefined;
    if (text !== undefined) return this.add(url, JSON.parse(text) as JsonValue).document;
    if (url.startsWith("urn:")) {
      this.#doors.onUrn(url);
      return this.add(url, true).document;
    }
    return this.add(url, this.#read(url)).document;
  }

  #read(url: string): JsonValue {
    const { read } = this.#doors;
    try {
      if (read !== undefined && /^https?:/.test(url)) return read(url);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      throw new SchemaError(`failing loading ${quoteText(url)}: ${error.message}`);
    }
    throw new SchemaError(`failing loading ${quoteText(url)}: ${whyNot(url)}`);
  }

  /** Notes a node and those below it: resources, anchors, places. */
  #collect(
    document: SchemaDocument,
    node: JsonValue,
    at: { readonly base: string; readonly pointer: string; readonly draft: Draft },
  ): void {
    const { pointer } = at;
    if (document.schemas.has(pointer)) return;
    if (!isJsonObject(node)) {
      if (pointer === "") {
        document.resources.set("", newResource(document, node, at.base, { pointer, draft: at.draft }));
      }
      document.schemas.add(pointer);
      return;
    }
    let draft = this.#draftOf(node, at.draft, { url: document.url, pointer });
    let id = idOf(node, draft);
    let isDrafted = typeof node.$schema === "string";
    if (id === undefined && pointer !== "") {
      draft = at.draft;
      isDrafted = false;
      id = idOf(node, draft);
    }
    const base = id === undefined ? at.base : identity(id, at.base, locationText(document.url, pointer));
    const same = [...document.resources.values()].find((each) => each.url === base);
    if ((id !== undefined || pointer === "") && same !== undefined && same.pointer !== pointer) {
      throw new SchemaError(
        `duplicate id ${quoteText(base)} in ${quoteText(document.url)} at ${quoteText(pointer)} and ${
          quoteText(same.pointer)
        }`,
      );
    }
    const resource = same ?? newResource(document, node, base, { pointer, draft: isDrafted ? draft : at.draft });
    if (same === undefined) document.resources.set(pointer, resource);
    this.#places.set(node, { resource, pointer, location: locationText(document.url, pointer) });
    collectAnchors(node, resource, pointer);
    for (const [below, inner] of subschemas(node, pointer, draft)) {
      this.#collect(document, inner, { base, pointer: below, draft: resource.draft });
    }
    document.schemas.add(pointer);
  }

  #draftOf(node: JsonObject, inherited: Draft, at: { readonly url: string; readonly pointer: string }): Draft {
    const seen = new Set<string>();
    for (let [current, place] = [node as JsonValue, at];;) {
      if (!isJsonObject(current) || typeof current.$schema !== "string") return inherited;
      const named = current.$schema;
      const draft = draftsByUrl[named.replace(/#$/, "")];
      if (draft !== undefined) return draft;
      const url = named.split("#", 1)[0] as string;
      const fault = urlFault(url);
      if (fault !== undefined) {
        throw new SchemaError(`invalid $schema in ${quoteText(locationText(place.url, place.pointer))}: ${fault}`);
      }
      if (place.pointer === "" && url === place.url) throw new SchemaError(`draft ${quoteText(url)} is not supported`);
      if (seen.has(url)) throw new SchemaError(`cycle in resolving $schema in ${quoteText(url)}`);
      seen.add(url);
      const document = this.#documents.get(url) ?? this.#documentAt(url);
      current = document.root;
      place = { url, pointer: "" };
    }
  }
}

function newResource(
  document: SchemaDocument,
  root: JsonValue,
  url: string,
  options: { readonly pointer: string; readonly draft: Draft },
): SchemaResource {
  const isRecursiveAnchor = isJsonObject(root) && root.$recursiveAnchor === true;
  return { url, document, root, ...options, anchors: new Map(), dynamicAnchors: new Set(), isRecursiveAnchor };
}

/** The resource that a pointer lies in. */
function resourceOf(document: SchemaDocument, pointer: string): SchemaResource {
  for (let at = pointer;; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
    const resource = document.resources.get(at);
    if (resource !== undefined) return resource;
    if (at === "") throw new SchemaError("schema has no root");
  }
}

function collectAnchors(node: JsonObject, resource: SchemaResource, pointer: string): void {
  const { draft, anchors } = resource;
  const add = (name: string) => {
    const known = anchors.get(name);
    if (known !== undefined && known !== pointer) {
      throw new SchemaError(
        `duplicate anchor ${quoteText(name)} in ${quoteText(resource.document.url)} at ${quoteText(known)} and ${
          quoteText(pointer)
        }`,
      );
    }
    anchors.set(name, pointer);
  };
  if (draft < 2019) {
    const id = draft === 4 ? node.id : node.$id;
    if (Object.hasOwn(node, "$ref") || typeof id !== "string" || !id.includes("#")) return;
    const fragment = decode(id.slice(id.indexOf("#") + 1), id);
    if (fragment !== "" && !fragment.startsWith("/")) add(fragment);
    return;
  }
  if (typeof node.$anchor === "string") add(node.$anchor);
  if (draft === 2020 && typeof node.$dynamicAnchor === "string") {
    add(node.$dynamicAnchor);
    resource.dynamicAnchors.add(node.$dynamicAnchor);
  }
}

function idOf(node: JsonObject, draft: Draft): string | undefined {
  if (draft < 2019 && Object.hasOwn(node, "$ref")) return undefined;
  const id = draft === 4 ? node.id : node.$id;
  if (typeof id !== "string") return undefined;
  const address = id.split("#", 1)[0] as string;
  return address === "" ? undefined : address;
}

/** Why a document is not there. Files of the machine that renders are no part of a chart. */
function whyNot(url: string): string {
  if (url.startsWith("file:")) return `open ${decode(new URL(url).pathname, url)}: no such file or directory`;
  return /^https?:/.test(url)
    ? "remote schemas are not fetched (--allow-http allows it)"
    : `no URLLoader registered for ${quoteText(url)}`;
}
