import type { Descriptor, Index, Manifest, Platform } from "../core/descriptor.ts";
import { mediaTypes } from "../core/descriptor.ts";
import { isDigest } from "../core/digest.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import { StageError } from "../core/stage_error.ts";

/** A manifest or index that was read and checked. */
export type ManifestDocument =
  | { readonly kind: "manifest"; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly mediaType: string; readonly index: Index };

/** Largest manifest or index that is read (oras-go `defaultMaxMetadataBytes`). */
export const manifestLimitBytes = 4 * 1024 * 1024;

/** What a request for a manifest says it understands; without it registries answer 404 or an old form. */
export const manifestAccept: string = [
  mediaTypes.manifest,
  mediaTypes.index,
  mediaTypes.dockerManifest,
  mediaTypes.dockerManifestList,
].join(", ");

/** Whether a media type is that of an index (a list of manifests). */
function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.index || mediaType === mediaTypes.dockerManifestList;
}

/** Whether a media type is that of a single manifest. */
function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.manifest || mediaType === mediaTypes.dockerManifest;
}

/**
 * Reads a manifest or index. `contentType` is what the registry or descriptor calls it; it must equal the document's own
 * `mediaType`. A document that could be read both ways (`manifests` beside `layers` or `config`) is refused: two programs
 * could see different content under one digest (CVE-2021-41190). Docker schema 1 is refused by name.
 *
 * @throws {StageError} OCIArtifactPullFailed
 */
export function parseManifestDocument(bytes: Uint8Array, contentType?: string): ManifestDocument {
  if (bytes.length > manifestLimitBytes) {
    throw refusal(`it has ${bytes.length} bytes, allowed are ${manifestLimitBytes}`);
  }
  const value = readJson(bytes);
  const announced = contentType === undefined ? "" : bareMediaType(contentType);
  const own = value.mediaType;
  if (own !== undefined && typeof own !== "string") throw refusal('"mediaType" must be text');
  if (value.schemaVersion === 1 || value.fsLayers !== undefined) {
    throw refusal("it is of Docker's old schema 1, which has no content by digest");
  }
  if (value.schemaVersion !== 2) throw refusal('"schemaVersion" must be 2');
  if (own !== undefined && own !== "" && announced !== "" && own !== announced) {
    throw refusal(`it calls itself "${clipped(own)}" and the registry calls it "${clipped(announced)}"`);
  }
  const isIndexShape = value.manifests !== undefined;
  const isManifestShape = value.layers !== undefined || value.config !== undefined;
  if (isIndexShape && isManifestShape) throw refusal('it has both "manifests" and "layers" or "config"');
  if (!isIndexShape && !isManifestShape) throw refusal('it has neither "manifests" nor "layers"');

  const mediaType = own || announced || (isIndexShape ? mediaTypes.index : mediaTypes.manifest);
  if (isIndexShape ? isManifestType(mediaType) : isIndexType(mediaType)) {
    throw refusal(`its media type "${clipped(mediaType)}" is not that of its content`);
  }
  const shared = {
    schemaVersion: 2 as const,
    mediaType,
    ...textField(value, "artifactType"),
    ...annotationsOf(value),
    ...(value.subject === undefined || value.subject === null
      ? {}
      : { subject: readDescriptor(value.subject, "subject") }),
  };
  if (isIndexShape) {
    return { kind: "index", mediaType, index: { ...shared, manifests: descriptorList(value.manifests, "manifests") } };
  }
  return {
    kind: "manifest",
    mediaType,
    manifest: {
      ...shared,
      config: readDescriptor(value.config ?? null, "config"),
      layers: descriptorList(value.layers ?? null, "layers"),
    },
  };
}

/**
 * Reads one descriptor. `path` names it in errors.
 *
 * @throws {StageError} OCIArtifactPullFailed when digest, size or media type is missing or malformed
 */
export function readDescriptor(value: JsonValue, path: string): Descriptor {
  if (!isJsonObject(value)) throw refusal(`"${path}" must be a descriptor`);
  const { mediaType, digest, size } = value;
  if (typeof mediaType !== "string" || mediaType === "") throw refusal(`"${path}.mediaType" must be text`);
  if (typeof digest !== "string" || !isDigest(digest)) {
    throw refusal(`"${path}.digest" must be "sha256:" and 64 lower-case hex digits`);
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw refusal(`"${path}.size" must be a whole number of bytes`);
  }
  return {
    mediaType,
    digest,
    size,
    ...annotationsOf(value),
    ...textField(value, "artifactType"),
    ...textField(value, "data"),
    ...platformOf(value.platform),
  };
}

/** `type/subtype` of a Content-Type header, lower case, without parameters. */
export function bareMediaType(contentType: string): string {
  return (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
}

function readJson(bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // The parser's words would show a part of what is there.
    throw refusal("it is no JSON text");
  }
  if (!isJsonObject(value)) throw refusal("it is no JSON object");
  return value;
}

function descriptorList(value: JsonValue | undefined, path: string): readonly Descriptor[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw refusal(`"${path}" must be a list`);
  return value.map((item: JsonValue, index) => readDescriptor(item, `${path}[${index}]`));
}

function annotationsOf(value: JsonObject): { readonly annotations?: Readonly<Record<string, string>> } {
  if (!isJsonObject(value.annotations)) return {};
  const texts = Object.entries(value.annotations).filter((entry): entry is [string, string] =>
    typeof entry[1] === "string"
  );
  return { annotations: Object.fromEntries(texts) };
}

function textField<Name extends string>(value: JsonObject, name: Name): { readonly [key in Name]?: string } {
  const text = value[name];
  return typeof text === "string" && text !== "" ? { [name]: text } as { readonly [key in Name]: string } : {};
}

function platformOf(value: JsonValue | undefined): { readonly platform?: Platform } {
  if (!isJsonObject(value) || typeof value.architecture !== "string" || typeof value.os !== "string") return {};
  return { platform: { architecture: value.architecture, os: value.os, ...textField(value, "variant") } };
}

function refusal(why: string): StageError {
  return new StageError("OCIArtifactPullFailed", `Cannot use manifest: ${why}`, {
    hint: "Push the artifact again; what is there is malformed",
  });
}

function clipped(text: string): string {
  return text.slice(0, 120);
}
