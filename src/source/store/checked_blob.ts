import type { Descriptor } from "../../core/descriptor.ts";
import { digestStream, splitDigest } from "../../core/digest.ts";
import type { PendingFile } from "../../core/file_system.ts";
import { StageError } from "../../core/stage_error.ts";
import type { PendingBlob } from "./store.ts";

/** What a blob tells of its writing. */
export interface BlobWriting {
  /** The error for people of one that the disk gave. */
  failed(error: unknown): unknown;
  /** It stands in its place. */
  kept(): void;
}

/**
 * A blob that is written to `file`: size and digest are checked as its bytes pass, and only what its descriptor says gets
 * into its place.
 */
export function checkedBlob(descriptor: Descriptor, file: PendingFile, writing: BlobWriting): PendingBlob {
  const check = digestStream(splitDigest(descriptor.digest).algorithm);
  return {
    get sizeBytes() {
      return file.sizeBytes;
    },
    write(chunk) {
      if (file.sizeBytes + chunk.length > descriptor.size) {
        throw mismatch(descriptor, `there are more than ${descriptor.size} bytes`);
      }
      check.update(chunk);
      try {
        file.write(chunk);
      } catch (error) {
        throw writing.failed(error);
      }
    },
    async commit() {
      if (file.sizeBytes !== descriptor.size) {
        throw mismatch(descriptor, `there are ${file.sizeBytes} bytes, wanted are ${descriptor.size}`);
      }
      const found = check.digest();
      if (found !== descriptor.digest) throw mismatch(descriptor, `its digest is ${found}`);
      try {
        await file.commit();
      } catch (error) {
        throw writing.failed(error);
      }
      writing.kept();
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

function mismatch(descriptor: Descriptor, why: string): StageError {
  return new StageError("OCIArtifactPullFailed", `Cannot keep blob ${descriptor.digest}: ${why}`, {
    hint: "The registry or a proxy before it changes content; push the artifact again or pull it from elsewhere",
  });
}
