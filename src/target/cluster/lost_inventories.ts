import type { Clock } from "../../core/clock.ts";
import type { InventoryEntry } from "../../core/inventory.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import type { Access } from "./access.ts";
import { recoverInventories } from "./recover_inventory.ts";

/** Milliseconds for which the labels of a whole cluster are remembered: longer than a first pass over many owners. */
const freshMs = 300_000;

interface Reading {
  readonly found: Promise<ReadonlyMap<string, readonly InventoryEntry[]>>;
  /** Lets go of the clock. */
  readonly cancel: () => void;
}

/** What labels say of owners whose inventory nobody remembers: read once for all owners of a kind that start together. */
export class LostInventories implements Disposable {
  readonly #access: (owner: ObjectKey) => Promise<Access>;
  readonly #clock: Clock;
  readonly #read = new Map<string, Reading>();

  constructor(access: (owner: ObjectKey) => Promise<Access>, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /** What an owner's labels are on; a failure is not remembered. @throws {KubeError} when the cluster cannot be asked */
  async of(owner: ObjectKey, signal: AbortSignal): Promise<readonly InventoryEntry[]> {
    // Noted at once: of many owners at a start the first one asks for all.
    const reading = this.#read.get(owner.kind) ?? this.#begin(owner, signal);
    return (await reading.found).get(keyText(owner)) ?? [];
  }

  [Symbol.dispose](): void {
    for (const { cancel } of this.#read.values()) cancel();
    this.#read.clear();
  }

  #begin(owner: ObjectKey, signal: AbortSignal): Reading {
    const forget = () => {
      reading.cancel();
      if (this.#read.get(owner.kind) === reading) this.#read.delete(owner.kind);
    };
    const found = this.#access(owner).then((access) => recoverInventories(access, owner.kind, signal));
    const reading: Reading = { found, cancel: this.#clock.after(freshMs, forget) };
    this.#read.set(owner.kind, reading);
    found.catch(forget);
    return reading;
  }
}
