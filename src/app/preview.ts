import type { InventoryEntry } from "../core/inventory.ts";
import { inventoryOf } from "../core/inventory.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Ownership } from "../core/ownership.ts";
import type { Resource, ResourceRef } from "../core/resource.ts";
import { refOf } from "../core/resource.ts";
import type { ApplyResult, PlannedChange, RemoveResult, Target, TargetOptions, TargetRequest } from "../core/target.ts";
import type { Checkpoints } from "../reconcile/checkpoint.ts";
import type { ObjectRecord } from "../reconcile/record.ts";
import { releaseOf } from "../reconcile/run_hooks.ts";

/** What one object would apply. */
export interface Rendered {
  readonly owner: ObjectKey;
  readonly resources: readonly Resource[];
}

/** What one object would change. */
export interface Planned {
  readonly owner: ObjectKey;
  readonly target: string;
  readonly changes: readonly PlannedChange[];
}

/**
 * A target that takes notes instead of acting. `render` and `diff` run the daemon's own loop over it, so what they
 * show is what the daemon would do.
 */
export class PreviewTarget implements Target {
  readonly kind: Target["kind"];
  readonly name: string;
  readonly ownership: Ownership;
  readonly rendered = new Map<string, Rendered>();
  readonly planned = new Map<string, Planned>();
  readonly #real: Target;
  readonly #plans: boolean;

  /** @param plans whether the real target is asked what would change; it is never asked to change anything */
  constructor(real: Target, plans: boolean) {
    this.kind = real.kind;
    this.name = real.name;
    this.ownership = real.ownership ?? "flux";
    this.#real = real;
    this.#plans = plans;
  }

  plan(request: TargetRequest, signal: AbortSignal): Promise<readonly PlannedChange[]> {
    return this.#real.plan(request, signal);
  }

  async apply(request: TargetRequest, signal: AbortSignal): Promise<ApplyResult> {
    // Hooks, definitions and the namespace of a release are shown with it.
    const owner = releaseOf(request.owner);
    const name = keyText(owner);
    const before = this.rendered.get(name)?.resources ?? [];
    this.rendered.set(name, { owner, resources: [...before, ...request.resources] });
    if (this.#plans) {
      const changes = await this.#real.plan(request, signal);
      const earlier = this.planned.get(name)?.changes ?? [];
      this.planned.set(name, { owner, target: this.name, changes: [...earlier, ...changes] });
    }
    return { inventory: inventoryOf(request.resources.map(refOf)), changes: [] };
  }

  wait(): Promise<[]> {
    return Promise.resolve([]);
  }

  remove(_owner: ObjectKey, _entries: readonly InventoryEntry[]): Promise<RemoveResult> {
    return Promise.resolve({ removed: [], kept: [], released: [] });
  }

  async read(owner: ObjectKey, ref: ResourceRef, options: TargetOptions, signal: AbortSignal) {
    return await this.#real.read?.(owner, ref, options, signal);
  }

  /** Nobody is asked by a preview that shows no changes. */
  identity(signal: AbortSignal): Promise<string> {
    return this.#plans && this.#real.identity !== undefined ? this.#real.identity(signal) : Promise.resolve("");
  }

  remembered(owner: ObjectKey): ReturnType<Target["remembered"]> {
    return this.#plans ? this.#real.remembered(owner) : Promise.resolve(undefined);
  }
}

/** Records that start from what is on the disk and are never written back. */
export function scratchCheckpoints(start: Iterable<ObjectRecord>): Checkpoints {
  const records = new Map([...start].map((record) => [keyText(record.key), record]));
  return {
    get: (key) => records.get(keyText(key)),
    all: () => records.values(),
    save: (record) => Promise.resolve(void records.set(keyText(record.key), record)),
    forget: (key) => Promise.resolve(void records.delete(keyText(key))),
  };
}
