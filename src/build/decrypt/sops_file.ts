import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { asStageError, StageError } from "../../core/stage_error.ts";
import { emitNode } from "../../format/yaml_node/emitter.ts";
import type { YamlNode } from "../../format/yaml_node/node.ts";
import { getField, mapNode, putField, scalar, textScalar } from "../../format/yaml_node/node.ts";
import { nodeToJson } from "../../format/yaml_node/node_json.ts";
import { readYaml } from "../../format/yaml_node/reader.ts";
import { splitYaml } from "../../format/yaml_split.ts";
import { openDataKey } from "./data_key.ts";
import type { KeyTools } from "./key_provider.ts";
import { readMetadata, type SopsMetadata, unflatten } from "./sops_metadata.ts";
import { decryptTree } from "./sops_tree.ts";

/** Forms of encrypted files. */
export type SopsFormat = "yaml" | "json" | "dotenv" | "ini" | "binary";

/** Largest encrypted file in bytes (kustomize-controller's limit). */
export const largestFile = 5 * 1024 * 1024;

/** Format by a file's name, as Flux chooses it; what is nothing else is binary. */
export function formatOf(name: string): SopsFormat {
  if (/\.ya?ml$/.test(name)) return "yaml";
  if (/\.json$|\.dockerconfigjson$/.test(name)) return "json";
  if (/\.env$/.test(name)) return "dotenv";
  return /\.ini$/.test(name) ? "ini" : "binary";
}

/** Format in which bytes are encrypted, by the mark that each format leaves; `undefined`: not encrypted. */
export function encryptedFormat(bytes: Uint8Array): SopsFormat | undefined {
  const text = new TextDecoder().decode(bytes);
  if (!text.includes("ENC[AES256_GCM,data:")) return undefined;
  if (/^\s*\{/.test(text) && /"sops"\s*:\s*\{/.test(text)) {
    return /"data"\s*:\s*"ENC\[/.test(text) && isBinary(text) ? "binary" : "json";
  }
  if (/^sops_version=/m.test(text) || /^sops_mac=/m.test(text)) return "dotenv";
  if (/^\[sops\]\s*$/m.test(text)) return "ini";
  return /^sops:\s*$/m.test(text) ? "yaml" : undefined;
}

function isBinary(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && Object.keys(value).every((key) => key === "data" || key === "sops");
  } catch {
    return false;
  }
}

/**
 * Decrypts a whole file and gives it back in the same format, with its MAC checked.
 *
 * @throws {StageError} DecryptionFailed; the message names the file and never shows content
 */
export async function decryptFile(
  file: { readonly name: string; readonly bytes: Uint8Array; readonly input: SopsFormat; readonly output?: SopsFormat },
  tools: KeyTools,
): Promise<Uint8Array> {
  if (file.bytes.length > largestFile) {
    throw new StageError("DecryptionFailed", `Cannot decrypt "${file.name}": it exceeds the maximum size of 5 MiB`);
  }
  try {
    const content = parseFile(new TextDecoder().decode(file.bytes), file.input);
    const metadata = readMetadata(content.metadata);
    const key = await openDataKey(metadata, tools);
    decryptTree(content.documents, { metadata, key, checkMac: true });
    return new TextEncoder().encode(printFile(content.documents, file.input, file.output ?? file.input));
  } catch (error) {
    const stage = asStageError(error, "DecryptionFailed", "Cannot decrypt");
    throw new StageError("DecryptionFailed", `"${file.name}": ${stage.message}`, {
      cause: stage.cause,
      hint: stage.hint,
    });
  }
}

/** Decrypts a document that was read already and may have been changed since: its MAC is not checked, as in Flux. */
export async function decryptDocument(document: YamlNode, tools: KeyTools): Promise<void> {
  const metadata = metadataOf(document);
  decryptTree([document], { metadata, key: await openDataKey(metadata, tools), checkMac: false });
}

function metadataOf(document: YamlNode): SopsMetadata {
  const block = getField(document, "sops");
  const value = block === undefined ? undefined : nodeToJson(block);
  if (!isJsonObject(value)) throw new StageError("DecryptionFailed", "Cannot decrypt: there is no sops block");
  return readMetadata(value);
}

interface FileContent {
  readonly documents: readonly YamlNode[];
  readonly metadata: JsonObject;
}

function parseFile(text: string, format: SopsFormat): FileContent {
  switch (format) {
    case "yaml":
    case "json":
    case "binary": {
      const parts = format === "yaml" ? splitYaml(text).map((part) => part.text) : [text];
      const documents = parts.map((part) => readYaml(part)).filter((node) => node !== undefined);
      const block = documents.map((node) => getField(node, "sops")).find((node) => node !== undefined);
      const metadata = block === undefined ? undefined : nodeToJson(block);
      if (!isJsonObject(metadata)) throw new StageError("DecryptionFailed", "Cannot decrypt: there is no sops block");
      return { documents, metadata };
    }
    case "dotenv":
      return parseDotenv(text);
    case "ini":
      return parseIni(text);
  }
}

function parseDotenv(text: string): FileContent {
  const document = mapNode();
  const flat = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (line.trim() === "" || line.startsWith("#") || equals < 0) continue;
    const name = line.slice(0, equals);
    const value = line.slice(equals + 1);
    if (name.startsWith("sops_")) flat.set(name.slice("sops_".length), value);
    else putField(document, name, scalar(value.replaceAll("\\n", "\n"), "!!str"), textScalar(name));
  }
  return { documents: [document], metadata: unflatten(flat) };
}

function parseIni(text: string): FileContent {
  const document = mapNode();
  const flat = new Map<string, string>();
  let section = "DEFAULT";
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const head = /^\[(.*)\]$/.exec(line)?.[1];
    const equals = line.indexOf("=");
    if (line === "" || line.startsWith(";") || line.startsWith("#")) continue;
    if (head !== undefined) section = head;
    else if (equals >= 0) {
      const name = line.slice(0, equals).trim();
      const value = line.slice(equals + 1).trim().replace(/^(["'`])(.*)\1$/, "$2");
      if (section === "sops") flat.set(name, value);
      else {
        let values = getField(document, section);
        if (values?.kind !== "map") putField(document, section, values = mapNode(), textScalar(section));
        putField(values, name, scalar(value, "!!str"), textScalar(name));
      }
    }
  }
  return { documents: [document], metadata: unflatten(flat) };
}

function printFile(documents: readonly YamlNode[], input: SopsFormat, output: SopsFormat): string {
  const [first] = documents;
  if (first === undefined) return "";
  if (input === "binary" || (output === "binary" && input === "json")) {
    const data = getField(first, "data");
    if (data?.kind === "scalar") return data.text;
  }
  switch (output) {
    case "yaml":
      return documents.map(emitNode).join("---\n");
    case "json":
    case "binary":
      return `${
        JSON.stringify(nodeToJson(first), (_, value) => typeof value === "bigint" ? Number(value) : value, "\t")
      }\n`;
    case "dotenv":
      return entriesOf(first).map(([name, value]) => `${name}=${value.replaceAll("\n", "\\n")}\n`).join("");
    case "ini":
      return sectionsOf(first).map(([name, values]) =>
        `${name === "DEFAULT" ? "" : `[${name}]\n`}${values.map(([key, value]) => `${key} = ${value}\n`).join("")}`
      ).join("\n");
  }
}

function entriesOf(node: YamlNode): readonly (readonly [string, string])[] {
  if (node.kind !== "map") return [];
  return node.keys.map((key, at) => {
    const value = node.values[at];
    return [key.text, value?.kind === "scalar" ? value.text : ""] as const;
  });
}

function sectionsOf(node: YamlNode): readonly (readonly [string, ReturnType<typeof entriesOf>])[] {
  if (node.kind !== "map") return [];
  return node.keys.map((key, at) => [key.text, entriesOf(node.values[at] ?? mapNode())] as const);
}
