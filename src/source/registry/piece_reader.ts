import type { Descriptor } from "../../core/descriptor.ts";
import { StageError } from "../../core/stage_error.ts";
import type { BlobContent } from "../oci_source.ts";

/** Reads a blob's content in pieces of any size; opens it again where a piece does not follow the last one. */
export class PieceReader implements AsyncDisposable {
  readonly #content: BlobContent;
  readonly #descriptor: Descriptor;
  readonly #action: string;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #position = 0;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(content: BlobContent, descriptor: Descriptor, action: string) {
    this.#content = content;
    this.#descriptor = descriptor;
    this.#action = action;
  }

  /** Exactly `length` bytes from `offset`. @throws {StageError} when the content ends before, or goes on after its size */
  async take(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#reader === undefined || this.#position !== offset) {
      await this[Symbol.asyncDispose]();
      this.#reader = (await this.#content(offset)).getReader();
      this.#position = offset;
    }
    const piece = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#rest.length === 0) {
        const next = await this.#reader.read();
        if (next.done) throw this.#wrong(`ends after ${this.#position + filled}`);
        this.#rest = next.value;
        continue;
      }
      const part = this.#rest.subarray(0, length - filled);
      piece.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    this.#position = offset + length;
    if (this.#position === this.#descriptor.size) await this.#expectEnd();
    return piece;
  }

  /** Reading on to the end lets a checked stream find a wrong digest before anything is finished. */
  async #expectEnd(): Promise<void> {
    while (this.#reader !== undefined) {
      if (this.#rest.length > 0) throw this.#wrong(`is longer than`);
      const next = await this.#reader.read();
      if (next.done) return;
      this.#rest = next.value;
    }
  }

  #wrong(how: string): StageError {
    return new StageError(
      "OCIArtifactPullFailed",
      `${this.#action}: its content ${how} ${this.#descriptor.size} bytes`.replace(/(after \d+) /, "$1 of "),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#rest = new Uint8Array(0);
    try {
      await reader?.cancel();
    } catch {
      // It broke off by itself.
    }
  }
}
