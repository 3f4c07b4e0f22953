import type { JsonValue } from "../../core/json.ts";
import type { YamlNode } from "../../format/yaml_node/node.ts";
import { fault } from "./fault.ts";

/** Most values that one build makes of others, see {@linkcode Growth}. */
const maxGrowth = 4_000_000;
/** Most items of lists that the JSON patches of one build move aside, see {@linkcode Growth.shift}: about a second of work. */
const maxShifts = 1_000_000_000;
/** Characters of a text that count as one value. */
const charactersPerValue = 64;

/**
 * How much a build has made out of what it read: values of aliases, patches, replacements, vars, name affixes and
 * generators, each time that they are put somewhere. Without a bound a few lines that double something forty times would use up the memory of a daemon.
 *
 * `Differs:` kustomize has no such limit.
 */
export class Growth {
  readonly #limit: number;
  #left: number;
  #shiftsLeft = maxShifts;

  /** @param limit most values of the build */
  constructor(limit: number = maxGrowth) {
    this.#limit = limit;
    this.#left = limit;
  }

  /** Counts values. @throws {StageError} BuildFailed above the limit */
  spend(size: number): void {
    this.#left -= size;
    if (this.#left < 0) {
      throw fault(
        `Aliases, patches, replacements, vars and generators of a build make more than ${
          this.#limit.toLocaleString("en")
        } values ` +
          `(${charactersPerValue} characters of a text count as one)`,
      );
    }
  }

  /** Counts items of lists that move aside for others. @throws {StageError} BuildFailed above the limit */
  shift(count: number): void {
    this.#shiftsLeft -= count;
    if (this.#shiftsLeft < 0) {
      throw fault(
        `JSON patches of a build move more than ${
          maxShifts.toLocaleString("en")
        } items of lists: add at the end ("-") of long ones`,
      );
    }
  }
}

/** Values in a node, itself included. */
export function nodeSize(node: YamlNode): number {
  if (node.kind === "scalar") return textSize(node.text);
  let size = 1;
  for (const inner of node.kind === "map" ? node.values : node.items) size += nodeSize(inner);
  return size;
}

/** Values in a JSON value, itself included. */
export function jsonSize(value: JsonValue): number {
  if (typeof value === "string") return textSize(value);
  if (typeof value !== "object" || value === null) return 1;
  let size = 1;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) size += jsonSize(inner);
  return size;
}

/** Values as which a text, or a file, counts. */
export function textSize(text: { readonly length: number }): number {
  return 1 + Math.floor(text.length / charactersPerValue);
}
