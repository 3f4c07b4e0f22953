/**
 * The message that go-yaml v2 gives for a text that is no YAML. Our parser finds other words and places; where a tool's
 * text is to be met, this second look at a text that is known to be wrong finds go-yaml's. It follows the token rules of
 * YAML 1.1 as libyaml has them (simple keys, indentation, flow levels) and makes no values.
 *
 * @module
 */
import type { FormatError } from "./format_error.ts";
import { shortestFloat } from "./go_float.ts";
import { Grammar } from "./go_yaml_grammar.ts";
import { GoYamlFault, Scanner } from "./go_yaml_scanner.ts";
import type { YamlNode } from "./yaml_node/node.ts";
import { nodeToJson, NodeValueError, scalarValue } from "./yaml_node/node_json.ts";
import { readYaml } from "./yaml_node/reader.ts";
import { YamlSyntaxError } from "./yaml_node/syntax_error.ts";

/** go-yaml's message, `yaml: line N: …`, for the first document of a text that `error` was thrown for. */
export function goYamlFault(text: string, error: FormatError): string {
  return goYamlRefusal(text) ?? decodeFault(text, error);
}

/** go-yaml's message where its grammar refuses the first document of a text; `undefined` where it does not. */
export function goYamlRefusal(text: string): string | undefined {
  try {
    new Grammar(new Scanner(text)).document();
    return undefined;
  } catch (fault) {
    if (!(fault instanceof GoYamlFault)) throw fault;
    return fault.message;
  }
}

/** Texts that parse and cannot be decoded. */
function decodeFault(text: string, error: FormatError): string {
  const { what } = error;
  const alias = /(?:unidentified|unknown) alias "?([^"\s]+)"?/.exec(what)?.[1] ?? missingAnchor(text);
  if (alias !== undefined) return `yaml: unknown anchor '${alias}' referenced`;
  if (/key must not be null/.test(what)) {
    const value = nullKeyValue(firstNode(text));
    const shown = value === undefined || isNull(value) ? "<nil>" : goSyntax(value);
    return `unsupported map key of type: %!s(<nil>), key: <nil>, value: ${shown}`;
  }
  const nodeFault = faultOfNodes(text);
  if (nodeFault !== undefined) return nodeFault;
  if (what.includes("map merge requires")) return "yaml: map merge requires map or sequence of maps as the value";
  const infinite = /(?:no number|unsupported value:) ([-+]?)\.?(inf|nan)/i.exec(what);
  if (infinite !== null) {
    const isNaN = infinite[2]?.toLowerCase() === "nan";
    return `json: unsupported value: ${isNaN ? "NaN" : infinite[1] === "-" ? "-Inf" : "+Inf"}`;
  }
  return `yaml: line ${error.line ?? 1}: ${what.replace(/^Cannot read YAML: /, "")}`;
}

function firstNode(text: string): YamlNode | undefined {
  try {
    return readYaml(text, { dialect: "v2", ignoresRest: true });
  } catch {
    return undefined;
  }
}

function isNull(node: YamlNode): boolean {
  return node.kind === "scalar" && node.tag === "!!null";
}

/** The value of the first key that is null. */
function nullKeyValue(node: YamlNode | undefined): YamlNode | undefined {
  if (node === undefined || node.kind === "scalar") return undefined;
  const at = node.kind === "map" ? node.keys.findIndex(isNull) : -1;
  if (node.kind === "map" && at >= 0) return node.values[at];
  for (const child of node.kind === "map" ? node.values : node.items) {
    const found = nullKeyValue(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is wrong about the values of a text whose tokens are right, where go-yaml has no line for it. */
function faultOfNodes(text: string): string | undefined {
  try {
    const root = readYaml(text, { dialect: "v2", ignoresRest: true });
    if (root !== undefined) nodeToJson(root, { dialect: "v2", keys: "lenient" });
  } catch (error) {
    if (error instanceof YamlSyntaxError && error.node !== undefined) {
      return `yaml: invalid map key: ${goSyntax(error.node)}`;
    }
    if (error instanceof NodeValueError && error.message.startsWith("cannot decode ")) return `yaml: ${error.message}`;
  }
  return undefined;
}

/** A node as Go's `%#v` prints what go-yaml makes of it. */
function goSyntax(node: YamlNode): string {
  switch (node.kind) {
    case "list":
      return `[]interface {}{${node.items.map(goSyntax).join(", ")}}`;
    case "map": {
      const members = node.keys.map((key, index) => [goSyntax(key), goSyntax(node.values[index] as YamlNode)] as const);
      const sorted = members.toSorted(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
      return `map[interface {}]interface {}{${sorted.map(([key, value]) => `${key}:${value}`).join(", ")}}`;
    }
    case "scalar": {
      const value = scalarValue(node, "v2");
      if (value === null) return "interface {}(nil)";
      return typeof value === "string"
        ? JSON.stringify(value)
        : typeof value === "number"
        ? shortestFloat(value)
        : String(value);
    }
  }
}

function missingAnchor(text: string): string | undefined {
  const anchors = new Set([...text.matchAll(/(?:^|[\s[{,:-])&([\w-]+)/g)].map((match) => match[1]));
  return [...text.matchAll(/(?:^|[\s[{,:-])\*([\w-]+)/g)].map((match) => match[1])
    .find((name) => name !== undefined && !anchors.has(name));
}
