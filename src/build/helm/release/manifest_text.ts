import type { ChartCrd } from "../chart/chart.ts";
import { fromBytes } from "../template/go_string.ts";
import type { Manifest } from "./manifests.ts";

/** A document as Helm prints and stores it: separator, source, text. */
export function documentText(path: string, text: string): string {
  return `---\n# Source: ${path}\n${text}\n`;
}

/** The manifest of a release: CRDs where wanted, then its documents. */
export function manifestText(manifests: readonly Manifest[], crds: readonly ChartCrd[] = []): string {
  return [
    ...crds.map((crd) => documentText(crd.path, fromBytes(crd.data))),
    ...manifests.map((manifest) => documentText(manifest.path, manifest.text)),
  ].join("");
}

/** Rendered files that could not be cut into documents, as `--debug` shows them. */
export function filesText(files: ReadonlyMap<string, string>): string {
  return [...files].filter(([, text]) => text.trim() !== "").map(([path, text]) => documentText(path, text)).join("");
}
