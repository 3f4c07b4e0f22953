import type { YamlNode } from "../../../format/yaml_node/node.ts";
import { getField, isPresent } from "../../../format/yaml_node/node.ts";
import { fault } from "../fault.ts";
import { splitPath } from "../field_path.ts";
import { kindWord } from "../node_edit.ts";

/** Cuts a field path at its dots; `[name=a.b]` stays whole, `[a.b]` loses its brackets. */
export function splitFieldPath(path: string): string[] {
  const pieces = splitPath(path, ".");
  const out: string[] = [];
  for (let at = 0; at < pieces.length; at++) {
    const piece = pieces[at] as string;
    if (!piece.startsWith("[") || piece.endsWith("]")) {
      out.push(piece);
      continue;
    }
    const inner = [piece];
    while (at < pieces.length - 1) {
      const next = pieces[++at] as string;
      inner.push(next);
      if (next.endsWith("]")) break;
    }
    const joined = inner.join(".");
    out.push(joined.includes("=") ? joined : joined.replace(/^[[\]]+|[[\]]+$/g, ""));
  }
  return out;
}

const integer = /^[+-]?\d+$/;

/** Whether a part is a test of a list's items: `[name=value]`. */
export function isItemTest(part: string): boolean {
  return part.startsWith("[") && part.endsWith("]");
}

/** Field and value of a test. @throws {StageError} BuildFailed for one without `=` */
export function splitItemTest(part: string): { readonly field: string; readonly value: string } {
  const inner = part.slice(1, -1);
  const equal = inner.indexOf("=");
  if (equal < 0) throw fault(`List path element "${part}" must contain fieldName=fieldValue for the element to match`);
  return { field: inner.slice(0, equal), value: inner.slice(equal + 1) };
}

/** Node at an exact path: fields, indexes, `-` for the last item, `[name=value]`. */
export function lookUp(root: YamlNode, path: readonly string[]): YamlNode | undefined {
  let node: YamlNode | undefined = root;
  for (const raw of path) {
    const part = raw.trim();
    if (part === "") continue;
    if (node === undefined) return undefined;
    if (integer.test(part) || part === "-") {
      if (!isPresent(node)) return undefined;
      if (node.kind !== "list") throw fault(`Wrong node kind: expected a list at "${part}", not a ${kindWord(node)}`);
      const index: number = part === "-" ? node.items.length - 1 : Number(part);
      if (index < 0 && part !== "-") throw fault(`Array index ${part} cannot be negative`);
      node = node.items[index];
    } else if (part === "*") throw fault("Wildcard is not supported here");
    else if (isItemTest(part)) {
      if (!isPresent(node)) return undefined;
      if (node.kind !== "list") throw fault(`Wrong node kind: expected a list at "${part}", not a ${kindWord(node)}`);
      const { field, value } = splitItemTest(part);
      node = node.items.find((item: YamlNode) =>
        field === ""
          ? item.kind === "scalar" && item.text === value
          : item.kind === "map" && hasText(getField(item, field), value)
      );
    } else {
      if (!isPresent(node)) return undefined;
      if (node.kind !== "map") throw fault(`Wrong node kind: expected a mapping at "${part}", not a ${kindWord(node)}`);
      node = getField(node, part);
    }
  }
  return node;
}

function hasText(node: YamlNode | undefined, text: string): boolean {
  return node !== undefined && (node.kind === "scalar" ? node.text : "") === text;
}
