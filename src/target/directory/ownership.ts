import type { FileSystem } from "../../core/file_system.ts";
import { temporaryPrefix } from "../../core/file_system.ts";
import type { Inventory, InventoryEntry } from "../../core/inventory.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import { objectFileName } from "../../core/object_file_name.ts";

/** One file of an owner. */
export interface OwnedFile {
  /** Relative to the folder. */
  readonly path: string;
  readonly entry: InventoryEntry;
  /** Size and time of the file after we wrote it: the same again means untouched. Absent while it is being written. */
  readonly written?: { readonly sizeBytes: number; readonly modifiedAt: number };
}

/** What the folder itself remembers of one owner. */
export interface OwnerRecord {
  readonly owner: ObjectKey;
  readonly inputs?: string;
  readonly files: readonly OwnedFile[];
}

/**
 * Who owns which file of a folder, kept in the folder itself (`.pilotfish-<kind>_<namespace>_<name>.json`), so that
 * pruning is right even after our own state was lost. A dot file, because kubelets and k3s pass those over.
 */
export class Ownership {
  readonly #folder: string;
  readonly #fileSystem: FileSystem;
  readonly #records = new Map<string, OwnerRecord>();
  /** Owner by lower-cased path: some file systems do not tell cases apart. */
  readonly #owners = new Map<string, string>();
  #loaded: Promise<void> | undefined;
  #tidied: Promise<void> | undefined;

  constructor(folder: string, fileSystem: FileSystem) {
    this.#folder = folder;
    this.#fileSystem = fileSystem;
  }

  /** Reads the folder's records once. A record that cannot be read counts as absent: its files are then foreign, and stay. */
  async load(): Promise<void> {
    try {
      await (this.#loaded ??= this.#read());
    } catch (error) {
      this.#loaded = undefined;
      throw error;
    }
  }

  /** Removes, once and before the first write, what a crash left half written. */
  async tidy(): Promise<void> {
    try {
      await (this.#tidied ??= this.#removeUnfinished());
    } catch (error) {
      this.#tidied = undefined;
      throw error;
    }
  }

  of(owner: ObjectKey): OwnerRecord {
    return this.#records.get(keyText(owner)) ?? { owner, files: [] };
  }

  /** Text of the owner of a path, if it has one. */
  ownerOf(path: string): string | undefined {
    return this.#owners.get(path.toLowerCase());
  }

  /** Claims files before anything is awaited, so that two owners that run together cannot both take one. */
  claim(owner: ObjectKey, paths: Iterable<string>): void {
    for (const path of paths) this.#owners.set(path.toLowerCase(), keyText(owner));
  }

  /** Lets go of what an owner claimed and its record does not name: it was never written. */
  unclaim(owner: ObjectKey): void {
    const name = keyText(owner);
    const paths = new Set(this.of(owner).files.map((file) => file.path.toLowerCase()));
    for (const [path, other] of this.#owners) if (other === name && !paths.has(path)) this.#owners.delete(path);
  }

  /** Keeps a record durably; an empty one is removed. One that the disk refuses is not kept in memory either. */
  async save(record: OwnerRecord): Promise<void> {
    const name = keyText(record.owner);
    if (record.files.length === 0) {
      await this.#fileSystem.remove(this.#pathOf(record.owner));
      this.#records.delete(name);
    } else {
      const text = `${JSON.stringify({ version: 1, ...record })}\n`;
      await this.#fileSystem.writeAtomic(this.#pathOf(record.owner), text, { mode: 0o600 });
      this.#records.set(name, record);
      this.claim(record.owner, record.files.map((file) => file.path));
    }
    this.unclaim(record.owner);
  }

  /** The inventory of an owner, or `undefined` when the folder remembers nothing. */
  inventoryOf(owner: ObjectKey): Inventory | undefined {
    const record = this.#records.get(keyText(owner));
    return record === undefined ? undefined : { entries: record.files.map((file) => file.entry) };
  }

  async #read(): Promise<void> {
    for (const entry of await this.#fileSystem.list(this.#folder) ?? []) {
      if (entry.kind !== "file" || !/^\.pilotfish-.*_.*_.*\.json$/.test(entry.name)) continue;
      const text = await this.#fileSystem.readText(`${this.#folder}/${entry.name}`) ?? "";
      const record = parseRecord(text);
      if (record === undefined) continue;
      this.#records.set(keyText(record.owner), record);
      this.claim(record.owner, record.files.map((file) => file.path));
    }
  }

  async #removeUnfinished(): Promise<void> {
    const isFolder = (entry: { readonly kind: string }) => entry.kind === "folder";
    const folders = (await this.#fileSystem.list(this.#folder) ?? []).filter(isFolder);
    for (const folder of [this.#folder, ...folders.map(({ name }) => `${this.#folder}/${name}`)]) {
      // A folder that we may not look into (`lost+found`) has nothing of ours.
      for (const entry of await this.#fileSystem.list(folder).catch(() => undefined) ?? []) {
        if (entry.name.startsWith(temporaryPrefix)) await this.#fileSystem.remove(`${folder}/${entry.name}`);
      }
    }
  }

  #pathOf(owner: ObjectKey): string {
    return `${this.#folder}/.pilotfish-${objectFileName(owner)}.json`;
  }
}

function parseRecord(text: string): OwnerRecord | undefined {
  try {
    const record = JSON.parse(text) as OwnerRecord & { readonly version?: unknown };
    const isWhole = record.version === 1 && Array.isArray(record.files) && typeof keyText(record.owner) === "string" &&
      record.files.every((file) => isInside(file.path) && typeof file.entry.id === "string");
    return isWhole ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a path of a record stays in the folder: who can write the record must not choose what we delete elsewhere. */
function isInside(path: unknown): boolean {
  return typeof path === "string" && path !== "" &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
