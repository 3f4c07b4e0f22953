import { isLooseVersion } from "../build/helm/chart/version_range.ts";
import type { ChartReference, PulledChart } from "../build/helm/chart/chart_reference.ts";
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
  return (await pullNamedChart(reference, registries, signal)).bytes;
}

/** The same, and what was pulled. A version beside a tag or digest must be the same one (Helm `ValidateReference`). */
export async function pullNamedChart(
  reference: ChartReference,
  registries: Registries,
  signal?: AbortSignal,
): Promise<PulledChart> {
  const image = parseImageReference(reference.url);
  const caCert = reference.caFile === undefined ? undefined : await denoFileSystem.readText(reference.caFile);
  const repository = registries.ofCommand(image, {
    insecure: reference.plainHttp || reference.insecureSkipTlsVerify,
    ...(reference.username === undefined ? {} : { credentials: `${reference.username}:${reference.password ?? ""}` }),
    ...(caCert === undefined ? {} : { caCert }),
  });
  const call = signal === undefined ? {} : { signal };
  const { version } = reference;
  if (image.tag !== undefined && version !== "" && version !== image.tag) {
    throw new Error(`chart reference and version mismatch: ${version} is not ${image.tag}`);
  }
  if (image.digest !== undefined && isLooseVersion(version)) {
    await checkDigest(repository, image.digest, { version, call });
  }
  const wanted = image.digest ?? image.tag ?? await chartTag(repository, reference, call);
  const resolved = await repository.resolve(wanted, call);
  if (resolved.kind !== "found") throw new Error(`${wanted}: not found`);
  const { bytes } = await repository.manifest(resolved.descriptor.digest, call);
  const document = parseManifestDocument(bytes);
  const layer = document.kind === "manifest"
    ? document.manifest.layers.find((one) => one.mediaType === mediaTypes.helmChart)
    : undefined;
  if (layer === undefined) throw new Error(`${reference.url}:${wanted} holds no Helm chart`);
  const name = reference.url.replace(/^oci:\/\//, "").replace(/(@[^/]*|:[^/:]*)+$/, "");
  return {
    bytes: await readLayer(repository, layer, { limitBytes: largestChartBytes, ...call }),
    name: image.digest === undefined ? `${name}:${wanted}` : `${name}@${wanted}`,
    digest: resolved.descriptor.digest,
  };
}

/** A version that is there must be what a digest names; one that is not does not count. */
async function checkDigest(
  repository: OciSource,
  digest: string,
  { version, call }: { readonly version: string; readonly call: { readonly signal?: AbortSignal } },
): Promise<void> {
  const found = await repository.resolve(version.replaceAll("+", "_"), call).catch(() => {
    call.signal?.throwIfAborted();
    return undefined;
  });
  if (found?.kind !== "found" || found.descriptor.digest === digest) return;
  throw new Error(`chart reference digest mismatch: ${found.descriptor.digest} is not ${digest}`);
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
  // A whole version, however short, is a tag: only what is none is looked for among the tags.
  if (isLooseVersion(version)) return version.replaceAll("+", "_");
  const tags = await repository.tags(call);
  const versions = tags.map((tag) => tag.replaceAll("_", "+"));
  const newest = newestTag(versions, version === "" ? "*" : version);
  if (newest === undefined) throw new Error(`could not locate a version matching provided version string ${version}`);
  return newest.replaceAll("+", "_");
}
