import type { JsonValue, MutableJson } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { shortestFloat } from "../go_float.ts";
import type { ScalarNode, YamlNode } from "./node.ts";
import { listNode, mapNode, scalar } from "./node.ts";
import type { Dialect } from "./resolve.ts";
import { readYaml } from "./reader.ts";
import { resolveText } from "./resolve.ts";
import { chooseStyle, foldedText, withoutDoubledEnds } from "./scalar_style.ts";

/** What a node cannot be written as JSON for. */
export class NodeValueError extends Error {
  override readonly name = "NodeValueError";
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** How nodes become values. */
export interface NodeJsonOptions {
  /** Default `v3`. */
  readonly dialect?: Dialect;
  /**
   * `strict`: a mapping with a key twice or a key that is not text is refused (kyaml). `lenient`: the last one counts,
   * and numbers and booleans as keys become text (sigs.k8s.io/yaml). Default `strict`.
   */
  readonly keys?: "strict" | "lenient";
}

/**
 * The JSON value that a node stands for. Dates become RFC 3339 texts. Key order stays.
 *
 * @throws {NodeValueError} for NaN and infinities, keys as `options.keys` says, and tags that do not fit their text
 */
export function nodeToJson(node: YamlNode, options: NodeJsonOptions = {}): MutableJson {
  return convert(node, options.dialect ?? "v3", options.keys === "lenient", false);
}

function convert(node: YamlNode, dialect: Dialect, lenient: boolean, inFlow: boolean): MutableJson {
  switch (node.kind) {
    case "scalar":
      // On the way to JSON, kyaml writes the text anew: nothing at all stands between quotes in a flow collection.
      if (inFlow && node.text === "" && node.tag === "!!null" && !node.explicitTag && dialect === "v3") return "";
      return scalarValue(node, dialect);
    case "list": {
      const items = node.items;
      const flow = inFlow || node.flow;
      const out: MutableJson[] = new Array(items.length);
      for (let at = 0; at < items.length; at++) out[at] = convert(items[at] as YamlNode, dialect, lenient, flow);
      return out;
    }
    case "map": {
      if (node.duplicate !== undefined && !lenient) {
        throw new NodeValueError(`mapping key "${node.duplicate}" already defined`, node.line);
      }
      const out: { [key: string]: MutableJson } = {};
      const { keys, values } = node;
      const flow = inFlow || node.flow;
      for (let at = 0; at < keys.length; at++) {
        const key = keys[at] as ScalarNode;
        const name = key.tag === "!!str" ? key.text : keyText(key, dialect, lenient);
        const value = convert(values[at] as YamlNode, dialect, lenient, flow);
        if (name === "__proto__") {
          Object.defineProperty(out, name, { value, enumerable: true, configurable: true, writable: true });
        } else out[name] = value;
      }
      return out;
    }
  }
}

function keyText(key: ScalarNode, dialect: Dialect, lenient: boolean): string {
  if (key.style !== "plain" && !key.explicitTag) return key.text;
  const value = scalarValue(key, dialect);
  if (typeof value === "string") return value;
  if (!lenient || value === null || (typeof value === "bigint" && value >= 2n ** 63n)) {
    throw new NodeValueError(`mapping key "${key.text}" is not text`, key.line);
  }
  // sigs.k8s.io/yaml prints keys that are floats in single precision.
  return typeof value === "number" && !Number.isInteger(value) ? shortestFloat(value, 32) : String(value);
}

/**
 * The JSON value of a scalar, as if it were written by go-yaml and read again: a tag that was kept while the text
 * changed still counts, a quoted style makes text.
 *
 * @throws {NodeValueError} for NaN and infinities, and a tag that does not fit the text
 */
export function scalarValue(node: ScalarNode, dialect: Dialect = "v3"): null | boolean | number | bigint | string {
  const { tag, text } = node;
  if (tag === "!!str") return node.style === "folded" && dialect === "v3" ? refoldedText(text) : text;
  const isPlain = node.style === "plain" && !text.includes("\n");
  if (tag === "") return isPlain ? finite(resolveText(text, dialect).value, node) : text;
  if (tag === "!!binary") return binaryText(node);
  if (!knownTags.has(tag)) return text;
  const resolved = resolveText(text, dialect);
  // A tag that the text has anyhow is not written, and then quotes make text of it.
  if (resolved.tag === tag && !node.explicitTag && !isPlain) return text;
  if (tag !== resolved.tag && !(tag === "!!float" && resolved.tag === "!!int")) {
    throw new NodeValueError(`cannot decode ${resolved.tag} \`${text}\` as a ${tag}`, node.line);
  }
  const value = finite(resolved.value, node);
  return tag === "!!float" && typeof value === "bigint" ? Number(value) : value;
}

/**
 * What a folded text becomes when go-yaml v3 writes it and reads it again, as kyaml does on the way to JSON: line breaks
 * around indented lines and at the end can double.
 */
function refoldedText(text: string): string {
  const at = text.indexOf("\n");
  if (at < 0 || at === text.length - 1) return text;
  const place = { flow: false, key: false };
  if (chooseStyle(text, "folded", true, place) !== "folded") return text;
  const read = readYaml(withoutDoubledEnds(`k: ${foldedText(text, 2)}\n`));
  const value = read?.kind === "map" ? read.values[0] : undefined;
  return value?.kind === "scalar" ? value.text : text;
}

function finite(value: JsonValue, node: ScalarNode): null | boolean | number | bigint | string {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new NodeValueError(`unsupported value: ${node.text}`, node.line);
  }
  return value as null | boolean | number | bigint | string;
}

const knownTags: ReadonlySet<string> = new Set([
  "!!bool",
  "!!int",
  "!!float",
  "!!null",
  "!!timestamp",
]);

function binaryText(node: ScalarNode): string {
  try {
    const base64 = node.text.replace(/[\r\n]+/g, "");
    if (base64.length % 4 !== 0) throw new RangeError("its length is wrong");
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    throw new NodeValueError("!!binary value contains invalid base64 data", node.line);
  }
}

/** How a JSON value becomes nodes. */
export interface JsonNodeOptions {
  /**
   * `true`: numbers are floats, as Go's encoding/json decodes them into `any`, and print as Go's %g prints them
   * (`1000000` is `1e+06`). Default `false`.
   */
  readonly floats?: boolean;
}

/** Nodes of a JSON value, in the styles that go-yaml v3 would print it in. Keys keep their order. */
export function nodeFromJson(value: JsonValue, options: JsonNodeOptions = {}): YamlNode {
  if (value === null) return scalar("null", "!!null");
  if (typeof value === "boolean") return scalar(String(value), "!!bool");
  if (typeof value === "number" || typeof value === "bigint") return numberNode(value, options.floats ?? false);
  if (typeof value === "string") {
    if (value.includes("\n")) return scalar(value, "!!str", "literal");
    return scalar(value, "!!str", needsQuotes(value) ? "double" : "plain");
  }
  if (Array.isArray(value)) return listNode(value.map((item: JsonValue) => nodeFromJson(item, options)));
  const map = mapNode();
  if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      map.keys.push(scalar(key, "!!str", needsQuotes(key) ? "double" : "plain"));
      map.values.push(nodeFromJson(item, options));
    }
  }
  return map;
}

function numberNode(value: number | bigint, floats: boolean): ScalarNode {
  if (floats) {
    const text = shortestFloat(Number(value));
    return scalar(text, resolveText(text, "v3").tag);
  }
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return scalar(String(value), "!!int");
  return scalar(shortestFloat(value), "!!float");
}

/** Whether go-yaml v3 quotes a one-line text because it would read as something else (YAML 1.1 included). */
export function needsQuotes(text: string): boolean {
  return resolveText(text, "v3").tag !== "!!str" || resolveText(text, "v2").tag !== "!!str" || isBase60(text);
}

const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** Whether a text is a base 60 number of YAML 1.1 (`1:30`), which both versions of go-yaml quote. */
function isBase60(text: string): boolean {
  const first = text.charCodeAt(0);
  if (!(first === 0x2b || first === 0x2d || first >= 0x30 && first <= 0x39) || !text.includes(":")) return false;
  return base60.test(text);
}
