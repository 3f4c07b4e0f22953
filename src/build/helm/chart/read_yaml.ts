import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import { FormatError } from "../../../format/format_error.ts";
import { parseYaml } from "../../../format/yaml.ts";
import { goYamlFault, goYamlRefusal } from "../../../format/go_yaml_fault.ts";
import type { Dialect } from "../dialect.ts";
import { isHelm3 } from "../dialect.ts";
import type { Value } from "../template/value.ts";
import { fromJson, GoMap } from "../template/value.ts";
import { jsonKind, UnmarshalError } from "./go_struct.ts";

/** A text that is no YAML; the message is go-yaml's behind `error converting YAML to JSON: `. */
export class YamlConversionError extends Error {
  override readonly name = "YamlConversionError";
}

/** Escapes of JSON that go-yaml does not take. */
const refusedEscape = /\\(?:\/|u[dD][89a-fA-F])/;

/** A tab where the indentation of a line may end, and content behind a document's marker. */
const tabbed = /\n *\t|^--- *[^\s#|>]/m;

/** First document of a text or of bytes. @throws {YamlConversionError} with the text that Helm shows */
export function readYaml(source: string | Uint8Array): JsonValue {
  const fault = typeof source === "string" ? undefined : encodingFault(source);
  if (fault !== undefined) throw new YamlConversionError(`error converting YAML to JSON: ${fault}`);
  const text = typeof source === "string" ? source : decode(source);
  // Directives, a closing line in front and some escapes are rare, and go-yaml is stricter there than our parser.
  const isRare = text.startsWith("...") || text.startsWith("%") || text.includes("\n...") || text.includes("\n%") ||
    refusedEscape.test(text) || tabbed.test(text);
  if (isRare) {
    const refusal = goYamlRefusal(text);
    if (refusal !== undefined) throw new YamlConversionError(`error converting YAML to JSON: ${refusal}`);
  }
  try {
    return parseYaml(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new YamlConversionError(`error converting YAML to JSON: ${goYamlFault(text, error)}`, { cause: error });
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  return strict.decode(bytes);
}

/** What libyaml's reader says of bytes that are no text in their encoding. */
function encodingFault(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16Fault(bytes, true);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return utf16Fault(bytes, false);
  try {
    strict.decode(bytes);
    return undefined;
  } catch {
    return utf8Fault(bytes);
  }
}

const control = "yaml: control characters are not allowed";

function isControl(code: number): boolean {
  return code < 0x20 && code !== 9 && code !== 10 && code !== 13 || code >= 0x7f && code < 0xa0 && code !== 0x85 ||
    code === 0xfffe || code === 0xffff;
}

function utf16Fault(bytes: Uint8Array, isLittle: boolean): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at < bytes.length; at += 2) {
    if (at + 2 > bytes.length) return "yaml: incomplete UTF-16 character";
    const unit = view.getUint16(at, isLittle);
    if ((unit & 0xfc00) === 0xdc00) return "yaml: unexpected low surrogate area";
    if ((unit & 0xfc00) !== 0xd800) {
      if (isControl(unit)) return control;
      continue;
    }
    at += 2;
    if (at + 2 > bytes.length) return "yaml: incomplete UTF-16 surrogate pair";
    if ((view.getUint16(at, isLittle) & 0xfc00) !== 0xdc00) return "yaml: expected low surrogate area";
  }
  return undefined;
}

function utf8Fault(bytes: Uint8Array): string {
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] as number;
    const size = first < 0x80
      ? 1
      : (first & 0xe0) === 0xc0
      ? 2
      : (first & 0xf0) === 0xe0
      ? 3
      : (first & 0xf8) === 0xf0
      ? 4
      : 0;
    if (size === 0) return "yaml: invalid leading UTF-8 octet";
    if (at + size > bytes.length) return "yaml: incomplete UTF-8 octet sequence";
    let code = size === 1 ? first : first & (0xff >> (size + 1));
    for (let offset = 1; offset < size; offset++) {
      const octet = bytes[at + offset] as number;
      if ((octet & 0xc0) !== 0x80) return "yaml: invalid trailing UTF-8 octet";
      code = (code << 6) | (octet & 0x3f);
    }
    const smallest = [0, 0, 0x80, 0x800, 0x10000][size] as number;
    if (code < smallest) return "yaml: invalid length of a UTF-8 sequence";
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return "yaml: invalid Unicode character";
    if (isControl(code)) return control;
    at += size;
  }
  return "yaml: invalid leading UTF-8 octet";
}

/**
 * Values of a values file as Helm reads them: Helm 4 merges all documents in order, Helm 3 takes the first. An empty
 * file is an empty map.
 *
 * @throws {YamlConversionError | UnmarshalError} with Helm's text
 */
export function readValues(bytes: Uint8Array, dialect: Dialect): GoMap {
  if (isHelm3(dialect)) return mapOf(readYaml(bytes));
  let values: GoMap | undefined;
  for (const document of valueDocuments(bytes)) {
    const read = unmarshalDocument(document);
    values = values === undefined ? read : mergeMaps(values, read);
  }
  return values ?? new GoMap(new Map());
}

function unmarshalDocument(document: string | Uint8Array): GoMap {
  try {
    return mapOf(readYaml(document));
  } catch (error) {
    if (!(error instanceof YamlConversionError) && !(error instanceof UnmarshalError)) throw error;
    throw new YamlConversionError(`cannot unmarshal yaml document: ${error.message}`, { cause: error });
  }
}

function mapOf(json: JsonValue): GoMap {
  if (json === null) return new GoMap(new Map());
  if (!isJsonObject(json)) {
    throw new UnmarshalError(
      `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${
        jsonKind(json)
      } into Go value of type map[string]interface {}`,
    );
  }
  return fromJson(json as JsonObject) as GoMap;
}

/** Documents as apimachinery's YAML reader cuts them: at lines that begin with `---`; nothing but a comment may follow. */
function* valueDocuments(bytes: Uint8Array): Generator<string | Uint8Array> {
  // No marker line: the common case is handed on as it is. The last line always gets its end.
  if (!hasMarkerLine(bytes)) {
    if (bytes.at(-1) === 0x0a) yield bytes;
    else if (bytes.length > 0) {
      const ended = new Uint8Array(bytes.length + 1);
      ended.set(bytes);
      ended[bytes.length] = 0x0a;
      yield ended;
    }
    return;
  }
  const fault = encodingFault(bytes);
  if (fault !== undefined) {
    throw new YamlConversionError(`cannot unmarshal yaml document: error converting YAML to JSON: ${fault}`);
  }
  let lines: string[] = [];
  const text = decode(bytes);
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  for (const line of all) {
    if (!line.startsWith("---")) {
      lines.push(line.replace(/\r$/, ""));
      continue;
    }
    const rest = line.slice(3).trim();
    if (rest !== "" && !rest.startsWith("#")) {
      throw new YamlConversionError(`error reading yaml document: invalid Yaml document separator: ${rest}`);
    }
    // A marker that ends nothing stays in its document, so that lines are counted with it.
    if (lines.length > 0) {
      yield `${lines.join("\n")}\n`;
      lines = [];
    } else lines.push(line.replace(/\r$/, ""));
  }
  if (lines.length > 0) yield `${lines.join("\n")}\n`;
}

function hasMarkerLine(bytes: Uint8Array): boolean {
  for (let at = 0; at >= 0 && at < bytes.length;) {
    if (bytes[at] === 0x2d && bytes[at + 1] === 0x2d && bytes[at + 2] === 0x2d) return true;
    const next = bytes.indexOf(0x0a, at);
    if (next < 0) return false;
    at = next + 1;
  }
  return false;
}

/** Maps joined, the second one winning; maps inside are joined too (Helm's `MergeMaps`). Makes a new map. */
export function mergeMaps(first: GoMap, second: GoMap): GoMap {
  const made = new Map<string, Value>(first.entries ?? []);
  for (const [key, value] of second.entries ?? []) {
    const old = made.get(key);
    made.set(key, value instanceof GoMap && old instanceof GoMap ? mergeMaps(old, value) : value);
  }
  return new GoMap(made);
}
