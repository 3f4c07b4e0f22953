import { digestOf } from "../core/digest.ts";
import { canonicalJson, jsonEqual } from "../core/json.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { isSameKey, keyText } from "../core/object.ts";
import { type Graph, graphOf, sourceOf } from "./graph.ts";
import { ancestorsOf } from "./lineage.ts";
import type { LiveState } from "./record.ts";
import type { Trigger } from "./trigger.ts";

/** One object while the program runs. */
export interface Slot {
  object: DesiredObject;
  /** Digest of the object's spec: taken once, because it is asked for often. */
  specDigest: string;
  phase: "idle" | "waiting" | "running";
  trigger: Trigger;
  /** Set when it must run once more right after this run. */
  again?: Trigger | undefined;
  /** Ends the present run. */
  abort?: AbortController | undefined;
  cancelTimer?: (() => void) | undefined;
  stopWatch?: AbortController | undefined;
  live: LiveState;
  hasRun: boolean;
  /** An order that runs it as soon as its source has been looked at. */
  isOrdered: boolean;
  /** Whether a person said that what is guarded may be deleted in the next run. */
  isPruneConfirmed: boolean;
  /** Whether it found its source without an artifact while that was at its first run, and nobody was told. */
  isEarly: boolean;
  /** Settles when the present run has ended. */
  ended: Promise<void>;
  /** Whether the present run has made what it makes: what it wants is known to the target then. */
  hasApplied: boolean;
}

/** What {@linkcode Slots.put} did. */
export interface Put {
  readonly slot: Slot;
  /** The object that was held before; absent: none. */
  readonly before?: DesiredObject;
  /** Whether the object is new, or its document or parent is another one. */
  readonly isChanged: boolean;
}

/** The objects that the loop holds, those found in artifacts included, by key. */
export class Slots {
  readonly #byName = new Map<string, Slot>();
  /** Those that have not run yet: asked for after every run, so not searched for among all. */
  readonly #unrun = new Set<Slot>();
  #graph: Graph | undefined;

  get size(): number {
    return this.#byName.size;
  }

  get(key: ObjectKey): Slot | undefined {
    return this.#byName.get(keyText(key));
  }

  has(key: ObjectKey): boolean {
    return this.#byName.has(keyText(key));
  }

  /** Whether a slot is held still, and not another one of its key. */
  holds(slot: Slot): boolean {
    return this.get(slot.object.key) === slot;
  }

  /** All, as of this moment. */
  all(): readonly Slot[] {
    return [...this.#byName.values()];
  }

  /** Whether one of them is so. */
  some(isSo: (slot: Slot) => boolean): boolean {
    for (const slot of this.#byName.values()) if (isSo(slot)) return true;
    return false;
  }

  /** Those that have not run yet. */
  unrun(): Iterable<Slot> {
    return this.#unrun;
  }

  /** Notes that one has run. @returns whether that was its first run */
  markRun(slot: Slot): boolean {
    if (slot.hasRun) return false;
    slot.hasRun = true;
    this.#unrun.delete(slot);
    return true;
  }

  /** Puts an object in its slot; what runs there goes on. */
  put(object: DesiredObject): Put {
    const held = this.get(object.key);
    if (held === undefined) {
      const slot = newSlot(object);
      this.#byName.set(keyText(object.key), slot);
      this.#unrun.add(slot);
      this.#graph = undefined;
      return { slot, isChanged: true };
    }
    const before = held.object;
    const isChanged = !jsonEqual(before.document, object.document) || !isSameKey(before.parent, object.parent);
    held.object = object;
    if (isChanged) {
      held.specDigest = specDigestOf(object);
      this.#graph = undefined;
    }
    return { slot: held, before, isChanged };
  }

  /** @returns what was held; `undefined` where that is nothing */
  delete(key: ObjectKey): Slot | undefined {
    const slot = this.get(key);
    if (slot === undefined) return undefined;
    this.#byName.delete(keyText(key));
    this.#unrun.delete(slot);
    this.#graph = undefined;
    return slot;
  }

  /** Who waits for whom among them; made when it is asked for after a change. */
  get graph(): Graph {
    return this.#graph ??= graphOf(this.all().map((slot) => slot.object));
  }

  /** Objects found in the artifact of one. */
  childrenOf(parent: ObjectKey): readonly ObjectKey[] {
    return this.all()
      .filter(({ object }) => object.parent !== undefined && isSameKey(object.parent, parent))
      .map(({ object }) => object.key);
  }

  /** The source whose artifact an object uses, where it is held. */
  sourceOf(object: DesiredObject): Slot | undefined {
    const source = sourceOf(object);
    return source === undefined ? undefined : this.get(source);
  }

  /** How many artifacts an object was found in, one inside the other; 0 for one of the documents. */
  depthOf(object: DesiredObject): number {
    return ancestorsOf(object, (key) => this.get(key)?.object).length;
  }
}

function newSlot(object: DesiredObject): Slot {
  return {
    object,
    specDigest: specDigestOf(object),
    phase: "idle",
    trigger: "config",
    live: { warnings: [] },
    hasRun: false,
    isOrdered: false,
    isPruneConfirmed: false,
    isEarly: false,
    ended: Promise.resolve(),
    hasApplied: false,
  };
}

function specDigestOf(object: DesiredObject): string {
  return digestOf(canonicalJson(object.document.spec ?? null));
}
