import { type Descriptor, mediaTypes } from "../../core/descriptor.ts";
import { digestOf, digestStream } from "../../core/digest.ts";
import { StageError } from "../../core/stage_error.ts";
import type { BlobContent, OciDestination } from "../oci_source.ts";
import { chunksOf, contentOf, openFile } from "./file_content.ts";
import { packFolder } from "./pack_folder.ts";
import type { OnTransfer } from "./progress.ts";
import { Spool, type SpoolPlace } from "./spool.ts";

/** What {@linkcode pushArtifact} is told. */
export interface PushOptions {
  readonly tag: string;
  /** Where the content came from (`org.opencontainers.image.source`). */
  readonly source?: string;
  /** Which revision of it (`org.opencontainers.image.revision`), for example `main@sha1:abc`. */
  readonly revision?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** RFC 3339. Default 1970-01-01T00:00:00Z, so that the same content gives the same digest. */
  readonly created?: string;
  /** Patterns of files that stay out, in gitignore's form, beside version control and the usual binary files. */
  readonly ignore?: readonly string[];
  readonly onTransfer?: OnTransfer;
  readonly signal?: AbortSignal;
}

/** The beginning of time: what a reproducible artifact says of its making. */
const epoch = "1970-01-01T00:00:00Z";

/**
 * Pushes a folder, or one file, as a Flux artifact: the media types and annotations of `flux push artifact` (fluxcd/pkg
 * `oci/push.go`). Entries are sorted, their times are zero and owners dropped, and only regular files go in, so the same
 * content always gives the same digest. A layer is never held in memory as a whole.
 *
 * @throws {StageError} ReadOperationFailed for a path that is not there or empty; whatever the destination refuses
 */
export async function pushArtifact(
  path: string,
  to: OciDestination,
  options: PushOptions,
  tools: SpoolPlace,
): Promise<Descriptor> {
  const info = await tools.fileSystem.stat(path);
  if (info === undefined) {
    throw new StageError("ReadOperationFailed", `Cannot push "${path}": there is nothing`, {
      hint: "Check the path",
    });
  }
  return info.kind === "folder" ? await pushFolder(path, to, options, tools) : await pushFile(path, to, options, tools);
}

/** One layer, ready to be sent. */
interface Layer {
  readonly descriptor: Descriptor;
  readonly content: BlobContent;
  /** Digest before compression (`diff_ids`). */
  readonly contentDigest: string;
}

async function pushFolder(
  path: string,
  to: OciDestination,
  options: PushOptions,
  tools: SpoolPlace,
): Promise<Descriptor> {
  await using spool = new Spool(tools);
  const contentDigest = await packFolder(path, {
    ignore: options.ignore ?? [],
    write: (chunk) => spool.write(chunk),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }, tools.fileSystem);
  const { digest, size, content } = await spool.finish();
  return await pushLayer({ descriptor: { mediaType: mediaTypes.fluxContent, digest, size }, content, contentDigest }, {
    to,
    options,
  });
}

async function pushFile(
  path: string,
  to: OciDestination,
  options: PushOptions,
  tools: SpoolPlace,
): Promise<Descriptor> {
  using file = openFile(path, tools.fileSystem);
  const hash = digestStream();
  for (const chunk of chunksOf(file)) {
    options.signal?.throwIfAborted();
    hash.update(chunk);
  }
  const descriptor = { mediaType: fileMediaType(path), digest: hash.digest(), size: file.sizeBytes };
  return await pushLayer({ descriptor, content: contentOf(file), contentDigest: descriptor.digest }, { to, options });
}

async function pushLayer(
  layer: Layer,
  { to, options }: { readonly to: OciDestination; readonly options: PushOptions },
): Promise<Descriptor> {
  const config = JSON.stringify({
    created: options.created ?? epoch,
    architecture: "",
    os: "",
    config: {},
    rootfs: { type: "layers", diff_ids: [layer.contentDigest] },
  });
  return await sendArtifact({ ...layer, config: { mediaType: mediaTypes.fluxConfig, text: config } }, to, options);
}

/** One layer with its config, and the manifest that names them. */
export interface SentArtifact {
  readonly descriptor: Descriptor;
  readonly content: BlobContent;
  readonly config: { readonly mediaType: string; readonly text: string };
}

/** Sends config, layer and manifest. Annotations of `options` come beside time, source and revision. */
export async function sendArtifact(
  artifact: SentArtifact,
  to: OciDestination,
  options: PushOptions,
): Promise<Descriptor> {
  const annotations = {
    ...options.annotations,
    "org.opencontainers.image.created": options.created ?? epoch,
    ...(options.source === undefined ? {} : { "org.opencontainers.image.source": options.source }),
    ...(options.revision === undefined ? {} : { "org.opencontainers.image.revision": options.revision }),
  };
  const config = new TextEncoder().encode(artifact.config.text);
  const configDescriptor = { mediaType: artifact.config.mediaType, digest: digestOf(config), size: config.length };
  await pushContent(to, configDescriptor, (offset) => new Blob([config.slice(offset)]).stream(), options);
  await pushContent(to, artifact.descriptor, artifact.content, options);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: configDescriptor,
    layers: [artifact.descriptor],
    annotations: Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1))),
  });
  return await to.pushManifest(
    { mediaType: mediaTypes.manifest, bytes: new TextEncoder().encode(manifest) },
    { tag: options.tag, ...(options.signal === undefined ? {} : { signal: options.signal }) },
  );
}

/** Media type of a single file: `…content.v1.<extension>`, as flux gives it. */
function fileMediaType(path: string): string {
  const extension = /\.([A-Za-z0-9]+(?:\.gz)?)$/.exec(path.slice(path.lastIndexOf("/") + 1))?.[1] ?? "bin";
  return `application/vnd.cncf.flux.content.v1.${extension.replace(/^tar\.gz$|^tgz$/, "tar+gzip")}`;
}

async function pushContent(
  to: OciDestination,
  descriptor: Descriptor,
  content: BlobContent,
  options: PushOptions,
): Promise<void> {
  const tell = (doneBytes: number, state: "running" | "pushed" | "mounted" | "exists") =>
    options.onTransfer?.({ ...descriptor, doneBytes, totalBytes: descriptor.size, state });
  const outcome = await to.pushBlob(descriptor, content, {
    onProgress: (sentBytes) => tell(sentBytes, "running"),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  tell(descriptor.size, outcome);
}
