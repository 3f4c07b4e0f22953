import type { Digest } from "../core/digest.ts";
import type { KnownContent, OciSource } from "./oci_source.ts";
import { chooseReference, type WantedReference } from "./resolve.ts";
import { SharedWork } from "./shared_work.ts";

/** What a reference names now. */
export interface Look {
  /** Absent for a digest reference. */
  readonly tag?: string;
  readonly digest: Digest;
  /** The manifest, when the look had to fetch it anyway. */
  readonly content?: Uint8Array;
}

/** Looks that are remembered; beyond, the oldest is forgotten, which costs one answer with content at most. */
const rememberedAtMost = 10_000;

/**
 * Looks at references. Objects on the same repository, reference and credentials share a look that is under way, and what
 * was seen last makes the next look a conditional one.
 */
export class ReferenceLooks {
  readonly #shared = new SharedWork<Look>();
  readonly #last = new Map<string, KnownContent>();

  /**
   * What `wanted` names. A digest needs no request, a tag one, a range one or more for the tags and one for the chosen tag.
   * `place` tells repository and credentials from others.
   */
  look(source: OciSource, place: string, wanted: WantedReference, signal: AbortSignal): Promise<Look> {
    if (wanted.kind === "digest") return Promise.resolve({ digest: wanted.digest });
    const key = `${place} ${JSON.stringify(wanted)}`;
    return this.#shared.run(key, signal, (shared) => this.#look(source, key, wanted, shared));
  }

  async #look(source: OciSource, key: string, wanted: WantedReference, signal: AbortSignal): Promise<Look> {
    const { tag, reference } = await chooseReference(source, wanted, signal);
    const named = tag === undefined ? {} : { tag };
    const lastKey = `${key} ${reference}`;
    const last = this.#last.get(lastKey);
    const resolved = await source.resolve(reference, { signal, ...(last === undefined ? {} : { ifNoneMatch: last }) });
    if (resolved.kind === "unchanged") {
      if (last === undefined) throw new Error("a look without a known content was answered with unchanged");
      return { ...named, digest: last.digest };
    }
    const { descriptor, etag, content } = resolved;
    // Put anew, so that the first in the map is the one seen longest ago.
    this.#last.delete(lastKey);
    const [oldest] = this.#last.keys();
    if (oldest !== undefined && this.#last.size >= rememberedAtMost) this.#last.delete(oldest);
    this.#last.set(lastKey, { digest: descriptor.digest, ...(etag === undefined ? {} : { etag }) });
    return { ...named, digest: descriptor.digest, ...(content === undefined ? {} : { content }) };
  }
}
