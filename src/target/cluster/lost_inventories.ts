import type { Clock } from "../../core/clock.ts";
import type { InventoryEntry } from "../../core/inventory.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import type { Access } from "./access.ts";
import { recoverInventories } from "./recover_inventory.ts";

/** Milliseconds for which the labels of a whole cluster are not read again: longer than a first pass over many owners. */
const freshMs = 300_000;

/** What labels say of owners whose inventory nobody remembers: read once for all owners of a kind that start together. */
export class LostInventories {
  readonly #access: (owner: ObjectKey) => Promise<Access>;
  readonly #clock: Clock;
  readonly #read = new Map<
    string,
    { readonly at: number; readonly found: Promise<ReadonlyMap<string, readonly InventoryEntry[]>> }
  >();

  constructor(access: (owner: ObjectKey) => Promise<Access>, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /** What an owner's labels are on; a failure is not remembered. @throws {KubeError} when the cluster cannot be asked */
  async of(owner: ObjectKey, signal: AbortSignal): Promise<readonly InventoryEntry[]> {
    const now = this.#clock.monotonic();
    let reading = this.#read.get(owner.kind);
    if (reading === undefined || now - reading.at > freshMs) {
      // Noted at once: of many owners at a start the first one asks for all.
      const found = this.#access(owner).then((access) => recoverInventories(access, owner.kind, signal));
      reading = { at: now, found };
      this.#read.set(owner.kind, reading);
      reading.found.catch(() => this.#read.delete(owner.kind));
    }
    return (await reading.found).get(keyText(owner)) ?? [];
  }
}
