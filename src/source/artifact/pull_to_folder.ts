import type { Descriptor, Platform } from "../../core/descriptor.ts";
import type { FileSystem } from "../../core/file_system.ts";
import { StageError } from "../../core/stage_error.ts";
import { choosePlatform } from "../choose_platform.ts";
import { parseManifestDocument } from "../manifest_document.ts";
import type { OciSource } from "../oci_source.ts";
import { packWriter } from "../store/tree_pack.ts";
import { unpackLayer } from "../unpack.ts";
import { readAll } from "../verified_stream.ts";

/** What {@linkcode pullToFolder} works with. */
export interface PullTools {
  readonly fileSystem: FileSystem;
  /** Which entry of an index is taken. */
  readonly platform: Platform;
  readonly signal?: AbortSignal;
}

/** Largest single file that is written as it is. */
const largestFileBytes = 512 * 1024 * 1024;

/**
 * Writes the first layer of an artifact into a folder: its files, or the layer itself where it is no archive. Files that
 * are there are replaced, others stay. Paths that would leave the folder are refused by name.
 *
 * @throws {StageError} OCIArtifactPullFailed, OCIArtifactLayerOperationFailed
 */
export async function pullToFolder(
  from: OciSource,
  reference: string,
  folder: string,
  tools: PullTools,
): Promise<{ readonly descriptor: Descriptor; readonly files: number }> {
  const call = tools.signal === undefined ? {} : { signal: tools.signal };
  const resolved = await from.resolve(reference, call);
  if (resolved.kind !== "found") throw new RangeError(`"${reference}" cannot be unchanged`);
  let { bytes, descriptor } = await from.manifest(resolved.descriptor.digest, call);
  let document = parseManifestDocument(bytes, descriptor.mediaType);
  if (document.kind === "index") {
    ({ bytes, descriptor } = await from.manifest(choosePlatform(document.index, tools.platform).digest, call));
    document = parseManifestDocument(bytes, descriptor.mediaType);
  }
  const layer = document.kind === "manifest" ? document.manifest.layers[0] : undefined;
  if (layer === undefined) {
    throw new StageError(
      "OCIArtifactLayerOperationFailed",
      `Cannot pull "${reference}" of ${from.name}: it has no layer`,
    );
  }
  const content = await readAll(await from.blob(layer, call), largestFileBytes);
  return { descriptor, files: await writeLayer(content, layer, folder, tools) };
}

async function writeLayer(content: Uint8Array, layer: Descriptor, folder: string, tools: PullTools): Promise<number> {
  const { fileSystem } = tools;
  await fileSystem.makeFolder(folder);
  if (!/tar|\+gzip|\+zstd/.test(layer.mediaType)) {
    const extension = /\.([a-z0-9]+)$/.exec(layer.mediaType)?.[1] ?? "bin";
    const name = layer.annotations?.["org.opencontainers.image.title"] ?? `artifact.${extension}`;
    await fileSystem.writeAtomic(`${folder}/${name.replaceAll(/[^A-Za-z0-9._-]/g, "_")}`, content);
    return 1;
  }
  const pieces: Uint8Array[] = [];
  const writer = packWriter({ write: (chunk) => void pieces.push(chunk.slice()) });
  const signal = tools.signal === undefined ? {} : { signal: tools.signal };
  const unpacked = await unpackLayer(once(content), writer, { ignore: { kind: "none" }, ...signal });
  writer.finish(unpacked.files);
  const pack = await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer();
  const folders = new Set<string>();
  for (const file of unpacked.files) {
    const slash = file.path.lastIndexOf("/");
    const parent = slash < 0 ? "" : file.path.slice(0, slash);
    if (!folders.has(parent)) await fileSystem.makeFolder(`${folder}/${parent}`);
    folders.add(parent);
    await fileSystem.writeAtomic(`${folder}/${file.path}`, new Uint8Array(pack, file.offset, file.sizeBytes), {
      mode: file.isExecutable ? 0o755 : 0o644,
      durable: false,
    });
  }
  return unpacked.files.length;
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(bytes);
}
