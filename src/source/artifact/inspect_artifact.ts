import type { Descriptor } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import { readAll } from "../../core/read_all.ts";
import { compileRegexp } from "../../format/go_regexp.ts";
import { parseRange, parseVersion } from "../../format/semver.ts";
import { parseManifestDocument } from "../manifest_document.ts";
import type { OciSource } from "../oci_source.ts";

/** What is known of one tag. */
export interface ListedArtifact {
  readonly tag: string;
  readonly digest: Digest;
  /** Annotations `source`, `revision` and `created` of the manifest, "" where there is none. */
  readonly source: string;
  readonly revision: string;
  readonly created: string;
}

/** Which tags are listed. */
export interface ListOptions {
  /** Range of versions. */
  readonly semver?: string;
  /** Go regular expression. */
  readonly regex?: string;
  readonly signal?: AbortSignal;
}

/** Tags that signing tools make, which people do not want to see. */
const companionTag = /^sha(256|512)-[0-9a-f]+(\.(sig|att|sbom))?$/;
/** Manifests asked for at the same time. */
const together = 8;

/** Artifacts of a repository by tag, signatures left out; manifests are asked for side by side. */
export async function listArtifacts(from: OciSource, options: ListOptions = {}): Promise<readonly ListedArtifact[]> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const range = options.semver === undefined ? undefined : parseRange(options.semver);
  const regex = options.regex === undefined ? undefined : compileRegexp(options.regex);
  const tags = (await from.tags(call)).filter((tag) => {
    if (companionTag.test(tag) || (regex !== undefined && !regex.test(tag))) return false;
    return range === undefined || allows(range, tag);
  });
  const listed: ListedArtifact[] = [];
  for (let at = 0; at < tags.length; at += together) {
    listed.push(
      ...await Promise.all(
        tags.slice(at, at + together).map(async (tag) => {
          const { digest, annotations } = await look(from, tag, call);
          const read = (name: string) => annotations[`org.opencontainers.image.${name}`] ?? "";
          return { tag, digest, source: read("source"), revision: read("revision"), created: read("created") };
        }),
      ),
    );
  }
  return listed;
}

function allows(range: ReturnType<typeof parseRange>, tag: string): boolean {
  try {
    return range.allows(parseVersion(tag));
  } catch {
    return false;
  }
}

/** An artifact in full: what it consists of and what refers to it. */
export interface InspectedArtifact {
  readonly name: string;
  readonly descriptor: Descriptor;
  readonly kind: "manifest" | "index";
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly config?: Descriptor;
  /** Layers of a manifest, or manifests of an index. */
  readonly parts: readonly Descriptor[];
  readonly referrers: readonly Descriptor[];
}

/** Looks at an artifact: its manifest or index, and its referrers. No layer is pulled. */
export async function inspectArtifact(
  from: OciSource,
  reference: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<InspectedArtifact> {
  const { digest } = await look(from, reference, options);
  const { bytes, descriptor } = await from.manifest(digest, options);
  const document = parseManifestDocument(bytes, descriptor.mediaType);
  const body = document.kind === "manifest" ? document.manifest : document.index;
  return {
    name: from.name,
    descriptor,
    kind: document.kind,
    ...(body.artifactType === undefined ? {} : { artifactType: body.artifactType }),
    annotations: body.annotations ?? {},
    ...(document.kind === "manifest" ? { config: document.manifest.config } : {}),
    parts: document.kind === "manifest" ? document.manifest.layers : document.index.manifests,
    referrers: await from.referrers(digest, options),
  };
}

async function look(
  from: OciSource,
  reference: string,
  options: { readonly signal?: AbortSignal },
): Promise<{ readonly digest: Digest; readonly annotations: Readonly<Record<string, string>> }> {
  const resolved = await from.resolve(reference, options);
  if (resolved.kind !== "found") throw new RangeError(`"${reference}" cannot be unchanged`);
  const { digest } = resolved.descriptor;
  const { bytes, descriptor } = await from.manifest(digest, options);
  const document = parseManifestDocument(bytes, descriptor.mediaType);
  const body = document.kind === "manifest" ? document.manifest : document.index;
  return { digest, annotations: body.annotations ?? {} };
}

/** Content of one layer, at most `limitBytes`. */
export async function readLayer(
  from: OciSource,
  layer: Descriptor,
  options: { readonly limitBytes: number; readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  return await readAll(
    await from.blob(layer, options.signal === undefined ? {} : { signal: options.signal }),
    options.limitBytes,
  );
}
