import { gzipSync } from "node:zlib";
import type { Artifact, ArtifactRecipe } from "../../../src/core/artifact.ts";
import { digestOf } from "../../../src/core/digest.ts";
import type { FileSystem } from "../../../src/core/file_system.ts";
import { silentLog } from "../../../src/core/log.ts";
import { openStore } from "../../../src/source/store/open_store.ts";
import type { Store, StoreOptions } from "../../../src/source/store/store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { tarOf, type TarPart } from "../../support/tar_of.ts";

/** An artifact of the registry side: what a pull would bring. */
export interface Remote {
  readonly layer: Uint8Array;
  readonly manifest: Uint8Array;
  readonly tag: string;
  readonly recipe: ArtifactRecipe;
}

/** A remote artifact of files. */
export function remoteOf(tag: string, parts: readonly TarPart[], extra = ""): Remote {
  const layer = new Uint8Array(gzipSync(tarOf(parts)));
  const descriptor = {
    mediaType: "application/vnd.cncf.flux.content.v1.tar+gzip",
    digest: digestOf(layer),
    size: layer.length,
  };
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("{}"), size: 2 };
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config,
    layers: [descriptor],
  };
  return {
    layer,
    manifest: new TextEncoder().encode(JSON.stringify(manifest)),
    tag,
    recipe: { layer: descriptor, operation: "extract", ignore: { kind: "apply", extra } },
  };
}

/** Opens a store at `/store` of a disk. */
export function openAt(fileSystem: FileSystem, options: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore("/store", {
    fileSystem,
    clock: new FakeClock(),
    log: silentLog,
    maxSizeBytes: 2 ** 30,
    history: 3,
    ...options,
  });
}

/** Brings a remote artifact into a store, as a source does. */
export async function bring(store: Store, remote: Remote): Promise<Artifact> {
  const manifest = await store.putBlob(remote.manifest);
  const { layer } = remote.recipe;
  if (!await store.hasBlob(layer)) {
    await using blob = await store.createBlob(layer);
    const half = Math.ceil(remote.layer.length / 2);
    blob.write(remote.layer.subarray(0, half));
    blob.write(remote.layer.subarray(half));
    await blob.commit();
  }
  const tree = await store.makeTree(remote.recipe);
  return {
    revision: `${remote.tag}@${manifest}`,
    digest: manifest,
    content: { kind: "tree", ...tree },
    metadata: {},
    sizeBytes: layer.size,
    lastUpdateTime: "2026-01-01T00:00:00Z",
    url: "ghcr.io/org/app",
    blobs: [manifest, layer.digest],
    recipe: remote.recipe,
  };
}

/** Text of a file of an artifact. */
export async function textIn(store: Store, artifact: Artifact, path: string): Promise<string | undefined> {
  using tree = await store.openTree(artifact);
  const bytes = tree.read(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
