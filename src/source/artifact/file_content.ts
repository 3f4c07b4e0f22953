import type { FileSystem, OpenFile } from "../../core/file_system.ts";
import { StageError } from "../../core/stage_error.ts";
import type { BlobContent } from "../oci_source.ts";

/** Bytes read at once. */
const chunkBytes = 256 * 1024;

/** Bytes of an open file from an offset on, piece by piece. The file stays open. */
export function* chunksOf(file: OpenFile, from = 0): Iterable<Uint8Array> {
  for (let offset = from; offset < file.sizeBytes; offset += chunkBytes) {
    yield file.readAt(offset, Math.min(chunkBytes, file.sizeBytes - offset));
  }
}

/** Content of an open file for a transfer, never more than a piece of it in memory. Who opened the file closes it. */
export function contentOf(file: OpenFile): BlobContent {
  return (offset) => {
    const chunks = chunksOf(file, offset)[Symbol.iterator]();
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        const next = chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
    }, { highWaterMark: 0 });
  };
}

/** Opens a file that must be there. @throws {StageError} ReadOperationFailed */
export function openFile(path: string, fileSystem: FileSystem): OpenFile {
  const file = fileSystem.open(path);
  if (file === undefined) throw new StageError("ReadOperationFailed", `Cannot read "${path}": it is gone`);
  return file;
}
