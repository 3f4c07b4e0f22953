import type { Digest } from "../../core/digest.ts";
import { digestStream } from "../../core/digest.ts";
import type { FileSystem, OpenFile, PendingFile } from "../../core/file_system.ts";
import { temporaryPrefix } from "../../core/file_system.ts";
import type { Random } from "../../core/random.ts";
import type { BlobContent } from "../oci_source.ts";
import { contentOf, openFile } from "./file_content.ts";

/** Where a {@linkcode Spool} keeps what is too much for memory. */
export interface SpoolPlace {
  readonly fileSystem: FileSystem;
  /** Folder for files that nobody misses. */
  readonly folder: string;
  readonly random: Random;
  /** Bytes up to which no file is made. Default 16 MiB. */
  readonly memoryBytes?: number;
}

/** Default of {@linkcode SpoolPlace.memoryBytes}. */
const memoryBytes = 16 * 1024 * 1024;

/**
 * Bytes that are written once, and then sent as often as a transfer asks: a little in memory, more in a file without a
 * name, which the system forgets with the process.
 */
export class Spool implements AsyncDisposable {
  readonly #place: SpoolPlace;
  readonly #hash = digestStream();
  #pieces: Uint8Array[] = [];
  #pending: PendingFile | undefined;
  #file: OpenFile | undefined;
  #sizeBytes = 0;

  constructor(place: SpoolPlace) {
    this.#place = place;
  }

  /** Appends. @throws what the disk throws */
  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
    if (this.#pending === undefined) {
      this.#pieces.push(chunk);
      if (this.#sizeBytes <= (this.#place.memoryBytes ?? memoryBytes)) return;
      this.#pending = await this.#place.fileSystem.create(this.#path("spool"), { mode: 0o600, durable: false });
      for (const piece of this.#pieces) this.#pending.write(piece);
      this.#pieces = [];
    } else this.#pending.write(chunk);
  }

  /** Ends the writing. */
  async finish(): Promise<{ readonly digest: Digest; readonly size: number; readonly content: BlobContent }> {
    const known = { digest: this.#hash.digest(), size: this.#sizeBytes };
    if (this.#pending === undefined) {
      const bytes = new Blob(this.#pieces as Uint8Array<ArrayBuffer>[]);
      return { ...known, content: (offset) => bytes.slice(offset).stream() };
    }
    const { fileSystem, random } = this.#place;
    const path = this.#path([...random.bytes(8)].map((byte) => byte.toString(16)).join(""));
    await this.#pending.commit(path);
    this.#file = openFile(path, fileSystem);
    await fileSystem.remove(path);
    return { ...known, content: contentOf(this.#file) };
  }

  #path(name: string): string {
    return `${this.#place.folder}/${temporaryPrefix}${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#file?.[Symbol.dispose]();
    await this.#pending?.[Symbol.asyncDispose]();
  }
}
