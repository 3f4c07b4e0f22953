import type { InventoryEntry } from "../core/inventory.ts";
import type { ObjectKey } from "../core/object.ts";
import type { Ownership } from "../core/ownership.ts";
import type { ResourceRef } from "../core/resource.ts";
import type { Target, TargetOptions, TargetRequest, WaitRequest, WatchedChange } from "../core/target.ts";

/** A target that is opened with its first use: a cluster that is away does not keep the daemon from starting. */
export class LazyTarget implements Target {
  readonly kind = "cluster";
  readonly name: string;
  readonly ownership: Ownership;
  readonly #open: () => Promise<Target>;

  constructor(name: string, ownership: Ownership, open: () => Promise<Target>) {
    this.name = name;
    this.ownership = ownership;
    this.#open = open;
  }

  async plan(request: TargetRequest, signal: AbortSignal) {
    return (await this.#open()).plan(request, signal);
  }

  async apply(request: TargetRequest, signal: AbortSignal) {
    return (await this.#open()).apply(request, signal);
  }

  async wait(request: WaitRequest, signal: AbortSignal) {
    return (await this.#open()).wait(request, signal);
  }

  async remove(owner: ObjectKey, entries: readonly InventoryEntry[], options: TargetOptions, signal: AbortSignal) {
    return (await this.#open()).remove(owner, entries, options, signal);
  }

  async stands(owner: ObjectKey, inputs: string, signal: AbortSignal) {
    return await (await this.#open()).stands?.(owner, inputs, signal) ?? false;
  }

  watch(owner: ObjectKey, onChange: (change: WatchedChange) => void, signal: AbortSignal): void {
    void this.#open().then((target) => {
      if (!signal.aborted) target.watch?.(owner, onChange, signal);
    }).catch(() => {
      // The object's own run tells that the cluster is away.
    });
  }

  async read(owner: ObjectKey, ref: ResourceRef, options: TargetOptions, signal: AbortSignal) {
    return await (await this.#open()).read?.(owner, ref, options, signal);
  }

  async identity(signal: AbortSignal): Promise<string> {
    const target = await this.#open();
    return await target.identity?.(signal) ?? target.name;
  }

  async remembered(owner: ObjectKey, signal?: AbortSignal) {
    return (await this.#open()).remembered(owner, signal);
  }
}
