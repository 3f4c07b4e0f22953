import type { InventoryEntry } from "../../src/core/inventory.ts";
import { entryOf, inventoryOf } from "../../src/core/inventory.ts";
import type { ObjectKey } from "../../src/core/object.ts";
import { refOf } from "../../src/core/resource.ts";
import { StageError } from "../../src/core/stage_error.ts";
import type { RemoveResult, Target, TargetRequest } from "../../src/core/target.ts";

/** A target in memory that notes the order of what it is asked. */
export class FakeTarget implements Target {
  readonly kind: "cluster" | "directory";
  readonly name = "fake";
  readonly calls: string[] = [];
  /** Resources that stand, by inventory id. */
  readonly standing = new Set<string>();
  /** Ids whose removal is refused, with the reason. */
  readonly stuck = new Map<string, "failed" | "guarded">();
  /** Set to make the next apply fail after the first resource. */
  breaksAfterFirst = false;
  #inputs: string | undefined;

  constructor(kind: "cluster" | "directory" = "cluster") {
    this.kind = kind;
  }

  plan() {
    return Promise.resolve([]);
  }

  apply(request: TargetRequest) {
    this.calls.push(`apply ${request.resources.map((resource) => resource.metadata.name).join(",")}`);
    for (const resource of request.resources) {
      this.standing.add(entryOf(refOf(resource)).id);
      if (this.breaksAfterFirst) throw new StageError("ReconciliationFailed", "the API server went away");
    }
    this.#inputs = request.inputs;
    return Promise.resolve({
      inventory: inventoryOf(request.resources.map(refOf)),
      changes: request.resources.map((resource) => ({ action: "created" as const, ref: refOf(resource) })),
    });
  }

  wait(request: { readonly refs: readonly { readonly name: string }[] }) {
    this.calls.push(`wait ${request.refs.map((ref) => ref.name).join(",")}`);
    return Promise.resolve([]);
  }

  remove(_owner: ObjectKey, entries: readonly InventoryEntry[]): Promise<RemoveResult> {
    this.calls.push(`remove ${entries.map((entry) => entry.id).join(",")}`);
    const kept = entries.flatMap((entry) => {
      const reason = this.stuck.get(entry.id);
      return reason === undefined ? [] : [{ entry, reason, message: `${entry.id} is ${reason}` }];
    });
    for (const entry of entries) if (!this.stuck.has(entry.id)) this.standing.delete(entry.id);
    return Promise.resolve({ removed: [], kept, released: [] });
  }

  stands(_owner: ObjectKey, inputs: string) {
    return Promise.resolve(this.#inputs === inputs);
  }

  remembered() {
    return Promise.resolve(undefined);
  }
}
