import { type Descriptor, type Index, mediaTypes } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import { digestOf, isDigest, splitDigest } from "../../core/digest.ts";
import type { FileSystem, OpenFile } from "../../core/file_system.ts";
import type { JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { readAll } from "../../core/read_all.ts";
import { asStageError, StageError } from "../../core/stage_error.ts";
import { manifestLimitBytes, parseManifestDocument, readDescriptor } from "../manifest_document.ts";
import type {
  BlobContent,
  BlobOptions,
  CallOptions,
  KnownContent,
  OciDestination,
  PushOutcome,
  Resolved,
} from "../oci_source.ts";
import { ContentMissing, isMissing } from "../oci_source.ts";
import { type ChunkSource, verifiedStream } from "../verified_stream.ts";

/** Annotation that gives an entry of a layout its tag (image-spec 1.1, annotations.md). */
const refName = "org.opencontainers.image.ref.name";
/** Bytes read at a time. */
const chunkBytes = 256 * 1024;
/** Largest `index.json` that is read. */
const indexLimitBytes = 16 * 1024 * 1024;

/**
 * An OCI image layout in a folder as one repository (image-spec 1.1, image-layout.md): a tag is the annotation
 * `org.opencontainers.image.ref.name` of an entry of `index.json`; referrers are entries, or manifests of entries, with a
 * `subject`. Entries that other tools wrote stay as they are. The folder and its `oci-layout` are made by the first write.
 */
export function openLayout(path: string, tools: { readonly fileSystem: FileSystem }): OciDestination {
  return new LayoutSource(path.replace(/(?<=.)\/+$/, ""), tools.fileSystem);
}

class LayoutSource implements OciDestination {
  readonly name: string;
  readonly #path: string;
  readonly #fileSystem: FileSystem;
  /** Writes to `index.json` follow one another. */
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(path: string, fileSystem: FileSystem) {
    this.name = `oci-layout://${path}`;
    this.#path = path;
    this.#fileSystem = fileSystem;
  }

  async resolve(
    reference: string,
    options: CallOptions & { readonly ifNoneMatch?: KnownContent } = {},
  ): Promise<Resolved> {
    options.signal?.throwIfAborted();
    const entries = await this.#entries();
    const entry = isDigest(reference)
      ? entries.find((one) => one.digest === reference) ?? await this.#looseManifest(reference)
      : entries.find((one) => tagOf(one) === reference);
    if (entry === undefined) throw this.#missing(isDigest(reference) ? `manifest ${reference}` : `tag "${reference}"`);
    if (options.ifNoneMatch?.digest === entry.digest) return { kind: "unchanged" };
    const { mediaType, digest, size } = entry;
    return { kind: "found", descriptor: { mediaType, digest, size } };
  }

  async manifest(digest: Digest, options: CallOptions = {}) {
    options.signal?.throwIfAborted();
    const what = `manifest ${digest}`;
    const file = this.#open(digest, what);
    if (file.sizeBytes > manifestLimitBytes) {
      file[Symbol.dispose]();
      throw new StageError(
        "OCIArtifactPullFailed",
        `Cannot use ${what} of ${this.name}: it has ${file.sizeBytes} bytes, allowed are ${manifestLimitBytes}`,
      );
    }
    const stream = verifiedStream(chunksOfFile(file), { mediaType: "", digest, size: file.sizeBytes }, {
      what: `${what} of ${this.name}`,
    });
    const bytes = await readAll(stream, manifestLimitBytes);
    const { mediaType } = parseManifestDocument(bytes);
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  blob(descriptor: Descriptor, options: BlobOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const what = `blob ${descriptor.digest}`;
    const file = this.#open(descriptor.digest, what);
    const source = chunksOfFile(file, options.resume?.offset ?? 0, options.signal);
    return Promise.resolve(verifiedStream(source, descriptor, {
      what: `${what} of ${this.name}`,
      ...(options.resume === undefined ? {} : { resume: options.resume }),
    }));
  }

  async tags(): Promise<readonly string[]> {
    const tags = (await this.#entries()).map(tagOf).filter((tag) => tag !== undefined);
    return [...new Set(tags)].sort();
  }

  async referrers(
    digest: Digest,
    options: CallOptions & { readonly artifactType?: string } = {},
  ): Promise<readonly Descriptor[]> {
    const entries = await this.#entries();
    const fallback = entries.find((entry) => tagOf(entry) === referrersTag(digest));
    const found = new Map<Digest, Descriptor>();
    const candidates = fallback === undefined ? entries : [...entries, ...await this.#children(fallback.digest)];
    for (const entry of candidates) {
      if (entry === fallback || found.has(entry.digest)) continue;
      const described = await this.#describeReferrer(entry, digest, options);
      if (described !== undefined) found.set(entry.digest, described);
    }
    return [...found.values()].filter((one) =>
      options.artifactType === undefined || one.artifactType === options.artifactType
    );
  }

  async hasBlob(descriptor: Descriptor): Promise<boolean> {
    const info = await this.#fileSystem.stat(this.#blobPath(descriptor.digest));
    return info?.kind === "file" && info.sizeBytes === descriptor.size;
  }

  async pushBlob(
    descriptor: Descriptor,
    content: BlobContent,
    options: CallOptions & { readonly onProgress?: (sentBytes: number) => void } = {},
  ): Promise<PushOutcome> {
    if (await this.hasBlob(descriptor)) return "exists";
    const stream = await content(0);
    const checked = verifiedStream(chunksOfStream(stream), descriptor, { what: `blob ${descriptor.digest}` });
    await this.#prepare();
    await using file = await this.#fileSystem.create(this.#blobPath(descriptor.digest));
    for await (const chunk of checked) {
      options.signal?.throwIfAborted();
      file.write(chunk);
      options.onProgress?.(file.sizeBytes);
    }
    await file.commit();
    return "pushed";
  }

  mountBlob(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async pushManifest(
    manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
    options: CallOptions & { readonly tag?: string } = {},
  ): Promise<Descriptor> {
    const document = parseManifestDocument(manifest.bytes, manifest.mediaType);
    const digest = digestOf(manifest.bytes);
    await this.#prepare();
    await this.#fileSystem.writeAtomic(this.#blobPath(digest), manifest.bytes);
    const body = document.kind === "manifest" ? document.manifest : document.index;
    const artifactType = body.artifactType ??
      (document.kind === "manifest" && body.subject !== undefined ? document.manifest.config.mediaType : undefined);
    const descriptor: Descriptor = {
      mediaType: document.mediaType,
      digest,
      size: manifest.bytes.length,
      ...(artifactType === undefined ? {} : { artifactType }),
    };
    // A manifest without a tag stays out of the index unless it must be found there: its parent or digest leads to it.
    if (options.tag !== undefined || body.subject !== undefined) await this.#put(descriptor, options.tag);
    return descriptor;
  }

  async tag(digest: Digest, tag: string): Promise<void> {
    const resolved = await this.resolve(digest);
    if (resolved.kind === "found") await this.#put(resolved.descriptor, tag);
  }

  /** Entries of `index.json`, in order. @throws {StageError} when there is no layout, or it cannot be read */
  async #entries(): Promise<readonly Descriptor[]> {
    let text: string | undefined;
    try {
      const info = await this.#fileSystem.stat(`${this.#path}/index.json`);
      if ((info?.sizeBytes ?? 0) > indexLimitBytes) throw new RangeError(`index.json exceeds ${indexLimitBytes} bytes`);
      text = await this.#fileSystem.readText(`${this.#path}/index.json`);
    } catch (error) {
      throw asStageError(error, "ReadOperationFailed", `Cannot read ${this.name}`);
    }
    if (text === undefined) {
      throw new StageError("OCIArtifactPullFailed", `Cannot read ${this.name}: it has no index.json`, {
        cause: new ContentMissing("index.json"),
        hint: "Check the path: it must be the folder of an OCI layout",
      });
    }
    let value: JsonValue;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new StageError("OCIArtifactPullFailed", `Cannot read ${this.name}: index.json is no JSON`, {
        cause: error,
      });
    }
    if (!isJsonObject(value) || !Array.isArray(value.manifests)) {
      throw new StageError("OCIArtifactPullFailed", `Cannot read ${this.name}: index.json has no manifests`);
    }
    return value.manifests.map((entry, at) => ({
      // Fields that we do not know stay, so that nothing is lost when the entry is written again.
      ...(isJsonObject(entry) ? entry : {}),
      ...readDescriptor(entry, `manifests[${at}]`),
    }));
  }

  /** A manifest that is in the layout but not in its index, for example the child of an index. */
  async #looseManifest(digest: Digest): Promise<Descriptor | undefined> {
    try {
      return (await this.manifest(digest)).descriptor;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #children(digest: Digest): Promise<readonly Descriptor[]> {
    const document = parseManifestDocument((await this.manifest(digest)).bytes);
    return document.kind === "index" ? document.index.manifests : [];
  }

  async #describeReferrer(entry: Descriptor, subject: Digest, options: CallOptions): Promise<Descriptor | undefined> {
    let content;
    try {
      content = await this.manifest(entry.digest, options);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    const document = parseManifestDocument(content.bytes);
    const body = document.kind === "manifest" ? document.manifest : document.index;
    if (body.subject?.digest !== subject) return undefined;
    const artifactType = body.artifactType ??
      (document.kind === "manifest" ? document.manifest.config.mediaType : undefined);
    return {
      ...content.descriptor,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(body.annotations === undefined ? {} : { annotations: body.annotations }),
    };
  }

  #open(digest: Digest, what: string): OpenFile {
    let file: OpenFile | undefined;
    try {
      file = this.#fileSystem.open(this.#blobPath(digest));
    } catch (error) {
      throw asStageError(error, "ReadOperationFailed", `Cannot read ${what} of ${this.name}`);
    }
    if (file === undefined) throw this.#missing(what);
    return file;
  }

  #blobPath(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return `${this.#path}/blobs/${algorithm}/${hex}`;
  }

  #missing(what: string): StageError {
    return new StageError("OCIArtifactPullFailed", `Cannot find ${what} in ${this.name}`, {
      cause: new ContentMissing(what),
      hint: "Check the path and spec.ref; pilotfish ls shows the tags of a layout",
    });
  }

  async #prepare(): Promise<void> {
    try {
      await this.#fileSystem.makeFolder(`${this.#path}/blobs/sha256`);
      if (await this.#fileSystem.stat(`${this.#path}/oci-layout`) === undefined) {
        await this.#fileSystem.writeAtomic(`${this.#path}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
      }
    } catch (error) {
      throw asStageError(error, "StorageOperationFailed", `Cannot write to ${this.name}`, {
        hint: "Check the path, its space, and that you may write there",
      });
    }
  }

  /** Puts an entry into `index.json`; a tag is taken away from whatever had it. */
  #put(descriptor: Descriptor, tag: string | undefined): Promise<void> {
    const write = this.#lastWrite.catch(() => {}).then(async () => {
      const entries = await this.#entries().catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      const isSame = (entry: Descriptor) => entry.digest === descriptor.digest && tagOf(entry) === tag;
      const rest = entries.filter((entry) => !isSame(entry) && (tag === undefined || tagOf(entry) !== tag));
      const annotations = { ...descriptor.annotations, ...(tag === undefined ? {} : { [refName]: tag }) };
      const entry = { ...descriptor, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
      const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [...rest, entry] } satisfies Index;
      await this.#fileSystem.writeAtomic(`${this.#path}/index.json`, `${JSON.stringify(index, null, 1)}\n`);
    });
    this.#lastWrite = write;
    return write;
  }
}

function tagOf(entry: Descriptor): string | undefined {
  return entry.annotations?.[refName];
}

/** Tag under which registries without the referrers API list a manifest's referrers (distribution-spec 1.1). */
function referrersTag(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `${algorithm}-${hex}`;
}

/** Content of a file in pieces. The file is closed at the end, or when nothing more is wanted. */
function chunksOfFile(file: OpenFile, from = 0, signal?: AbortSignal): ChunkSource {
  let offset = from;
  return {
    read() {
      let chunk: Uint8Array | undefined;
      try {
        signal?.throwIfAborted();
        const length = Math.min(chunkBytes, file.sizeBytes - offset);
        if (length > 0) chunk = file.readAt(offset, length);
        offset += length;
      } finally {
        // At the end, and where reading fails: nobody asks after that.
        if (chunk === undefined) file[Symbol.dispose]();
      }
      return Promise.resolve(chunk);
    },
    cancel: () => file[Symbol.dispose](),
  };
}

function chunksOfStream(stream: ReadableStream<Uint8Array>): ChunkSource {
  const reader = stream.getReader();
  return {
    read: async () => (await reader.read()).value,
    cancel: (reason) => reader.cancel(reason),
  };
}
