import { fileURLToPath } from "node:url";
import * as path from "node:path";

/** Path of a file URL, without a trailing slash. */
export function fromFileUrl(url: URL): string {
  return fileURLToPath(url).replace(/(?<=.)\/$/, "");
}

/** Path of `to` seen from `from`, with forward slashes. */
export function relative(from: string, to: string): string {
  return path.relative(from, to).replaceAll("\\", "/");
}

/** Folder of the shared vectors, or `undefined` when it is not there: such suites say that they are skipped. */
export function vectorsFolder(): string | undefined {
  const folder = Deno.env.get("PILOTFISH_VECTORS") ?? fromFileUrl(new URL("../../../shared/vectors", import.meta.url));
  try {
    return Deno.statSync(folder).isDirectory ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** The project's own cases, which are always there. */
export const ownVectors: string = fromFileUrl(new URL("../vectors", import.meta.url));
