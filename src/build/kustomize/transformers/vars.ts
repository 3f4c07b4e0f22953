import { StageError } from "../../../core/stage_error.ts";
import type { ScalarNode, YamlNode } from "../../../format/yaml_node/node.ts";
import { isEmptyNode, isPresent, isTextNode } from "../../../format/yaml_node/node.ts";
import { resolveText } from "../../../format/yaml_node/resolve.ts";
import { fault, wrapFault } from "../fault.ts";
import type { FieldSpec } from "../field_path.ts";
import { fieldRule, visitField } from "../field_path.ts";
import { type Growth, textSize } from "../growth.ts";
import type { ResourceId } from "../identity.ts";
import { effectiveNamespace, idText } from "../identity.ts";
import type { Variable } from "../kustomization_file.ts";
import type { ResourceSet } from "../resource_set.ts";
import { lookUp, splitFieldPath } from "./replacement_path.ts";
import { isMatch } from "./set_fields.ts";

/** A variable of `vars` with its defaults filled in. */
export interface KnownVariable {
  readonly name: string;
  readonly id: ResourceId;
  readonly fieldPath: string;
}

/** Fills in defaults: `apiVersion` gives group and version, the field is `metadata.name`. */
export function knownVariable(variable: Variable): KnownVariable {
  const { objref, fieldref } = variable;
  const parts = objref.apiVersion === "" ? [] : objref.apiVersion.split("/");
  return {
    name: variable.name,
    id: {
      group: parts.length === 2 ? parts[0] as string : objref.group,
      version: parts.length === 2 ? parts[1] as string : parts.length === 1 ? parts[0] as string : objref.version,
      kind: objref.kind,
      name: objref.name,
      namespace: objref.namespace,
    },
    fieldPath: fieldref.fieldPath || fieldref.fieldpath || "metadata.name",
  };
}

/**
 * Ties variables to the resources they take their values from, by any identity.
 *
 * @throws {StageError} BuildFailed when several resources fit
 */
export function bindVariables(set: ResourceSet, variables: readonly KnownVariable[]): void {
  for (const { name, id } of variables) {
    const matches = set.withName(id.name).filter((resource) => {
      if (isEmptyNode(resource.node)) return false;
      const current = resource.id();
      if (current.group !== id.group || current.version !== id.version) return false;
      const ids = [
        { kind: current.kind, name: current.name, namespace: effectiveNamespace(current, set.scopes) },
        ...resource.former,
      ];
      return ids.some((own) =>
        own.kind === id.kind && own.name === id.name &&
        (id.namespace === "" || own.namespace === (id.namespace === "" ? "default" : id.namespace))
      );
    });
    if (matches.length > 1) {
      throw fault(`Found ${matches.length} resId matches for var "${name}" (unable to disambiguate)`);
    }
    matches[0]?.varNames.push(name);
  }
}

type Value = string | number | bigint | boolean | undefined;
type Values = Pick<ReadonlyMap<string, Value>, "get">;

/** What {@linkcode resolveVariables} works with. */
export interface VariableWork {
  readonly variables: readonly KnownVariable[];
  /** Where variables may stand. */
  readonly fields: readonly FieldSpec[];
  /** Each value counts here each time that it is put somewhere. */
  readonly growth: Growth;
}

/**
 * Replaces `$(NAME)` in the configured fields. A text that is nothing but one variable takes the value's type; `$$`
 * stands for `$`; names that are not known stay.
 *
 * @returns names of the variables that no field had, in their order
 * @throws {StageError} BuildFailed when a variable has no resource or no field
 */
export function resolveVariables(set: ResourceSet, { variables, fields, growth }: VariableWork): readonly string[] {
  if (variables.length === 0) return [];
  const known = new Map<string, Value>();
  for (const variable of variables) known.set(variable.name, valueOf(set, variable));
  const unused = new Set(known.keys());
  const values: Values = {
    get(name) {
      const value = known.get(name);
      if (value === undefined) return undefined;
      unused.delete(name);
      growth.spend(typeof value === "string" ? textSize(value) : 1);
      return value;
    },
  };
  const rules = fields.map((field) => fieldRule(field, undefined));
  for (const resource of set.list) {
    const gvk = resource.gvk();
    for (const rule of rules) {
      const { field } = rule;
      if (!isMatch(field, gvk)) continue;
      try {
        visitField(resource.node, rule, (node) => replaceIn(node, values));
      } catch (error) {
        throw wrapFault(`Cannot replace vars in "${field.path}" of ${idText(resource.id())}`, error);
      }
    }
  }
  return [...unused];
}

function valueOf(set: ResourceSet, variable: KnownVariable): Value {
  const resource = set.list.find((candidate) => candidate.varNames.includes(variable.name));
  if (resource === undefined) {
    throw fault(`Var "${variable.name}" cannot be mapped to a field in the set of known resources`);
  }
  const path = splitFieldPath(variable.fieldPath).flatMap((part) => {
    const found = /^(.*)\[(\d+)\]$/.exec(part);
    if (found === null) return [part];
    return found[1] === "" ? [found[2] as string] : [found[1] as string, found[2] as string];
  });
  let node: YamlNode | undefined;
  try {
    node = lookUp(resource.node, path);
  } catch (error) {
    // A path that leads nowhere is told below, like one to nothing.
    if (!(error instanceof StageError)) throw error;
  }
  if (node === undefined) {
    throw fault(
      `Field "${variable.fieldPath}" of var "${variable.name}" not found in ${idText(resource.id())}`,
    );
  }
  if (node.kind !== "scalar") return undefined;
  const value = resolveText(node.text, "v3").value;
  switch (node.tag) {
    case "!!int":
    case "!!float":
      return typeof value === "number" || typeof value === "bigint" ? value : node.text;
    case "!!bool":
      return value === true || value === false ? value : node.text;
    default:
      return node.text;
  }
}

function replaceIn(node: YamlNode, values: Values): void {
  if (!isPresent(node)) return;
  if (node.kind === "scalar") {
    if (isTextNode(node)) expandScalar(node, values);
    return;
  }
  if (node.kind === "map") {
    node.keys.forEach((key, at) => {
      if (key.tag !== "!!str" && key.tag !== "") throw fault(`Invalid map key: "${key.text}" is no text`);
      const value = node.values[at] as YamlNode;
      if (isTextNode(value)) expandScalar(value, values);
    });
    return;
  }
  for (const item of node.items) {
    if (!isTextNode(item)) throw fault("Invalid value type: expected a text");
    expandScalar(item, values);
  }
}

function expandScalar(node: ScalarNode, values: Values): void {
  const result = expand(node.text, values);
  node.style = "plain";
  node.explicitTag = false;
  if (typeof result === "string") {
    node.text = result;
    node.tag = "!!str";
    if (result.includes("\n")) node.style = "literal";
    return;
  }
  node.text = String(result);
  node.tag = typeof result === "boolean"
    ? "!!bool"
    : typeof result === "bigint" || Number.isInteger(result)
    ? "!!int"
    : "!!float";
}

function expand(text: string, values: Values): string | number | bigint | boolean {
  let out = "";
  let from = 0;
  for (let at = text.indexOf("$"); at >= 0 && at + 1 < text.length; at = text.indexOf("$", from)) {
    out += text.slice(from, at);
    const next = text.charAt(at + 1);
    const close = next === "(" ? text.indexOf(")", at + 2) : -1;
    if (next === "$") {
      out += "$";
      from = at + 2;
    } else if (close >= 0) {
      const name = text.slice(at + 2, close);
      const value = values.get(name);
      if (value !== undefined && text === `$(${name})`) return value;
      out += value === undefined ? `$(${name})` : String(value);
      from = close + 1;
    } else {
      out += `$${next}`;
      from = at + 2;
    }
  }
  return out + text.slice(from);
}
