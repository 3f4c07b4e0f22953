import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import type { Access } from "./access.ts";
import type { InventoryStore } from "./inventory_store.ts";
import { isLabelling } from "./owner_labels.ts";
import type { OwnerState } from "./owner_state.ts";
import { ownerState, renewState } from "./owner_state.ts";

/** What states of owners are made with. */
export interface OwnerStatesTools {
  readonly store: InventoryStore;
  /** How often the right to write has come to us; 0 while we have none. */
  readonly term: () => number;
  /** Whose eyes see an owner's resources at first. */
  readonly access: (owner: ObjectKey) => Promise<Access>;
}

/** What is known of each owner, read from the cluster when it is asked for first. */
export class OwnerStates {
  readonly #tools: OwnerStatesTools;
  readonly #known = new Map<string, { readonly term: number; readonly state: Promise<OwnerState> }>();

  constructor(tools: OwnerStatesTools) {
    this.#tools = tools;
  }

  /**
   * The state of an owner. When the right to write has come to us anew, what another one kept meanwhile is taken in.
   *
   * @throws {KubeError} when the inventory cannot be read; the next one who asks tries again
   */
  of(owner: ObjectKey, signal: AbortSignal): Promise<OwnerState> {
    const key = keyText(owner);
    const term = this.#tools.term();
    const known = this.#known.get(key);
    if (known !== undefined && known.term >= term) return known.state;
    const made = { term, state: this.#read(owner, { term, known: known?.state }, signal) };
    this.#known.set(key, made);
    made.state.catch(() => {
      if (this.#known.get(key) !== made) return;
      if (known === undefined) this.#known.delete(key);
      else this.#known.set(key, known);
    });
    return made.state;
  }

  /** Lets the memory of an owner go. */
  forget(owner: ObjectKey): void {
    this.#known.delete(keyText(owner));
  }

  /** Forgets all. */
  clear(): void {
    this.#known.clear();
  }

  async #read(
    owner: ObjectKey,
    what: { readonly term: number; readonly known: Promise<OwnerState> | undefined },
    signal: AbortSignal,
  ): Promise<OwnerState> {
    const { store, access } = this.#tools;
    const isKept = isLabelling(owner);
    const stored = isKept ? await store.load(owner, signal, what.term) : undefined;
    const state = await what.known ?? ownerState(owner, stored, await access(owner));
    if (what.known !== undefined && isKept) renewState(state, stored);
    state.term = what.term;
    return state;
  }
}
