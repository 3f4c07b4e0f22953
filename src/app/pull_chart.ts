import type { ChartReference } from "../build/helm/chart_source.ts";
import { mediaTypes } from "../core/descriptor.ts";
import { parseImageReference } from "../format/image_reference.ts";
import { newestTag } from "../format/newest_tag.ts";
import { denoFileSystem } from "../platform/deno_file_system.ts";
import { readLayer } from "../source/artifact/inspect_artifact.ts";
import { parseManifestDocument } from "../source/manifest_document.ts";
import type { OciSource } from "../source/oci_source.ts";
import type { Registries } from "./registry.ts";

/** The packed chart of a reference: the layer of Helm's type. A version may be a range. */
export async function pullChart(
  reference: ChartReference,
  registries: Registries,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const image = parseImageReference(reference.url);
  const caCert = reference.caFile === undefined ? undefined : await denoFileSystem.readText(reference.caFile);
  const repository = registries.ofCommand(image, {
    insecure: reference.plainHttp || reference.insecureSkipTlsVerify,
    ...(reference.username === undefined ? {} : { credentials: `${reference.username}:${reference.password ?? ""}` }),
    ...(caCert === undefined ? {} : { caCert }),
  });
  const call = signal === undefined ? {} : { signal };
  const wanted = image.digest ?? image.tag ?? await chartTag(repository, reference, call);
  const resolved = await repository.resolve(wanted, call);
  if (resolved.kind !== "found") throw new Error(`${wanted}: not found`);
  const { bytes } = await repository.manifest(resolved.descriptor.digest, call);
  const document = parseManifestDocument(bytes);
  const layer = document.kind === "manifest"
    ? document.manifest.layers.find((one) => one.mediaType === mediaTypes.helmChart)
    : undefined;
  if (layer === undefined) throw new Error(`${reference.url}:${wanted} holds no Helm chart`);
  return await readLayer(repository, layer, { limitBytes: largestChartBytes, ...call });
}

/** Largest chart that is pulled. */
const largestChartBytes = 100 * 1024 * 1024;

/** Tag of a version: `+` is written `_` in tags; a range takes the newest that fits. */
async function chartTag(
  repository: OciSource,
  reference: ChartReference,
  call: { readonly signal?: AbortSignal },
): Promise<string> {
  const { version } = reference;
  if (/^v?\d+\.\d+\.\d+([-+].*)?$/.test(version)) return version.replaceAll("+", "_");
  const tags = await repository.tags(call);
  const versions = tags.map((tag) => tag.replaceAll("_", "+"));
  const newest = newestTag(versions, version === "" ? "*" : version);
  if (newest === undefined) throw new Error(`could not locate a version matching provided version string ${version}`);
  return newest.replaceAll("+", "_");
}
