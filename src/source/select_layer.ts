import type { Descriptor, Manifest } from "../core/descriptor.ts";
import { StageError } from "../core/stage_error.ts";

/**
 * The layer of a manifest that a source takes: the first of media type `selector`, or the first at all (OCIRepository
 * `spec.layerSelector.mediaType`; source-controller 1.9 `selectLayer`).
 *
 * @throws {StageError} OCIArtifactLayerOperationFailed that lists the media types there are
 */
export function selectLayer(manifest: Manifest, selector?: string): Descriptor {
  const layer = selector === undefined
    ? manifest.layers[0]
    : manifest.layers.find((candidate) => candidate.mediaType === selector);
  if (layer !== undefined) return layer;
  if (manifest.layers.length === 0) {
    throw new StageError("OCIArtifactLayerOperationFailed", "Cannot select a layer: the artifact has none");
  }
  const types = [...new Set(manifest.layers.map((candidate) => JSON.stringify(candidate.mediaType.slice(0, 150))))];
  const shown = types.length > 10 ? [...types.slice(0, 10), `${types.length - 10} more`] : types;
  throw new StageError(
    "OCIArtifactLayerOperationFailed",
    `Cannot select a layer of media type "${selector}": the artifact has ${shown.join(", ")}`,
  );
}
