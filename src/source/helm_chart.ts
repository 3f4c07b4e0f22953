import { mediaTypes } from "../core/descriptor.ts";
import type { DesiredObject } from "../core/object.ts";
import type { Source } from "../core/source.ts";
import type { HelmReleaseSpec, HelmRepositorySpec } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import { isRepository } from "../format/image_reference.ts";
import { parseStrictVersion } from "../format/semver.ts";
import { pullArtifact, type SourceTools } from "./pull_artifact.ts";
import { readAccess } from "./repository_access.ts";
import { parseRepositoryUrl, type WantedReference } from "./resolve.ts";

/** A release and the OCI HelmRepository that its chart comes from. */
export interface ChartOrder {
  readonly release: DesiredObject<HelmReleaseSpec>;
  readonly repository: DesiredObject<HelmRepositorySpec>;
}

/**
 * The chart of a release as a source: repository `<url>/<chart>`, the newest tag in the version range (`_` is read as `+`),
 * unpacked without ignore rules. An exact version is taken as the tag itself, without a list (source-controller 1.9,
 * `OCIChartRepository.GetChartVersion`).
 *
 * @throws {StageError} URLInvalid when URL or chart name cannot work
 */
export function helmChartSource({ release, repository }: ChartOrder, tools: SourceTools): Source {
  const { chart } = release.spec;
  if (chart.kind !== "repository") {
    throw new StageError(
      "InvalidDocument",
      `Cannot open chart of HelmRelease "${release.key.name}": it names no HelmRepository`,
    );
  }
  const base = parseRepositoryUrl(repository.spec.url.replace(/\/+$/, ""));
  if (base.tag !== undefined || base.digest !== undefined) {
    throw new StageError(
      "URLInvalid",
      `Cannot use URL "${repository.spec.url}" of a HelmRepository: it must not name a tag or digest`,
    );
  }
  if (!isRepository(chart.chart)) {
    throw new StageError(
      "URLInvalid",
      `Cannot use chart name "${chart.chart}": it must be lower-case letters and digits, parted by "-", "_", "." or "/"`,
      {
        hint: "Write the chart's name as it stands behind the repository's URL",
      },
    );
  }
  const url = `${base.url}/${chart.chart}`;
  const { namespace } = repository.key;
  const spec: HelmRepositorySpec = { ...repository.spec, url };
  const wanted = wantedVersion(chart.version);
  return {
    pull: async (previous, signal) =>
      await pullArtifact(
        tools,
        {
          access: await readAccess(spec, namespace, tools.references),
          wanted,
          selector: mediaTypes.helmChart,
          operation: "extract",
          ignore: { kind: "none" },
          ...(chart.verify === undefined ? {} : { verify: chart.verify }),
          verifyField: "spec.chart.spec.verify",
          namespace: release.key.namespace,
          timeoutMs: repository.spec.timeoutMs,
          warnings: [],
        },
        previous,
        signal,
      ),
  };
}

function wantedVersion(version: string): WantedReference {
  try {
    parseStrictVersion(version);
    return { kind: "tag", tag: version.replaceAll("+", "_") };
  } catch {
    return { kind: "semver", range: version === "" ? "*" : version, isHelmChart: true };
  }
}
