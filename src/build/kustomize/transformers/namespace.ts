import type { MapNode, YamlNode } from "../../../format/yaml_node/node.ts";
import { getField, isEmptyNode, isPresent, putField, scalar } from "../../../format/yaml_node/node.ts";
import { fault } from "../fault.ts";
import type { FieldSpec } from "../field_path.ts";
import { fieldRule, visitField } from "../field_path.ts";
import { textSize } from "../growth.ts";
import type { CustomScopes } from "../identity.ts";
import { effectiveNamespace, idKey, idText, isClusterScoped, textOf } from "../identity.ts";
import type { NamedResource } from "../named_resource.ts";
import { kindWord, setScalarField } from "../node_edit.ts";
import type { Transform } from "./patches.ts";
import { isMatch } from "./set_fields.ts";

/** What the namespace transformation does. */
export interface NamespaceSpec {
  readonly namespace: string;
  readonly fields: readonly FieldSpec[];
  readonly unsetOnly: boolean;
  /** Which subjects of role bindings get the namespace: `defaultOnly` those named `default`. */
  readonly subjects: string;
}

const subjectModes = ["defaultOnly", "allServiceAccounts", "none"];

/**
 * Sets the namespace of every resource whose kind is not known to have none (kustomize `filters/namespace`).
 *
 * @throws {StageError} BuildFailed for an unknown mode; on use, when two resources become the same
 */
export function prepareNamespace(spec: NamespaceSpec): Transform {
  const mode = spec.subjects === "" ? "defaultOnly" : spec.subjects;
  if (!subjectModes.includes(mode)) {
    throw fault(
      `Invalid value "${mode}" for setRoleBindingSubjects: it must be one of ${
        subjectModes.map((known) => `"${known}"`).join(", ")
      }`,
    );
  }
  const rules = spec.fields.filter((field) => field.path !== "metadata/namespace").map((field) =>
    fieldRule(field, { kind: "scalar", tag: "!!str" })
  );
  return (set, context) => {
    if (spec.namespace === "") return;
    let changed = false;
    for (const resource of set.list) {
      if (isEmptyNode(resource.node) || resource.isFromChart) continue;
      changed = true;
      context.growth.spend(textSize(spec.namespace));
      resource.remember(context.scopes);
      const gvk = resource.gvk();
      const apiVersion = textOf(getField(resource.node, "apiVersion"));
      if (!isClusterScoped(gvk, context.scopes)) setMetadata(resource.node, spec);
      const isBinding = gvk.kind === "RoleBinding" || gvk.kind === "ClusterRoleBinding";
      if (isBinding) setSubjects(resource.node, mode, spec);
      for (const rule of rules) {
        const { field } = rule;
        if (field.path === "metadata/name" && apiVersion !== "v1") continue;
        if (isBinding && field.path === "subjects/namespace") continue;
        if (!isMatch(field, gvk)) continue;
        visitField(resource.node, rule, (node) => setText(node, spec));
      }
    }
    if (!changed) return;
    set.touch();
    const seen = new Set<string>();
    for (const resource of set.list) {
      const id = resource.id();
      const key = idKey(id, id.name, effectiveNamespace(id, context.scopes));
      if (seen.has(key)) throw fault(`Namespace transformation produces ID conflict: ${idText(id)}`);
      seen.add(key);
    }
  };
}

/** Sets one resource's namespace and that of the subjects named `default`, as `ValueAddTransformer` does. */
export function setNamespace(resource: NamedResource, namespace: string, scopes: CustomScopes | undefined): void {
  const spec: NamespaceSpec = { namespace, fields: [], unsetOnly: false, subjects: "" };
  const gvk = resource.gvk();
  if (!isClusterScoped(gvk, scopes)) setMetadata(resource.node, spec);
  if (gvk.kind === "RoleBinding" || gvk.kind === "ClusterRoleBinding") {
    setSubjects(resource.node, "defaultOnly", spec);
  }
}

function setMetadata(root: MapNode, spec: NamespaceSpec): void {
  const metadata = getField(root, "metadata");
  if (metadata?.kind === "map") {
    if (spec.unsetOnly && textOf(getField(metadata, "namespace")) !== "") return;
    setScalarField(metadata, "namespace", spec.namespace, "!!str");
  }
}

function setText(node: YamlNode, spec: NamespaceSpec): void {
  if (node.kind !== "scalar") throw fault(`Namespace field specs must target scalars, not a ${kindWord(node)}`);
  if (spec.unsetOnly && node.tag !== "!!null" && node.text !== "") return;
  node.text = spec.namespace;
  node.tag = "!!str";
}

function setSubjects(root: MapNode, mode: string, spec: NamespaceSpec): void {
  if (mode === "none") return;
  const subjects = getField(root, "subjects");
  if (!isPresent(subjects)) return;
  if (subjects.kind !== "list") throw fault(`Field "subjects" must be a list, not a ${kindWord(subjects)}`);
  for (const subject of subjects.items) {
    if (!isPresent(subject)) continue;
    if (subject.kind !== "map") throw fault(`A subject must be a mapping, not a ${kindWord(subject)}`);
    const fits = mode === "allServiceAccounts"
      ? textOf(getField(subject, "kind")) === "ServiceAccount"
      : textOf(getField(subject, "name")) === "default";
    if (!fits) continue;
    const field = getField(subject, "namespace");
    if (field === undefined) putField(subject, "namespace", scalar(spec.namespace, "!!str"));
    else setText(field, spec);
  }
}
