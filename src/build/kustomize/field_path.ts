import type { MapNode, ScalarNode, YamlNode } from "../../format/yaml_node/node.ts";
import { keyIndex, listNode, mapNode, putField, scalar } from "../../format/yaml_node/node.ts";
import { fault } from "./fault.ts";
import type { Gvk } from "./identity.ts";
import { kindWord } from "./node_edit.ts";

/** Where a transformation looks: a path in resources of some group, version and kind (empty parts mean any). */
export interface FieldSpec extends Gvk {
  /** Parts with `/` between them (`\/` for one inside a part); lists on the way are walked; `x[]` must be a list. */
  readonly path: string;
  /** Whether missing parts are made. */
  readonly create: boolean;
}

/** One part of a path. */
export interface PathPart {
  readonly name: string;
  readonly isList: boolean;
}

/** Parts of a field spec's path. */
export function pathParts(path: string): readonly PathPart[] {
  return splitPath(path, "/").map((part) => {
    const isList = part.endsWith("[]");
    return { name: isList ? part.slice(0, -2) : part, isList };
  });
}

/** Cuts a path at a sign; a backslash before the sign keeps it. One leading sign is dropped. */
export function splitPath(path: string, sign: string): string[] {
  const pieces = path.split(sign);
  if (pieces.length > 1 && pieces[0] === "") pieces.shift();
  const out: string[] = [];
  let begun = "";
  for (const [at, piece] of pieces.entries()) {
    const goesOn = piece.endsWith("\\") && at < pieces.length - 1;
    if (goesOn) begun += `${piece.slice(0, -1)}${sign}`;
    else {
      out.push(begun + piece);
      begun = "";
    }
  }
  return out;
}

/** What stands at the end of a path that is made: nothing is made where it is `undefined`. */
export type MadeKind = { readonly kind: "map" } | { readonly kind: "scalar"; readonly tag: string } | undefined;

/** A field spec, ready to be walked along. */
export interface FieldRule<Field extends { readonly path: string; readonly create: boolean }> {
  readonly field: Field;
  readonly parts: readonly PathPart[];
  /** What is made at the end where the field is to be created. */
  readonly made: MadeKind;
}

/** Rule of a field spec. */
export function fieldRule<Field extends { readonly path: string; readonly create: boolean }>(
  field: Field,
  made: MadeKind,
): FieldRule<Field> {
  return { field, parts: pathParts(field.path), made };
}

type Rule = FieldRule<{ readonly path: string; readonly create: boolean }>;

/**
 * Visits every node at a field spec's path. Missing parts are made when the spec says so and the rule has a `made`; null on
 * the way ends the walk, unless it is made into what is needed (kustomize `api/filters/fieldspec`).
 *
 * @throws {StageError} BuildFailed when a scalar stands where the path goes on
 */
export function visitField(root: YamlNode, rule: Rule, visit: (node: YamlNode) => void): void {
  walk(root, 0, { rule, visit });
}

interface Walk {
  readonly rule: Rule;
  readonly visit: (node: YamlNode) => void;
}

function walk(node: YamlNode, at: number, on: Walk): void {
  const { field, parts } = on.rule;
  if (at === parts.length) {
    on.visit(node);
    return;
  }
  if (node.tag === "!!null") return;
  if (node.kind === "list") {
    for (const item of node.items) walk(item, at, on);
    return;
  }
  if (node.kind === "scalar") {
    throw fault(
      `Considering field "${field.path}": expected a list or mapping, not the ${kindWord(node)} "${node.text}"`,
    );
  }
  const child = childOf(node, at, on.rule);
  if (child !== undefined) walk(child, at + 1, on);
}

function childOf(map: MapNode, at: number, { field, parts, made }: Rule): YamlNode | undefined {
  const part = parts[at] as PathPart;
  if (part.name === "") throw fault(`Considering field "${field.path}": cannot set or create an empty field name`);
  const index = keyIndex(map, part.name);
  const found = index < 0 ? undefined : map.values[index] as YamlNode;
  if (part.isList || !field.create || made === undefined) {
    if (part.isList && found?.tag === "!!null") return map.values[index] = listNode();
    return found;
  }
  if (found !== undefined && found.tag !== "!!null") return found;
  const fresh = at === parts.length - 1 && made.kind === "scalar" ? emptyScalar(found, made.tag) : mapNode();
  if (index >= 0) map.values[index] = fresh;
  else putField(map, part.name, fresh);
  return fresh;
}

function emptyScalar(old: YamlNode | undefined, tag: string): ScalarNode {
  return scalar(old?.kind === "scalar" ? old.text : "", old === undefined ? "" : tag);
}
