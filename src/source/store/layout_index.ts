import type { Artifact } from "../../core/artifact.ts";
import { mediaTypes } from "../../core/descriptor.ts";
import type { Descriptor } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import { isDigest } from "../../core/digest.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { PinRecord } from "./pins.ts";

/** Annotation with the name by which other tools find an entry of a layout (image-spec 1.1, annotations.md). */
const refName = "org.opencontainers.image.ref.name";
const ownerName = "dev.pilotfish.owner";
const roleName = "dev.pilotfish.role";
const artifactName = "dev.pilotfish.artifact";

/** What `index.json` says. */
export interface LayoutIndex {
  readonly records: readonly PinRecord[];
  /** Entries that other programs added: kept as they are. */
  readonly foreign: readonly JsonObject[];
  /** Whether something in it could not be read: then nothing may be taken for unneeded. */
  readonly isDamaged: boolean;
}

/**
 * Text of `index.json`: an ordinary OCI index (image-spec 1.1, image-layout.md). Each artifact that is kept is an entry;
 * who keeps it, whether as pin or history, and the artifact's record stand in its annotations. Pins carry a reference
 * name (`ghcr.io/org/app:1.2.3`), so that crane or oras find them. One entry a line. `texts` keeps printed records.
 */
export function printLayoutIndex(
  index: Pick<LayoutIndex, "records" | "foreign">,
  texts: WeakMap<PinRecord, string> = new WeakMap(),
): string {
  const sorted = index.records.map((record, order) => ({ record, order }))
    .sort((a, b) => a.record.owner < b.record.owner ? -1 : a.record.owner > b.record.owner ? 1 : a.order - b.order);
  const entries = index.foreign.map((entry) => JSON.stringify(entry));
  for (const { record } of sorted) {
    const text = texts.get(record) ?? JSON.stringify(entryOf(record));
    texts.set(record, text);
    entries.push(text);
  }
  const manifests = entries.length === 0 ? "" : `\n${entries.join(",\n")}\n`;
  return `{"schemaVersion":2,"mediaType":${JSON.stringify(mediaTypes.index)},"manifests":[${manifests}]}\n`;
}

function entryOf(record: PinRecord) {
  const { artifact, manifest } = record;
  return {
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.size,
    annotations: {
      ...(record.isPinned ? { [refName]: referenceName(artifact) } : {}),
      [ownerName]: record.owner,
      [roleName]: record.isPinned ? "pinned" : "history",
      [artifactName]: JSON.stringify({ ...artifact, sizes: record.sizes }),
    },
  };
}

/** `<repository>:<tag>`, or with the digest where there is no tag. */
function referenceName(artifact: Artifact): string {
  const at = artifact.revision.lastIndexOf("@");
  return at < 0 ? `${artifact.url}@${artifact.digest}` : `${artifact.url}:${artifact.revision.slice(0, at)}`;
}

/** Reads `index.json`. Never throws: what cannot be read is left out and told by `isDamaged`. */
export function parseLayoutIndex(text: string): LayoutIndex {
  const records: PinRecord[] = [];
  const foreign: JsonObject[] = [];
  let isDamaged = false;
  for (const entry of entriesOf(text)) {
    const record = entry === undefined ? "damaged" : recordOf(entry);
    if (record === "foreign") foreign.push(entry as JsonObject);
    else if (record === "damaged") isDamaged = true;
    else records.push(record);
  }
  return { records, foreign, isDamaged };
}

function entriesOf(text: string): readonly (JsonObject | undefined)[] {
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value) || !Array.isArray(value.manifests)) return [undefined];
    return value.manifests.map((entry: unknown) => isJsonObject(entry) ? entry : undefined);
  } catch {
    return [undefined];
  }
}

function recordOf(entry: JsonObject): PinRecord | "foreign" | "damaged" {
  const annotations = isJsonObject(entry.annotations) ? entry.annotations : {};
  const owner = annotations[ownerName];
  if (typeof owner !== "string") return "foreign";
  const { mediaType, digest, size } = entry;
  const artifact = artifactOf(annotations[artifactName]);
  if (
    artifact === undefined || typeof mediaType !== "string" || typeof digest !== "string" || !isDigest(digest) ||
    typeof size !== "number"
  ) return "damaged";
  const manifest: Descriptor = { mediaType, digest, size };
  return { owner, isPinned: annotations[roleName] !== "history", manifest, ...artifact };
}

function artifactOf(
  text: unknown,
): { readonly artifact: Artifact; readonly sizes: Readonly<Record<Digest, number>> } | undefined {
  try {
    const value: unknown = JSON.parse(String(text));
    if (!isJsonObject(value) || !isJsonObject(value.content) || !Array.isArray(value.blobs)) return undefined;
    const { sizes, ...artifact } = value;
    const { content } = value;
    const named = content.kind === "tree"
      ? content.digest
      : isJsonObject(content.descriptor)
      ? content.descriptor.digest
      : "";
    const digests = [value.digest, named, ...value.blobs, ...layerOf(value)];
    if (!digests.every((digest) => typeof digest === "string" && isDigest(digest))) return undefined;
    if (typeof value.revision !== "string" || typeof value.lastUpdateTime !== "string") return undefined;
    return {
      artifact: artifact as unknown as Artifact,
      sizes: (isJsonObject(sizes) ? sizes : {}) as Readonly<Record<Digest, number>>,
    };
  } catch {
    return undefined;
  }
}

function layerOf(artifact: JsonObject): readonly unknown[] {
  if (!isJsonObject(artifact.recipe)) return [];
  return [isJsonObject(artifact.recipe.layer) ? artifact.recipe.layer.digest : ""];
}
