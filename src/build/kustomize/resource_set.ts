import { dropField, getField, isEmptyNode, mapNode, putField, textScalar } from "../../format/yaml_node/node.ts";
import { fault } from "./fault.ts";
import type { CustomScopes, ResourceId } from "./identity.ts";
import { effectiveNamespace, idKey, idText } from "./identity.ts";
import type { Behavior, NamedResource } from "./named_resource.ts";
import { setMetadataTexts, setScalarField, textsOf } from "./node_edit.ts";

/**
 * The resources of a build in order, with look-ups by current identity, by any identity they ever had, by name and by
 * kind. Look-ups are indexes that are made when they are asked for and forgotten when {@linkcode touch} says that
 * identities may have changed.
 */
export class ResourceSet {
  readonly scopes: CustomScopes | undefined;
  #list: NamedResource[] = [];
  #current: Map<string, NamedResource> | undefined;
  #anyId: Map<string, NamedResource[]> | undefined;
  #byName: Map<string, NamedResource[]> | undefined;
  #byKind: Map<string, NamedResource[]> | undefined;

  constructor(scopes?: CustomScopes) {
    this.scopes = scopes;
  }

  get list(): readonly NamedResource[] {
    return this.#list;
  }

  /** Says that identities may have changed. */
  touch(): void {
    this.#current =
      this.#anyId =
      this.#byName =
      this.#byKind =
        undefined;
  }

  /** Replaces the whole list. */
  reset(list: NamedResource[]): void {
    this.#list = list;
    this.touch();
  }

  /** Takes out what patches emptied. */
  dropEmpty(): void {
    if (!this.#list.some((resource) => resource.isGone || isEmptyNode(resource.node))) return;
    this.reset(this.#list.filter((resource) => !resource.isGone && !isEmptyNode(resource.node)));
  }

  /** @throws {StageError} BuildFailed when a resource of the same identity is there */
  append(resource: NamedResource): void {
    const current = this.#currentIndex();
    const key = resource.key(this.scopes);
    const known = current.get(key);
    if (known !== undefined) {
      const where = known.file === undefined ? "" : ` (the other one comes from "${known.file}")`;
      throw fault(`May not add resource with an already registered id: ${idText(resource.id())}${where}`);
    }
    current.set(key, resource);
    this.#list.push(resource);
    this.#anyId = this.#byName = this.#byKind = undefined;
  }

  appendAll(resources: Iterable<NamedResource>): void {
    for (const resource of resources) this.append(resource);
  }

  /** @throws {StageError} BuildFailed when two resources have the same identity */
  checkUnique(): void {
    const seen = new Set<string>();
    for (const resource of this.#list) {
      const key = resource.key(this.scopes);
      if (seen.has(key)) {
        throw fault(`May not add resource with an already registered id: ${idText(resource.id())}`);
      }
      seen.add(key);
    }
  }

  #currentIndex(): Map<string, NamedResource> {
    if (this.#current === undefined) {
      this.#current = new Map();
      for (const resource of this.#list) this.#current.set(resource.key(this.scopes), resource);
    }
    return this.#current;
  }

  /** Resources that have or had an identity; the namespace counts. */
  withId(id: ResourceId): readonly NamedResource[] {
    if (this.#anyId === undefined) {
      this.#anyId = new Map();
      for (const resource of this.#list) {
        if (isEmptyNode(resource.node)) continue;
        for (const key of this.#keysOf(resource)) pushTo(this.#anyId, key, resource);
      }
    }
    return this.#anyId.get(idKey(id, id.name, effectiveNamespace(id, this.scopes))) ?? [];
  }

  #keysOf(resource: NamedResource): Set<string> {
    const id = resource.id();
    const keys = new Set([idKey(id, id.name, effectiveNamespace(id, this.scopes))]);
    for (const former of resource.former) {
      keys.add(idKey({ ...id, kind: former.kind }, former.name, former.namespace));
    }
    return keys;
  }

  /** Resources that have or had a name. */
  withName(name: string): readonly NamedResource[] {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (const resource of this.#list) {
        const names = new Set([resource.id().name]);
        for (const former of resource.former) names.add(former.name);
        for (const known of names) pushTo(this.#byName, known, resource);
      }
    }
    return this.#byName.get(name) ?? [];
  }

  /** Resources that are or were of a kind. */
  ofKind(kind: string): readonly NamedResource[] {
    if (this.#byKind === undefined) {
      this.#byKind = new Map();
      for (const resource of this.#list) {
        pushTo(this.#byKind, resource.gvk().kind, resource);
        for (const former of resource.former) pushTo(this.#byKind, former.kind, resource);
      }
    }
    return this.#byKind.get(kind) ?? [];
  }

  /**
   * Takes in a generated resource: new, or in place of one it replaces or merges into.
   *
   * @throws {StageError} BuildFailed when its behavior does not fit what is there
   */
  absorb(resource: NamedResource): void {
    const id = resource.id();
    const matches = this.withId(id);
    const behavior: Behavior = resource.behavior ?? "unspecified";
    const old = matches[0];
    if (old === undefined) {
      if (behavior === "merge" || behavior === "replace") {
        throw fault(`Id ${idText(id)} does not exist; cannot merge or replace`);
      }
      this.append(resource);
      return;
    }
    if (matches.length > 1) throw fault(`Found multiple objects that could accept merge of ${idText(id)}`);
    if (behavior !== "merge" && behavior !== "replace") {
      throw fault(`Id ${idText(id)} exists; behavior must be merge or replace, not "${behavior}"`);
    }
    if (behavior === "merge") {
      for (const field of ["data", "binaryData"]) mergeTexts(old, resource, field);
    }
    takeMetadata(resource, old);
    if (behavior === "merge" && old.origin !== undefined) resource.origin = old.origin;
    this.#list[this.#list.indexOf(old)] = resource;
    this.touch();
  }
}

function pushTo(index: Map<string, NamedResource[]>, key: string, resource: NamedResource): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [resource]);
  else if (list.at(-1) !== resource) list.push(resource);
}

/** Gives a generated resource name, namespace, labels, annotations and history of the one it takes the place of. */
function takeMetadata(resource: NamedResource, old: NamedResource): void {
  for (const field of ["labels", "annotations"]) {
    const texts = textsOf(getField(getField(old.node, "metadata"), field));
    for (const [key, text] of textsOf(getField(getField(resource.node, "metadata"), field))) texts.set(key, text);
    setMetadataTexts(resource.node, field, texts);
  }
  const id = old.id();
  const metadata = getField(resource.node, "metadata");
  if (metadata?.kind === "map") {
    setScalarField(metadata, "name", id.name, "");
    if (id.namespace === "") dropField(metadata, "namespace");
    else setScalarField(metadata, "namespace", id.namespace, "");
  }
  resource.former = [...old.former];
  resource.prefixes = [...old.prefixes];
  resource.suffixes = [...old.suffixes];
  resource.behavior = old.behavior;
  resource.needsHash = resource.needsHash && old.needsHash;
  resource.isFromChart = old.isFromChart;
  resource.transformations = [...old.transformations];
  resource.varNames = [...old.varNames];
  resource.origin ??= old.origin;
}

function mergeTexts(old: NamedResource, resource: NamedResource, field: string): void {
  const texts = textsOf(getField(old.node, field));
  for (const [key, text] of textsOf(getField(resource.node, field))) texts.set(key, text);
  dropField(resource.node, field);
  if (texts.size === 0) return;
  const map = mapNode();
  for (const key of [...texts.keys()].sort()) putField(map, key, textScalar(texts.get(key) as string));
  putField(resource.node, field, map);
}
