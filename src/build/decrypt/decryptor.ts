/**
 * Decryption of SOPS files, in memory only: plain text never reaches the disk, a log, a status or a diff.
 * In: a tree or resources, and the Secret with keys. Out: the same, decrypted. May fail: DecryptionFailed, closed.
 * Called by the builders, before a build (sources of generators, patches) and after it (whole resources).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { FileTree } from "../../core/file_tree.ts";
import { joinPath, readText } from "../../core/file_tree.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Resource } from "../../core/resource.ts";
import { refOf, refText } from "../../core/resource.ts";
import { StageError } from "../../core/stage_error.ts";
import { parseYaml, parseYamlDocuments } from "../../format/yaml.ts";
import { inlineResources } from "../kustomize/documents.ts";
import { kustomizationFileNames } from "../kustomize/kustomization_file.ts";
import { nodeFromJson, nodeToJson } from "../../format/yaml_node/node_json.ts";
import type { KeyTools } from "./key_provider.ts";
import { decryptDocument, decryptFile, encryptedFormat, formatOf, largestFile, type SopsFormat } from "./sops_file.ts";
import { hasSopsBlock } from "./sops_metadata.ts";

/** Label or annotation (value `disabled`) that keeps a resource encrypted. */
const optOut = "kustomize.toolkit.fluxcd.io/decrypt";

/** Decrypts what one object's keys open. */
export interface Decryptor {
  /** The tree with encrypted sources of Secret generators and patches decrypted, as Flux does before a build, and values of charts. */
  decryptTree(tree: FileTree, path: string): Promise<FileTree>;
  /** A resource decrypted: a whole encrypted object, or a Secret whose values are encrypted files. Others come back as they are. */
  decryptResource(resource: Resource): Promise<Resource>;
  /** Content of a Secret whose values may be encrypted files (`valuesFrom`, `substituteFrom`). */
  decryptValue(name: string, bytes: Uint8Array): Promise<Uint8Array>;
}

/** A decryptor over keys. Nothing is opened before something encrypted is met. */
export function openDecryptor(tools: KeyTools): Decryptor {
  const decryptValue = async (name: string, bytes: Uint8Array): Promise<Uint8Array> => {
    const input = bytes.length > largestFile ? undefined : encryptedFormat(bytes);
    return input === undefined
      ? bytes
      : await decryptFile({ name, bytes, input, output: outputOf(name, input) }, tools);
  };
  return {
    decryptValue,
    decryptTree: (tree, path) => decryptGenerators(tree, path, decryptValue),
    async decryptResource(resource) {
      if (isOptedOut(resource)) return resource;
      if (hasSopsBlock(resource)) {
        const node = nodeFromJson(resource);
        await decryptDocument(node, tools).catch((error: unknown) => {
          throw error instanceof StageError
            ? new StageError("DecryptionFailed", `${refText(refOf(resource))}: ${error.message}`, { hint: error.hint })
            : error;
        });
        return nodeToJson(node) as unknown as Resource;
      }
      return resource.kind === "Secret" ? await decryptSecretValues(resource, decryptValue) : resource;
    },
  };
}

function isOptedOut(resource: Resource): boolean {
  const { labels, annotations } = resource.metadata;
  return [labels, annotations].some((map) =>
    isJsonObject(map) && typeof map[optOut] === "string" && map[optOut].toLowerCase() === "disabled"
  );
}

/** What a value becomes: a file of its own name's format, and what is binary stays what was encrypted. */
function outputOf(name: string, input: SopsFormat): SopsFormat {
  const output = formatOf(name);
  return output === "binary" && input !== "binary" ? input : output;
}

async function decryptSecretValues(
  secret: Resource,
  decryptValue: (name: string, bytes: Uint8Array) => Promise<Uint8Array>,
): Promise<Resource> {
  const { data } = secret;
  if (!isJsonObject(data)) return secret;
  const decrypted: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(data)) {
    const bytes = typeof value === "string" ? Buffer.from(value, "base64") : undefined;
    decrypted[name] = bytes === undefined ? value : Buffer.from(await decryptValue(name, bytes)).toString("base64");
  }
  return { ...secret, data: decrypted };
}

/** A tree in which some files are replaced. */
function overlay(tree: FileTree, changed: ReadonlyMap<string, Uint8Array>): FileTree {
  if (changed.size === 0) return tree;
  return {
    *files() {
      for (const file of tree.files()) yield { ...file, sizeBytes: changed.get(file.path)?.length ?? file.sizeBytes };
    },
    has: (path) => tree.has(path),
    read: (path) => changed.get(path) ?? tree.read(path),
  };
}

/** Decrypts what the kustomizations that a build reaches name as sources of Secret generators, as patches and as values of charts. */
async function decryptGenerators(
  tree: FileTree,
  path: string,
  decryptValue: (name: string, bytes: Uint8Array) => Promise<Uint8Array>,
): Promise<FileTree> {
  const changed = new Map<string, Uint8Array>();
  const seen = new Set<string>();
  const visit = async (folder: string): Promise<void> => {
    if (seen.has(folder)) return;
    seen.add(folder);
    const name = kustomizationFileNames.find((one) => tree.has(folder === "" ? one : `${folder}/${one}`));
    if (name === undefined) return;
    const document = readKustomization(tree, folder === "" ? name : `${folder}/${name}`);
    for (const source of [...sourcesOf(document), ...pluginSources(tree, folder, document)]) {
      const file = joinPath(folder, source.path);
      const bytes = file === undefined ? undefined : tree.read(file);
      if (file === undefined || bytes === undefined || changed.has(file)) continue;
      const shown = source.isEnv && formatOf(file) === "binary" ? `${file}.env` : file;
      const plain = await decryptValue(shown, bytes);
      if (plain !== bytes) changed.set(file, plain);
    }
    for (const other of foldersOf(document)) {
      const inner = joinPath(folder, other);
      if (inner !== undefined) await visit(inner);
    }
  };
  await visit(path);
  return overlay(tree, changed);
}

function readKustomization(tree: FileTree, path: string): JsonObject {
  try {
    const value = parseYaml(readText(tree, path) ?? "");
    return isJsonObject(value) ? value : {};
  } catch {
    // The build itself reports a kustomization that cannot be read, with its place.
    return {};
  }
}

function sourcesOf(document: JsonObject): readonly { readonly path: string; readonly isEnv: boolean }[] {
  const generators = objects(document.secretGenerator);
  return [
    ...generators.flatMap((one) => texts(one.files)).map((text) => ({
      path: text.slice(text.indexOf("=") + 1),
      isEnv: false,
    })),
    ...generators.flatMap((one) => [...texts(one.envs), ...texts([one.env ?? null])]).map((path) => ({
      path,
      isEnv: true,
    })),
    ...objects(document.patches).flatMap((one) => texts([one.path ?? null])).map((path) => ({ path, isEnv: false })),
    ...objects(document.helmCharts)
      .flatMap((one) => [...texts([one.valuesFile ?? null]), ...texts(one.additionalValuesFiles)])
      .map((path) => ({ path, isEnv: false })),
  ];
}

/** Sources of the built-in plugins that a kustomization configures, inline or in files; folders of them are not looked into. */
function pluginSources(
  tree: FileTree,
  folder: string,
  document: JsonObject,
): readonly { readonly path: string; readonly isEnv: boolean }[] {
  return [...texts(document.generators), ...texts(document.transformers)].flatMap((entry) => {
    // As the build itself tells a text from a path.
    const file = inlineResources(entry, "plugin") === undefined ? joinPath(folder, entry) : undefined;
    const text = file === undefined ? entry : readText(tree, file) ?? "";
    return documentsOf(text).flatMap((config) => {
      if (config.apiVersion !== "builtin") return [];
      switch (config.kind) {
        case "SecretGenerator":
          return sourcesOf({ secretGenerator: [config] });
        case "PatchTransformer":
          return sourcesOf({ patches: [config] });
        case "HelmChartInflationGenerator":
          return sourcesOf({ helmCharts: [config] });
        default:
          return [];
      }
    });
  });
}

function documentsOf(text: string): readonly JsonObject[] {
  try {
    return parseYamlDocuments(text).map((document) => document.value).filter(isJsonObject);
  } catch {
    // The build itself reports a plugin that cannot be read, with its place.
    return [];
  }
}

function foldersOf(document: JsonObject): readonly string[] {
  return [...texts(document.resources), ...texts(document.bases), ...texts(document.components)];
}

function objects(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter((one) => typeof one === "string") : [];
}
