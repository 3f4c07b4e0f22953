import { createHash, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { StageError } from "../../core/stage_error.ts";
import type { ScalarNode, YamlNode } from "../../format/yaml_node/node.ts";
import { dropField, scalar } from "../../format/yaml_node/node.ts";
import { scalarValue } from "../../format/yaml_node/node_json.ts";
import { decryptValue, decryptWith, isEncryptedText, type PlainValue } from "./sops_cipher.ts";
import type { SopsMetadata } from "./sops_metadata.ts";

/** How {@linkcode decryptTree} treats a tree. */
export interface TreeDecryption {
  readonly metadata: SopsMetadata;
  readonly key: Uint8Array;
  /** Whether the MAC must match: only where nothing has touched the file since it was encrypted. */
  readonly checkMac: boolean;
}

/** Start of a MAC that covers encrypted values only, so that it never equals one that covers all. */
const macOnlyEncryptedStart = createHash("sha256").update("sops").digest();

/**
 * Decrypts every encrypted value of documents in place and takes their `sops` blocks out. The MAC covers the values of
 * all documents in their order.
 *
 * @throws {StageError} DecryptionFailed
 */
export function decryptTree(documents: readonly YamlNode[], options: TreeDecryption): void {
  const { metadata, key } = options;
  const hash = createHash("sha512");
  if (metadata.macOnlyEncrypted) hash.update(macOnlyEncryptedStart);

  const visit = (node: YamlNode, path: readonly string[]): void => {
    switch (node.kind) {
      case "map":
        node.keys.forEach((name, at) => visit(node.values[at] as YamlNode, [...path, name.text]));
        return;
      case "list":
        for (const item of node.items) visit(item, path);
        return;
      case "scalar":
        return visitScalar(node, path);
    }
  };

  const visitScalar = (node: ScalarNode, path: readonly string[]): void => {
    if (node.tag === "!!null") return;
    const isEncrypted = metadata.isEncrypted(path) ?? isEncryptedText(node.text);
    if (!isEncrypted) {
      if (!metadata.macOnlyEncrypted) hash.update(plainBytes(node));
      return;
    }
    // sops leaves an empty text as it is.
    if (node.text === "" && node.tag === "!!str") return;
    const decrypted = decryptValue(node.text, key, path);
    hash.update(decrypted.bytes);
    Object.assign(node, scalarOf(decrypted.value));
  };

  for (const document of documents) {
    if (document.kind === "map") dropField(document, "sops");
    visit(document, []);
  }
  if (options.checkMac) checkMac(hash.digest("hex").toUpperCase(), metadata, key);
}

function checkMac(actual: string, metadata: SopsMetadata, key: Uint8Array): void {
  const expected = decryptWith(metadata.mac, key, metadata.lastModified, "sops.mac").bytes;
  const bytes = Buffer.from(actual, "utf8");
  if (expected.length !== bytes.length || !timingSafeEqual(expected, bytes)) {
    throw new StageError(
      "DecryptionFailed",
      "Cannot trust the file: its MAC does not match, so it was changed after it was encrypted",
      {
        hint: "Edit encrypted files with sops only",
      },
    );
  }
}

/** Bytes of a plain value as sops hashes them (sops.go, `ToBytes`). */
function plainBytes(node: ScalarNode): string {
  const value = scalarValue(node);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value).toString() : decimalText(value);
  return typeof value === "bigint" ? value.toString() : value === null ? "" : String(value);
}

/** A float without exponent (Go's `FormatFloat(v, 'f', -1, 64)`). */
function decimalText(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = "", first = "", rest = "", exponent = "0"] = match;
  const digits = first + rest;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return digits.length <= point
    ? `${sign}${digits}${"0".repeat(point - digits.length)}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function scalarOf(value: PlainValue): ScalarNode {
  if (value instanceof Uint8Array) return scalar(new TextDecoder().decode(value), "!!str");
  if (typeof value === "boolean") return scalar(String(value), "!!bool");
  if (typeof value === "bigint") return scalar(value.toString(), "!!int");
  if (typeof value === "number") return scalar(String(value), Number.isInteger(value) ? "!!int" : "!!float");
  return scalar(value, "!!str", value.includes("\n") ? "literal" : "plain");
}
