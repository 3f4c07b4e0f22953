import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import { type Descriptor, mediaTypes } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import { digestOf } from "../../core/digest.ts";
import type { FileSystem } from "../../core/file_system.ts";
import { StageError } from "../../core/stage_error.ts";
import { createIgnore } from "../../format/source_ignore.ts";
import type { OciDestination } from "../oci_source.ts";
import type { OnTransfer } from "./progress.ts";

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

/** Left out unless a pattern keeps it with `!`: the binary files that `flux push artifact` leaves out beside version control. */
const usuallyIgnored = ["*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip"];

/** The beginning of time: what a reproducible artifact says of its making. */
const epoch = "1970-01-01T00:00:00Z";

/**
 * Pushes a folder, or one file, as a Flux artifact: the media types and annotations of `flux push artifact` (fluxcd/pkg
 * `oci/push.go`). Entries are sorted, their times are zero and owners dropped, and only regular files go in, so the same
 * content always gives the same digest.
 *
 * @throws {StageError} ReadOperationFailed for a path that is not there or empty; whatever the destination refuses
 */
export async function pushArtifact(
  path: string,
  to: OciDestination,
  options: PushOptions,
  tools: { readonly fileSystem: FileSystem },
): Promise<Descriptor> {
  const info = await tools.fileSystem.stat(path);
  if (info === undefined) throw new StageError("ReadOperationFailed", `Cannot push "${path}": there is nothing`);
  const layer = info.kind === "folder"
    ? { mediaType: mediaTypes.fluxContent, ...await packFolder(path, options.ignore ?? [], tools.fileSystem) }
    : await fileLayer(path, tools.fileSystem);
  const created = options.created ?? epoch;
  const annotations = {
    ...options.annotations,
    "org.opencontainers.image.created": created,
    ...(options.source === undefined ? {} : { "org.opencontainers.image.source": options.source }),
    ...(options.revision === undefined ? {} : { "org.opencontainers.image.revision": options.revision }),
  };
  const layerDescriptor = describe(layer.mediaType, layer.bytes);
  const config = new TextEncoder().encode(JSON.stringify({
    created,
    architecture: "",
    os: "",
    config: {},
    rootfs: { type: "layers", diff_ids: [layer.contentDigest] },
  }));
  const configDescriptor = describe(mediaTypes.fluxConfig, config);
  await pushBytes(to, configDescriptor, config, options);
  await pushBytes(to, layerDescriptor, layer.bytes, options);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: configDescriptor,
    layers: [layerDescriptor],
    annotations: Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1))),
  });
  return await to.pushManifest(
    { mediaType: mediaTypes.manifest, bytes: new TextEncoder().encode(manifest) },
    { tag: options.tag, ...(options.signal === undefined ? {} : { signal: options.signal }) },
  );
}

async function fileLayer(path: string, fileSystem: FileSystem) {
  const bytes = await fileSystem.read(path) ?? new Uint8Array();
  return { mediaType: fileMediaType(path), bytes, contentDigest: digestOf(bytes) };
}

/** Media type of a single file: `…content.v1.<extension>`, as flux gives it. */
function fileMediaType(path: string): string {
  const extension = /\.([A-Za-z0-9]+(?:\.gz)?)$/.exec(path.slice(path.lastIndexOf("/") + 1))?.[1] ?? "bin";
  return `application/vnd.cncf.flux.content.v1.${extension.replace(/^tar\.gz$|^tgz$/, "tar+gzip")}`;
}

function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

async function pushBytes(
  to: OciDestination,
  descriptor: Descriptor,
  bytes: Uint8Array,
  options: PushOptions,
): Promise<void> {
  const tell = (doneBytes: number, state: "running" | "pushed" | "mounted" | "exists") =>
    options.onTransfer?.({ ...descriptor, doneBytes, totalBytes: descriptor.size, state });
  const outcome = await to.pushBlob(
    descriptor,
    (offset) => new Blob([bytes.slice(offset)]).stream(),
    {
      onProgress: (sentBytes) => tell(sentBytes, "running"),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  );
  tell(descriptor.size, outcome);
}

/** The files of a folder as tar+gzip, always the same bytes for the same content; `contentDigest` is the tar's (`diff_ids`). */
async function packFolder(
  path: string,
  ignore: readonly string[],
  fileSystem: FileSystem,
): Promise<{ readonly bytes: Uint8Array; readonly contentDigest: Digest }> {
  const ignored = createIgnore({ extra: [...usuallyIgnored, ...ignore].join("\n") });
  const entries: {
    header: { name: string; size: number; mode: number; mtime: Date; type: "file" };
    body: Uint8Array;
  }[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await fileSystem.list(folder === "" ? path : `${path}/${folder}`) ?? []) {
      const inner = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const isFolder = entry.kind === "folder";
      if (ignored(inner, isFolder)) continue;
      if (isFolder) await walk(inner);
      else if (entry.kind === "file") {
        const info = await fileSystem.stat(`${path}/${inner}`);
        const body = await fileSystem.read(`${path}/${inner}`) ?? new Uint8Array();
        const mode = ((info?.mode ?? 0) & 0o100) === 0 ? 0o644 : 0o755;
        entries.push({ header: { name: inner, size: body.length, mode, mtime: new Date(0), type: "file" }, body });
      }
    }
  };
  await walk("");
  if (entries.length === 0) {
    throw new StageError("ReadOperationFailed", `Cannot push "${path}": it holds no file that is not ignored`);
  }
  entries.sort((a, b) => (a.header.name < b.header.name ? -1 : 1));
  const tar = await packTar(entries);
  const bytes = gzipSync(tar, { level: 6 });
  // The header's byte for the operating system is the one thing that differs between machines.
  bytes[9] = 255;
  return { bytes, contentDigest: digestOf(tar) };
}
