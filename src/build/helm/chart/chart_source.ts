import { isHelm3 } from "../dialect.ts";
import { isGzip } from "./archive.ts";
import type { Chart } from "./chart.ts";
import { readChartFolder } from "./chart_folder.ts";
import type { ChartFiles } from "./chart_folder.ts";
import { loadChartArchive } from "./load.ts";
import type { LoadOptions } from "./load.ts";
import { ChartError } from "./metadata.ts";

/** A chart that was found. */
export type ChartSource =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "archive"; readonly path: string; readonly bytes: Uint8Array };

/**
 * Finds a chart on disk.
 *
 * @throws {ChartError} with Helm's text: no such path, or the name of a repository's chart
 */
export async function findChart(name: string, files: ChartFiles): Promise<ChartSource> {
  const path = name.length > 1 ? name.replace(/\/+$/, "") : name;
  const info = path === "" ? undefined : await files.stat(path);
  if (info === undefined) {
    if (name.startsWith("/") || name.startsWith(".")) throw new ChartError(`path ${JSON.stringify(name)} not found`);
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) {
      throw new ChartError(
        `cannot fetch ${JSON.stringify(name)}: charts come from folders, archives and oci:// registries`,
      );
    }
    const slash = name.indexOf("/");
    if (slash < 0) {
      throw new ChartError(`non-absolute URLs should be in form of repo_name/path_to_chart, got: ${name}`);
    }
    throw new ChartError(`repo ${name.slice(0, slash)} not found`);
  }
  if (info.kind === "folder" || (info.kind === "link" && await files.list(path) !== undefined)) {
    return { kind: "folder", path };
  }
  return { kind: "archive", path, bytes: await files.read(path) ?? new Uint8Array() };
}

/** Loads what was found. @throws {ChartError} and its kin with Helm's text */
export async function loadFound(source: ChartSource, files: ChartFiles, options: LoadOptions): Promise<Chart> {
  if (source.kind === "folder") return await readChartFolder(source.path, files, options);
  const { bytes, path } = source;
  if (!isGzip(bytes)) {
    if (/\.ya?ml$/.test(path)) {
      throw new ChartError(`file '${path}' seems to be a YAML file, but expected a gzipped archive`);
    }
    throw new ChartError(`file '${path}' does not appear to be a gzipped archive; got '${contentType(bytes)}'`);
  }
  try {
    return loadChartArchive(bytes, options);
  } catch (error) {
    if (isHelm3(options.dialect) || !(error instanceof ChartError) || !isArchiveFault(error.message)) throw error;
    throw new ChartError("unable to load chart archive", { cause: error });
  }
}

/** Faults of the archive itself, which Helm 4 does not tell apart. */
function isArchiveFault(message: string): boolean {
  return /^(?:chart illegally|chart contains illegally|chart yaml not in base|decompressed chart|no files in chart archive|unexpected EOF|EOF|gzip:|archive\/tar|chart archive has)/
    .test(message);
}

/** How pages start that Go takes for HTML. */
const hypertext = /^<(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--)[ >]/i;

/** Type of a content as Go's `http.DetectContentType` tells it, as far as error texts show it. */
function contentType(bytes: Uint8Array): string {
  const head = new Uint8Array(512);
  head.set(bytes.subarray(0, 512));
  const starts = (...magic: readonly number[]) => magic.every((byte, index) => head[index] === byte);
  const text = new TextDecoder("latin1").decode(head).trimStart();
  if (hypertext.test(text)) return "text/html; charset=utf-8";
  if (text.startsWith("<?xml")) return "text/xml; charset=utf-8";
  if (starts(0x50, 0x4b, 3, 4)) return "application/zip";
  if (starts(0x25, 0x50, 0x44, 0x46, 0x2d)) return "application/pdf";
  if (starts(0xef, 0xbb, 0xbf)) return "text/plain; charset=utf-8";
  if (starts(0x89, 0x50, 0x4e, 0x47)) return "image/png";
  const isBinary = head.some((byte) =>
    byte <= 8 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f)
  );
  return isBinary ? "application/octet-stream" : "text/plain; charset=utf-8";
}
