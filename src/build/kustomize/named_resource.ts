import type { MapNode } from "../../format/yaml_node/node.ts";
import { copyNode, dropField, getField, isEmptyNode, mapNode, putField } from "../../format/yaml_node/node.ts";
import type { CustomScopes, Gvk, ResourceId } from "./identity.ts";
import { effectiveNamespace, gvkOfNode, idKey, idOfNode } from "./identity.ts";
import type { Origin } from "./origin.ts";

/** A name that a resource had before. Group and version are those that it has now. */
export interface FormerName {
  readonly kind: string;
  readonly name: string;
  /** Effective namespace. */
  readonly namespace: string;
}

/** How a generated resource meets one of the same identity. */
export type Behavior = "unspecified" | "create" | "replace" | "merge";

/** What both kustomizations must have done to a resource's name for a reference to count (kustomize `api/resource`). */
export interface NameContext {
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
}

/**
 * A resource under way through a build: its node, and beside it what kustomize keeps in annotations: former names,
 * prefixes and suffixes, the hash that is due, where it comes from.
 */
export class NamedResource implements NameContext {
  node: MapNode;
  former: FormerName[] = [];
  prefixes: string[] = [];
  suffixes: string[] = [];
  needsHash = false;
  behavior: Behavior | undefined;
  /** Made by a chart: the namespace is left alone. */
  isFromChart = false;
  origin: Origin | undefined;
  transformations: Origin[] = [];
  /** Names of vars that take their value from here. */
  varNames: string[] = [];
  /** File that it was read from, for messages. */
  file: string | undefined;
  /** Whether a strategic merge patch removed it. */
  isGone = false;

  constructor(node: MapNode) {
    this.node = node;
  }

  gvk(): Gvk {
    return gvkOfNode(this.node);
  }

  id(): ResourceId {
    return idOfNode(this.node);
  }

  /** Map key of the identity it has now. */
  key(scopes: CustomScopes | undefined): string {
    const id = this.id();
    return idKey(id, id.name, effectiveNamespace(id, scopes));
  }

  /** Identity before any change: the first former one, else the current one. */
  originalId(): ResourceId {
    const first = this.former[0];
    return first === undefined ? this.id() : { ...this.gvk(), ...first };
  }

  /** Remembers the identity it has now as a former one. */
  remember(scopes: CustomScopes | undefined): void {
    const id = this.id();
    this.former.push({ kind: id.kind, name: id.name, namespace: effectiveNamespace(id, scopes) });
  }

  /** Whether kustomize would keep an annotation of its own on it at this time; a patch can then rely on `annotations`. */
  hasMarks(): boolean {
    return this.former.length > 0 || this.prefixes.length > 0 || this.suffixes.length > 0 || this.needsHash ||
      this.behavior !== undefined || this.isFromChart || this.origin !== undefined;
  }

  /** Gives each annotation a node of its own: kustomize writes them anew when it keeps an origin among them. */
  separateAnnotations(): void {
    const annotations = this.annotations();
    if (annotations !== undefined) annotations.values = annotations.values.map((value) => copyNode(value));
  }

  /** Makes `metadata.annotations` where kustomize would keep annotations of its own; who calls takes an empty one out. */
  openAnnotations(): void {
    const metadata = getField(this.node, "metadata");
    if (!this.hasMarks() || metadata?.kind !== "map") return;
    if (isEmptyNode(getField(metadata, "annotations"))) putField(metadata, "annotations", mapNode());
  }

  /** Takes out `metadata.annotations` with nothing in it. */
  closeAnnotations(): void {
    const metadata = getField(this.node, "metadata");
    if (metadata?.kind === "map" && isEmptyNode(getField(metadata, "annotations"))) dropField(metadata, "annotations");
  }

  /** Loses everything that kustomize keeps in annotations. */
  forget(): void {
    this.former = [];
    this.prefixes = [];
    this.suffixes = [];
    this.needsHash = false;
    this.behavior = undefined;
    this.isFromChart = false;
    this.origin = undefined;
    this.transformations = [];
  }

  annotations(): MapNode | undefined {
    const found = getField(getField(this.node, "metadata"), "annotations");
    return found?.kind === "map" ? found : undefined;
  }

  copy(): NamedResource {
    const made = new NamedResource(copyNode(this.node));
    made.former = [...this.former];
    made.prefixes = [...this.prefixes];
    made.suffixes = [...this.suffixes];
    made.needsHash = this.needsHash;
    made.behavior = this.behavior;
    made.isFromChart = this.isFromChart;
    made.origin = this.origin;
    made.transformations = [...this.transformations];
    made.varNames = [...this.varNames];
    made.file = this.file;
    return made;
  }
}
