import { StageError } from "../core/stage_error.ts";
import { FormatError } from "../format/format_error.ts";
import { createIgnore, ignoreFileName } from "../format/source_ignore.ts";
import type { TarEntry, TarSink } from "../format/tar.ts";
import { tarParser } from "../format/tar.ts";
import type { Compression } from "./decompress.ts";
import { decompress } from "./decompress.ts";
import { cleanEntryPath, linkDestination, type PathLimits, quoteEntry } from "./entry_path.ts";
import { giveWayEvery } from "./give_way.ts";
import type { PackedFile, PackWriter } from "./store/tree_pack.ts";

/** Bounds of an archive; what is beyond is refused with the entry named. */
export interface UnpackLimits extends PathLimits {
  /** Bytes of the archive as unpacked, headers and ignored files included. */
  readonly totalBytes: number;
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Entries of every kind. */
  readonly entries: number;
  /** Unpacked bytes for each packed byte, looked at from 64 MiB on. */
  readonly ratio: number;
}

/** Bounds where nobody names others: far above what configuration needs, far below what hurts. */
const defaultUnpackLimits: UnpackLimits = {
  totalBytes: 1024 ** 3,
  fileBytes: 256 * 1024 ** 2,
  entries: 100_000,
  pathLength: 1024,
  depth: 64,
  ratio: 500,
};

/** What is known of an unpacked layer. */
export interface UnpackedLayer {
  /** Files after ignore rules, in no particular order. */
  readonly files: readonly PackedFile[];
  /** Symbolic links that were passed over. */
  readonly skippedLinks: number;
  /** Bytes that the writer holds for no file of `files`. */
  readonly wastedBytes: number;
  /** Paths whose content the files of `files` have (a hard link has that of another path). */
  readonly contentPaths: ReadonlySet<string>;
}

/** How a layer is unpacked. */
export interface UnpackOptions {
  /** `apply`: with `.sourceignore` files and `extra` (`spec.ignore`); `none`: everything stays. */
  readonly ignore: { readonly kind: "apply"; readonly extra?: string } | { readonly kind: "none" };
  readonly limits?: Partial<UnpackLimits>;
  /** Only contents of these paths are written: for a second pass, when the first wrote much that is ignored. */
  readonly only?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/** Files that are looked at before others get a turn. */
const filesPerTurn = 1_000;
const ratioFrom = 64 * 1024 ** 2;
const ignoreFileBytes = 256 * 1024;

/**
 * Unpacks a layer (tar, tar+gzip, tar+zstd) into a pack: contents are written as they come, one piece in memory at a time.
 * Nothing touches the disk under a name of the archive. The writer must then be finished with the files returned.
 *
 * - Files of the same path: the last one counts. A path that is a file here and a folder there is refused.
 * - Hard links to an earlier file have its content. Differs: Flux makes an empty file of them.
 * - Symbolic links inside the tree are passed over, as in Flux; those that lead out of it, and anything below a link, are
 *   refused. Devices, fifos, sparse files and unknown types are refused.
 * - Of modes only "executable by anybody" is kept. Folders exist through their files.
 * - Ignore rules are applied at the end, because a `.sourceignore` may stand behind the files it speaks of.
 *
 * @throws {StageError} OCIArtifactLayerOperationFailed naming the entry; the signal's reason; what the writer throws
 */
export async function unpackLayer(
  chunks: AsyncIterable<Uint8Array>,
  writer: Pick<PackWriter, "write" | "endContent">,
  options: UnpackOptions,
): Promise<UnpackedLayer> {
  const limits = { ...defaultUnpackLimits, ...options.limits };
  const plan = new TreePlan(limits, writer, options.only);
  const parser = tarParser({ entry: (entry) => plan.take(entry) });
  let packedBytes = 0;
  let unpackedBytes = 0;
  const counted = (async function* () {
    for await (const chunk of chunks) {
      packedBytes += chunk.length;
      yield chunk;
    }
  })();
  try {
    await decompress(counted, (piece, compression) => {
      unpackedBytes += piece.length;
      checkAmount({ packedBytes, unpackedBytes, compression }, limits, plan.current);
      parser.write(piece);
    }, options.signal);
    if (packedBytes === 0) throw refusal("it is empty");
    parser.end();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw readable(error, plan.current);
  }
  return await plan.finish(options.ignore);
}

function checkAmount(
  amount: { readonly packedBytes: number; readonly unpackedBytes: number; readonly compression: Compression },
  limits: UnpackLimits,
  current: string,
): void {
  const near = current === "" ? "" : ` (near entry ${quoteEntry(current)})`;
  if (amount.unpackedBytes > limits.totalBytes) {
    throw refusal(`it unpacks to more than ${limits.totalBytes} bytes${near}`);
  }
  if (
    amount.compression !== "none" && amount.unpackedBytes > ratioFrom &&
    amount.unpackedBytes > limits.ratio * amount.packedBytes
  ) {
    throw refusal(`it unpacks to more than ${limits.ratio} times its size${near}`);
  }
}

/** What stands at a path so far. */
type Standing =
  | { readonly kind: "file"; readonly file: PackedFile; readonly contentPath: string }
  | { readonly kind: "folder" }
  | { readonly kind: "link" };

/** The tree as the entries build it. */
class TreePlan {
  /** The entry that is being read, as written, for messages. */
  current = "";
  readonly #limits: UnpackLimits;
  readonly #writer: Pick<PackWriter, "write" | "endContent">;
  readonly #only: ReadonlySet<string> | undefined;
  readonly #standing = new Map<string, Standing>();
  readonly #ignoreTexts = new Map<string, string>();
  #entries = 0;
  #skippedLinks = 0;
  #writtenBytes = 0;

  constructor(
    limits: UnpackLimits,
    writer: Pick<PackWriter, "write" | "endContent">,
    only: ReadonlySet<string> | undefined,
  ) {
    this.#limits = limits;
    this.#writer = writer;
    this.#only = only;
  }

  take(entry: TarEntry): TarSink | undefined {
    this.current = entry.path;
    if (++this.#entries > this.#limits.entries) throw refusal(`it has more than ${this.#limits.entries} entries`);
    const cleaned = cleanEntryPath(entry.path, this.#limits);
    if ("refusal" in cleaned) throw this.#refuse(cleaned.refusal);
    const { path } = cleaned;
    switch (entry.kind) {
      case "folder":
        if (path !== "") this.#place(path, { kind: "folder" });
        return undefined;
      case "symlink":
        if (path === "" || linkDestination(path, entry.linkTarget) === undefined) {
          throw this.#refuse(`it is a link to ${quoteEntry(entry.linkTarget)}, outside of the tree`);
        }
        this.#place(path, { kind: "link" });
        this.#skippedLinks++;
        return undefined;
      case "hardlink":
        this.#linkContent(entry, path);
        return undefined;
      case "file":
        if (path === "") throw this.#refuse("a file has no name");
        return this.#file(entry, path);
      case "sparse":
        throw this.#refuse("it is a sparse file");
      case "device":
        throw this.#refuse("it is a device");
      case "fifo":
        throw this.#refuse("it is a fifo");
      case "other":
        throw this.#refuse(`its type ${quoteEntry(entry.typeFlag)} is not known`);
    }
  }

  #file(entry: TarEntry, path: string): TarSink | undefined {
    if (entry.sizeBytes > this.#limits.fileBytes) {
      throw this.#refuse(`it has ${entry.sizeBytes} bytes, allowed are ${this.#limits.fileBytes}`);
    }
    const isIgnoreFile = path === ignoreFileName || path.endsWith(`/${ignoreFileName}`);
    if (isIgnoreFile && entry.sizeBytes > ignoreFileBytes) {
      throw this.#refuse(`it has ${entry.sizeBytes} bytes, allowed for its kind are ${ignoreFileBytes}`);
    }
    this.#checkPlace(path, "file");
    if (this.#only !== undefined && !this.#only.has(path) && !isIgnoreFile) return undefined;
    const ignoreText: Uint8Array[] = [];
    return {
      write: (chunk) => {
        this.#writer.write(chunk);
        if (isIgnoreFile) ignoreText.push(chunk.slice());
      },
      end: () => {
        const content = this.#writer.endContent();
        this.#writtenBytes += content.sizeBytes;
        const file = { path, isExecutable: (entry.mode & 0o111) !== 0, ...content };
        this.#place(path, { kind: "file", file, contentPath: path });
        if (isIgnoreFile) this.#ignoreTexts.set(folderOf(path), textOf(ignoreText));
      },
    };
  }

  #linkContent(entry: TarEntry, path: string): void {
    const target = cleanEntryPath(entry.linkTarget, this.#limits);
    if (path === "" || "refusal" in target) {
      throw this.#refuse(`it is a hard link to ${quoteEntry(entry.linkTarget)}, outside of the tree`);
    }
    const standing = this.#standing.get(target.path);
    if (standing?.kind !== "file") {
      if (this.#only !== undefined) return;
      throw this.#refuse(`it is a hard link to ${quoteEntry(entry.linkTarget)}, which is no file before it`);
    }
    this.#place(path, { ...standing, file: { ...standing.file, path } });
    const text = this.#ignoreTexts.get(folderOf(target.path));
    if (text !== undefined && nameOf(path) === ignoreFileName && nameOf(target.path) === ignoreFileName) {
      this.#ignoreTexts.set(folderOf(path), text);
    }
  }

  #place(path: string, standing: Standing): void {
    this.#checkPlace(path, standing.kind);
    this.#standing.set(path, standing);
    for (let parent = folderOf(path); parent !== "" && !this.#standing.has(parent); parent = folderOf(parent)) {
      this.#standing.set(parent, { kind: "folder" });
    }
  }

  /** Refuses what stands elsewhere as another kind, and what would stand below a file or link. */
  #checkPlace(path: string, kind: Standing["kind"]): void {
    const there = this.#standing.get(path);
    if (there !== undefined && there.kind !== kind) throw this.#refuse(`it stands earlier as a ${there.kind}`);
    if (there !== undefined) return;
    for (let parent = folderOf(path); parent !== ""; parent = folderOf(parent)) {
      const above = this.#standing.get(parent);
      if (above?.kind === "folder") return;
      if (above !== undefined) throw this.#refuse(`${quoteEntry(parent)} above it is a ${above.kind}`);
    }
  }

  async finish(ignore: UnpackOptions["ignore"]): Promise<UnpackedLayer> {
    const isIgnored = ignore.kind === "none" ? () => false : createIgnore({
      patternsByFolder: this.#ignoreTexts,
      ...(ignore.extra === undefined ? {} : { extra: ignore.extra }),
    });
    const files: PackedFile[] = [];
    const contentPaths = new Set<string>();
    const contents = new Map<number, number>();
    const takeTurns = giveWayEvery(filesPerTurn);
    for (const standing of this.#standing.values()) {
      await takeTurns(1);
      if (standing.kind !== "file" || isIgnored(standing.file.path, false)) continue;
      if (this.#only !== undefined && !this.#only.has(standing.contentPath)) continue;
      files.push(standing.file);
      contentPaths.add(standing.contentPath);
      // Empty files lie where the next content begins.
      contents.set(standing.file.offset, Math.max(contents.get(standing.file.offset) ?? 0, standing.file.sizeBytes));
    }
    const usedBytes = [...contents.values()].reduce((sum, size) => sum + size, 0);
    return {
      files,
      skippedLinks: this.#skippedLinks,
      wastedBytes: this.#writtenBytes - usedBytes,
      contentPaths,
    };
  }

  #refuse(why: string): StageError {
    return refusal(`entry ${quoteEntry(this.current)} is refused: ${why}`);
  }
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function textOf(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}

function refusal(why: string, options: { readonly cause?: unknown; readonly hint?: string } = {}): StageError {
  return new StageError("OCIArtifactLayerOperationFailed", `Cannot unpack layer: ${why}`, options);
}

/** Faults of archive and decoder as errors of ours; everything else as it is. */
function readable(error: unknown, current: string): unknown {
  if (error instanceof FormatError) {
    const after = current === "" ? "" : `, after entry ${quoteEntry(current)}`;
    const what = error.message.replace(/^Cannot read tar archive /, "it is no good tar archive, ");
    return refusal(`${what}${after}`, {
      cause: error,
      ...(current === ""
        ? { hint: 'Keep a layer that is no archive as it is with layerSelector.operation "copy"' }
        : {}),
    });
  }
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (typeof code === "string" && /^(?:Z_|ZSTD_|ERR_ZSTD|ERR_ZLIB)/.test(code)) {
    const after = current === "" ? "" : ` after entry ${quoteEntry(current)}`;
    return refusal(`its compressed data is damaged${after}`, { cause: error });
  }
  return error;
}
