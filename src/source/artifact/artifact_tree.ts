import type { Descriptor } from "../../core/descriptor.ts";
import type { FileTree } from "../../core/file_tree.ts";
import { treeOf } from "../../core/file_tree.ts";
import { StageError } from "../../core/stage_error.ts";
import { parseManifestDocument } from "../manifest_document.ts";
import type { OciSource } from "../oci_source.ts";
import { packWriter } from "../store/tree_pack.ts";
import { unpackLayer } from "../unpack.ts";
import { readLayer } from "./inspect_artifact.ts";

/** Largest layer that is held in memory. */
const largestLayerBytes = 512 * 1024 * 1024;

/**
 * Files of an artifact's first layer, in memory, after its ignore files: what an OCIRepository would give to a build.
 *
 * @throws {StageError} OCIArtifactPullFailed, OCIArtifactLayerOperationFailed
 */
export async function artifactTree(
  from: OciSource,
  reference: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<{ readonly descriptor: Descriptor; readonly tree: FileTree }> {
  const resolved = await from.resolve(reference, options);
  if (resolved.kind !== "found") throw new RangeError(`"${reference}" cannot be unchanged`);
  const { bytes, descriptor } = await from.manifest(resolved.descriptor.digest, options);
  const document = parseManifestDocument(bytes, descriptor.mediaType);
  const layer = document.kind === "manifest" ? document.manifest.layers[0] : undefined;
  if (layer === undefined) {
    throw new StageError(
      "OCIArtifactLayerOperationFailed",
      `Cannot open "${reference}" of ${from.name}: it has no layer`,
      { hint: "An index has one manifest per platform: name one of them by its digest (pilotfish inspect)" },
    );
  }
  const content = await readLayer(from, layer, { limitBytes: largestLayerBytes, ...options });
  return { descriptor, tree: await unpackedTree(content, options) };
}

async function unpackedTree(content: Uint8Array, options: { readonly signal?: AbortSignal }): Promise<FileTree> {
  const pieces: Uint8Array[] = [];
  const writer = packWriter({ write: (chunk) => void pieces.push(chunk.slice()) });
  const unpacked = await unpackLayer(once(content), writer, { ignore: { kind: "apply" }, ...options });
  await writer.finish(unpacked.files);
  const pack = await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer();
  return treeOf(
    new Map(unpacked.files.map((file) => [file.path, new Uint8Array(pack, file.offset, file.sizeBytes)])),
  );
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(bytes);
}
