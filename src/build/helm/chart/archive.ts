import { nodeBuiltin } from "../../../core/node_builtin.ts";
import { FormatError } from "../../../format/format_error.ts";
import { tarParser } from "../../../format/tar.ts";
import type { TarEntry } from "../../../format/tar.ts";
import { quoteText } from "../template/go_quote.ts";
import type { ChartFile } from "./chart.ts";
import { cleanPath } from "./go_path.ts";
import { ChartError } from "./metadata.ts";

/** Most bytes that a chart may unpack to (Helm 4.2.4, `archive.MaxDecompressedChartSize`). */
export const maxChartBytes = 100 * 1024 * 1024;
/** Most bytes of one file of a chart (Helm 4.2.4, `archive.MaxDecompressedFileSize`). */
export const maxFileBytes = 5 * 1024 * 1024;
/** Most files of one chart archive. Differs: Helm has no such limit; without it a small archive could hold millions of names. */
export const maxFileCount = 50_000;

/** Room for the headers and padding that stand around the files' own bytes. */
const maxTarBytes = maxChartBytes + maxFileCount * 1024;

/**
 * Files of a chart archive (gzip, tar) in their order. The first part of each path is cut off, backslashes of Windows
 * archives become slashes, a byte order mark in front of a file goes.
 *
 * @throws {ChartError} with Helm's text: not an archive, cut off, names outside the chart, more than the limits
 */
export function readChartArchive(bytes: Uint8Array): readonly ChartFile[] {
  const tar = unzip(bytes);
  const files: ChartFile[] = [];
  let remaining = maxChartBytes;
  try {
    const parser = tarParser({
      entry(entry) {
        if (entry.kind === "folder") return undefined;
        const name = nameInChart(entry);
        if (entry.sizeBytes > remaining) throw tooLarge();
        if (entry.sizeBytes > maxFileBytes) {
          throw new ChartError(
            `decompressed chart file ${quoteText(entry.path)} is larger than the maximum file size ${maxFileBytes}`,
          );
        }
        if (files.length >= maxFileCount) {
          throw new ChartError(`chart archive has more than ${maxFileCount} files`);
        }
        remaining -= entry.sizeBytes;
        const data = new Uint8Array(entry.sizeBytes);
        let end = 0;
        const index = files.length;
        files.push({ name, data });
        return {
          write(chunk) {
            data.set(chunk, end);
            end += chunk.length;
          },
          end() {
            files[index] = { name, data: withoutMark(data) };
          },
        };
      },
    });
    parser.write(tar);
    parser.end();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const isCut = error.message.includes("cut off");
    throw new ChartError(isCut ? "unexpected EOF" : "archive/tar: invalid tar header", { cause: error });
  }
  if (files.length === 0) throw new ChartError("no files in chart archive");
  return files;
}

function unzip(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 10) throw new ChartError(bytes.length === 0 ? "EOF" : "unexpected EOF");
  if (!isGzip(bytes)) throw new ChartError("gzip: invalid header");
  try {
    return nodeBuiltin.zlib().gunzipSync(bytes, { maxOutputLength: maxTarBytes });
  } catch (cause) {
    const code = (cause as { readonly code?: string }).code;
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    const isCut = code === "Z_BUF_ERROR";
    const tar = isCut ? undefined : unzipToEnd(bytes);
    if (tar !== undefined) return tar;
    throw new ChartError(
      isCut ? "unexpected EOF" : `gzip: ${code === "Z_DATA_ERROR" ? "invalid checksum" : "invalid header"}`,
      {
        cause,
      },
    );
  }
}

/**
 * A tar that is whole although what follows it in the gzip is wrong: a checksum, bytes behind the end. Helm does not
 * read on when the tar has ended.
 */
function unzipToEnd(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const tar = nodeBuiltin.zlib().inflateRawSync(bytes.subarray(gzipHeaderLength(bytes)), {
      maxOutputLength: maxTarBytes,
    });
    const end = tar.subarray(-1024);
    return end.length === 1024 && end.every((byte) => byte === 0) ? tar : undefined;
  } catch {
    return undefined;
  }
}

/** Length of a gzip header with its optional parts (RFC 1952, 2.3). */
function gzipHeaderLength(bytes: Uint8Array): number {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if ((flags & 4) !== 0) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const text of [8, 16]) {
    if ((flags & text) !== 0) at = bytes.indexOf(0, at) + 1;
  }
  return (flags & 2) === 0 ? at : at + 2;
}

/** Whether bytes start as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

/** Bytes without a UTF-8 byte order mark in front. */
export function withoutMark(data: Uint8Array): Uint8Array {
  return data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? data.subarray(3) : data;
}

function nameInChart(entry: TarEntry): string {
  const separator = entry.path.includes("\\") ? "\\" : "/";
  const [first, ...rest] = entry.path.split(separator);
  const joined = rest.join("/");
  if (joined.startsWith("/")) throw new ChartError("chart illegally contains absolute paths");
  const name = cleanPath(joined);
  if (name === ".") {
    throw new ChartError(`chart illegally contains content outside the base directory: ${quoteText(entry.path)}`);
  }
  if (name.startsWith("..")) throw new ChartError("chart illegally references parent directory");
  if (/^[a-zA-Z]:\//.test(name)) throw new ChartError("chart contains illegally named files");
  if (first === "Chart.yaml") throw new ChartError("chart yaml not in base directory");
  return name;
}

function tooLarge(): ChartError {
  return new ChartError(`decompressed chart is larger than the maximum size ${maxChartBytes}`);
}
