import type { Log } from "../core/log.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { isSameKey, keyText } from "../core/object.ts";
import { messageOf } from "../core/stage_error.ts";
import { type Adoption, adoptionOf, type FoundObjects, mayTake, refusalTexts } from "./adoption.ts";
import type { Gate } from "./gate.ts";
import type { Pipelines } from "./pipeline.ts";
import type { SlotRecords } from "./slot_records.ts";
import type { Slot, Slots } from "./slots.ts";
import type { Trigger } from "./trigger.ts";

/** What children are held with. */
export interface ChildrenTools {
  readonly slots: Slots;
  readonly records: SlotRecords;
  readonly pipelines: Pipelines;
  readonly gate: Gate;
  readonly log: Log;
}

/** What is asked of the loop for them. */
export interface ParentLoop {
  /** Puts an object in its slot. @returns whether it is new or its document changed */
  put(object: DesiredObject): boolean;
  /** Takes an object out of the loop and begins its removal. */
  retire(key: ObjectKey): void;
  wake(slot: Slot, trigger: Trigger): void;
  /** A search for objects of the last good run has ended, with or without success. */
  restored(): void;
}

/**
 * Objects found in artifacts: they are held as long as their parent brings them, and found again where a start finds their
 * parent at rest or in a state in which it cannot be built. Whose an object is decides `adoption.ts`.
 */
export class Children {
  readonly #tools: ChildrenTools;
  readonly #loop: ParentLoop;
  /** Searches under way, by parent. */
  readonly #searches = new Map<Slot, AbortController>();
  #isStopped = false;

  constructor(tools: ChildrenTools, loop: ParentLoop) {
    this.#tools = tools;
    this.#loop = loop;
  }

  /** Searches under way. */
  get searches(): number {
    return this.#searches.size;
  }

  /** Holds, removes and leaves out the objects that a run found; the warnings name those that are left out. */
  adopt(found: FoundObjects): Adoption {
    const adoption = adoptionOf(found, this.#tools);
    const changed = adoption.taken.filter((child) => this.#loop.put(child));
    for (const key of adoption.gone) this.#loop.retire(key);
    for (const child of changed) {
      const slot = this.#tools.slots.get(child.key);
      if (slot !== undefined) this.#loop.wake(slot, "config");
    }
    return { ...adoption, warnings: [...this.refusals(adoption.refused), ...adoption.warnings] };
  }

  /** What is told of objects that others keep from being taken. */
  refusals(refused: readonly ObjectKey[]): readonly string[] {
    return refusalTexts(refused, this.#tools);
  }

  /** Whether nobody else holds the name any more of an object that was left out of a parent's artifact. */
  mayTakeRefused(parent: ObjectKey, refused: readonly ObjectKey[] = []): boolean {
    return refused.some((key) => mayTake(parent, key, this.#tools));
  }

  /** A name is free again: runs the objects from whose artifact one of this name was left out. */
  wakeRefused(key: ObjectKey): void {
    for (const slot of this.#tools.slots.all()) {
      const refused = this.#tools.records.get(slot.object.key)?.refused;
      if (refused?.some((other) => isSameKey(other, key)) === true) this.#loop.wake(slot, "dependency");
    }
  }

  /** Notes that a document took over the name of an object of a parent's artifact. */
  noteTaken(key: ObjectKey, parent: ObjectKey): void {
    const { slots, records } = this.#tools;
    const slot = slots.get(parent);
    if (slot === undefined) return;
    const record = records.of(slot);
    const others = (record.refused ?? []).filter((other) => !isSameKey(other, key));
    void records.trySave(slot, { ...record, refused: [...others, key] });
  }

  /**
   * Brings back the objects of a parent's last good run that are not held: they go on without it, as they would had the
   * program not ended.
   */
  restore(parent: Slot): void {
    if (this.#isStopped || this.#searches.has(parent)) return;
    const { slots, records, pipelines } = this.#tools;
    const record = records.of(parent);
    const pipeline = pipelines.get(parent.object.key.kind);
    const missing = new Set(record.children.filter((key) => !slots.has(key)).map(keyText));
    if (missing.size === 0 || pipeline?.children === undefined) return;
    const { object } = parent;
    const search = async (signal: AbortSignal) => {
      const found = await pipeline.children?.({ object, record, signal }) ?? [];
      if (signal.aborted || !slots.holds(parent)) return;
      // What left the artifact since the last good run, or changed its parent, is not made anew by this.
      const back = found.filter((child) => missing.has(keyText(child.key)));
      this.adopt({ parent: parent.object, found: back, before: record.children, keepsMissing: true });
    };
    const abort = new AbortController();
    this.#searches.set(parent, abort);
    void this.#search(parent, () => search(abort.signal));
  }

  /** Ends the search for the objects of a parent. */
  callOff(parent: Slot, reason: Error): void {
    this.#searches.get(parent)?.abort(reason);
  }

  /** Ends all searches; none begins any more. */
  stop(reason: Error): void {
    this.#isStopped = true;
    for (const search of this.#searches.values()) search.abort(reason);
  }

  async #search(parent: Slot, search: () => Promise<void>): Promise<void> {
    const { gate, log } = this.#tools;
    await gate.enter(1);
    try {
      await search();
    } catch (error) {
      log.warn("objects of an artifact could not be found again", {
        object: keyText(parent.object.key),
        error: messageOf(error),
      });
    } finally {
      gate.leave();
      this.#searches.delete(parent);
      this.#loop.restored();
    }
  }
}
