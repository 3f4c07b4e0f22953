import type { JsonValue } from "../core/json.ts";

/** Sixteen digits in a row: a number that a double may not hold. */
const longNumber = /[0-9]{16}/;

/**
 * The value of a text that is plain JSON; `undefined` when it is not, or when a number has more digits than a double keeps.
 *
 * Differs: escaped surrogate pairs are taken; sigs.k8s.io/yaml refuses what is right JSON there.
 */
export function parsePlainJson(text: string, maxDepth: number): JsonValue | undefined {
  const start = firstSign(text);
  if (start !== 123 && start !== 91) return undefined;
  if (longNumber.test(text)) return undefined;
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
  return isPlain(value, maxDepth) ? value : undefined;
}

function firstSign(text: string): number {
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code !== 32 && code !== 10 && code !== 13) return code;
    index++;
  }
  return 0;
}

/** Not deeper than allowed, and all numbers finite. */
function isPlain(value: JsonValue, depth: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth - 1));
  const object = value as { readonly [key: string]: JsonValue };
  for (const key in object) if (!isPlain(object[key] as JsonValue, depth - 1)) return false;
  return true;
}
