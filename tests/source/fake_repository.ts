import type { Descriptor } from "../../src/core/descriptor.ts";
import { mediaTypes } from "../../src/core/descriptor.ts";
import type { Digest } from "../../src/core/digest.ts";
import { digestOf } from "../../src/core/digest.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { ContentMissing, type OciSource } from "../../src/source/oci_source.ts";

/** A repository in memory that counts what is asked of it. */
export class FakeRepository implements OciSource {
  readonly name: string;
  readonly tagged = new Map<string, Digest>();
  readonly contents = new Map<Digest, Uint8Array>();
  /** Requests so far: `HEAD 1.0.0`, `GET sha256:…`, `BLOB …`, `TAGS`. */
  requests: string[] = [];
  /** Thrown by every request while it is set. */
  fault: Error | undefined;
  /** Awaited by every request while it is set. */
  gate: Promise<void> | undefined;

  constructor(name = "ghcr.io/org/app") {
    this.name = name;
  }

  add(bytes: Uint8Array | string, mediaType = "application/octet-stream"): Descriptor {
    const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    const digest = digestOf(data);
    this.contents.set(digest, data);
    return { mediaType, digest, size: data.length };
  }

  /** Pushes a manifest of layers under a tag. */
  push(tag: string, layers: readonly Descriptor[], annotations: Readonly<Record<string, string>> = {}): Descriptor {
    const config = this.add("{}", mediaTypes.empty);
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers, annotations };
    const descriptor = this.add(JSON.stringify(manifest), mediaTypes.manifest);
    this.tagged.set(tag, descriptor.digest);
    return descriptor;
  }

  async resolve(reference: string, options: Parameters<OciSource["resolve"]>[1] = {}) {
    await this.#ask(`HEAD ${reference}`, options.signal);
    const digest = reference.startsWith("sha256:") ? reference as Digest : this.tagged.get(reference);
    const content = digest === undefined ? undefined : this.contents.get(digest);
    if (digest === undefined || content === undefined) throw this.#missing(reference);
    if (options.ifNoneMatch?.digest === digest) return { kind: "unchanged" as const };
    const mediaType = this.#typeOf(content);
    return { kind: "found" as const, descriptor: { mediaType, digest, size: content.length }, etag: digest };
  }

  async manifest(digest: Digest, options: { readonly signal?: AbortSignal } = {}) {
    await this.#ask(`GET ${digest}`, options.signal);
    const bytes = this.contents.get(digest);
    if (bytes === undefined) throw this.#missing(digest);
    return { descriptor: { mediaType: this.#typeOf(bytes), digest, size: bytes.length }, bytes };
  }

  async blob(descriptor: Descriptor, options: { readonly signal?: AbortSignal } = {}) {
    await this.#ask(`BLOB ${descriptor.digest}`, options.signal);
    const bytes = this.contents.get(descriptor.digest);
    if (bytes === undefined) throw this.#missing(descriptor.digest);
    return new Blob([bytes.slice()]).stream() as ReadableStream<Uint8Array>;
  }

  async tags(options: { readonly signal?: AbortSignal } = {}) {
    await this.#ask("TAGS", options.signal);
    return [...this.tagged.keys()].sort();
  }

  async referrers() {
    await this.#ask("REFERRERS", undefined);
    return [];
  }

  async #ask(request: string, signal: AbortSignal | undefined): Promise<void> {
    this.requests.push(request);
    if (this.gate !== undefined) {
      const stopped = Promise.withResolvers<never>();
      const stop = () => stopped.reject(signal?.reason);
      signal?.addEventListener("abort", stop, { once: true });
      await Promise.race([this.gate, stopped.promise]);
      signal?.removeEventListener("abort", stop);
    }
    signal?.throwIfAborted();
    if (this.fault !== undefined) throw this.fault;
  }

  #typeOf(bytes: Uint8Array): string {
    return (JSON.parse(new TextDecoder().decode(bytes)) as { readonly mediaType: string }).mediaType;
  }

  #missing(what: string): StageError {
    return new StageError("OCIArtifactPullFailed", `Cannot find ${what}`, { cause: new ContentMissing(what) });
  }
}
