import type { Descriptor } from "../../core/descriptor.ts";
import { mediaTypes } from "../../core/descriptor.ts";
import { digestStream } from "../../core/digest.ts";
import type { FileSystem, OpenFile } from "../../core/file_system.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { asStageError, StageError } from "../../core/stage_error.ts";
import { isTag } from "../../format/image_reference.ts";
import { parseYaml } from "../../format/yaml.ts";
import type { OciDestination } from "../oci_source.ts";
import { packWriter } from "../store/tree_pack.ts";
import { unpackLayer } from "../unpack.ts";
import { chunksOf, contentOf, openFile } from "./file_content.ts";
import { type PushOptions, sendArtifact } from "./push_artifact.ts";

/** Largest packed chart that is pushed (Helm reads no larger ones). */
const largestChartBytes = 20 * 1024 * 1024;

/**
 * Pushes a packed chart (`helm package`) as `helm push` does (Helm 4, `pkg/registry/client.go`): the archive as it is, its
 * Chart.yaml as config, and annotations for what people look for. Without a tag it is the chart's version, `+` written `_`.
 *
 * @throws {StageError} ReadOperationFailed for what is no packed chart; whatever the destination refuses
 */
export async function pushChart(
  path: string,
  to: OciDestination,
  options: Omit<PushOptions, "tag"> & { readonly tag?: string },
  tools: { readonly fileSystem: FileSystem },
): Promise<{ readonly descriptor: Descriptor; readonly tag: string }> {
  const refuse = (why: string) =>
    new StageError("ReadOperationFailed", `Cannot push chart "${path}": ${why}`, {
      hint: "Make it with: helm package FOLDER",
    });
  const info = await tools.fileSystem.stat(path);
  if (info === undefined) throw refuse("there is nothing");
  if (info.kind === "folder") throw refuse("it is a folder, not a packed chart");
  if (info.sizeBytes > largestChartBytes) throw refuse(`it is larger than ${largestChartBytes} bytes`);
  using file = openFile(path, tools.fileSystem);
  let chart: JsonValue | undefined;
  try {
    chart = parseYaml(await chartYaml(file) ?? "");
  } catch (error) {
    throw asStageError(error, "ReadOperationFailed", `Cannot push chart "${path}"`);
  }
  if (!isJsonObject(chart)) throw refuse("it has no Chart.yaml in its top folder");
  const { name, version } = chart;
  if (typeof name !== "string" || typeof version !== "string" || name === "" || version === "") {
    throw refuse("its Chart.yaml has no name and version");
  }
  const tag = options.tag ?? version.replaceAll("+", "_");
  if (!isTag(tag)) throw refuse(`its version "${version}" cannot be a tag`);
  const hash = digestStream();
  for (const chunk of chunksOf(file)) hash.update(chunk);
  const descriptor = await sendArtifact(
    {
      descriptor: { mediaType: mediaTypes.helmChart, digest: hash.digest(), size: file.sizeBytes },
      content: contentOf(file),
      config: { mediaType: mediaTypes.helmConfig, text: JSON.stringify(chart) },
    },
    to,
    { ...options, tag, annotations: { ...annotationsOf(chart), ...options.annotations } },
  );
  return { descriptor, tag };
}

/** Text of the Chart.yaml in the one folder at the top of a packed chart. */
async function chartYaml(file: OpenFile): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  const writer = packWriter({ write: (chunk) => void pieces.push(chunk.slice()) });
  const packed = (async function* () {
    yield* chunksOf(file);
  })();
  const { files } = await unpackLayer(packed, writer, { ignore: { kind: "none" } });
  await writer.finish(files);
  const found = files.find(({ path }) => /^[^/]+\/Chart\.yaml$/.test(path));
  if (found === undefined) return undefined;
  const pack = new Blob(pieces as Uint8Array<ArrayBuffer>[]);
  return await pack.slice(found.offset, found.offset + found.sizeBytes).text();
}

/** Annotations of the manifest: those of the chart, and what it says of itself in OCI's words. */
function annotationsOf(chart: JsonObject): Readonly<Record<string, string>> {
  const own = isJsonObject(chart.annotations) ? chart.annotations : {};
  const maintainers = (Array.isArray(chart.maintainers) ? chart.maintainers as readonly JsonValue[] : [])
    .filter(isJsonObject)
    .map((one) => typeof one.email === "string" && one.email !== "" ? `${one.name} (${one.email})` : `${one.name}`);
  const [source] = Array.isArray(chart.sources) ? chart.sources as readonly JsonValue[] : [];
  const told: Readonly<Record<string, JsonValue | undefined>> = {
    description: chart.description,
    title: chart.name,
    version: chart.version,
    url: chart.home,
    authors: maintainers.length === 0 ? undefined : maintainers.join(", "),
    source,
  };
  return {
    ...Object.fromEntries(
      Object.entries(own).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    ),
    ...Object.fromEntries(
      Object.entries(told)
        .filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "")
        .map(([name, value]) => [`org.opencontainers.image.${name}`, value]),
    ),
  };
}
