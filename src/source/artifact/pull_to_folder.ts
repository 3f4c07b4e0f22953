import type { Descriptor, Platform } from "../../core/descriptor.ts";
import type { FileSystem } from "../../core/file_system.ts";
import { temporaryPrefix } from "../../core/file_system.ts";
import { inParallel } from "../../core/in_parallel.ts";
import { asStageError, StageError } from "../../core/stage_error.ts";
import { choosePlatform } from "../choose_platform.ts";
import { parseManifestDocument } from "../manifest_document.ts";
import type { OciSource } from "../oci_source.ts";
import { packWriter } from "../store/tree_pack.ts";
import { unpackLayer } from "../unpack.ts";
import { openFile } from "./file_content.ts";
import type { OnTransfer } from "./progress.ts";

/** What {@linkcode pullToFolder} works with. */
export interface PullTools {
  readonly fileSystem: FileSystem;
  /** Which entry of an index is taken. */
  readonly platform: Platform;
  readonly onTransfer?: OnTransfer;
  readonly signal?: AbortSignal;
}

/** Files that are written at the same time. */
const filesAtOnce = 16;

/**
 * Writes the first layer of an artifact into a folder: its files, or the layer itself where it is no archive. Files that
 * are there are replaced, others stay. Paths that would leave the folder are refused by name. The layer goes to the disk as
 * it comes, and nothing of it shows before its digest is proven.
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
  return { descriptor, files: await writeLayer(from, layer, folder, tools) };
}

async function writeLayer(from: OciSource, layer: Descriptor, folder: string, tools: PullTools): Promise<number> {
  const call = tools.signal === undefined ? {} : { signal: tools.signal };
  try {
    await tools.fileSystem.makeFolder(folder);
  } catch (error) {
    throw asStageError(error, "ReadOperationFailed", `Cannot write to "${folder}"`, {
      hint: "Check the path, and that you may write there",
    });
  }
  await using content = new LayerContent(await from.blob(layer, call), layer, tools);
  return /tar|\+gzip|\+zstd/.test(layer.mediaType)
    ? await writeFiles(content, folder, tools)
    : await writeFile(content, `${folder}/${fileNameOf(layer)}`, tools);
}

/** Bytes of a layer that are checked as they pass: only what was read to the end is what its descriptor says. */
class LayerContent implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #layer: Descriptor;
  readonly #tools: PullTools;
  #doneBytes = 0;

  constructor(stream: ReadableStream<Uint8Array>, layer: Descriptor, tools: PullTools) {
    this.#reader = stream.getReader();
    this.#layer = layer;
    this.#tools = tools;
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    while (true) {
      this.#tools.signal?.throwIfAborted();
      const next = await this.#reader.read();
      if (next.done) return this.#tell("pulled");
      this.#doneBytes += next.value.length;
      this.#tell("running");
      yield next.value;
    }
  }

  /** Reads what is left, for the digest: archives may have something behind their end. */
  async proven(): Promise<void> {
    while (!(await this.#reader.read()).done);
  }

  #tell(state: "running" | "pulled"): void {
    const { digest, mediaType, size } = this.#layer;
    this.#tools.onTransfer?.({ digest, mediaType, doneBytes: this.#doneBytes, totalBytes: size, state });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}

/** Name of a layer that is no archive: its title, else by its media type. */
function fileNameOf(layer: Descriptor): string {
  const extension = /\.([a-z0-9]+)$/.exec(layer.mediaType)?.[1] ?? "bin";
  const name = layer.annotations?.["org.opencontainers.image.title"] ?? `artifact.${extension}`;
  return name.replaceAll(/[^A-Za-z0-9._-]/g, "_").replace(/^\.+/, "_");
}

async function writeFile(content: LayerContent, path: string, { fileSystem }: PullTools): Promise<number> {
  await using file = await fileSystem.create(path);
  for await (const chunk of content.chunks()) file.write(chunk);
  await file.commit();
  return 1;
}

async function writeFiles(content: LayerContent, folder: string, tools: PullTools): Promise<number> {
  const { fileSystem } = tools;
  const packPath = `${folder}/${temporaryPrefix}pack`;
  await using pending = await fileSystem.create(packPath, { mode: 0o600, durable: false });
  const writer = packWriter(pending);
  const signal = tools.signal === undefined ? {} : { signal: tools.signal };
  const unpacked = await unpackLayer(content.chunks(), writer, { ignore: { kind: "none" }, ...signal });
  await content.proven();
  await writer.finish(unpacked.files);
  await pending.commit();
  using pack = openFile(packPath, fileSystem);
  // Without a name it goes with the process, whatever becomes of it.
  await fileSystem.remove(packPath);
  const parents = new Set(unpacked.files.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf("/")))));
  for (const parent of parents) await fileSystem.makeFolder(`${folder}/${parent}`);
  await inParallel(unpacked.files, filesAtOnce, async ({ path, isExecutable, offset, sizeBytes }) => {
    tools.signal?.throwIfAborted();
    const bytes = pack.readAt(offset, sizeBytes);
    await fileSystem.writeAtomic(`${folder}/${path}`, bytes, { mode: isExecutable ? 0o755 : 0o644, durable: false });
  });
  return unpacked.files.length;
}
