import { getField } from "../../../format/yaml_node/node.ts";
import { effectiveNamespace } from "../identity.ts";
import type { Selector } from "../kustomization_file.ts";
import { isLiteral, labelMatch, wholeMatch } from "../match.ts";
import type { NamedResource } from "../named_resource.ts";
import { textsOf } from "../node_edit.ts";
import type { ResourceSet } from "../resource_set.ts";

/** Parts of a selector, compiled. */
export interface CompiledSelector {
  readonly group: (text: string) => boolean;
  readonly version: (text: string) => boolean;
  readonly kind: (text: string) => boolean;
  readonly name: (text: string) => boolean;
  readonly namespace: (text: string) => boolean;
  /** Whether labels and annotations fit. */
  readonly marks: (resource: NamedResource) => boolean;
}

/** @throws {StageError} BuildFailed for a part that is no expression */
export function compileSelector(selector: Selector): CompiledSelector {
  const labels = selector.labelSelector === "" ? undefined : labelMatch(selector.labelSelector, "labelSelector");
  const annotations = selector.annotationSelector === ""
    ? undefined
    : labelMatch(selector.annotationSelector, "annotationSelector");
  return {
    group: wholeMatch(selector.group, "target group"),
    version: wholeMatch(selector.version, "target version"),
    kind: wholeMatch(selector.kind, "target kind"),
    name: wholeMatch(selector.name, "target name"),
    namespace: wholeMatch(selector.namespace, "target namespace"),
    marks: (resource) => {
      if (labels === undefined && annotations === undefined) return true;
      const metadata = getField(resource.node, "metadata");
      return (labels === undefined || labels(textsOf(getField(metadata, "labels")))) &&
        (annotations === undefined || annotations(textsOf(getField(metadata, "annotations"))));
    },
  };
}

/** Resources that a selector can mean, in their order: all of those that fit are among them. */
export function candidates(set: ResourceSet, selector: Pick<Selector, "name" | "kind">): readonly NamedResource[] {
  if (selector.name !== "" && isLiteral(selector.name)) return set.withName(selector.name);
  if (selector.kind !== "" && isLiteral(selector.kind)) return set.ofKind(selector.kind);
  return set.list;
}

/** Resources that a patch target selects: name and namespace may be the original or the current ones. */
export function selectResources(set: ResourceSet, selector: Selector): NamedResource[] {
  const compiled = compileSelector(selector);
  return candidates(set, selector).filter((resource) => {
    if (resource.isGone) return false;
    const current = resource.id();
    if (!compiled.kind(current.kind) || !compiled.group(current.group) || !compiled.version(current.version)) {
      return false;
    }
    const first = resource.former[0];
    const namespace = effectiveNamespace(current, set.scopes);
    if (!compiled.namespace(first?.namespace ?? namespace) && !compiled.namespace(namespace)) return false;
    if (!compiled.name(first?.name ?? current.name) && !compiled.name(current.name)) return false;
    return compiled.marks(resource);
  });
}
