import type { Clock } from "../core/clock.ts";
import { timeText } from "../core/clock.ts";
import type { Random } from "../core/random.ts";
import type { Gate } from "./gate.ts";
import { delayAfterRun, type Ending } from "./schedule.ts";
import type { SlotRecords } from "./slot_records.ts";
import type { Slot, Slots } from "./slots.ts";
import { replacesRun, stronger, type Trigger, urgencyOf } from "./trigger.ts";
import { Waiters } from "./waiters.ts";

/** Abort reason of a run, a search or a removal that a newer state replaces or the end of the program cuts short. */
export class CutShort extends Error {
  override readonly name = "CutShort";
}

/** What turns are given with. */
export interface TurnsTools {
  readonly slots: Slots;
  readonly records: SlotRecords;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly random: Random;
}

/** What is asked of the loop when it is an object's turn. */
export interface TurnTaker {
  /** What must be over before an object may run; `undefined`: nothing. */
  before(slot: Slot): Promise<void> | undefined;
  /** Runs an object, and records how that ended. Never fails. */
  run(slot: Slot, signal: AbortSignal): Promise<void>;
  /** A turn is over. */
  ended(): void;
}

/** Longest wait for others before something is given up, in milliseconds. */
const othersWithinMs = 60_000;

/**
 * Whose turn it is: an object runs when it is woken or its time comes, at most once at a time, and not more objects together
 * than the gate lets in. Who is woken while it runs, runs once more right after, or at once where what it builds from is new.
 */
export class Turns {
  readonly #tools: TurnsTools;
  readonly #taker: TurnTaker;
  /** Told when an object has applied what it applies, or its turn is over. */
  readonly #waiters: Waiters;
  #active = 0;
  #isStopped = false;

  constructor(tools: TurnsTools, taker: TurnTaker) {
    this.#tools = tools;
    this.#taker = taker;
    this.#waiters = new Waiters(tools.clock);
  }

  /** Objects that wait for their turn or have it. */
  get active(): number {
    return this.#active;
  }

  /** Whether nothing new starts any more. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Lets nothing new start. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Runs an object as soon as may be, unless it rests. */
  wake(slot: Slot, trigger: Trigger): void {
    if (this.#isStopped || this.#tools.records.isSuspended(slot)) return;
    slot.cancelTimer?.();
    slot.cancelTimer = undefined;
    switch (slot.phase) {
      case "idle":
        slot.phase = "waiting";
        slot.hasApplied = false;
        this.#active++;
        slot.trigger = trigger;
        slot.ended = this.#take(slot);
        break;
      case "waiting":
        slot.trigger = stronger(slot.trigger, trigger);
        break;
      case "running":
        slot.again = slot.again === undefined ? trigger : stronger(slot.again, trigger);
        if (replacesRun(trigger)) {
          // What a person asked of the run that ends here is asked of the next one.
          slot.again = stronger(slot.again, slot.trigger);
          slot.abort?.abort(new CutShort("A newer state replaces this run"));
        }
        break;
    }
  }

  /** Runs a source, and then an object that uses it: with a new artifact that runs anyway, and not twice. */
  async wakeAfter(source: Slot, slot: Slot): Promise<void> {
    slot.isOrdered = true;
    this.wake(source, "request");
    while (source.phase !== "idle") await source.ended;
    slot.isOrdered = false;
    const runsNew = slot.again ?? (slot.phase === "idle" ? undefined : slot.trigger);
    if (runsNew !== "revision" && this.#tools.slots.holds(slot)) this.wake(slot, "request");
  }

  /** Plans the next run of an object by how the last one ended; one that is woken already needs none. */
  schedule(slot: Slot, ending: Ending, againAfterMs?: number): void {
    const { clock, random, records, slots } = this.#tools;
    if (this.#isStopped || slot.again !== undefined || !slots.holds(slot) || records.isSuspended(slot)) return;
    const spec = slot.object.spec as { readonly intervalMs?: number; readonly retryIntervalMs?: number };
    const delayMs = delayAfterRun(ending, spec, { random: random.next(), againAfterMs });
    if (delayMs === undefined) return;
    slot.live = { ...slot.live, nextRunAt: timeText(clock.now() + delayMs) };
    slot.cancelTimer?.();
    slot.cancelTimer = clock.after(delayMs, () => this.wake(slot, ending.kind === "success" ? "interval" : "retry"));
  }

  /** What an object wants stands: nobody need wait for it any more. */
  noteApplied(slot: Slot): void {
    slot.hasApplied = true;
    this.#waiters.tell();
  }

  /** Waits, a minute at most, until none of the objects that wait or run is one that counts. */
  async untilNone(counts: (slot: Slot) => boolean, signal: AbortSignal): Promise<void> {
    const isOnItsWay = (slot: Slot) => slot.phase !== "idle" && counts(slot);
    const isOver = () => this.#isStopped || !this.#tools.slots.some(isOnItsWay);
    await this.#waiters.until(isOver, { withinMs: othersWithinMs, signal });
  }

  /** Does something that only waits, without the place of the object whose turn it is. */
  async offGate<T>(work: () => Promise<T>): Promise<T> {
    this.#tools.gate.leave();
    try {
      return await work();
    } finally {
      await this.#tools.gate.enter(0);
    }
  }

  async #take(slot: Slot): Promise<void> {
    const { gate, records, slots } = this.#tools;
    const before = this.#taker.before(slot);
    if (before !== undefined) await before;
    await gate.enter(urgencyOf(slot.trigger));
    try {
      if (!this.#isStopped && slots.holds(slot) && !records.isSuspended(slot)) {
        slot.phase = "running";
        slot.abort = new AbortController();
        await this.#taker.run(slot, slot.abort.signal);
      }
    } finally {
      slot.abort = undefined;
      slot.phase = "idle";
      this.#active--;
      gate.leave();
    }
    const { again } = slot;
    slot.again = undefined;
    if (again !== undefined && slots.holds(slot)) this.wake(slot, again);
    this.#waiters.tell();
    this.#taker.ended();
  }
}
