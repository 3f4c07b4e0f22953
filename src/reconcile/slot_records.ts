import type { Clock } from "../core/clock.ts";
import { timeText } from "../core/clock.ts";
import type { Event } from "../core/event.ts";
import type { Log } from "../core/log.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Reporter } from "../core/reporter.ts";
import { messageOf } from "../core/stage_error.ts";
import type { Checkpoints } from "./checkpoint.ts";
import { type Neighbour, sourceOf } from "./graph.ts";
import { presentRecord } from "./present_record.ts";
import { isSuspended, type ObjectRecord, statusOf } from "./record.ts";
import type { EndingObject } from "./run_end.ts";
import type { Slot, Slots } from "./slots.ts";

/** What records are kept and told with. */
export interface SlotRecordsTools {
  readonly slots: Slots;
  readonly checkpoints: Checkpoints;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is kept of the objects that the loop holds, and told of them: one way to the disk, one to people. */
export class SlotRecords {
  readonly #tools: SlotRecordsTools;

  constructor(tools: SlotRecordsTools) {
    this.#tools = tools;
  }

  /** The record of an object as it was kept last. */
  get(key: ObjectKey): ObjectRecord | undefined {
    return this.#tools.checkpoints.get(key);
  }

  /** All that are kept, of objects that are not held too. */
  all(): Iterable<ObjectRecord> {
    return this.#tools.checkpoints.all();
  }

  /** The record of a slot's object as its present document makes it. */
  of(slot: Slot): ObjectRecord {
    return presentRecord(this.get(slot.object.key), slot);
  }

  /** Whether an object rests: its document says so, or somebody did. */
  isSuspended(slot: Slot): boolean {
    return isSuspended(slot.object, this.of(slot));
  }

  /** An object that is held, and its record where there is one. */
  find(key: ObjectKey): Neighbour | undefined {
    const slot = this.#tools.slots.get(key);
    if (slot === undefined) return undefined;
    return { object: slot.object, record: this.get(key) === undefined ? undefined : this.of(slot) };
  }

  /** What is known of an object when its run ends. */
  atEnd(slot: Slot): EndingObject {
    const { object, live } = slot;
    return { object, live, kept: this.get(object.key), present: this.of(slot), nowMs: this.#tools.clock.now() };
  }

  /** @throws {StageError} StorageOperationFailed; the record lives on in memory */
  async save(record: ObjectRecord): Promise<void> {
    await this.#tools.checkpoints.save(record);
  }

  /** The same, where nobody could act on a failure: the status says so. */
  async trySave(slot: Slot, record: ObjectRecord): Promise<void> {
    try {
      await this.save(record);
      const { saveFault: _, ...live } = slot.live;
      slot.live = live;
    } catch (error) {
      this.#tools.log.error("state could not be saved", { object: keyText(record.key), error: messageOf(error) });
      slot.live = { ...slot.live, saveFault: messageOf(error) };
    }
  }

  /** Shows an object; with `durationMs`, as its run left it. */
  show(
    slot: Slot,
    record: ObjectRecord,
    { events = [], durationMs }: { readonly events?: readonly Event[]; readonly durationMs?: number } = {},
  ): void {
    // A run that ends after its object went must not bring it back.
    if (!this.#tools.slots.holds(slot)) return;
    const hasEnded = durationMs !== undefined || slot.phase === "idle" && slot.hasRun;
    const source = sourceOf(slot.object);
    const status = {
      ...statusOf(slot.object, record, slot.live),
      ...(source === undefined ? {} : { source }),
      isSettled: hasEnded && slot.again === undefined && !slot.isOrdered,
    };
    const change = { status, events, ...(durationMs === undefined ? {} : { durationMs }) };
    this.tell("report", () => this.#tools.reporter.record(change));
  }

  /** Shows that a resource which an object applied is not healthy any more, or is again. */
  showHealth(slot: Slot, isBad: boolean, message: string): void {
    const timestamp = timeText(this.#tools.clock.now());
    const event: Event = {
      object: slot.object.key,
      timestamp,
      severity: "error",
      reason: "HealthCheckFailed",
      message,
      metadata: {},
    };
    this.show(slot, this.of(slot), { events: isBad ? [event] : [] });
  }

  /** Nothing is left of an object. */
  forget(key: ObjectKey): void {
    this.tell("forget", () => this.#tools.reporter.forget(key));
  }

  /** Calls somebody outside of the loop: what they throw is their fault and stops nothing here. */
  tell(what: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#tools.log.error("a listener of the loop failed", { what, error: messageOf(error) });
    }
  }
}
