import type { Artifact, ArtifactStore } from "../core/artifact.ts";
import { isJsonObject } from "../core/json.ts";
import { parseYaml } from "../format/yaml.ts";
import type { ChartName } from "../reconcile/release_words.ts";

/**
 * Name and version that the Chart.yaml of an artifact gives; `undefined` where there is none or it does not say.
 *
 * @throws {StageError} StorageOperationFailed when the artifact is not in the store
 */
export async function readChartName(
  store: Pick<ArtifactStore, "openTree">,
  artifact: Artifact,
): Promise<ChartName | undefined> {
  using tree = await store.openTree(artifact);
  for (const { path } of tree.files()) {
    if (!/^[^/]+\/Chart\.yaml$/.test(path)) continue;
    const metadata = parseYaml(new TextDecoder().decode(tree.read(path)));
    if (!isJsonObject(metadata)) return undefined;
    const { name, version } = metadata;
    return typeof name === "string" && typeof version === "string" ? { name, version } : undefined;
  }
  return undefined;
}
