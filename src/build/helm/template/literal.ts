import type { Evaluate } from "./closure.ts";
import { constant, failing } from "./closure.ts";
import type { GoType } from "./go_type.ts";
import { nodeText } from "./node.ts";
import type { Operand } from "./node.ts";
import { GoComplex, GoInt, goInt } from "./value.ts";

/** A literal where its own syntax decides the type. */
export function literal(node: Operand): Evaluate {
  switch (node.kind) {
    case "bool":
      return constant(node, node.value);
    case "string":
      return constant(node, node.text);
    case "number": {
      const { text, value } = node;
      const isHex = /^0[xX]./.test(text) && !/[pP]/.test(text);
      if (value.complex !== undefined) return constant(node, new GoComplex(value.complex.re, value.complex.im));
      if (value.float !== undefined && !isHex && text[0] !== "'" && /[.eEpP]/.test(text)) {
        return constant(node, value.float);
      }
      if (value.int !== undefined) return constant(node, goInt(value.int));
      return failing(node, `${text} overflows int`);
    }
  }
  return failing(node, `can't handle assignment of ${nodeText(node)} to empty interface argument`);
}

/** A literal where the parameter decides the type. */
export function literalFor(node: Operand & { readonly kind: "bool" | "number" | "string" }, type: GoType): Evaluate {
  const { kind } = type;
  if (kind === "bool") {
    return node.kind === "bool" ? constant(node, node.value) : failing(node, `expected bool; found ${nodeText(node)}`);
  }
  if (kind === "string") {
    return node.kind === "string"
      ? constant(node, node.text)
      : failing(node, `expected string; found ${nodeText(node)}`);
  }
  const number = node.kind === "number" ? node.value : {};
  if (kind === "float64") {
    return number.float === undefined
      ? failing(node, `expected float; found ${nodeText(node)}`)
      : constant(node, number.float);
  }
  if (kind.startsWith("uint")) {
    return number.uint === undefined
      ? failing(node, `expected unsigned integer; found ${nodeText(node)}`)
      : constant(node, new GoInt(type, wrapTo(type, number.uint)));
  }
  if (kind.startsWith("int") && kind !== "interface") {
    return number.int === undefined
      ? failing(node, `expected integer; found ${nodeText(node)}`)
      : constant(node, new GoInt(type, wrapTo(type, number.int)));
  }
  return failing(node, `can't handle ${nodeText(node)} for arg of type ${type.name}`);
}

function wrapTo(type: GoType, value: bigint): number | bigint {
  const bits = Number(/\d+$/.exec(type.kind)?.[0] ?? 64);
  const wrapped = type.kind.startsWith("uint") ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  return Number.isSafeInteger(Number(wrapped)) ? Number(wrapped) : wrapped;
}
