import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Random } from "../core/random.ts";
import { messageOf } from "../core/stage_error.ts";
import type { Checkpoints } from "./checkpoint.ts";
import type { Pipelines, RecordPatch, RemovalTools } from "./pipeline.ts";
import { type ObjectRecord, resting } from "./record.ts";
import { nextDelayMs } from "./schedule.ts";

/** What removals work with. */
export interface RemovalsTools {
  readonly checkpoints: Checkpoints;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly pipelines: Pipelines;
}

/** What a removal asks of the loop. */
export interface RemovingLoop {
  /** Whether the object is held: it may be back while it is removed. */
  has(key: ObjectKey): boolean;
  /** Objects that are held and were found in the artifact of another. */
  childrenOf(parent: ObjectKey): readonly ObjectKey[];
  /** Takes an object out of the loop, and begins its removal. */
  retire(key: ObjectKey): void;
  /** Waits until others have taken over what they may. */
  othersApplied(signal: AbortSignal): Promise<void>;
  /** Nothing is left of an object. */
  forget(key: ObjectKey): void;
  /** A removal has ended, done or called off. */
  ended(): void;
}

/** A removal under way. */
interface Removal {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** Milliseconds between two tries where the schedule names none. */
const pauseMs = 300_000;

/**
 * Removals under way: what an object left in the world goes in the background, what its artifact brought first. One that
 * fails is tried again with growing pauses, until it succeeds, is called off or the program ends.
 */
export class Removals {
  readonly #tools: RemovalsTools;
  readonly #loop: RemovingLoop;
  readonly #running = new Map<string, Removal>();

  constructor(tools: RemovalsTools, loop: RemovingLoop) {
    this.#tools = tools;
    this.#loop = loop;
  }

  get size(): number {
    return this.#running.size;
  }

  /** Settle when those of this moment have ended. */
  done(): readonly Promise<void>[] {
    return [...this.#running.values()].map((removal) => removal.done);
  }

  /** Settles when the removal of an object has ended; `undefined` where there is none. */
  under(key: ObjectKey): Promise<void> | undefined {
    return this.#running.get(keyText(key))?.done;
  }

  /** Begins once the object's last run (`ended`) is over; one that is under way goes on. */
  begin(key: ObjectKey, ended: Promise<void> | undefined): void {
    const name = keyText(key);
    const earlier = this.#running.get(name);
    // One that was called off, because the object was back for a moment, ends first and is then done anew.
    if (earlier?.abort.signal.aborted === false) return;
    const abort = new AbortController();
    const before = async () => {
      await earlier?.done;
      await ended;
    };
    const removal: Removal = {
      abort,
      done: this.#remove(key, before, abort.signal).finally(() => {
        if (this.#running.get(name) === removal) this.#running.delete(name);
        this.#loop.ended();
      }),
    };
    this.#running.set(name, removal);
  }

  /** Ends a removal at its next safe point. */
  callOff(key: ObjectKey, reason: Error): void {
    this.#running.get(keyText(key))?.abort.abort(reason);
  }

  /** Calls all of them off. */
  stop(reason: Error): void {
    for (const { abort } of this.#running.values()) abort.abort(reason);
  }

  async #remove(key: ObjectKey, before: () => Promise<void>, signal: AbortSignal): Promise<void> {
    await before();
    if (signal.aborted) return;
    await this.#removeChildren(key);
    for (let failures = 1; !signal.aborted && !this.#loop.has(key); failures++) {
      try {
        const record = this.#tools.checkpoints.get(key);
        if (record !== undefined && !await this.#removeOnce(record, signal)) return;
        if (!this.#loop.has(key)) this.#loop.forget(key);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const { clock, log, random } = this.#tools;
        log.error("object could not be removed", { object: keyText(key), error: messageOf(error) });
        const ending = { kind: "failure", retry: "backoff", failures } as const;
        const pause = nextDelayMs(ending, { intervalMs: pauseMs }, random.next());
        // Its only failure is the signal, which the loop looks at next.
        await clock.sleep(pause ?? pauseMs, signal).catch(() => {});
      }
    }
  }

  async #removeChildren(key: ObjectKey): Promise<void> {
    const { checkpoints, log } = this.#tools;
    const isChild = ({ parent }: ObjectRecord) => parent !== undefined && keyText(parent) === keyText(key);
    const known = [...checkpoints.all()].filter(isChild).map((record) => record.key);
    const children = [...this.#loop.childrenOf(key), ...known];
    const policy = checkpoints.get(key)?.removal;
    for (const child of children) {
      // What leaves its resources leaves its objects too, and they leave theirs.
      const record = policy?.prune === false ? checkpoints.get(child) : undefined;
      if (record !== undefined) {
        // What the disk refuses holds until the end of the program all the same.
        await checkpoints.save(resting(record)).catch((error: unknown) =>
          log.error("state could not be saved", { object: keyText(child), error: messageOf(error) })
        );
      }
      this.#loop.retire(child);
    }
    await Promise.all(children.map((child) => this.under(child)));
  }

  /** @returns `false` when the object is back and goes on with what is left */
  async #removeOnce(record: ObjectRecord, signal: AbortSignal): Promise<boolean> {
    const { checkpoints, log, pipelines } = this.#tools;
    const { key } = record;
    const now = () => checkpoints.get(key) ?? record;
    const tools: RemovalTools = {
      signal,
      checkpoint: (patch: RecordPatch) => checkpoints.save({ ...now(), ...patch }),
      tell: (message) => log.warn("left behind", { object: keyText(key), text: message }),
      othersApplied: () => this.#loop.othersApplied(signal),
    };
    await pipelines.get(key.kind)?.remove(record, tools);
    // With nothing left it starts anew.
    const isEmpty = now().inventory.entries.length === 0;
    if (signal.aborted && !(isEmpty && this.#loop.has(key))) return false;
    await checkpoints.forget(key);
    log.info("object removed", { object: keyText(key) });
    return true;
  }
}
