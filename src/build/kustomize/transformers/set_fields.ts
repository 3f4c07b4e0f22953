import type { ScalarNode, YamlNode } from "../../../format/yaml_node/node.ts";
import { isEmptyNode, keyIndex, putField } from "../../../format/yaml_node/node.ts";
import { fault, wrapFault } from "../fault.ts";
import type { FieldSpec } from "../field_path.ts";
import { fieldRule, pathParts, visitField } from "../field_path.ts";
import { textSize } from "../growth.ts";
import type { Gvk } from "../identity.ts";
import { idText, selects } from "../identity.ts";
import { freshScalar, kindWord, setScalarField } from "../node_edit.ts";
import type { Transform } from "./patches.ts";

/** Whether a field spec is meant for a group, version and kind. */
export function isMatch(spec: FieldSpec, gvk: Gvk): boolean {
  return selects(spec, gvk);
}

/**
 * Sets texts in the mappings at the given places: what labels and annotations do. Keys are set in sorted order. The places
 * of one resource where a text is new share its node, as in kustomize: who changes one of them later changes all of them.
 */
export function prepareTexts(texts: ReadonlyMap<string, string>, fields: readonly FieldSpec[]): Transform {
  const entries = [...texts].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const rules = fields.map((field) => ({
    ...fieldRule(field, { kind: "map" }),
    // kustomize keeps annotations of its own there, so that the mapping is often there already.
    isAnnotations: !field.create && field.path === "metadata/annotations",
  }));
  let made: (ScalarNode | undefined)[] = [];
  const setAll = (node: YamlNode) => {
    if (node.tag === "!!null") return;
    if (node.kind !== "map") throw fault(`Wrong node kind: expected a mapping, not a ${kindWord(node)}`);
    for (let at = 0; at < entries.length; at++) {
      const [key, text] = entries[at] as [string, string];
      if (keyIndex(node, key) >= 0) setScalarField(node, key, text, "!!str");
      else putField(node, key, made[at] ??= freshScalar(text, "!!str"));
    }
  };
  return (set) => {
    if (entries.length === 0) return;
    for (const resource of set.list) {
      if (isEmptyNode(resource.node)) continue;
      const gvk = resource.gvk();
      made = [];
      for (const rule of rules) {
        const { field } = rule;
        if (!isMatch(field, gvk)) continue;
        if (rule.isAnnotations) resource.openAnnotations();
        try {
          visitField(resource.node, rule, setAll);
        } catch (error) {
          throw wrapFault(`Cannot set field "${field.path}" of ${idText(resource.id())}`, error);
        }
      }
    }
  };
}

const unnamed: readonly Gvk[] = [
  { group: "", version: "", kind: "CustomResourceDefinition" },
  { group: "apiregistration.k8s.io", version: "", kind: "APIService" },
  { group: "", version: "", kind: "Namespace" },
];

/**
 * Puts a prefix before, or a suffix behind, names; never those of CustomResourceDefinitions, APIServices and Namespaces
 * (told by the original identity).
 */
export function prepareAffix(part: "prefix" | "suffix", text: string, fields: readonly FieldSpec[]): Transform {
  const rules = fields.map((field) => fieldRule(field, { kind: "scalar", tag: "!!str" }));
  return (set, context) => {
    for (const resource of set.list) {
      const original = resource.originalId();
      if (unnamed.some((gvk) => selects(gvk, original))) continue;
      for (const rule of rules) {
        const { field } = rule;
        if (!selects(field, original)) continue;
        if (field.path === "metadata/name" && text !== "") {
          (part === "prefix" ? resource.prefixes : resource.suffixes).push(text);
          resource.remember(context.scopes);
        }
        if (!isMatch(field, resource.gvk())) continue;
        visitField(resource.node, rule, (node) => {
          if (node.kind !== "scalar") throw fault(`Wrong node kind: expected a scalar at "${field.path}"`);
          node.text = part === "prefix" ? text + node.text : node.text + text;
          context.growth.spend(textSize(node.text));
          node.tag = "";
        });
      }
    }
    set.touch();
  };
}

/** Sets the count of replicas of the resources that have or had a name. @throws {StageError} BuildFailed when there is none */
export function prepareReplicas(
  replica: { readonly name: string; readonly count: number | bigint },
  fields: readonly FieldSpec[],
): Transform {
  const rules = fields.map((field) => fieldRule(field, { kind: "scalar", tag: "!!int" }));
  return (set) => {
    let found = false;
    for (const rule of rules) {
      const { field } = rule;
      for (const resource of set.withName(replica.name)) {
        if (resource.isGone || isEmptyNode(resource.node)) continue;
        const gvk = resource.gvk();
        const kinds = [gvk.kind, ...resource.former.filter((old) => old.name === replica.name).map((old) => old.kind)];
        const named = resource.id().name === replica.name ? kinds : kinds.slice(1);
        if (!named.some((kind) => selects(field, { ...gvk, kind }))) continue;
        found = true;
        if (!isMatch(field, gvk)) continue;
        visitField(resource.node, rule, (node) => {
          if (node.kind !== "scalar") throw fault(`Wrong node kind: expected a scalar at "${field.path}"`);
          node.text = String(replica.count);
          node.tag = "!!int";
        });
      }
    }
    if (!found) {
      throw fault(
        `Resource with name ${replica.name} does not match a config with the following kinds: ${
          fields.map((field) => field.kind).join(", ")
        }`,
      );
    }
  };
}

/** Sets one text at a path in some or all resources (`ValueAddTransformer`). */
export function setValue(root: YamlNode, path: string, text: string, filePathPosition: number): void {
  const parts = pathParts(path).map((part) => ({ name: part.isList ? `${part.name}[]` : part.name, isList: false }));
  visitField(root, { field: { path, create: true }, parts, made: { kind: "scalar", tag: "" } }, (node) => {
    if (node.kind !== "scalar") throw fault(`Wrong node kind: expected a scalar at "${path}"`);
    node.text = filePathPosition > 0 ? insertPathPart(node.text, filePathPosition - 1, text) : text;
    node.tag = "";
  });
}

/** A path with one part more at a position; beyond the end it becomes the last. */
function insertPathPart(path: string, position: number, part: string): string {
  const isAbsolute = path.startsWith("/");
  const parts = path.split("/").filter((piece) => piece !== "");
  parts.splice(Math.min(position, parts.length), 0, part);
  return `${isAbsolute ? "/" : ""}${parts.join("/")}`;
}
