import type { YamlNode } from "./node.ts";

/** A fault in a YAML text. Line and column count from 1. */
export class YamlSyntaxError extends Error {
  override readonly name = "YamlSyntaxError";
  readonly line: number;
  readonly column: number;
  /** The node that the fault speaks of, where there is one: a key that is a map or a list. */
  readonly node: YamlNode | undefined;

  constructor(message: string, line: number, column: number, node?: YamlNode) {
    super(message);
    this.node = node;
    this.line = line;
    this.column = column;
  }
}
