import type { JsonValue } from "../core/json.ts";
import { FormatError } from "./format_error.ts";
import { goYamlRefusal } from "./go_yaml_fault.ts";
import type { YamlNode } from "./yaml_node/node.ts";
import { nodeToJson, NodeValueError } from "./yaml_node/node_json.ts";
import { readYaml } from "./yaml_node/reader.ts";
import { YamlSyntaxError } from "./yaml_node/syntax_error.ts";

/**
 * Line breaks that only libyaml knows, controls that it refuses, and the mark of byte order where no text begins: other
 * parsers take them for letters.
 */
// deno-lint-ignore no-control-regex
const rareBreak = /\r(?!\n)|[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/;

/** A text that is a block and nothing else: libyaml wants it indented. */
const rootBlock = /^(?:[ \t]*(?:#[^\n]*)?\n|%[^\n]*\n)*(?:---)?[ \t]*[|>]/;

/** Whether a text has what other parsers than libyaml read otherwise. */
export function isRareYaml(text: string): boolean {
  return rareBreak.test(text) || rootBlock.test(text);
}

/**
 * The first document of a text as go-yaml v2 reads it by libyaml's rules for line breaks, then as JSON; `undefined` for a
 * text without one. What stands behind the document is looked at no further than one token.
 *
 * @throws {FormatError} for `goYamlFault`
 */
export function readGoYaml(text: string): JsonValue | undefined {
  try {
    const node = firstNode(text);
    // A closing line with nothing in front of it.
    const refusal = node === undefined && text.includes("...") ? goYamlRefusal(text) : undefined;
    if (refusal !== undefined) throw new FormatError(refusal);
    return node === undefined ? undefined : nodeToJson(node, { dialect: "v2", keys: "lenient" }) as JsonValue;
  } catch (error) {
    if (error instanceof YamlSyntaxError) {
      throw new FormatError(faultWords(error.message), { line: error.line, column: error.column, cause: error });
    }
    if (error instanceof NodeValueError) throw new FormatError(faultWords(error.message), { line: error.line });
    throw error;
  }
}

function firstNode(text: string): YamlNode | undefined {
  try {
    return readYaml(text, { dialect: "v2" });
  } catch (error) {
    const isBehind = error instanceof YamlSyntaxError && error.message === "did not find expected <document start>";
    if (!isBehind || goYamlRefusal(text) !== undefined) throw error;
    return readYaml(text, { dialect: "v2", ignoresRest: true });
  }
}

/** Our reader's words for a key that is none, in those that `goYamlFault` knows. */
function faultWords(message: string): string {
  if (message.includes("mapping keys must be scalars")) return "a key must be a text, not a map or list";
  return /mapping key "(?:~|null|Null|NULL)?" is not text/.test(message) ? "a key must not be null" : message;
}
