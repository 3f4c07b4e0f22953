import { once } from "node:events";
import { createGzip } from "node:zlib";
import { createTarPacker } from "modern-tar";
import type { Digest } from "../../core/digest.ts";
import { digestStream } from "../../core/digest.ts";
import type { FileSystem } from "../../core/file_system.ts";
import { StageError } from "../../core/stage_error.ts";
import { createIgnore } from "../../format/source_ignore.ts";
import { chunksOf, openFile } from "./file_content.ts";

/** Left out unless a pattern keeps it with `!`: the binary files that `flux push artifact` leaves out beside version control. */
const usuallyIgnored = ["*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip"];
/** Pieces in which the archive is compressed: the result depends on them, so they are always the same. */
const pieceBytes = 64 * 1024;
/** Place of the operating system in a gzip header, and its value for "unknown": the one thing that differs between machines. */
const [systemOffset, unknownSystem] = [9, 255];

/** What is packed, and where it goes. */
export interface PackRequest {
  /** Patterns of files that stay out, in gitignore's form. */
  readonly ignore: readonly string[];
  /** Takes compressed bytes as they come. */
  readonly write: (chunk: Uint8Array) => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Packs the files of a folder as tar+gzip, always the same bytes for the same content: sorted, without times and owners,
 * only regular files. A piece is in memory at a time.
 *
 * @returns digest of the archive before compression (`diff_ids`)
 * @throws {StageError} ReadOperationFailed when there is no file, or one changes under our hands
 */
export async function packFolder(path: string, request: PackRequest, fileSystem: FileSystem): Promise<Digest> {
  const files = await filesOf(path, request.ignore, fileSystem);
  if (files.length === 0) {
    throw new StageError("ReadOperationFailed", `Cannot push "${path}": it holds no file that is not ignored`, {
      hint: "Name another folder, or keep files with --ignore '!PATTERN'",
    });
  }
  const { readable, controller } = createTarPacker();
  const packing = addFiles(path, files, controller, fileSystem).catch((error: unknown) => controller.error(error));
  const hash = digestStream();
  try {
    await compress(hashed(readable, hash, request.signal), request.write);
  } finally {
    await packing;
  }
  return hash.digest();
}

async function filesOf(path: string, ignore: readonly string[], fileSystem: FileSystem): Promise<readonly string[]> {
  const ignored = createIgnore({ extra: [...usuallyIgnored, ...ignore].join("\n") });
  const files: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await fileSystem.list(folder === "" ? path : `${path}/${folder}`) ?? []) {
      const inner = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const isFolder = entry.kind === "folder";
      if (ignored(inner, isFolder)) continue;
      if (isFolder) await walk(inner);
      else if (entry.kind === "file") files.push(inner);
    }
  };
  await walk("");
  return files.sort((a, b) => (a < b ? -1 : 1));
}

async function addFiles(
  path: string,
  files: readonly string[],
  controller: ReturnType<typeof createTarPacker>["controller"],
  fileSystem: FileSystem,
): Promise<void> {
  for (const name of files) {
    const info = await fileSystem.stat(`${path}/${name}`);
    using file = openFile(`${path}/${name}`, fileSystem);
    const mode = ((info?.mode ?? 0) & 0o100) === 0 ? 0o644 : 0o755;
    const body = controller.add({ name, size: file.sizeBytes, mode, mtime: new Date(0), type: "file" }).getWriter();
    for (const chunk of chunksOf(file)) await body.write(chunk);
    await body.close();
  }
  controller.finalize();
}

/** Passes an archive on in pieces of one size, and hashes it. */
async function* hashed(
  archive: ReadableStream<Uint8Array>,
  hash: { update(chunk: Uint8Array): void },
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  let piece = new Uint8Array(pieceBytes);
  let filled = 0;
  for await (const chunk of archive) {
    signal?.throwIfAborted();
    hash.update(chunk);
    for (let rest = chunk; rest.length > 0;) {
      const part = rest.subarray(0, pieceBytes - filled);
      piece.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled < pieceBytes) continue;
      yield piece;
      piece = new Uint8Array(pieceBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

async function compress(pieces: AsyncIterable<Uint8Array>, write: PackRequest["write"]): Promise<void> {
  const gzip = createGzip({ level: 6 });
  const feeding = (async () => {
    for await (const piece of pieces) if (!gzip.write(piece)) await once(gzip, "drain");
    gzip.end();
  })();
  feeding.catch((error: unknown) => gzip.destroy(error as Error));
  let offset = 0;
  for await (const chunk of gzip as AsyncIterable<Uint8Array>) {
    if (offset <= systemOffset && offset + chunk.length > systemOffset) chunk[systemOffset - offset] = unknownSystem;
    offset += chunk.length;
    await write(chunk);
  }
  await feeding;
}
