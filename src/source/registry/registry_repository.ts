import type { Descriptor } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";
import type { ImageReference } from "../../format/image_reference.ts";
import type {
  BlobContent,
  BlobOptions,
  CallOptions,
  KnownContent,
  ManifestContent,
  OciDestination,
  OciSource,
  PushBlobOptions,
  PushOutcome,
  Resolved,
} from "../oci_source.ts";
import { isMissing } from "../oci_source.ts";
import { openBlob } from "./blob_transfer.ts";
import { abandonUpload, hasBlob, mountBlob, uploadBlob } from "./blob_upload.ts";
import { fetchManifest, resolveManifest } from "./manifest_requests.ts";
import { pushManifest } from "./manifest_upload.ts";
import { listReferrers } from "./referrer_list.ts";
import type { RegistrySession } from "./registry_session.ts";
import { listTags } from "./tag_list.ts";

/** What a repository needs of its client. */
export interface RepositoryDoors {
  /** Who made it: blobs are mounted within one client only. */
  readonly client: object;
  /** Sessions of the mirrors that are well, in order. */
  readonly mirrors: () => readonly RegistrySession[];
  /** Session of the registry itself. */
  readonly origin: (signal: AbortSignal | undefined) => Promise<RegistrySession>;
  /** An address failed in a way that may be its own fault. */
  readonly onFailed: (session: RegistrySession) => void;
}

/** One repository of a registry. Reading goes through the mirrors first, writing to the registry itself. */
export class RegistryRepository implements OciDestination {
  readonly name: string;
  readonly registry: string;
  readonly repository: string;
  readonly #doors: RepositoryDoors;

  constructor(reference: ImageReference, doors: RepositoryDoors) {
    this.name = `${reference.registry}/${reference.repository}`;
    this.registry = reference.registry;
    this.repository = reference.repository;
    this.#doors = doors;
  }

  resolve(
    reference: string,
    options: CallOptions & { readonly ifNoneMatch?: KnownContent } = {},
  ): Promise<Resolved> {
    return this.#read(options, (session) => resolveManifest(session, reference, { ...options, name: this.name }));
  }

  manifest(digest: Digest, options: CallOptions = {}): Promise<ManifestContent> {
    return this.#read(options, (session) => fetchManifest(session, digest, { ...options, name: this.name }));
  }

  async blob(descriptor: Descriptor, options: BlobOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const sessions = [...this.#doors.mirrors(), await this.#doors.origin(options.signal)];
    return await openBlob(sessions, descriptor, { ...options, name: this.name, onFailed: this.#doors.onFailed });
  }

  tags(options: CallOptions = {}): Promise<readonly string[]> {
    return this.#read(options, (session) => listTags(session, { ...options, name: this.name }));
  }

  async referrers(
    digest: Digest,
    options: CallOptions & { readonly artifactType?: string } = {},
  ): Promise<readonly Descriptor[]> {
    const list = (session: RegistrySession) => listReferrers(session, digest, { ...options, name: this.name });
    // A mirror often keeps images without what refers to them: its "none" is no answer.
    for (const mirror of this.#doors.mirrors()) {
      try {
        const found = await list(mirror);
        if (found.length > 0) return found;
      } catch (error) {
        this.#passOver(mirror, error, options.signal);
      }
    }
    return await this.#atOrigin(options, list);
  }

  hasBlob(descriptor: Descriptor, options: CallOptions = {}): Promise<boolean> {
    return this.#atOrigin(options, (session) => hasBlob(session, descriptor, { ...options, name: this.name }));
  }

  pushBlob(descriptor: Descriptor, content: BlobContent, options: PushBlobOptions = {}): Promise<PushOutcome> {
    return this.#atOrigin(options, async (session) => {
      if (await hasBlob(session, descriptor, { ...options, name: this.name })) return "exists";
      const from = this.#mountable(options.mountFrom);
      const mount = from === undefined
        ? undefined
        : await mountBlob(session, descriptor, from, { ...options, name: this.name });
      if (mount?.isMounted === true) return "mounted";
      return await uploadBlob(session, descriptor, content, {
        ...options,
        name: this.name,
        location: mount?.location,
      });
    });
  }

  mountBlob(descriptor: Descriptor, from: OciSource, options: CallOptions = {}): Promise<boolean> {
    return this.#atOrigin(options, async (session) => {
      const repository = this.#mountable(from);
      if (repository === undefined) return false;
      const mount = await mountBlob(session, descriptor, repository, { ...options, name: this.name });
      if (mount.location !== undefined) await abandonUpload(session, mount.location, options);
      return mount.isMounted;
    });
  }

  pushManifest(
    manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
    options: CallOptions & { readonly tag?: string } = {},
  ): Promise<Descriptor> {
    return this.#atOrigin(options, (session) => pushManifest(session, manifest, { ...options, name: this.name }));
  }

  tag(digest: Digest, tag: string, options: CallOptions = {}): Promise<void> {
    return this.#atOrigin(options, async (session) => {
      const { descriptor, bytes } = await fetchManifest(session, digest, { ...options, name: this.name });
      await pushManifest(session, { mediaType: descriptor.mediaType, bytes }, { ...options, tag, name: this.name });
    });
  }

  /** Repository from which a blob can be mounted here. */
  #mountable(from: OciSource | undefined): string | undefined {
    return from instanceof RegistryRepository && from.#doors.client === this.#doors.client &&
        from.registry === this.registry && from.repository !== this.repository
      ? from.repository
      : undefined;
  }

  async #read<Result>(
    options: CallOptions,
    work: (session: RegistrySession) => Promise<Result>,
  ): Promise<Result> {
    for (const mirror of this.#doors.mirrors()) {
      try {
        return await work(mirror);
      } catch (error) {
        this.#passOver(mirror, error, options.signal);
      }
    }
    return await this.#atOrigin(options, work);
  }

  async #atOrigin<Result>(
    options: CallOptions,
    work: (session: RegistrySession) => Promise<Result>,
  ): Promise<Result> {
    const session = await this.#doors.origin(options.signal);
    try {
      return await work(session);
    } catch (error) {
      this.#passOver(session, error, options.signal);
      throw error;
    }
  }

  /** Notes a failure, unless it is ours or an answer in itself. */
  #passOver(session: RegistrySession, error: unknown, signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw signal.reason;
    if (!isMissing(error)) this.#doors.onFailed(session);
  }
}
