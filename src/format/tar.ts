import { FormatError } from "./format_error.ts";

/** What an entry of a tar archive is. `sparse` is GNU's, in any of its forms; `other` is a type without a meaning for us. */
export type TarEntryKind = "file" | "folder" | "symlink" | "hardlink" | "device" | "fifo" | "sparse" | "other";

/** Header of one entry, with long names and PAX records already joined in. Nothing in it is safe yet: paths are as written. */
export interface TarEntry {
  /** Never empty. May be absolute, hold `..` or a trailing slash. */
  readonly path: string;
  readonly kind: TarEntryKind;
  /** Bytes of content that follow; 0 for what has none. */
  readonly sizeBytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** Of links; else "". */
  readonly linkTarget: string;
  /** The type flag as written, one character. */
  readonly typeFlag: string;
}

/** Takes the content of one entry. Chunks are views that hold only during the call. */
export interface TarSink {
  write(chunk: Uint8Array): void;
  /** All bytes have come. */
  end(): void;
}

/** Takes entries in the order of the archive. What it throws ends the parsing and reaches the caller. */
export interface TarVisitor {
  /** @returns where the content goes; `undefined` to pass over it */
  entry(entry: TarEntry): TarSink | undefined;
}

/** A reader that is fed. */
export interface TarParser {
  /** @throws {FormatError} on a wrong checksum, number, record or name, and on a long name or record over 1 MiB */
  write(chunk: Uint8Array): void;
  /** Says that no more bytes come. @throws {FormatError} when an entry is cut off */
  end(): void;
}

const blockSize = 512;
/** Longest extended header or GNU name, as Go's `archive/tar` has it. */
const longestRecord = 1 << 20;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a tar archive as it arrives: v7, ustar, PAX and GNU long names. Synchronous and without copies: content goes to
 * the sink as views of the chunks given. What it accepts is what Go's `archive/tar` (1.26) accepts: signed and unsigned
 * checksums, base-256 numbers, one closing zero block instead of two, anything after the closing blocks. Records of a
 * global header are passed over, as Go passes over them.
 *
 * Differs: sparse files are told (`sparse`), not expanded; names that are not UTF-8 are refused, because two of them
 * could become one name; an extended header with no entry behind it is an error.
 */
export function tarParser(visitor: TarVisitor): TarParser {
  const block = new Uint8Array(blockSize);
  let filled = 0;
  let offset = 0;
  let state: "header" | "content" | "record" | "padding" | "ended" = "header";
  let sink: TarSink | undefined;
  /** Bytes that are still to come of content or record, then of padding. */
  let left = 0;
  let padding = 0;
  let zeroBlocks = 0;
  let recordFlag = "";
  let record = new Uint8Array(0);
  let pending: Overrides = {};

  return {
    write(chunk) {
      let at = 0;
      while (at < chunk.length && state !== "ended") at += step(chunk, at);
      offset += chunk.length - at;
    },
    end() {
      if (state === "ended") return;
      if (state !== "header" || filled > 0) throw fault("it is cut off", offset);
      if (Object.keys(pending).length > 0) throw fault("an extended header stands at its end", offset);
      state = "ended";
    },
  };

  /** Takes what the state can use of a chunk, at least one byte. */
  function step(chunk: Uint8Array, at: number): number {
    const available = chunk.length - at;
    if (state === "header") {
      const take = Math.min(available, blockSize - filled);
      if (filled === 0 && take === blockSize) {
        offset += take;
        header(chunk.subarray(at, at + blockSize));
        return take;
      }
      block.set(chunk.subarray(at, at + take), filled);
      filled += take;
      offset += take;
      if (filled === blockSize) {
        filled = 0;
        header(block);
      }
      return take;
    }
    const take = Math.min(available, left);
    offset += take;
    left -= take;
    if (state === "content") sink?.write(chunk.subarray(at, at + take));
    else if (state === "record") record.set(chunk.subarray(at, at + take), record.length - left - take);
    if (left === 0) closePart();
    return take;
  }

  function closePart(): void {
    if (state === "content") sink?.end();
    else if (state === "record") takeRecord();
    sink = undefined;
    left = state === "padding" ? 0 : padding;
    state = left > 0 ? "padding" : "header";
  }

  function header(bytes: Uint8Array): void {
    const start = offset - blockSize;
    if (isZero(bytes)) {
      if (++zeroBlocks === 2) {
        if (Object.keys(pending).length > 0) throw fault("an extended header stands at its end", start);
        state = "ended";
      }
      return;
    }
    if (zeroBlocks === 1) throw fault("a single block of zeros stands between entries", start);
    checkSum(bytes, start);
    const typeFlag = String.fromCharCode(bytes[156] ?? 0);
    const size = numberAt(bytes, 124, 12, start);
    if (typeFlag === "x" || typeFlag === "g" || typeFlag === "L" || typeFlag === "K") {
      if (size > longestRecord) {
        throw fault(`an extended header has ${size} bytes, the limit is ${longestRecord}`, start, "limit");
      }
      recordFlag = typeFlag;
      record = new Uint8Array(size);
      begin("record", size, start);
      return;
    }
    const overrides = pending;
    pending = {};
    const entry = entryOf(bytes, typeFlag, size, overrides, start);
    sink = visitor.entry(entry);
    begin("content", entry.sizeBytes, start);
  }

  function begin(next: "content" | "record", size: number, start: number): void {
    if (size > Number.MAX_SAFE_INTEGER - blockSize) throw fault("a size is too large", start, "limit");
    state = next;
    left = size;
    padding = (blockSize - (size % blockSize)) % blockSize;
    if (size === 0) closePart();
  }

  function takeRecord(): void {
    if (recordFlag === "L") pending = { ...pending, longName: textOf(untilNul(record), offset) };
    else if (recordFlag === "K") pending = { ...pending, longLink: textOf(untilNul(record), offset) };
    else if (recordFlag === "x") pending = { ...gnuNames(pending), ...paxOf(record, offset) };
    record = new Uint8Array(0);
  }
}

/** What extended headers say of the next entry. GNU names win over PAX records, as in Go. */
interface Overrides {
  readonly longName?: string;
  readonly longLink?: string;
  readonly path?: string;
  readonly linkPath?: string;
  readonly size?: number;
  readonly isSparse?: boolean;
}

/** What stays when a second PAX header comes: it replaces the first. */
function gnuNames({ longName, longLink }: Overrides): Overrides {
  return { ...(longName === undefined ? {} : { longName }), ...(longLink === undefined ? {} : { longLink }) };
}

const kinds: Readonly<Record<string, TarEntryKind>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "device",
  "4": "device",
  "5": "folder",
  "6": "fifo",
  "S": "sparse",
};

function entryOf(bytes: Uint8Array, typeFlag: string, size: number, overrides: Overrides, start: number): TarEntry {
  const path = overrides.longName ?? overrides.path ?? headerName(bytes, start);
  if (path === "") throw fault("an entry has no name", start);
  let kind = overrides.isSparse === true ? "sparse" : kinds[typeFlag] ?? "other";
  const hasContent = kind === "file" || kind === "sparse" || kind === "other";
  // Before ustar a folder was a file whose name ends in a slash.
  if (typeFlag === "\0" && kind === "file" && path.endsWith("/")) kind = "folder";
  return {
    path,
    kind,
    sizeBytes: hasContent ? overrides.size ?? size : 0,
    mode: numberAt(bytes, 100, 8, start) & 0o7777,
    linkTarget: kind === "symlink" || kind === "hardlink"
      ? overrides.longLink ?? overrides.linkPath ?? textOf(untilNul(bytes.subarray(157, 257)), start)
      : "",
    typeFlag,
  };
}

function headerName(bytes: Uint8Array, start: number): string {
  const name = textOf(untilNul(bytes.subarray(0, 100)), start);
  const isUstar = asciiAt(bytes, 257, 6) === "ustar\0";
  if (!isUstar) return name;
  const isStar = asciiAt(bytes, 508, 4) === "tar\0";
  const prefix = textOf(untilNul(bytes.subarray(345, isStar ? 476 : 500)), start);
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Records `<length> <key>=<value>\n` of a PAX header (POSIX.1-2001, pax Extended Header). */
function paxOf(record: Uint8Array, offset: number): Overrides {
  const found: { path?: string; linkPath?: string; size?: number; isSparse?: boolean } = {};
  for (let at = 0; at < record.length;) {
    const space = record.indexOf(0x20, at);
    const digits = space < 0 || space - at > 7 ? "" : asciiAt(record, at, space - at);
    const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    if (length < space - at + 3 || end > record.length || record[end - 1] !== 0x0a) {
      throw fault("a PAX record is malformed", offset);
    }
    const equals = record.indexOf(0x3d, space);
    if (equals <= space + 1 || equals >= end) throw fault("a PAX record is malformed", offset);
    const key = textOf(record.subarray(space + 1, equals), offset);
    const value = record.subarray(equals + 1, end - 1);
    at = end;
    if (key.startsWith("GNU.sparse.")) found.isSparse = true;
    if (key === "path" || key === "linkpath") {
      const text = textOf(value, offset);
      if (text.includes("\0")) throw fault(`PAX record "${key}" holds a zero byte`, offset);
      if (key === "path") setOrDrop(found, "path", text);
      else setOrDrop(found, "linkPath", text);
    }
    if (key === "size") {
      const text = textOf(value, offset);
      if (text === "") delete found.size;
      else if (/^[0-9]{1,16}$/.test(text)) found.size = Number(text);
      else throw fault('PAX record "size" is not a number', offset);
    }
  }
  return found;
}

/** An empty value takes an earlier one back. */
function setOrDrop(found: { path?: string; linkPath?: string }, key: "path" | "linkPath", text: string): void {
  if (text === "") delete found[key];
  else found[key] = text;
}

function checkSum(bytes: Uint8Array, start: number): void {
  const wanted = numberAt(bytes, 148, 8, start);
  let unsigned = 8 * 0x20;
  let signed = 8 * 0x20;
  for (let index = 0; index < blockSize; index++) {
    if (index === 148) index = 156;
    const byte = bytes[index] ?? 0;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  if (wanted !== unsigned && wanted !== signed) throw fault("a header's checksum is wrong", start);
}

/** Octal digits amid blanks and zero bytes, or GNU's base-256 form. */
function numberAt(bytes: Uint8Array, at: number, length: number, start: number): number {
  const first = bytes[at] ?? 0;
  if ((first & 0x80) !== 0) {
    if ((first & 0x40) !== 0) throw fault("a number is negative", start);
    let value = first & 0x3f;
    for (let index = at + 1; index < at + length; index++) value = value * 256 + (bytes[index] ?? 0);
    if (!Number.isSafeInteger(value)) throw fault("a number is too large", start, "limit");
    return value;
  }
  let end = at + length;
  while (at < end && isBlank(bytes[at])) at++;
  while (end > at && isBlank(bytes[end - 1])) end--;
  let value = 0;
  for (; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (bytes[at] === 0) break;
    if (digit < 0 || digit > 7) throw fault("a number is not octal", start);
    value = value * 8 + digit;
  }
  return value;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}

function isZero(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0) return false;
  for (let index = 1; index < blockSize; index++) if (bytes[index] !== 0) return false;
  return true;
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function asciiAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function textOf(bytes: Uint8Array, offset: number): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new FormatError(`Cannot read tar archive near byte ${offset}: a name is not UTF-8`, { cause });
  }
}

function fault(what: string, offset: number, code: "syntax" | "limit" = "syntax"): FormatError {
  return new FormatError(`Cannot read tar archive near byte ${offset}: ${what}`, { code });
}
