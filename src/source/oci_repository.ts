import { mediaTypes } from "../core/descriptor.ts";
import type { DesiredObject } from "../core/object.ts";
import type { Source } from "../core/source.ts";
import type { OCIRepositorySpec } from "../core/specs.ts";
import { pullArtifact, type PullOrder, type SourceTools } from "./pull_artifact.ts";
import { readAccess } from "./repository_access.ts";
import { parseRepositoryUrl, wantedReference } from "./resolve.ts";

/**
 * The source of an OCIRepository: `spec.ref` decides the content, `spec.layerSelector` the layer, `.sourceignore` files
 * and `spec.ignore` the files (source-controller 1.9).
 *
 * @throws {StageError} URLInvalid when URL or reference cannot work
 */
export function ociRepositorySource(object: DesiredObject<OCIRepositorySpec>, tools: SourceTools): Source {
  const { spec } = object;
  const { namespace } = object.key;
  const url = parseRepositoryUrl(spec.url);
  const selector = spec.layerSelector?.mediaType;
  const isHelmChart = selector === mediaTypes.helmChart;
  const wanted = wantedReference(spec.ref, url, isHelmChart);
  const order: Omit<PullOrder, "access"> = {
    wanted,
    ...(selector === undefined || selector === "" ? {} : { selector }),
    operation: spec.layerSelector?.operation ?? "extract",
    ignore: { kind: "apply", extra: spec.ignore ?? "" },
    ...(spec.verify === undefined ? {} : { verify: spec.verify }),
    verifyField: "spec.verify",
    namespace,
    timeoutMs: spec.timeoutMs,
    warnings: urlWarnings(spec),
  };
  return {
    pull: async (previous, signal) =>
      await pullArtifact(
        tools,
        { ...order, access: await readAccess(spec, namespace, tools.references) },
        previous,
        signal,
      ),
  };
}

function urlWarnings(spec: OCIRepositorySpec): readonly string[] {
  const { url, tag, digest } = parseRepositoryUrl(spec.url);
  if (tag === undefined && digest === undefined) return [];
  const written = digest === undefined ? `tag: ${tag}` : `digest: ${digest}`;
  const isUsed = !spec.ref.digest && !spec.ref.semver && !spec.ref.tag;
  return [
    `A ${digest === undefined ? "tag" : "digest"} does not belong into spec.url${isUsed ? "" : " and is not used"}; ` +
    `write url: ${url} and ref: {${written}}`,
  ];
}
