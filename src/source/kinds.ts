import type { DesiredObject } from "../core/object.ts";
import type { Provider } from "../core/provider.ts";
import { defineProvider, findProvider } from "../core/provider.ts";
import type { Source } from "../core/source.ts";
import type { OCIRepositorySpec } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import { type ChartOrder, helmChartSource } from "./helm_chart.ts";
import { ociRepositorySource } from "./oci_repository.ts";
import type { SourceTools } from "./pull_artifact.ts";

/** Kinds of documents that are sources by themselves. A new kind is one line here. */
const sourceKinds: readonly Provider<DesiredObject, SourceTools, Source>[] = [
  defineProvider({
    name: "OCIRepository",
    summary: "An artifact of a registry, or of an OCI layout on disk, by tag, version range or digest",
    create: (object, tools) => ociRepositorySource(object as DesiredObject<OCIRepositorySpec>, tools),
  }),
];

/** The chart of a HelmRelease from an OCI HelmRepository: two documents make it. */
export const helmChartKind: Provider<ChartOrder, SourceTools, Source> = defineProvider({
  name: "HelmRepository",
  summary: "Charts below one place of a registry, each chosen by a release's name and version range",
  create: helmChartSource,
});

/** The source of an object. @throws {StageError} InvalidDocument for a kind that is no source; URLInvalid */
export function openSource(object: DesiredObject, tools: SourceTools): Source {
  const provider = findProvider(sourceKinds, object.key.kind);
  if (provider !== undefined) return provider.create(object, tools);
  const known = sourceKinds.map((kind) => kind.name).join(", ");
  throw new StageError("InvalidDocument", `Cannot use kind "${object.key.kind}" as a source: known are ${known}`, {
    hint: `Use one of ${known}`,
  });
}
