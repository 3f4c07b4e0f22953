import { byteLength } from "./go_string.ts";
import { GoError } from "./go_error.ts";
import { quoteText } from "./go_quote.ts";
import { nodeText } from "./node.ts";
import type { AnyNode, Tree } from "./node.ts";

/** Source that does not parse. The message is Go's: `template: NAME:LINE: …`. */
export class ParseError extends GoError {
  override readonly name = "ParseError";
}

/** Failure while a template ran. The message is Go's: `template: NAME:LINE:COLUMN: executing "T" at <NODE>: …`. */
export class ExecutionError extends GoError {
  override readonly name = "ExecutionError";
}

/** Line of an index, from 1. */
export function lineOf(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < index; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/** Place of a node: `name:line:column`; lines count from 1, columns are bytes from 0. */
function placeOf(tree: Tree, node: AnyNode): string {
  const { name, text } = tree.source;
  const lineStart = text.lastIndexOf("\n", node.start - 1) + 1;
  const column = byteLength(text.slice(node.start === 0 ? 0 : lineStart, node.start));
  return `${name}:${lineOf(text, node.start)}:${column}`;
}

/** The error of a failure at a node while `tree` ran. */
export function executionError(
  tree: Tree,
  node: AnyNode | undefined,
  message: string,
  cause?: GoError,
): ExecutionError {
  if (node === undefined) return new ExecutionError(`template: ${tree.name}: ${message}`, cause);
  return new ExecutionError(
    `template: ${placeOf(tree, node)}: executing ${quoteText(tree.name)} at <${nodeText(node)}>: ${message}`,
    cause,
  );
}
