import type { MapNode, ScalarNode, YamlNode } from "../../../format/yaml_node/node.ts";
import { getField, isPresent } from "../../../format/yaml_node/node.ts";
import { scalarValue } from "../../../format/yaml_node/node_json.ts";
import { fault, wrapFault } from "../fault.ts";
import type { PathPart } from "../field_path.ts";
import { pathParts } from "../field_path.ts";
import type { Gvk, ResourceId } from "../identity.ts";
import { effectiveNamespace, idText, noNamespace, selects, textOf } from "../identity.ts";
import type { NameContext, NamedResource } from "../named_resource.ts";
import { kindWord, setScalarField } from "../node_edit.ts";
import type { ResourceSet } from "../resource_set.ts";
import type { NameReference } from "../tables/name_references.ts";

/** A rule that ends at a node of the path tree: what kind of resource the field there names. */
interface Leaf {
  readonly target: Gvk;
  /** Whether the field is the name of a `roleRef`. */
  readonly isRoleRef: boolean;
  readonly path: string;
}

/** Paths of all rules for one kind, as a tree: each resource is walked once. */
interface PathTree {
  readonly leaves: Leaf[];
  readonly children: Map<string, PathTree>;
  readonly listChildren: Map<string, PathTree>;
}

/**
 * Follows renames: fields that name a resource by one of its former names get its current one (kustomize
 * `api/filters/nameref`). Resources are found by an index of former names, fields by a tree of the rules' paths.
 *
 * @throws {StageError} BuildFailed when a name can mean several resources
 */
export function fixNameReferences(set: ResourceSet, references: readonly NameReference[]): void {
  for (const resource of set.list) boundNamespaces(resource);
  // Where nothing was renamed the fields are walked all the same: a resource of a wrong shape is refused on the way.
  const index = indexFormerNames(set);
  const trees = new Map<string, PathTree | undefined>();
  for (const resource of set.list) {
    const original = resource.originalId();
    const key = `${original.group}/${original.version}/${original.kind}`;
    if (!trees.has(key)) trees.set(key, treeFor(original, references));
    const tree = trees.get(key);
    if (tree !== undefined) new Referrer(resource, index, set).walk(resource.node, tree);
  }
  set.touch();
}

interface Namespaces {
  readonly effective: Set<string>;
  readonly written: Set<string>;
}

/** A resource that may be named, with what is asked of it again and again; references do not change it. */
interface Candidate {
  readonly resource: NamedResource;
  readonly id: ResourceId;
  /** Effective namespace. */
  readonly namespace: string;
}

interface FormerNames {
  readonly byName: Map<string, Candidate[]>;
  /** By the namespace that resources had at first: the ones that they have now. */
  readonly originals: Map<string, Namespaces>;
}

function indexFormerNames(set: ResourceSet): FormerNames {
  const byName = new Map<string, Candidate[]>();
  const originals = new Map<string, Namespaces>();
  for (const resource of set.list) {
    const id = resource.id();
    const effective = effectiveNamespace(id, set.scopes);
    const original = resource.former[0]?.namespace ?? effective;
    let currents = originals.get(original);
    if (currents === undefined) originals.set(original, currents = { effective: new Set(), written: new Set() });
    currents.effective.add(effective);
    currents.written.add(id.namespace);
    const candidate: Candidate = { resource, id, namespace: effective };
    for (const name of new Set(resource.former.map((former) => former.name))) {
      const list = byName.get(name);
      if (list === undefined) byName.set(name, [candidate]);
      else list.push(candidate);
    }
  }
  return { byName, originals };
}

function treeFor(gvk: Gvk, references: readonly NameReference[]): PathTree | undefined {
  const root = emptyTree();
  let any = false;
  for (const reference of references) {
    for (const field of reference.fields) {
      if (!selects(field, gvk)) continue;
      any = true;
      let tree = root;
      for (const part of pathParts(field.path)) tree = childTree(tree, part);
      tree.leaves.push({
        target: { group: reference.group, version: reference.version, kind: reference.kind },
        isRoleRef: field.path.endsWith("roleRef/name"),
        path: field.path,
      });
    }
  }
  return any ? root : undefined;
}

function emptyTree(): PathTree {
  return { leaves: [], children: new Map(), listChildren: new Map() };
}

function childTree(tree: PathTree, part: PathPart): PathTree {
  const children = part.isList ? tree.listChildren : tree.children;
  let child = children.get(part.name);
  if (child === undefined) children.set(part.name, child = emptyTree());
  return child;
}

/** One resource whose references are looked at. */
class Referrer {
  readonly #resource: NamedResource;
  readonly #index: FormerNames;
  readonly #set: ResourceSet;
  /** Effective namespace. */
  readonly #namespace: string;
  #roleNamespaces: ReadonlySet<string> | undefined;

  constructor(resource: NamedResource, index: FormerNames, set: ResourceSet) {
    this.#resource = resource;
    this.#index = index;
    this.#set = set;
    this.#namespace = effectiveNamespace(resource.id(), set.scopes);
  }

  walk(node: YamlNode, tree: PathTree): void {
    for (const leaf of tree.leaves) this.#set_(node, leaf);
    if (tree.children.size === 0 && tree.listChildren.size === 0) return;
    if (node.tag === "!!null") return;
    if (node.kind === "list") {
      for (const item of node.items) this.#walkItem(item, tree);
      return;
    }
    if (node.kind === "scalar") {
      throw fault(
        `Cannot update name references of ${
          idText(this.#resource.id())
        }: expected a list or mapping, not "${node.text}"`,
      );
    }
    for (let at = 0; at < node.keys.length; at++) {
      const key = (node.keys[at] as ScalarNode).text;
      const child = tree.children.get(key);
      if (child !== undefined) this.walk(node.values[at] as YamlNode, child);
      const listChild = tree.listChildren.get(key);
      if (listChild !== undefined) this.walk(node.values[at] as YamlNode, listChild);
    }
  }

  /** Lists on the way are walked without taking the rules that end at the list again. */
  #walkItem(item: YamlNode, tree: PathTree): void {
    if (item.tag === "!!null") return;
    this.walk(item, tree.leaves.length === 0 ? tree : { ...tree, leaves: [] });
  }

  #set_(node: YamlNode, leaf: Leaf): void {
    if (!isPresent(node)) return;
    try {
      if (node.kind === "scalar") this.#setScalar(node, leaf);
      else if (node.kind === "map") this.#setMapping(node, leaf);
      else {
        for (const item of node.items) {
          if (!isPresent(item)) continue;
          if (item.kind === "list") throw fault(`A reference must be a text or a mapping, not a ${kindWord(item)}`);
          this.#set_(item, leaf);
        }
      }
    } catch (error) {
      throw wrapFault(`Updating name reference in "${leaf.path}" field of "${idText(this.#resource.id())}"`, error);
    }
  }

  #setScalar(node: ScalarNode, leaf: Leaf): void {
    const referral = this.#choose(node.text, leaf, undefined, (list) => sameNames(list));
    if (referral === undefined) return;
    const { name } = referral.id;
    if (name === node.text) return;
    node.text = name;
    node.tag = "";
  }

  #setMapping(node: MapNode, leaf: Leaf): void {
    const nameNode = getField(node, "name");
    if (nameNode === undefined) throw fault('Path config error; no "name" field in node');
    const old = textOf(nameNode);
    const namespaceNode = getField(node, "namespace");
    const namespace = namespaceNode === undefined ? undefined : textOf(namespaceNode);
    const referral = this.#choose(old, leaf, namespace, (list) => sameNames(list) && sameNamespaces(list));
    if (referral === undefined) return;
    const { id } = referral;
    if (id.name === old && id.namespace === "") return;
    setScalarField(node, "name", id.name, "");
    if (id.namespace !== "") setScalarField(node, "namespace", id.namespace, "");
  }

  #choose(
    name: string,
    leaf: Leaf,
    namespace: string | undefined,
    areSame: (list: readonly Candidate[]) => boolean,
  ): Candidate | undefined {
    const known = this.#index.byName.get(name);
    if (known === undefined) return undefined;
    let list = known.filter((candidate) => this.#canReach(candidate));
    if (namespace !== undefined) list = this.#inNamespace(list, namespace);
    list = list.filter((candidate) => wasKind(candidate, leaf.target));
    if (leaf.isRoleRef) {
      const role = this.#roleRef();
      if (role !== undefined) list = list.filter((candidate) => wasKind(candidate, role));
    }
    list = list.filter((candidate) => this.#isNear(candidate));
    if (list.length === 1) return list[0];
    list = list.filter(({ resource }) => affixesAgree(resource, this.#resource, true));
    if (list.length > 1) list = list.filter(({ resource }) => affixesAgree(resource, this.#resource, false));
    if (list.length <= 1) return list[0];
    if (areSame(list)) return list[0];
    throw fault(
      `Found multiple possible referrals for "${name}": ${list.map(({ id }) => idText(id)).join(", ")}`,
    );
  }

  /** Whether a resource can be referred to from here at all: same namespace, none, or that of a bound account. */
  #canReach({ id, namespace }: Candidate): boolean {
    if (this.#namespace === noNamespace) return true;
    if (namespace === noNamespace || namespace === this.#namespace) return true;
    this.#roleNamespaces ??= boundNamespaces(this.#resource);
    return this.#roleNamespaces.has(id.namespace);
  }

  /**
   * Candidates of the namespace that a reference names: by their original namespace where any resource had it, else by
   * their current one.
   */
  #inNamespace(list: readonly Candidate[], namespace: string): Candidate[] {
    const hasOriginal = this.#reachesOriginal(namespace);
    return list.filter(({ resource, namespace: current }) => {
      const former = resource.former[0];
      return (hasOriginal ? former?.namespace ?? current : current) === namespace && namespace !== noNamespace;
    });
  }

  /** Whether any resource in reach was in a namespace at first. */
  #reachesOriginal(namespace: string): boolean {
    const currents = this.#index.originals.get(namespace);
    if (currents === undefined) return false;
    if (this.#namespace === noNamespace) return true;
    if (currents.effective.has(noNamespace) || currents.effective.has(this.#namespace)) return true;
    this.#roleNamespaces ??= boundNamespaces(this.#resource);
    for (const bound of this.#roleNamespaces) if (currents.written.has(bound)) return true;
    return false;
  }

  #isNear({ id, namespace }: Candidate): boolean {
    if (this.#namespace === noNamespace) return true;
    return namespace === noNamespace || id.kind === "ServiceAccount" || namespace === this.#namespace;
  }

  #roleRef(): Gvk | undefined {
    const roleRef = getField(this.#resource.node, "roleRef");
    const group = getField(roleRef, "apiGroup");
    const kind = getField(roleRef, "kind");
    if (group === undefined || kind === undefined) return undefined;
    return { group: textOf(group), version: "", kind: textOf(kind) };
  }
}

function wasKind({ resource, id }: Candidate, target: Gvk): boolean {
  if (target.group !== "" && target.group !== id.group) return false;
  if (target.version !== "" && target.version !== id.version) return false;
  return resource.former.some((former) => target.kind === "" || target.kind === former.kind);
}

/** Namespaces of the service accounts that a role binding binds. */
function boundNamespaces(resource: NamedResource): ReadonlySet<string> {
  const out = new Set<string>();
  if (resource.gvk().kind !== "RoleBinding") return out;
  const subjects = getField(resource.node, "subjects");
  if (subjects?.kind !== "list") return out;
  for (const subject of subjects.items) {
    const namespace = getField(subject, "namespace");
    if (namespace === undefined || textOf(getField(subject, "kind")) !== "ServiceAccount") continue;
    if (namespace.kind !== "scalar" || typeof scalarValue(namespace) !== "string") {
      throw fault(`Invalid Input: namespace is blank for resource "${idText(resource.id())}"`);
    }
    out.add(textOf(namespace));
  }
  return out;
}

function affixesAgree(a: NameContext, b: NameContext, allowEmpty: boolean): boolean {
  const agree = (left: readonly string[], right: readonly string[]) =>
    (allowEmpty && (left.length === 0 || right.length === 0)) || sameEnding(left, right);
  return agree(a.prefixes, b.prefixes) && agree(a.suffixes, b.suffixes);
}

/** Whether the shorter list is the end of the longer one. */
function sameEnding(a: readonly string[], b: readonly string[]): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (short.length === 0) return long.length === 0;
  return short.every((text, at) => text === long[long.length - short.length + at]);
}

function sameNames(list: readonly Candidate[]): boolean {
  return list.every(({ id }) => id.name === list[0]?.id.name);
}

function sameNamespaces(list: readonly Candidate[]): boolean {
  return list.every(({ id }) => id.namespace === list[0]?.id.namespace);
}
