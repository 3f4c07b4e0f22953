import { isJsonObject } from "../core/json.ts";
import type { DesiredObject } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { CheckoutSpec, KustomizationSpec, OCIRepositorySpec } from "../core/specs.ts";

/** Field of a kind's spec that counts from the root of the artifact. */
const pathFields: Readonly<Record<string, "path" | "subPath">> = { Kustomization: "path", Checkout: "subPath" };

/**
 * The objects with the sub-path that an old document wrote into its source (`artifact.path`) put before their own: Flux has
 * no such field, and consumers have a path. `sources` are those that `objects` may name.
 */
export function withSourcePaths(
  objects: readonly DesiredObject[],
  sources: readonly DesiredObject[] = objects,
): readonly DesiredObject[] {
  const bases = new Map<string, string>();
  for (const { key, spec } of sources) {
    const path = key.kind === "OCIRepository" ? (spec as OCIRepositorySpec).path : undefined;
    if (path !== undefined && path !== "") bases.set(keyText(key), path);
  }
  if (bases.size === 0) return objects;
  return objects.map((object) => {
    const field = pathFields[object.key.kind];
    if (field === undefined) return object;
    const spec = object.spec as KustomizationSpec & CheckoutSpec;
    const base = bases.get(keyText(spec.sourceRef));
    if (base === undefined) return object;
    const path = spec[field] === "" ? base : `${base}/${spec[field]}`;
    const written = isJsonObject(object.document.spec) ? object.document.spec : {};
    return {
      ...object,
      spec: { ...spec, [field]: path },
      // What the document says decides when an object is built again.
      document: { ...object.document, spec: { ...written, [field]: path } },
    };
  });
}
