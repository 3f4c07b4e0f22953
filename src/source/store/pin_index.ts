import type { JsonObject } from "../../core/json.ts";
import { parseLayoutIndex, printLayoutIndex } from "./layout_index.ts";
import { type NeededFiles, neededFiles, type PinRecord } from "./pins.ts";
import type { StoredFile } from "./store_files.ts";

/** Says whether a file of the store is needed. */
export type IsNeeded = (file: StoredFile) => boolean;

/** The pins of an open store, and `index.json`, which holds them over restarts. */
export class PinIndex {
  /** Entries of other programs. */
  readonly foreign: readonly JsonObject[];
  /** Whether something in the index could not be read: then nothing may be taken for unneeded. */
  readonly isDamaged: boolean;
  readonly #write: (text: string) => Promise<void>;
  #records: readonly PinRecord[];
  /** What `index.json` on disk says: never collected, even while a save fails. */
  #saved: readonly PinRecord[];
  #queuedSave: Promise<void> | undefined;
  #runningSave: Promise<void> = Promise.resolve();
  /** Text of each record in the index, so that a new pin prints one. */
  readonly #entryTexts = new WeakMap<PinRecord, string>();
  readonly #needed = new WeakMap<readonly PinRecord[], NeededFiles>();

  /** `text`: of `index.json`, where there is one. `write` puts a new text in its place. */
  constructor(text: string | undefined, write: (text: string) => Promise<void>) {
    const parsed = text === undefined ? { records: [], foreign: [], isDamaged: false } : parseLayoutIndex(text);
    this.foreign = parsed.foreign;
    this.isDamaged = parsed.isDamaged;
    this.#records = this.#saved = parsed.records;
    this.#write = write;
  }

  /** What is wanted now. */
  get records(): readonly PinRecord[] {
    return this.#records;
  }

  /** What is kept for an owner: what it pinned, then history, newest first. */
  of(owner: string): readonly PinRecord[] {
    return this.#records.filter((record) => record.owner === owner);
  }

  /** Wants these records, which differ from the last in those of one owner, and saves them where they do differ. */
  async keepOf(owner: string, next: readonly PinRecord[]): Promise<void> {
    const text = (records: readonly PinRecord[]) => JSON.stringify(records.filter((record) => record.owner === owner));
    await this.keep(text(next) === text(this.#records) ? this.#records : next);
  }

  /** Wants these records and saves them where they are not the last; calls that come while a save runs share the next one. */
  async keep(next: readonly PinRecord[]): Promise<void> {
    this.#records = next;
    if (this.#saved === this.#records) return;
    this.#queuedSave ??= this.#runningSave.catch(() => {}).then(() => {
      this.#queuedSave = undefined;
      this.#runningSave = this.#save();
      return this.#runningSave;
    });
    await this.#queuedSave;
  }

  /** Whether records, the wanted ones by default, need a file. */
  isNeededBy(records: readonly PinRecord[] = this.#records): IsNeeded {
    const needed = this.#needed.get(records) ?? neededFiles(records);
    this.#needed.set(records, needed);
    return ({ kind, digest }) => (kind === "blob" ? needed.blobs : needed.trees).has(digest);
  }

  /** Whether something that is wanted, or that the index on disk still names, needs a file. */
  isNeeded(file: StoredFile): boolean {
    return this.isNeededBy(this.#saved)(file) || this.isNeededBy()(file);
  }

  /** Waits for what is being saved. Failures were told to who asked for it. */
  async settle(): Promise<void> {
    await this.#queuedSave?.catch(() => {});
    await this.#runningSave.catch(() => {});
  }

  async #save(): Promise<void> {
    const records = this.#records;
    await this.#write(printLayoutIndex({ records, foreign: this.foreign }, this.#entryTexts));
    this.#saved = records;
  }
}
