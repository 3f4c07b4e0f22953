import { nodeBuiltin } from "../../core/node_builtin.ts";
import type { Digest } from "../../core/digest.ts";
import { digestOf } from "../../core/digest.ts";
import type { OpenFile, PendingFile } from "../../core/file_system.ts";
import type { OpenFileTree, TreeFile } from "../../core/file_tree.ts";
import { StageError } from "../../core/stage_error.ts";
import { giveWayEvery } from "../give_way.ts";

/*
 * A pack is a whole tree in one file, so that a tree of 10,000 files is written, synced, renamed, opened and deleted once.
 *
 *   0          "PFTREE1\n"
 *   8          contents, one after the other, in the order in which they came; some may belong to no file (ignored later)
 *   L          listing, UTF-8, files by path in order of UTF-16 code units, for each:
 *                <SHA-256 of the content, 64 hex> " " <"x" executable | "-"> " " <size, decimal> " " <path> "\0"
 *   L+length   offset of each file's content in the order of the listing, 8 bytes each, little-endian double
 *   end-32     L (double), length of the listing (double), number of files (uint32), 0 (uint32), "PFTREE1\n"
 *
 * The tree's digest is the SHA-256 of "pilotfish tree 1\n" and the listing. So the digest a caller knows proves the
 * listing, the listing proves each content, and an offset that is wrong shows as content that does not match. Where
 * contents lie, when they were written and by which archive does not count: the same files have the same digest.
 */

const magic = new TextEncoder().encode("PFTREE1\n");
const digestPrefix = "pilotfish tree 1\n";
const trailerSize = 32;
const bufferSize = 128 * 1024;
/** Pieces in which contents are checked. */
const pieceBytes = 1024 * 1024;
/** Files that are listed before others get a turn. */
const filesPerTurn = 1_000;

/** A content that stands in a pack. */
export interface PackedContent {
  readonly offset: number;
  readonly sizeBytes: number;
  /** SHA-256, 64 hex digits. */
  readonly hash: string;
}

/** A file of a pack's listing. */
export interface PackedFile extends TreeFile, PackedContent {}

/** Writes a pack from front to back. */
export interface PackWriter {
  /** Bytes of contents so far. */
  readonly contentBytes: number;
  /** Appends bytes of the current content. */
  write(chunk: Uint8Array): void;
  /** Ends the current content; the next one begins. */
  endContent(): PackedContent;
  /**
   * Writes listing and trailer; paths must be unique. The file must then be committed. Gives way to other work between
   * its steps. @returns the tree's digest
   */
  finish(files: readonly PackedFile[]): Promise<Digest>;
}

/** A writer into a file that is not yet in its place. Small contents are joined before they are written. */
export function packWriter(file: Pick<PendingFile, "write">): PackWriter {
  const buffer = new Uint8Array(bufferSize);
  let buffered = 0;
  let offset = 0;
  let start = magic.length;
  let hash = nodeBuiltin.crypto().createHash("sha256");
  put(magic);

  function put(bytes: Uint8Array): void {
    offset += bytes.length;
    if (buffered + bytes.length > bufferSize) flush();
    if (bytes.length >= bufferSize) return file.write(bytes);
    buffer.set(bytes, buffered);
    buffered += bytes.length;
  }

  function flush(): void {
    if (buffered > 0) file.write(buffer.subarray(0, buffered));
    buffered = 0;
  }

  return {
    get contentBytes() {
      return offset - magic.length;
    },
    write(chunk) {
      hash.update(chunk);
      put(chunk);
    },
    endContent() {
      const content = { offset: start, sizeBytes: offset - start, hash: hash.digest("hex") };
      start = offset;
      hash = nodeBuiltin.crypto().createHash("sha256");
      return content;
    },
    async finish(files) {
      const takeTurns = giveWayEvery(filesPerTurn);
      const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
      await takeTurns(files.length);
      const listing = new TextEncoder().encode(sorted.map(line).join(""));
      await takeTurns(files.length);
      const tail = new DataView(new ArrayBuffer(sorted.length * 8 + trailerSize));
      for (const [index, packed] of sorted.entries()) tail.setFloat64(index * 8, packed.offset, true);
      const trailer = sorted.length * 8;
      tail.setFloat64(trailer, offset, true);
      tail.setFloat64(trailer + 8, listing.length, true);
      tail.setUint32(trailer + 16, sorted.length, true);
      const bytes = new Uint8Array(tail.buffer);
      bytes.set(magic, trailer + 24);
      put(listing);
      put(bytes);
      flush();
      return treeDigest(listing);
    },
  };
}

function line(file: PackedFile): string {
  return `${file.hash} ${file.isExecutable ? "x" : "-"} ${file.sizeBytes} ${file.path}\0`;
}

function treeDigest(listing: Uint8Array): Digest {
  const hash = nodeBuiltin.crypto().createHash("sha256").update(digestPrefix).update(listing);
  return `sha256:${hash.digest("hex")}`;
}

/**
 * The tree of a pack that was found to be whole ({@linkcode readListing}). It owns `file` from then on. A file's bytes
 * are compared with its digest when they are first read; `onDamage` is told before the error is thrown.
 */
export function openPack(file: OpenFile, listing: PackListing, onDamage: () => void): OpenFileTree {
  const { files, offsets } = listing;
  const checked = new Uint8Array(files.length);
  return {
    files: () => files,
    has: (path) => indexOf(files, path) !== undefined,
    read: (path) => {
      const index = indexOf(files, path);
      const entry = index === undefined ? undefined : files[index];
      if (index === undefined || entry === undefined) return undefined;
      let bytes: Uint8Array | undefined;
      let cause: unknown;
      try {
        bytes = file.readAt(offsets[index] ?? 0, entry.sizeBytes);
      } catch (error) {
        cause = error;
      }
      if (bytes === undefined || (checked[index] === 0 && digestOf(bytes) !== `sha256:${entry.hash}`)) {
        if (cause === undefined || cause instanceof RangeError) onDamage();
        throw new StageError("ReadOperationFailed", `Cannot read "${path}" from the store: its pack is damaged`, {
          ...(cause === undefined ? {} : { cause }),
          hint: "It is made again from its layer at the next try",
        });
      }
      checked[index] = 1;
      return bytes;
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

/** Place of a path among files that are in its order. */
function indexOf(files: PackListing["files"], path: string): number | undefined {
  let low = 0;
  for (let high = files.length; low < high;) {
    const middle = (low + high) >>> 1;
    if ((files[middle]?.path ?? "") < path) low = middle + 1;
    else high = middle;
  }
  return files[low]?.path === path ? low : undefined;
}

/** What stands in a pack, and where. */
export interface PackListing {
  /** In order of path (by UTF-16 code unit). */
  readonly files: readonly (TreeFile & { readonly hash: string })[];
  /** Where each file's content begins. */
  readonly offsets: Float64Array;
}

/** Listing of a pack; `undefined` when trailer or listing are not those of the tree `digest`. */
export function readListing(file: OpenFile, digest: Digest): PackListing | undefined {
  if (file.sizeBytes < magic.length + trailerSize) return undefined;
  const trailer = viewOf(file.readAt(file.sizeBytes - trailerSize, trailerSize));
  const start = trailer.getFloat64(0, true);
  const length = trailer.getFloat64(8, true);
  const count = trailer.getUint32(16, true);
  if (!(start >= magic.length) || !(length >= 0) || start + length + count * 8 + trailerSize !== file.sizeBytes) {
    return undefined;
  }
  const bytes = file.readAt(start, length);
  if (treeDigest(bytes) !== digest) return undefined;
  const lines = new TextDecoder().decode(bytes).split("\0");
  if (lines.length !== count + 1) return undefined;
  const table = viewOf(file.readAt(start + length, count * 8));
  const offsets = new Float64Array(count);
  const files = lines.slice(0, count).map((text, index) => {
    offsets[index] = table.getFloat64(index * 8, true);
    const blank = text.indexOf(" ", 67);
    return {
      path: text.slice(blank + 1),
      sizeBytes: Number(text.slice(67, blank)),
      isExecutable: text[65] === "x",
      hash: text.slice(0, 64),
    };
  });
  return { files, offsets };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether every content of a pack matches its digest. Reads it whole, a piece at a time; `pause` is told of each. */
export async function checkPack(
  file: OpenFile,
  digest: Digest,
  pause: (bytes: number) => Promise<void>,
): Promise<boolean> {
  const listing = readListing(file, digest);
  if (listing === undefined) return false;
  for (const [index, entry] of listing.files.entries()) {
    const start = listing.offsets[index] ?? 0;
    if (!(start >= magic.length) || start + entry.sizeBytes > file.sizeBytes) return false;
    const hash = nodeBuiltin.crypto().createHash("sha256");
    for (let at = 0; at < entry.sizeBytes;) {
      const piece = file.readAt(start + at, Math.min(pieceBytes, entry.sizeBytes - at));
      hash.update(piece);
      at += piece.length;
      await pause(piece.length);
    }
    if (hash.digest("hex") !== entry.hash) return false;
  }
  return true;
}
